"""Timing: samples in turns, so that a machine that slows down slows all of them down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fer_audit.bench.types import Ratio, StageSpeed
from fer_audit.progress import Progress

BUDGET_SECONDS = 5.0
"""A stage that is compared with no other is not sampled again after so long."""
LONG_SECONDS = 5.0
"""A warm-up that takes longer is a sample itself: first-call costs are far below its spread."""


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work that can be done again and again."""

    stage: str
    what: str
    items: int
    unit: str
    threads: int
    work: Callable[[], object]
    prepare: Callable[[], object] = nothing
    """Done before each sample, outside the time."""


def measure_alone(step: Step, *, repeats: int, progress: Progress) -> StageSpeed:
    """Return the speed of a step: one warm-up, then `repeats` samples, or as many as the budget allows."""
    progress.start(step.stage, repeats + 1, "samples")
    warm_up = _sample(step)
    progress.advance(step.stage)
    samples = [warm_up] if warm_up > LONG_SECONDS else []
    while not samples or (len(samples) < repeats and sum(samples) < BUDGET_SECONDS):
        samples.append(_sample(step))
        progress.advance(step.stage)
    progress.finish(step.stage)
    return _speed(step, samples)


def measure_in_turns(
    steps: Sequence[Step], *, repeats: int, progress: Progress
) -> list[StageSpeed]:
    """Return the speed of each step, sampled A B C, A B C, ... All must have run once before."""
    name = " / ".join(step.stage for step in steps)
    progress.start(name, repeats, "rounds")
    samples: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats):
        for step, taken in zip(steps, samples, strict=True):
            taken.append(_sample(step))
        progress.advance(name)
    progress.finish(name)
    return [_speed(step, taken) for step, taken in zip(steps, samples, strict=True)]


def ratio(name: str, over: StageSpeed, under: StageSpeed) -> Ratio:
    """Return speed over speed, round by round; ValueError when the two were not measured in turns."""
    pairs = zip(over.rates, under.rates, strict=True)
    return Ratio(name, over.stage, under.stage, tuple(a / b for a, b in pairs))


def _sample(step: Step) -> float:
    """Return the seconds that the work took."""
    step.prepare()
    started = time.perf_counter()
    step.work()
    return time.perf_counter() - started


def _speed(step: Step, samples: Sequence[float]) -> StageSpeed:
    return StageSpeed(
        stage=step.stage,
        what=step.what,
        items=step.items,
        unit=step.unit,
        seconds=tuple(samples),
        threads=step.threads,
    )
