"""The whole of `fer-audit run`, from an empty cache to the page, and where its time goes."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

from fer_audit.bench.measure import Step
from fer_audit.config import AuditConfig, Resources
from fer_audit.pipeline import run_audit
from fer_audit.progress import Timing

STAGE = "whole run"


class WholeRun:
    """One cold run after the other; each says how long its stages took."""

    def __init__(
        self,
        source: Path,
        config: AuditConfig,
        resources: Resources,
        scratch: Path,
        *,
        images: int,
        threads: int,
    ) -> None:
        self._source = source
        self._config = config
        self._resources = resources
        self._folder = scratch / "whole"
        self._images = images
        self._threads = threads
        self._runs: list[tuple[Timing, ...]] = []

    def step(self) -> Step:
        """Return the step. The run directory and the cache are emptied before each sample."""
        what = "fer-audit run, empty cache: model loading, audit and page included"
        n, threads = self._images, self._threads
        return Step(STAGE, what, n, "images", threads, self._run, self._empty)

    def time_goes(self, *, samples: int) -> tuple[tuple[str, float], ...]:
        """Return (stage, median seconds) over the last `samples` runs, largest first: a warm-up comes before them."""
        seconds: dict[str, list[float]] = {}
        for timings in self._runs[-samples:]:
            for timing in timings:
                seconds.setdefault(timing.stage, []).append(timing.seconds)
        medians = [(stage, statistics.median(taken)) for stage, taken in seconds.items()]
        return tuple(sorted(medians, key=lambda each: -each[1]))

    def _empty(self) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)

    def _run(self) -> None:
        done = run_audit(
            self._source, self._folder / "run", config=self._config, resources=self._resources
        )
        self._runs.append(done.timings)
