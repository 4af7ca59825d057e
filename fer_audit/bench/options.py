"""What a benchmark is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fer_audit.errors import ConfigError

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
