"""Timing: one warm-up, then samples in turns, so that a machine that slows down slows everybody down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fer_audit.bench.memory import PeakMemory
from fer_audit.bench.types import Ratio, StageSpeed
from fer_audit.progress import Progress

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


def measure(
    steps: Sequence[Step],
    *,
    repeats: int,
    meter: PeakMemory,
    progress: Progress,
    budget_seconds: float | None = None,
    warm: bool = False,
) -> list[StageSpeed]:
    """Return the speed of each step, measured in turns: A B C, A B C, ...

    `budget_seconds` ends the rounds early, once the samples of a round's steps add up to it, but never before the
    first; steps that are compared with each other are given none. `warm` leaves the warm-up out: it was done before.
    """
    progress_name = " / ".join(dict.fromkeys(step.stage for step in steps))
    rounds = [*([] if warm else [True]), *(False for _ in range(repeats))]
    progress.start(progress_name, len(rounds), "rounds")
    seconds: list[list[float]] = [[] for _ in steps]
    peaks: list[list[int]] = [[] for _ in steps]
    for warm_up in rounds:
        for number, step in enumerate(steps):
            taken = _time(step, meter)
            if not warm_up or (budget_seconds is not None and taken > LONG_SECONDS):
                seconds[number].append(taken)
                if meter.bytes is not None:
                    peaks[number].append(meter.bytes)
        progress.advance(progress_name)
        spent = sum(map(sum, seconds))
        if budget_seconds is not None and spent >= budget_seconds and all(seconds):
            break
        if max(map(len, seconds)) >= repeats:
            break
    progress.finish(progress_name)
    return [
        StageSpeed(
            stage=step.stage,
            what=step.what,
            items=step.items,
            unit=step.unit,
            seconds=tuple(taken),
            threads=step.threads,
            peak_bytes=max(peak) if peak else None,
        )
        for step, taken, peak in zip(steps, seconds, peaks, strict=True)
    ]


def ratio(name: str, over: StageSpeed, under: StageSpeed) -> Ratio:
    """Return speed over speed, round by round; ValueError when the two were not measured in turns."""
    pairs = zip(over.rates, under.rates, strict=True)
    return Ratio(name, over.stage, under.stage, tuple(a / b for a, b in pairs))


def _time(step: Step, meter: PeakMemory) -> float:
    step.prepare()
    with meter.watch():
        started = time.perf_counter()
        step.work()
        return time.perf_counter() - started
