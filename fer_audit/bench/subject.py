"""What is measured: the images and the model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fer_audit.bench.options import BenchOptions
from fer_audit.bench.types import SampleFacts
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.session import choose_place
from fer_audit.embed.types import ModelFacts, Place
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.graph_check import check_graph
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.pipeline.quantized import find_or_quantize
from fer_audit.progress import Progress
from fer_audit.store.stage import cache_folder
from fer_audit.synth import write_demo


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
            mean_file_bytes=_mean_file_bytes(rows),
        )


def _mean_file_bytes(rows: PackRows) -> float:
    """Return the mean size of the files that are images, from what was measured of each."""
    per_pixel = rows.style[:, STYLE_NAMES.index("bytes_per_pixel")].astype(np.float64)
    sizes = (per_pixel * rows.widths * rows.heights)[rows.ok]
    return float(sizes.mean()) if len(sizes) else 0.0


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
    ConfigError for several devices.
    """
    if "," in resources.device or resources.device.endswith(":all"):
        raise ConfigError(
            f"bench measures one device, --device {resources.device} asks for several",
            hint="Name one, e.g. --device cuda:0.",
        )
    drawn = source is None
    if source is None:
        progress.say(f"no DATASET given: drawing {options.images} faces")
        source = scratch / "drawn"
        write_demo(source, options.images)
    dataset = load_dataset(source, config)
    listed = len(dataset)
    if listed > options.images:
        config = config.having(sample=options.images)
        dataset = load_dataset(source, config)
    models_dir = models_folder(resources.models_dir, resources.cache_dir)
    model = find_or_export(
        config.model.model,
        "fp32" if config.model.precision == "int8" else config.model.precision,
        models_dir=models_dir,
        weights_dir=cache_folder(resources.cache_dir) / "weights",
        progress=progress,
    )
    if config.model.precision == "int8":
        models_dir = scratch / "models"
        config = config.having(model=str(model.path))
        there = replace(resources, models_dir=models_dir)
        model = find_or_quantize(dataset, config, there, progress)
    check_graph(model)
    place = choose_place(resources.device)
    return Subject(source, drawn, listed, dataset, config, model, models_dir, place)
