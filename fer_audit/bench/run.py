"""One call from nothing to a `BenchResult`: the stages in the order of the work, each timed alone or in turns with others."""

from __future__ import annotations

import contextlib
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.bench.measure import Step, machine_facts, measure_alone, measure_in_turns, ratio
from fer_audit.bench.types import (
    BenchOptions,
    BenchResult,
    ModelMeasured,
    Ratio,
    SampleFacts,
    StageSpeed,
)
from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.sources.source import ImageBytes, SourceError
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.run import embed_shards, join_shards, load_embeddings
from fer_audit.embed.session import choose_place, open_sessions
from fer_audit.embed.types import CPU
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.sidecar import check_graph
from fer_audit.encoders.types import ExportedModel, ModelSpec
from fer_audit.errors import ConfigError, ModelError
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.rows import concatenate_rows
from fer_audit.pack.types import STYLE_NAMES, PackRows, shard_count
from fer_audit.pack.workers import default_workers
from fer_audit.pipeline import run_audit
from fer_audit.pipeline.libraries import keep_libraries_in
from fer_audit.pipeline.model import facts_of
from fer_audit.pipeline.quantized import find_or_quantize
from fer_audit.progress import Progress, Silent, Timing
from fer_audit.store.locks import LOCK, folder_lock
from fer_audit.store.stage import StageFolder, cache_folder, make_folder
from fer_audit.synth import write_demo

_NEVER_MEASURED = (
    "fetching weights and exporting the model",
    "files that come from the disk and not from memory: every file was read before it was timed",
    "session.run without our session around it: python -m benchmarks of a source checkout does that",
    "more than one device at once",
    "power and temperature limits, which a longer run may meet",
)
_DRAWN = "photographs: drawn faces are smoother, their files smaller and faster to decode"


def run_bench(
    source: Path | None,
    *,
    options: BenchOptions | None = None,
    config: AuditConfig | None = None,
    resources: Resources | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Measure this machine on a set, or on drawn faces (None).

    `config` says which model, precision and batch, `resources` which device, threads and folders; ConfigError for several
    devices. Works in a folder of the cache that is emptied at the end; LockedError while another bench works there.
    """
    options, resources = options or BenchOptions(), resources or Resources()
    config, progress = config or AuditConfig(), progress or Silent()
    machine = machine_facts()  # before we are the load
    cache = cache_folder(resources.cache_dir)
    keep_libraries_in(cache)  # the page draws charts
    if "," in resources.device or resources.device.endswith(":all"):
        raise ConfigError(
            f"bench measures one device, --device {resources.device} asks for several",
            hint="Name one, e.g. --device cuda:0.",
        )
    with _scratch(cache) as scratch:
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
        config, resources, model = _find_model(dataset, config, resources, progress, scratch)
        ways = Ways(dataset, model, config, resources, scratch)
        threads, stages = ways.threads, list[StageSpeed]()
        ratios: tuple[Ratio, ...] = ()
        time_goes: tuple[tuple[str, float], ...] = ()

        def alone(step: Step) -> None:
            stages.append(measure_alone(step, repeats=options.repeats, progress=progress))

        if "scan" in options.stages:
            whole, what = config.having(sample=None, first=None), "list files, read labels"
            alone(Step("scan", what, listed, "files", 1, partial(load_dataset, source, whole)))
        if "decode" in options.stages:
            with _decode_step(dataset, model.spec, ways.workers) as step:
                alone(step)
        if "pack" in options.stages:
            folder = StageFolder.open(scratch / "packed", "pack", dataset.fingerprint)
            what, maker = "read, hash, decode, resize, measure style, write", ways.maker(folder)

            def pack() -> None:
                for _ in maker.iterate(ways.shards):
                    pass

            alone(Step("pack", what, len(dataset), "images", ways.workers, pack, folder.clear))
        if "embed" in options.stages:
            progress.say("comparing the vectors of all three ways before they are timed")
            ways.refuse_other_vectors()
            bare, *others = measure_in_turns(
                ways.steps(), repeats=options.repeats, progress=progress
            )
            stages += [bare, *others]
            names = ("embed / bare", "cold / bare")
            ratios = tuple(ratio(*each, bare) for each in zip(names, others, strict=True))
        if "run" in options.stages:
            place, runs = scratch / "whole", list[tuple[Timing, ...]]()
            ours = replace(resources, threads=threads, cache_dir=place / "cache")

            def run() -> None:
                done = run_audit(source, place / "run", config=config, resources=ours)
                runs.append(done.timings)

            what = "fer-audit run, empty cache: model loading, audit and page included"
            forget = partial(shutil.rmtree, place, ignore_errors=True)
            alone(Step("whole run", what, len(dataset), "images", threads, run, forget))
            time_goes = _time_goes(runs[-len(stages[-1].seconds) :])  # a warm-up comes before them
        rows, unmeasured = ways.rows, [_DRAWN] if drawn else []
        per_pixel = rows.style[:, STYLE_NAMES.index("bytes_per_pixel")].astype(np.float64)
        sizes = (per_pixel * rows.widths * rows.heights)[rows.ok]
        mean = float(sizes.mean()) if len(sizes) else 0.0
        counts = (listed, len(dataset), int((~rows.ok).sum()))
        return BenchResult(
            machine,
            ways.measured,
            SampleFacts("drawn" if drawn else "folder", *counts, mean),
            tuple(stages),
            ratios,
            time_goes,
            (*_NEVER_MEASURED, *unmeasured),
        )


@contextlib.contextmanager
def _scratch(cache: Path) -> Iterator[Path]:
    """Give an empty folder of the cache: on the disk that a real run writes to."""
    folder = cache / "bench"
    make_folder(folder)

    def empty() -> None:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()

    with folder_lock(folder, wait_seconds=0):
        empty()
        try:
            yield folder
        finally:
            empty()


def _find_model(
    dataset: FaceDataset, config: AuditConfig, places: Resources, progress: Progress, scratch: Path
) -> tuple[AuditConfig, Resources, ExportedModel]:
    """Return the model, and what finds it again. An int8 model is made under `scratch`: no run would use one of these images."""
    name, asked = config.model.model, config.model.precision
    model = find_or_export(name, "fp32" if asked == "int8" else asked, places, progress)
    places = replace(places, models_dir=models_folder(places))
    if asked == "int8":
        places = replace(places, models_dir=scratch / "models")
        config = config.having(model=str(model.path))
        model = find_or_quantize(dataset, config, places, progress)
    check_graph(model)
    return config, places, model


@contextlib.contextmanager
def _decode_step(dataset: FaceDataset, spec: ModelSpec, workers: int) -> Iterator[Step]:
    """Decode and resize what can be decoded, from bytes in memory."""
    images: list[ImageBytes] = []
    size = spec.size

    def decode(one: ImageBytes) -> None:
        decode_image(one.data, one.name, size, one.box, padded=spec.padded)

    for row in range(len(dataset)):
        with contextlib.suppress(SourceError, DecodeError):  # the pack stage counts it
            stored = dataset.source.read(row)
            decode(stored)
            images.append(stored)
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:

        def work() -> None:
            for _ in pool.map(decode, images):
                pass

        what = f"decode and resize to {size} x {size}, from memory"
        yield Step("decode", what, len(images), "images", workers, work)


def _time_goes(runs: Sequence[tuple[Timing, ...]]) -> tuple[tuple[str, float], ...]:
    """Return (stage, median seconds) of whole runs, largest first."""
    seconds: dict[str, list[float]] = {}
    for timing in (each for timings in runs for each in timings):
        seconds.setdefault(timing.stage, []).append(timing.seconds)
    medians = [(stage, statistics.median(taken)) for stage, taken in seconds.items()]
    return tuple(sorted(medians, key=lambda row: -row[1]))


class Ways:
    """The same images through the same session on three ways: bare, from packed pixels, from files."""

    def __init__(
        self,
        dataset: FaceDataset,
        model: ExportedModel,
        config: AuditConfig,
        resources: Resources,
        scratch: Path,
    ) -> None:
        """Decode every image once, which warms the page cache and makes the model's inputs, then load the model."""
        spec, place = model.spec, choose_place(resources.device)
        self._dataset, self._spec = dataset, spec
        self.shards = range(shard_count(len(dataset)))
        self.workers = resources.workers or default_workers()
        # on a GPU nothing of the graph runs on the CPU
        self.threads = resources.threads or (usable_cores() if place.provider == CPU else 1)
        fingerprint = pack_fingerprint(dataset, spec.size, padded=spec.padded)
        kept, self._cold_pack, self._cold, self._warm = (
            StageFolder.open(scratch / folder, stage, fingerprint)
            for folder, stage in (
                ("kept", "pack"),
                ("cold", "pack"),
                ("cold", "embed"),
                ("kept", "embed"),
            )
        )
        self._from_pack, self._from_files = map(self.maker, (kept, self._cold_pack))
        shards = list(self._from_pack.iterate(self.shards))
        self.pixels: NDArray[np.uint8] = np.concatenate([shard.pixels for shard in shards])
        """(n, size, size, 3)"""
        self.rows: PackRows = concatenate_rows([shard.rows for shard in shards])
        started, batch = time.perf_counter(), config.model.batch_size
        (self._session,) = open_sessions(model, place, batch_size=batch, threads=self.threads)
        self.measured = ModelMeasured(
            *(spec.name, model.sha256, model.precision, place.provider, self.threads, batch),
            *(spec.size, spec.dim, time.perf_counter() - started),
        )
        self._facts = facts_of(model, resources)

    def maker(self, folder: StageFolder) -> ShardMaker:
        """Return what decodes the images into a folder, or reads them from it."""
        size, padded, workers = self._spec.size, self._spec.padded, self.workers
        return ShardMaker(
            self._dataset, folder, size=size, padded=padded, keep=True, workers=workers
        )

    def steps(self) -> list[Step]:
        """Return the three ways, in the order they are compared."""
        facts = (len(self._dataset), "images", self.threads)
        bare, kept, files = "bare model", "embed from pack", "embed from files"

        def start_cold() -> None:
            self._cold.clear()
            self._cold_pack.clear()

        def embed(maker: ShardMaker, folder: StageFolder) -> Callable[[], None]:
            def work() -> None:
                shards = zip(self.shards, maker.iterate(self.shards), strict=True)
                embed_shards(shards, self._session, folder)
                join_shards(folder, facts[0], self._facts)

            return work

        warm, cold = embed(self._from_pack, self._warm), embed(self._from_files, self._cold)
        return [
            Step(bare, "the model, its batches in memory already", *facts, self._bare),
            Step(
                kept, "check and map the kept pixels, embed, write", *facts, warm, self._warm.clear
            ),
            Step(
                files,
                "everything of pack, embed at the same time, write",
                *facts,
                cold,
                start_cold,
            ),
        ]

    def refuse_other_vectors(self) -> None:
        """Do each way once, and raise ModelError when they do not give the same vectors, bit by bit."""
        bare = self._bare()
        for step, folder in zip(self.steps()[1:], (self._warm, self._cold), strict=True):
            step.sample()
            found = load_embeddings(folder, self._facts)
            if isinstance(found, str):
                raise ModelError(f"{step.stage} left no vectors: {found}")
            different = int((bare[found.ok] != found.vectors[found.ok]).any(axis=1).sum())
            if different:
                raise ModelError(
                    f"{step.stage} gives other vectors than the bare model for {different} of {found.ok.sum()} images",
                    hint="Speeds of different work cannot be compared. Please report this.",
                )

    def _bare(self) -> NDArray[np.float32]:
        size = self._session.batch_size
        batches = (self.pixels[at : at + size] for at in range(0, len(self.pixels), size))
        return np.concatenate([found.copy() for found in self._session.stream(batches)])
