"""Which threads and which batch this machine runs a model fastest with.

First the threads, at the batch asked for, then the batch, at the best threads: the two hardly depend on each other, and
every pair at once would hold thirty copies of the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.bench.types import Trial
from fer_audit.embed.session import open_sessions
from fer_audit.embed.types import CPU, Place
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ModelError
from fer_audit.progress import Progress

BATCHES = (1, 4, 8, 16, 32)
GPU_BATCHES = (*BATCHES, 64)
WORTH = 0.02
"""Less than 2 % faster is noise: the smaller setting wants less memory and leaves a core to the decoders."""
SAMPLE_IMAGES = 32
"""At least so many images make a sample: 0.6 s on two fast cores."""
AGREE = 1e-3
"""Largest difference of two batches' vectors, of the largest number in them: only last bits may differ."""

STAGE = "autotune"


def thread_choices(cores: int) -> tuple[int, ...]:
    """Return the powers of two up to `cores`, and `cores`."""
    return tuple(sorted({2**power for power in range(cores.bit_length())} | {cores}))


def autotune(
    model: ExportedModel,
    place: Place,
    pixels: NDArray[np.uint8],
    *,
    cores: int,
    batch_size: int,
    repeats: int,
    progress: Progress,
) -> tuple[Trial, tuple[Trial, ...]]:
    """Return the setting to use, and everything that was tried, in order.

    `pixels` (n, size, size, 3) are repeated where a batch needs more. `cores` is the largest number of threads tried.
    """
    threads = thread_choices(cores)
    batches = BATCHES if place.provider == CPU else GPU_BATCHES
    progress.start(STAGE, (len(threads) > 1) + 1, "rounds of trials")
    tried: list[Trial] = []

    def try_each(settings: Sequence[tuple[int, int]]) -> list[Trial]:
        runs = [_Run(model, place, pixels, *setting) for setting in settings]
        _refuse_other_vectors(runs)
        found = _trials(runs, repeats)
        tried.extend(found)
        progress.advance(STAGE)
        return found

    best = threads[0]
    if len(threads) > 1:
        best = choose(try_each([(each, batch_size) for each in threads])).threads
    choice = choose(try_each([(best, each) for each in batches]))
    progress.finish(STAGE)
    return choice, tuple(tried)


def choose(trials: Sequence[Trial]) -> Trial:
    """Return the smallest setting, batch before threads, that is within `WORTH` of the fastest."""
    fastest = max(trial.images_per_second for trial in trials)
    good = [trial for trial in trials if trial.images_per_second >= (1 - WORTH) * fastest]
    return min(good, key=lambda trial: (trial.batch_size, trial.threads))


class _Run:
    """A loaded model at one setting, and the batches it is tried on."""

    def __init__(
        self,
        model: ExportedModel,
        place: Place,
        pixels: NDArray[np.uint8],
        threads: int,
        batch_size: int,
    ) -> None:
        self.threads, self.batch_size = threads, batch_size
        self.images = -(-SAMPLE_IMAGES // batch_size) * batch_size
        self._pixels = np.resize(pixels, (self.images, *pixels.shape[1:]))
        (self._session,) = open_sessions(model, place, batch_size=batch_size, threads=threads)

    def work(self) -> NDArray[np.float32]:
        starts = range(0, self.images, self.batch_size)
        batches = (self._pixels[i : i + self.batch_size] for i in starts)
        return np.concatenate(list(self._session.stream(batches)))


def _refuse_other_vectors(runs: Sequence[_Run]) -> None:
    """Check that every setting gives the same vectors; the first call of each is its warm-up."""
    first = runs[0].work()
    for run in runs[1:]:
        found = run.work()
        n = min(len(first), len(found))
        off = float(np.abs(first[:n] - found[:n]).max())
        if off > AGREE * float(np.abs(first).max()):
            raise ModelError(
                f"with batch {run.batch_size} and {run.threads} threads the model gives vectors that differ by {off:.3g}",
                hint="Its graph mixes the images of a batch: it cannot be tuned, nor trusted.",
            )


def _trials(
    runs: Sequence[_Run], repeats: int, clock: Callable[[], float] = time.perf_counter
) -> list[Trial]:
    seconds: list[list[float]] = [[] for _ in runs]
    for _ in range(repeats):
        for run, taken in zip(runs, seconds, strict=True):
            started = clock()
            run.work()
            taken.append(clock() - started)
    return [
        Trial(run.threads, run.batch_size, run.images, tuple(taken))
        for run, taken in zip(runs, seconds, strict=True)
    ]
