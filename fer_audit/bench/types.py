"""What a benchmark is asked and what it found. Raw seconds are kept; every summary is derived from them."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from fer_audit.config import Precision
from fer_audit.errors import ConfigError

BENCH_SCHEMA = "fer-audit/bench/3"
StageName = Literal["scan", "decode", "pack", "embed", "run"]
STAGES: tuple[StageName, ...] = get_args(StageName)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What is measured, and how often."""

    images: int = 128
    """Images through the model; a seeded sample of a larger set."""
    stages: tuple[StageName, ...] = STAGES
    """embed is the bare model, embedding from packed pixels and embedding from files; run is a whole run."""
    repeats: int = 5

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        for name in ("images", "repeats"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least 1")
        unknown = [name for name in self.stages if name not in STAGES]
        if unknown or not self.stages:
            raise ConfigError(
                f"There is no stage {', '.join(map(repr, unknown)) or 'to measure'}",
                hint=f"Known: {', '.join(STAGES)}.",
            )


@dataclass(frozen=True, slots=True)
class StageSpeed:
    """One stage, timed alone: `what` was done to `items` (images or files, `unit`) by `threads`, `seconds` a sample."""

    stage: str
    what: str
    items: int
    unit: str
    seconds: tuple[float, ...]
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
        alone = len(self.seconds) < 2
        return None if alone else (max(self.rates) - min(self.rates)) / self.median


@dataclass(frozen=True, slots=True)
class Ratio:
    """The speeds of two stages that were measured in turns, `over` divided by `under`, one value a round."""

    name: str
    over: str
    under: str
    values: tuple[float, ...]

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
    """The model, and how it was loaded, by the execution provider that really was."""

    name: str
    sha256: str
    precision: Precision
    provider: str
    threads: int
    batch_size: int
    size: int
    dim: int
    load_seconds: float


@dataclass(frozen=True, slots=True)
class SampleFacts:
    """The images: of the `listed` files of a set the `images` that were embedded, `failed` of them unusable but read like the others."""

    source: Literal["drawn", "folder"]
    listed: int
    images: int
    failed: int
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

    def json(self) -> str:
        """Return it as JSON, with a "schema" that is raised when a key changes its meaning."""
        document = {"schema": BENCH_SCHEMA, **asdict(self)}
        document["machine"]["versions"] = dict(self.machine.versions)
        document["time_goes"] = dict(self.time_goes)
        for fields, stage in zip(document["stages"], self.stages, strict=True):
            low, high = min(stage.rates), max(stage.rates)
            fields["per_second"] = {"median": stage.median, "min": low, "max": high}
            fields["spread"] = stage.spread
        for fields, ratio in zip(document["ratios"], self.ratios, strict=True):
            fields["median"] = ratio.median
        return json.dumps(document, indent=2, allow_nan=False) + "\n"
