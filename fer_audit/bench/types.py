"""What a benchmark found. Raw seconds are kept; every summary is derived from them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Literal

from fer_audit.config import Precision

PeakMethod = Literal["VmHWM, reset before each sample", "sampled every 5 ms", "since the start"]
"""How the resident high-water mark was read: the kernel's own, a thread that looks, or `getrusage` (never falls)."""


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """One stage, timed alone."""

    stage: str
    what: str
    """What exactly was done, in a line."""
    items: int
    unit: str
    """What an item is: images, files, rows."""
    seconds: tuple[float, ...]
    """Raw, one a sample, in the order they were taken."""
    threads: int
    """Threads the stage was given; the libraries below it may use fewer."""
    peak_bytes: int | None
    """Largest resident set while it ran, everything this process holds included; None = not known here."""
    share_of_roofline: float | None = None
    """Arithmetic a second over the roofline's; None = no arithmetic worth counting."""

    @property
    def rates(self) -> tuple[float, ...]:
        """Items a second of each sample."""
        return tuple(self.items / second for second in self.seconds)

    @property
    def median(self) -> float:
        """Items a second."""
        return statistics.median(self.rates)

    @property
    def spread(self) -> float | None:
        """(largest - smallest) / median of the rates; None for one sample."""
        if len(self.seconds) < 2:
            return None
        return (max(self.rates) - min(self.rates)) / self.median


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two stages that were measured in turns, one over the other."""

    name: str
    over: str
    """Stage whose speed is divided ..."""
    under: str
    """... by this one's."""
    values: tuple[float, ...]
    """One a round, each from two neighbouring samples."""

    @property
    def median(self) -> float:
        """The ratio to quote."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Roofline:
    """A large matrix product: what this machine reaches when nothing but arithmetic is asked of it."""

    precision: Precision
    by: str
    """Library and operator."""
    multiplied: str
    """Shapes, e.g. "2048 x 3072 by 3072 x 2048"."""
    multiply_adds: int
    """In one sample."""
    threads: int
    seconds: tuple[float, ...]

    @property
    def gflops(self) -> float:
        """Billions of operations a second, a multiply-add being two: the best sample, for a roof is what can be reached."""
        return 2e-9 * self.multiply_adds / min(self.seconds)


@dataclass(frozen=True, slots=True)
class Trial:
    """One setting that --autotune tried."""

    threads: int
    batch_size: int
    images: int
    """In one sample."""
    seconds: tuple[float, ...]

    @property
    def images_per_second(self) -> float:
        """Median."""
        return statistics.median(self.images / second for second in self.seconds)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One setting, and why."""

    setting: Literal["threads", "batch-size", "precision", "pack"]
    value: str
    reason: str
    measured: bool
    """Whether this run compared it with something else."""


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """Where it was measured."""

    cpu: str
    usable_cores: int
    """Cores that affinity and a container's quota leave this process."""
    isa: tuple[str, ...]
    """Instruction sets that matter here, as the kernel names them; empty where it names none."""
    system: str
    load: float | None
    """Average number of busy threads in the minute before, all processes; None where the system does not say."""
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ModelMeasured:
    """The model, and how it was loaded."""

    name: str
    sha256: str
    precision: Precision
    provider: str
    """Execution provider actually loaded."""
    threads: int
    batch_size: int
    size: int
    dim: int
    multiply_adds: int | None
    """Of one image; None when the graph does not tell."""
    load_seconds: float


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """The images."""

    source: Literal["drawn", "folder"]
    listed: int
    """Files of the set."""
    images: int
    """Of which so many were embedded."""
    failed: int
    """Of those, files that could not be used; they are read and counted like the others."""
    mean_file_bytes: float
    page_cache: str
    """Whether the files came from memory or from the disk."""


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Everything `fer-audit bench` says."""

    machine: MachineFacts
    model: ModelMeasured
    sample: SampleFacts
    stages: tuple[StageSpeed, ...]
    ratios: tuple[Ratio, ...]
    rooflines: tuple[Roofline, ...]
    time_goes: tuple[tuple[str, float], ...]
    """(stage, median seconds) of a whole run, largest first; empty when it was not asked for."""
    trials: tuple[Trial, ...]
    """What --autotune tried; empty without it."""
    recommendations: tuple[Recommendation, ...]
    peak_method: PeakMethod
    rows: str
    """Which vectors the cluster, audit and report stages worked on."""
    not_measured: tuple[str, ...]
