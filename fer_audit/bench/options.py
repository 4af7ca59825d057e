"""What a benchmark is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fer_audit.errors import ConfigError

StageName = Literal["scan", "decode", "pack", "embed", "cluster", "audit", "report", "run"]
STAGES: tuple[StageName, ...] = get_args(StageName)


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchOptions:
    """What is measured, and how often."""

    images: int = 128
    """Images through the model; a seeded sample of a larger set."""
    face_size: int = 200
    """Pixels of a drawn face's side, where no set is given."""
    stages: tuple[StageName, ...] = STAGES
    """decode is decode and resize, embed the bare model, from pack and from files, run the whole run."""
    repeats: int = 5
    rows: int = 20_000
    """Drawn vectors of the stages after the model, where fewer than `LEAST_IMAGES` of `row_stages` real ones are at hand."""
    budget_seconds: float = 5.0
    """A stage that is compared with no other is not repeated again after so long."""
    autotune: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        for name, least in (("images", 1), ("face_size", 8), ("repeats", 1), ("rows", 100)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        unknown = [name for name in self.stages if name not in STAGES]
        if unknown or not self.stages:
            raise ConfigError(
                f"There is no stage {', '.join(map(repr, unknown)) or 'to measure'}",
                hint=f"Known: {', '.join(STAGES)}.",
            )
