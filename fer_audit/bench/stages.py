"""The stages that are compared with no other: scan, decode, pack, and a whole run."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fer_audit.bench.measure import Step
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.sources.source import ImageBytes, SourceError
from fer_audit.dataset.types import FaceDataset
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.types import shard_count
from fer_audit.pipeline import run_audit
from fer_audit.progress import Timing
from fer_audit.store.stage import StageFolder


def scan_step(source: Path, config: AuditConfig, listed: int) -> Step:
    """List the folder or read the table, and parse every label."""
    whole = config.having(sample=None, first=None)
    what = "list files, read labels"
    return Step("scan", what, listed, "files", 1, lambda: load_dataset(source, whole))


@contextmanager
def decode_step(dataset: FaceDataset, size: int, workers: int) -> Iterator[Step]:
    """Decode and resize what can be decoded, from bytes in memory."""
    images: list[ImageBytes] = []
    for row in range(len(dataset)):
        try:
            stored = dataset.source.read(row)
            decode_image(stored.data, stored.name, size, stored.box)
        except (SourceError, DecodeError):
            continue  # the pack stage counts it
        images.append(stored)
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:

        def work() -> None:
            for _ in pool.map(lambda one: decode_image(one.data, one.name, size, one.box), images):
                pass

        what = f"decode and resize to {size} x {size}, from memory"
        yield Step("decode", what, len(images), "images", workers, work)


def pack_step(dataset: FaceDataset, folder: StageFolder, size: int, workers: int) -> Step:
    """Do all that is done to a file before the model."""
    maker = ShardMaker(dataset, folder, size=size, keep=True, workers=workers)

    def work() -> None:
        for _ in maker.iterate(range(shard_count(len(dataset)))):
            pass

    what = "read, hash, decode, resize, measure style, write"
    return Step("pack", what, len(dataset), "images", workers, work, folder.clear)


class WholeRun:
    """One cold run after the other; each says how long its stages took."""

    def __init__(
        self, source: Path, config: AuditConfig, resources: Resources, folder: Path
    ) -> None:
        """`folder` is emptied before each run; the run directory and the cache lie in it."""
        self._source = source
        self._config = config
        self._resources = replace(resources, cache_dir=folder / "cache")
        self._folder = folder
        self._runs: list[tuple[Timing, ...]] = []

    def step(self, n_images: int, threads: int) -> Step:
        """Return the step."""
        what = "fer-audit run, empty cache: model loading, audit and page included"
        return Step("whole run", what, n_images, "images", threads, self._run, self._empty)

    def time_goes(self, n_samples: int) -> tuple[tuple[str, float], ...]:
        """Return (stage, median seconds) over the last runs, largest first: a warm-up comes before them."""
        seconds: dict[str, list[float]] = {}
        for timings in self._runs[-n_samples:]:
            for timing in timings:
                seconds.setdefault(timing.stage, []).append(timing.seconds)
        medians = [(stage, statistics.median(taken)) for stage, taken in seconds.items()]
        return tuple(sorted(medians, key=lambda row: -row[1]))

    def _empty(self) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _run(self) -> None:
        run = run_audit(
            self._source, self._folder / "run", config=self._config, resources=self._resources
        )
        self._runs.append(run.timings)
