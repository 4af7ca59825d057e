"""The stages of a run in their order: how long each took, and about how long those that come will."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from fer_audit.progress import Progress, Timing

USUAL = {
    "scan": (0.5, 0.00003),
    "model": (1.0, 0.0),
    "embed": (2.0, 0.012),
    "cluster": (1.0, 0.0005),
    "predict": (2.0, 0.006),
    "audit": (6.0, 0.004),
    "pictures": (1.0, 0.0008),
    "report": (4.0, 0.0003),
}
"""Stage -> (seconds, and seconds an image) on a CPU with two cores: a first guess, until a stage counts."""


class Stopwatch:
    """Collects how long each stage took, and says which one begins."""

    def __init__(self, progress: Progress, until: str, *, predicts: bool = False) -> None:
        self.timings: list[Timing] = []
        self.images = 0
        """Of the set; 0 while it is not known, and then nothing is guessed."""
        self._progress = progress
        stages = list(USUAL)[: list(USUAL).index(until) + 1]
        self._stages = [each for each in stages if each != "predict" or predicts]

    def enter(self, name: str) -> None:
        """Say that a stage begins."""
        at = self._stages.index(name)
        guesses = [USUAL[each][0] + USUAL[each][1] * self.images for each in self._stages[at:]]
        expected, later = (guesses[0], sum(guesses[1:])) if self.images else (0.0, 0.0)
        self._progress.stage(name, at + 1, len(self._stages), expected, later)

    @contextmanager
    def stage(self, name: str, items: int) -> Iterator[None]:
        """Time the block."""
        self.enter(name)
        started = time.perf_counter()
        yield
        self.timings.append(Timing(name, items, time.perf_counter() - started))
