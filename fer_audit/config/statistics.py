"""How the audit tests, and what it tests."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.config.checks import at_least, between_0_and_1
from fer_audit.errors import ConfigError

ANY_LABEL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsSettings:
    """How the audit tests, and what it tests."""

    confidence: float = 0.95
    """Level of the intervals."""
    alpha: float = 0.05
    """Level of the tests."""
    permutations: int = 10_000
    """Shuffles of each permutation test."""
    bootstraps: int = 2_000
    """Resamples of each bootstrap interval."""
    keep_duplicates: bool = False
    """Test on every file, not on one copy of each group of byte-identical files."""
    reference: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """Counts of a larger set to compare with: the count of each group, by attribute."""
    given: tuple[tuple[str, ...], ...] = ()
    """Columns to hold fixed, each tuple together; the audit says what is left of every association then."""
    what_if: tuple[str, ...] = ()
    """Attributes to erase from the vectors, to see what clusters and probes still find then."""
    mitigate: str = ""
    """Label for which heads that treat groups alike are compared; "*" = every label column, "" = none."""
    replay: int = 200
    """Random samples of `replay_size` images to cluster and audit; 200 take 3 to 5 seconds on two cores."""
    replay_size: int = 500
    """500 is the origin paper's."""
    recluster: int = 0
    """Bootstrap resamples of the whole set to cluster again."""

    def __post_init__(self) -> None:
        """Refuse what no test could make sense of."""
        at_least(self, 1, "permutations", "bootstraps")
        for name in ("replay", "recluster"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must not be negative")
        at_least(self, 2, "replay_size")
        if any(not names or not all(names) for names in self.given):
            raise ConfigError(
                "given has an empty name", hint="For example: --given gender,age_bin"
            )
        between_0_and_1(self, "confidence", "alpha")
