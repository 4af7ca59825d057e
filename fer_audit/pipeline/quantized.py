"""The int8 model of a set: calibrated on a sample of its own images, compared with fp32 on another, kept with the figures."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.session import CPU, CUDA, EmbedSession, choose_provider, sums_saturate
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.graph_check import check_graph
from fer_audit.encoders.int8.calibrate import read_statistics, statistics_graph
from fer_audit.encoders.int8.network import read_network
from fer_audit.encoders.int8.quantize import quantize
from fer_audit.encoders.sidecar import is_saved, load_model, save_model
from fer_audit.encoders.types import Agreement, ExportedModel
from fer_audit.errors import DatasetError, ModelError
from fer_audit.pack.build import pack_fingerprint
from fer_audit.pack.workers import Decoders, default_workers, worth_starting
from fer_audit.pipeline.int8_agreement import batches, measure_agreement
from fer_audit.progress import Progress
from fer_audit.rng import stage_rng
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.locks import folder_lock
from fer_audit.store.stage import cache_folder, make_folder
from fer_audit.text import number, percent

if TYPE_CHECKING:
    import onnx

CALIBRATION_IMAGES = 256
"""The range of every channel is taken from these."""

HELD_OUT_IMAGES = 256
"""The agreement with fp32 is measured on these."""

LEAST_IMAGES = 32
"""Fewer than this in each half say nothing about a set."""

LARGEST_ERROR = 0.5
"""Of the vectors' spread; a model that is further off is refused. ResNet50 on UTKFace is off by 0.08."""

WATCHED_BATCH = 1
"""Images at a time where every tensor is watched: more take 180 MB each and no less time."""


def find_or_quantize(
    dataset: FaceDataset,
    config: AuditConfig,
    resources: Resources,
    progress: Progress,
    *,
    again: bool = False,
) -> ExportedModel:
    """Return the int8 model of `dataset`, made once from the fp32 one; `again` makes it once more.

    It is named by what it depends on: the fp32 model, the files of the set, and whether this processor's sums saturate.
    """
    if resources.device.startswith("cuda") or choose_provider(resources.device) == CUDA:
        raise ModelError(
            "int8 is for CPUs: onnxruntime's CUDA provider has no int8 convolutions",
            hint="Use --precision fp16 on the GPU, or --device cpu.",
        )
    models_dir = models_folder(resources.models_dir, resources.cache_dir)
    cache = cache_folder(resources.cache_dir)
    source = find_or_export(
        config.model.model,
        "fp32",
        models_dir=models_dir,
        weights_dir=cache / "weights",
        progress=progress,
    )
    if source.precision == "int8":
        return source
    if source.precision != "fp32":
        raise ModelError(f"{source.path} is {source.precision}; int8 is made from fp32")
    scratch = cache / "quantize"
    make_folder(scratch)
    make_folder(models_dir)
    work = _Work(
        source,
        dataset,
        scratch / "work",
        config.model.batch_size,
        resources,
    )
    reduced = sums_saturate()
    path = models_dir / f"{source.spec.name}-int8-{work.name(reduced=reduced)}.onnx"
    if not again and is_saved(path):
        return load_model(path)
    with folder_lock(scratch, wait_seconds=-1):
        if not again and is_saved(path):  # made by the process we waited for
            return load_model(path)
        make_folder(work.folder)
        try:
            return _make(work, path, progress, reduced=reduced)
        finally:
            shutil.rmtree(work.folder, ignore_errors=True)


def _make(work: _Work, path: Path, progress: Progress, *, reduced: bool) -> ExportedModel:
    check_graph(work.source)
    calibration, held_out = work.sample()
    total = len(calibration) + 2 * len(held_out)
    progress.start("quantize", total, "images")
    graph = work.integer_graph(calibration, progress, reduced=reduced)
    spec = work.source.spec
    draft = save_model(graph, spec, "int8", work.folder / "int8.onnx", reduced_range=reduced)
    with closing(work.session(work.source)) as plain, closing(work.session(draft)) as rounded:
        agreement = measure_agreement(
            plain,
            rounded,
            held_out,
            calibration_images=len(calibration),
            progress=progress,
        )
    progress.finish("quantize")
    if agreement.error > LARGEST_ERROR:
        raise ModelError(
            f"int8 moves the vectors of {spec.name} by {percent(agreement.error)} of their spread on this set",
            hint="This network does not bear 8 bits. Use --precision fp32.",
        )
    caveat = f"{spec.caveat} {agreement.sentence()}".strip()
    made = save_model(
        graph,
        dataclasses.replace(spec, caveat=caveat),
        "int8",
        path,
        reduced_range=reduced,
        agreement=agreement,
    )
    progress.say(agreement.sentence())
    progress.say(speed_sentence(agreement, reduced_range=reduced))
    return made


def speed_sentence(agreement: Agreement, *, reduced_range: bool) -> str:
    """Say what int8 gained on this machine."""
    why = " (it has no VNNI: weights keep to 7 bits)" if reduced_range else ""
    gain = f"int8 runs at {number(agreement.speed_ratio)} x the speed of fp32 on this machine{why}"
    if agreement.speed_ratio < 1:
        return f"{gain}; --precision fp32 is faster and exact"
    return gain


@dataclass(frozen=True, slots=True)
class _Work:
    """What making one int8 model needs."""

    source: ExportedModel
    dataset: FaceDataset
    folder: Path
    """Scratch, removed afterwards."""
    batch_size: int
    resources: Resources

    def name(self, *, reduced: bool) -> str:
        size = self.source.spec.size
        facts = {
            "model": self.source.sha256,
            "pack": pack_fingerprint(self.dataset, size),
            "images": [CALIBRATION_IMAGES, HELD_OUT_IMAGES],
            "reduced": reduced,
        }
        return stage_fingerprint("quantize", facts)[:12]

    def session(self, model: ExportedModel, batch_size: int | None = None) -> EmbedSession:
        size = batch_size or self.batch_size
        return EmbedSession(model, CPU, batch_size=size, threads=self.resources.threads)

    def sample(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the pixels to calibrate on and those held out: a seeded draw, the same for every run on the set."""
        size = self.source.spec.size
        wanted = CALIBRATION_IMAGES + HELD_OUT_IMAGES
        pixels = np.zeros((min(wanted, len(self.dataset)), size, size, 3), np.uint8)
        order = stage_rng(0, "quantize").permutation(len(self.dataset))
        found = 0
        workers = worth_starting(self.resources.workers or default_workers(), len(pixels))
        with Decoders(workers, self.folder, size, limit=self.resources.file_seconds) as decoders:
            while len(order) and found < len(pixels):
                chosen, order = order[: len(pixels) - found], order[len(pixels) - found :]
                free = pixels[found : found + len(chosen)]
                ok = decoders.fill(self.dataset.source.take(chosen), free).ok
                free[: ok.sum()] = free[ok]
                found += int(ok.sum())
                pixels[found:] = 0
        if found < 2 * LEAST_IMAGES:
            raise DatasetError(
                f"int8 is calibrated on the set's own images, and {self.dataset.root} has {found} usable ones: "
                f"at least {2 * LEAST_IMAGES} are needed",
                hint="Use --precision fp32: so few images take seconds.",
            )
        half = min(CALIBRATION_IMAGES, found // 2)
        return pixels[:half], pixels[half:found]

    def integer_graph(
        self, pixels: NDArray[np.uint8], progress: Progress, *, reduced: bool
    ) -> onnx.ModelProto:
        """Run the float network with every tensor watched, and return the integer one."""
        network = read_network(self.source)
        graph, width = statistics_graph(network)
        spec = dataclasses.replace(self.source.spec, dim=width)
        model = save_model(graph, spec, "fp32", self.folder / "statistics.onnx")

        def rows(session: EmbedSession) -> Iterator[NDArray[np.float32]]:
            for batch in batches(pixels, WATCHED_BATCH):
                yield session.embed(batch)
                progress.advance("quantize", len(batch))

        with closing(self.session(model, WATCHED_BATCH)) as session:
            statistics = read_statistics(network, rows(session))
        return quantize(network, statistics, reduced_range=reduced)
