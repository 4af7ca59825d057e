"""The int8 model of a set: calibrated on a sample of its own images, compared with fp32 on another, kept with the figures."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import polish
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import NotClusterable
from fer_audit.config import AuditConfig, ClusterSettings, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.session import CPU, CUDA, EmbedSession, choose_provider, sums_saturate
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.int8.calibrate import read_statistics, statistics_graph
from fer_audit.encoders.int8.network import Network
from fer_audit.encoders.int8.quantize import quantize
from fer_audit.encoders.sidecar import check_graph, is_saved, load_model, save_model
from fer_audit.encoders.types import Agreement, ExportedModel
from fer_audit.errors import DatasetError, ModelError
from fer_audit.pack.build import pack_fingerprint
from fer_audit.pack.workers import Decoders, default_workers, worth_starting
from fer_audit.progress import Progress, Silent
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

COMPARED_K = 4
"""Clusters the two models' vectors are compared by."""

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
    models_dir = models_folder(resources)
    cache = cache_folder(resources.cache_dir)
    source = find_or_export(config.model.model, "fp32", resources, progress)
    if source.precision == "int8":
        return source
    if source.precision != "fp32":
        raise ModelError(f"{source.path} is {source.precision}; int8 is made from fp32")
    scratch = cache / "quantize"
    make_folder(scratch)
    make_folder(models_dir)
    reduced = sums_saturate()
    work = _Work(
        *(source, dataset, scratch / "work", config.model.batch_size, resources, progress, reduced)
    )
    facts = {
        "model": source.sha256,
        "pack": pack_fingerprint(dataset, source.spec.size, padded=source.spec.padded),
        "images": [CALIBRATION_IMAGES, HELD_OUT_IMAGES],
        "reduced": reduced,
    }
    name = stage_fingerprint("quantize", facts)[:12]
    path = models_dir / f"{source.spec.name}-int8-{name}.onnx"
    if not again and is_saved(path):
        return load_model(path)
    with folder_lock(scratch, wait_seconds=-1):
        if not again and is_saved(path):  # made by the process we waited for
            return load_model(path)
        make_folder(work.folder)
        try:
            return work.make(path)
        finally:
            shutil.rmtree(work.folder, ignore_errors=True)


def speed_sentence(agreement: Agreement, *, reduced_range: bool) -> str:
    """Say what int8 gained on this machine."""
    why = " (it has no VNNI: weights keep to 7 bits)" if reduced_range else ""
    gain = f"int8 runs at {number(agreement.speed_ratio)} x the speed of fp32 on this machine{why}"
    if agreement.speed_ratio < 1:
        return f"{gain}; --precision fp32 is faster and exact"
    return gain


@dataclass(frozen=True, slots=True)
class _Work:
    source: ExportedModel
    dataset: FaceDataset
    folder: Path
    """Scratch, removed afterwards."""
    batch_size: int
    resources: Resources
    progress: Progress
    reduced: bool

    def make(self, path: Path) -> ExportedModel:
        check_graph(self.source)
        calibration, held_out = self.sample()
        self.progress.start("quantize", len(calibration) + 2 * len(held_out), "images")
        graph = self.integer_graph(calibration)
        save = partial(save_model, graph, precision="int8", reduced_range=self.reduced)
        spec = self.source.spec
        draft = save(spec, path=self.folder / "int8.onnx")
        with closing(self.session(self.source)) as plain, closing(self.session(draft)) as rounded:
            agreement = measure_agreement(
                *(plain, rounded, held_out),
                calibration_images=len(calibration),
                progress=self.progress,
            )
        self.progress.finish("quantize")
        if agreement.error > LARGEST_ERROR:
            raise ModelError(
                f"int8 moves the vectors of {spec.name} by {percent(agreement.error)} of their spread on this set",
                hint="This network does not bear 8 bits. Use --precision fp32.",
            )
        caveat = f"{spec.caveat} {agreement.sentence()}".strip()
        made = save(dataclasses.replace(spec, caveat=caveat), path=path, agreement=agreement)
        self.progress.say(agreement.sentence())
        self.progress.say(speed_sentence(agreement, reduced_range=self.reduced))
        return made

    def session(self, model: ExportedModel, batch_size: int | None = None) -> EmbedSession:
        size = batch_size or self.batch_size
        return EmbedSession(model, CPU, batch_size=size, threads=self.resources.threads)

    def sample(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the pixels to calibrate on and those held out: a seeded draw, the same for every run on the set."""
        size, padded = self.source.spec.size, self.source.spec.padded
        limit = self.resources.file_seconds
        wanted = CALIBRATION_IMAGES + HELD_OUT_IMAGES
        pixels = np.zeros((min(wanted, len(self.dataset)), size, size, 3), np.uint8)
        order = stage_rng(0, "quantize").permutation(len(self.dataset))
        found = 0
        workers = worth_starting(self.resources.workers or default_workers(), len(pixels))
        with Decoders(workers, self.folder, size, padded=padded, limit=limit) as decoders:
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

    def integer_graph(self, pixels: NDArray[np.uint8]) -> onnx.ModelProto:
        """Run the float network with every tensor watched, and return the integer one."""
        network = Network(check_graph(self.source))
        graph, width = statistics_graph(network)
        spec = dataclasses.replace(self.source.spec, dim=width)
        model = save_model(graph, spec, "fp32", self.folder / "statistics.onnx")

        def rows(session: EmbedSession) -> Iterator[NDArray[np.float32]]:
            for at in range(0, len(pixels), WATCHED_BATCH):
                batch = pixels[at : at + WATCHED_BATCH]
                yield session.embed(batch)
                self.progress.advance("quantize", len(batch))

        with closing(self.session(model, WATCHED_BATCH)) as session:
            statistics = read_statistics(network, rows(session))
        return quantize(network, statistics, reduced_range=self.reduced)


def measure_agreement(
    plain: EmbedSession,
    rounded: EmbedSession,
    pixels: NDArray[np.uint8],
    *,
    calibration_images: int,
    progress: Progress,
) -> Agreement:
    """Return how the two models' vectors of (n, size, size, 3) held-out images agree, and what one gains over the other.

    `progress` hears of every batch of each model, as stage "quantize".
    """
    sessions = (plain, rounded)
    vectors: tuple[list[NDArray[np.float32]], ...] = ([], [])
    seconds = [0.0, 0.0]
    for session in sessions:  # the first call plans memory
        session.embed(pixels[: session.batch_size])
    for at in range(0, len(pixels), plain.batch_size):
        batch = pixels[at : at + plain.batch_size]
        for i, session in enumerate(sessions):
            started = time.perf_counter()
            vectors[i].append(session.embed(batch).copy())
            seconds[i] += time.perf_counter() - started
            progress.advance("quantize", len(batch))
    first, second = (np.concatenate(each) for each in vectors)
    cosines = row_cosines(first, second)
    return Agreement(
        images=len(pixels),
        calibration_images=calibration_images,
        error=relative_error(first, second),
        cosine_mean=float(cosines.mean()),
        cosine_low=float(np.quantile(cosines, 0.01)),
        cosine_min=float(cosines.min()),
        ari=_clusters_agree(first, second),
        speed_ratio=seconds[0] / seconds[1],
    )


def relative_error(plain: NDArray[np.float32], rounded: NDArray[np.float32]) -> float:
    """Return the norm of the (n, d) differences over that of the plain vectors' distances from their mean."""
    exact = plain.astype(np.float64)
    spread = np.linalg.norm(exact - exact.mean(axis=0))
    off = np.linalg.norm(rounded - exact)
    return float(off / spread) if spread else float(off > 0)


def row_cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the (n,) cosines of the rows of two (n, d) matrices; 1 for two zero rows, 0 for one."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    alike = np.where(x.any(axis=1) | y.any(axis=1), 0.0, 1.0)
    np.divide(np.einsum("nd,nd->n", x, y), lengths, out=alike, where=lengths > 0)
    return alike


def _clusters_agree(plain: NDArray[np.float32], rounded: NDArray[np.float32]) -> float | None:
    """Return the adjusted Rand index of the two models' clusters, both from the partition of the plain vectors.

    From starts of their own a few hundred images would tell two optima apart, not two models.
    """
    from fer_audit.audit.compare.agreement import adjusted_rand  # scipy.stats takes 0.9 s

    ok = np.ones(len(plain), np.bool_)
    try:
        settings = ClusterSettings(k=COMPARED_K, sweep_max=1)
        first = cluster_embeddings(plain, ok, settings, progress=Silent()).labels
    except NotClusterable:
        return None
    second = polish(Rows(rounded, ok), first, COMPARED_K).labels
    table = np.zeros((COMPARED_K, COMPARED_K), np.int64)
    np.add.at(table, (first, second), 1)
    return float(adjusted_rand(table))
