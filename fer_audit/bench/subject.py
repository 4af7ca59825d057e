"""What is measured: the images and the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fer_audit.bench.faces import draw_faces
from fer_audit.bench.options import BenchOptions
from fer_audit.bench.types import ModelMeasured, SampleFacts
from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.session import choose_place
from fer_audit.embed.types import CPU, ModelFacts, Place
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.flops import file_multiply_adds
from fer_audit.encoders.graph_check import check_graph
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError, ModelError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline.quantized import LEAST_IMAGES, find_or_quantize
from fer_audit.progress import Progress
from fer_audit.store.stage import cache_folder


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The images and the model, ready to be worked on."""

    source: Path
    drawn: bool
    """Whether the images were drawn for this measurement."""
    listed: int
    """Files of the whole set."""
    dataset: FaceDataset
    """Those that are embedded."""
    config: AuditConfig
    """Chooses `dataset` out of `source`, and makes `model` in `models_dir`."""
    model: ExportedModel
    origin: ExportedModel
    """The fp32 model that an int8 `model` was made from for these images; else `model`."""
    models_dir: Path
    """Where `model` is found; a scratch folder for int8."""
    place: Place
    """One device."""

    def facts(self) -> ModelFacts:
        """Return the model as the vectors' stages know it."""
        spec, model = self.model.spec, self.model
        return ModelFacts(spec.name, model.sha256, self.place.provider, model.precision, spec.dim)

    def sample(self, rows: PackRows) -> SampleFacts:
        """Return what the result says of the images."""
        return SampleFacts(
            source="drawn" if self.drawn else "folder",
            listed=self.listed,
            images=len(self.dataset),
            failed=int((~rows.ok).sum()),
            mean_file_bytes=float(self.dataset.sizes.clip(min=0).mean()),
            page_cache="warm",
        )


def find_subject(
    source: Path | None,
    options: BenchOptions,
    config: AuditConfig,
    resources: Resources,
    progress: Progress,
    *,
    scratch: Path,
) -> Subject:
    """Find or export the model, find or draw the images; the errors are those of a run.

    An int8 model is made under `scratch`: the images are drawn or sampled for this measurement, so no run would use it.
    ConfigError for several devices, and for too few images to make int8 from.
    """
    _refuse_several(resources.device)
    drawn = source is None
    if source is None:
        n, side = options.images, options.face_size
        progress.say(f"no DATASET given: drawing {n} faces of {side} x {side}")
        source = draw_faces(scratch / "drawn", n, side=side)
    dataset = load_dataset(source, config)
    listed = len(dataset)
    if listed > options.images:
        config = config.having(sample=options.images)
        dataset = load_dataset(source, config)
    models_dir = models_folder(resources.models_dir, resources.cache_dir)
    origin = model = find_or_export(
        config.model.model,
        "fp32" if config.model.precision == "int8" else config.model.precision,
        models_dir=models_dir,
        weights_dir=cache_folder(resources.cache_dir) / "weights",
        progress=progress,
    )
    if config.model.precision == "int8" and origin.precision != "int8":
        _refuse_few(options.images)
        models_dir = scratch / "models"
        config = config.having(model=str(origin.path))
        resources = replace(resources, models_dir=models_dir)
        model = find_or_quantize(dataset, config, resources, progress)
    check_graph(model)
    place = choose_place(resources.device)
    return Subject(source, drawn, listed, dataset, config, model, origin, models_dir, place)


def _refuse_several(device: str) -> None:
    """Refuse to measure the first device where several were asked for."""
    if "," in device or device.endswith(":all"):
        raise ConfigError(
            f"bench measures one device, --device {device} asks for several",
            hint="Name one, e.g. --device cuda:0.",
        )


def _refuse_few(images: int) -> None:
    """Refuse to calibrate on fewer images than say something."""
    if images < 2 * LEAST_IMAGES:
        raise ConfigError(
            f"int8 is calibrated on the images that are measured, and --images {images} is too few",
            hint=f"Use --images {2 * LEAST_IMAGES} or more.",
        )


def session_threads(place: Place) -> int:
    """Return the threads a session takes when nobody says how many: on a GPU nothing of the graph runs on the CPU."""
    return usable_cores() if place.provider == CPU else 1


def model_measured(
    subject: Subject, *, threads: int, batch_size: int, load_seconds: float
) -> tuple[ModelMeasured, tuple[str, ...]]:
    """Return what the result says of the model, and what could not be told of it."""
    spec, model = subject.model.spec, subject.model
    multiply_adds: int | None = None
    missing: tuple[str, ...] = ()
    try:
        multiply_adds = file_multiply_adds(model.path)
    except ModelError as exc:
        missing = (f"the share of the roofline: {exc}",)
    measured = ModelMeasured(
        name=spec.name,
        sha256=model.sha256,
        precision=model.precision,
        provider=subject.place.provider,
        threads=threads,
        batch_size=batch_size,
        size=spec.size,
        dim=spec.dim,
        multiply_adds=multiply_adds,
        load_seconds=load_seconds,
    )
    return measured, missing
