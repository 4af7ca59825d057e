"""How the vectors are clustered."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.config.checks import at_least
from fer_audit.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSettings:
    """How the vectors are clustered."""

    k: int = 4
    """Number of clusters; 4 is the origin paper's."""
    k_auto: bool = False
    """Choose k among 2..sweep_max by elbow, silhouette and stability; `k` is not read then."""
    starts: int = 10
    """K-Means starts, of which the best is kept."""
    sweep_max: int = 10
    """The elbow looks at k = 1..sweep_max."""

    def __post_init__(self) -> None:
        """Refuse what K-Means cannot do."""
        at_least(self, 1, "k", "starts", "sweep_max")
        if self.k_auto and self.sweep_max < 2:
            raise ConfigError("k_auto has nothing to choose from: sweep_max is 1")
