"""What a benchmark found. Raw seconds are kept; every summary is derived from them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Literal

from fer_audit.config import Precision


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """One stage, timed alone."""

    stage: str
    what: str
    """What exactly was done, in a line."""
    items: int
    unit: str
    """What an item is: images or files."""
    seconds: tuple[float, ...]
    """Raw, one a sample, in the order they were taken."""
    threads: int
    """Threads the stage was given; the libraries below it may use fewer."""

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


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Everything `fer-audit bench` says."""

    machine: MachineFacts
    model: ModelMeasured
    sample: SampleFacts
    stages: tuple[StageSpeed, ...]
    ratios: tuple[Ratio, ...]
    time_goes: tuple[tuple[str, float], ...]
    """(stage, median seconds) of a whole run, largest first; empty when it was not asked for."""
    not_measured: tuple[str, ...]
