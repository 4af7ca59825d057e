"""Timing: samples in turns, so that a machine that slows down slows all of them down; and what the machine is."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fer_audit import __version__
from fer_audit.bench.types import MachineFacts, Ratio, StageSpeed
from fer_audit.cores import usable_cores
from fer_audit.embed.session import runtime_version
from fer_audit.progress import Progress

BUDGET_SECONDS = 5.0
"""A stage that is compared with no other is not sampled again after so long."""
LONG_SECONDS = 5.0
"""A warm-up that takes longer is a sample itself: first-call costs are far below its spread."""
ISA = (
    *("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_tile", "amx_int8"),
    *("asimddp", "i8mm", "bf16", "sve"),
)
"""x86 first, then ARM; "avx512_vnni", "avx_vnni", "amx_int8", "asimddp" and "i8mm" multiply bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work that can be done again and again; `prepare` is done before each sample, outside the time."""

    stage: str
    what: str
    items: int
    unit: str
    threads: int
    work: Callable[[], object]
    prepare: Callable[[], object] = lambda: None

    def sample(self) -> float:
        """Return the seconds that the work took."""
        self.prepare()
        started = time.perf_counter()
        self.work()
        return time.perf_counter() - started

    def speed(self, seconds: Sequence[float]) -> StageSpeed:
        """Return the samples as a result."""
        facts = (self.stage, self.what, self.items, self.unit)
        return StageSpeed(*facts, tuple(seconds), self.threads)


def measure_alone(step: Step, *, repeats: int, progress: Progress) -> StageSpeed:
    """Return the speed of a step: one warm-up, then `repeats` samples, or as many as the budget allows."""
    progress.start(step.stage, repeats + 1, "samples")
    warm_up = step.sample()
    progress.advance(step.stage)
    samples = [warm_up] if warm_up > LONG_SECONDS else []
    while not samples or (len(samples) < repeats and sum(samples) < BUDGET_SECONDS):
        samples.append(step.sample())
        progress.advance(step.stage)
    progress.finish(step.stage)
    return step.speed(samples)


def measure_in_turns(
    steps: Sequence[Step], *, repeats: int, progress: Progress
) -> list[StageSpeed]:
    """Return the speed of each step, sampled A B C, A B C, ..., so that a machine that slows down slows all. All must have run once."""
    name = " / ".join(step.stage for step in steps)
    progress.start(name, repeats, "rounds")
    rounds = []
    for _ in range(repeats):
        rounds.append([step.sample() for step in steps])
        progress.advance(name)
    progress.finish(name)
    return [
        step.speed(taken) for step, taken in zip(steps, zip(*rounds, strict=True), strict=True)
    ]


def ratio(name: str, over: StageSpeed, under: StageSpeed) -> Ratio:
    """Return speed over speed, round by round; ValueError when the two were not measured in turns."""
    pairs = zip(over.rates, under.rates, strict=True)
    return Ratio(name, over.stage, under.stage, tuple(a / b for a, b in pairs))


def machine_facts() -> MachineFacts:
    """Return CPU, cores, instruction sets, load and versions."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # Linux has it
        lines = []
    facts = {key.strip(): value.strip() for key, _, value in (x.partition(":") for x in lines)}
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    packages = ("numpy", "scipy", "scikit-learn", "pillow", "onnx")
    return MachineFacts(
        cpu=facts.get("model name") or platform.processor() or platform.machine(),
        usable_cores=usable_cores(),
        isa=tuple(flag for flag in ISA if flag in flags),
        system=f"{platform.system()} {platform.machine()}",
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        versions=(
            *(("fer-audit", __version__), ("python", platform.python_version())),
            *((name, version(name)) for name in packages),
            ("onnxruntime", runtime_version()),
        ),
    )
