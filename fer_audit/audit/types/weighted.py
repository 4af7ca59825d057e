"""Records of a set whose images have weights."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Unit


@dataclass(frozen=True, slots=True)
class WeightedShare:
    """One group before and after weighting."""

    group: str
    """Name of the group."""
    share: Unit
    """Of the images."""
    weighted: Unit
    """Of all weight."""
    low: Unit
    """Lower end of its interval: Wilson's, of as many images as the weights are worth."""
    high: Unit
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """An attribute of a set whose images have weights (--weights)."""

    attribute: str
    """Name of the attribute."""
    n: int
    """Images with a label and a weight above 0, one copy of each."""
    effective_n: NotNegative
    """Images that they are worth, (sum w)^2 / sum w^2 (Kish 1965)."""
    groups: tuple[WeightedShare, ...]
    """One entry for each group."""
    v_corrected: Unit | None
    """Corrected V of the clusters and the groups, each tested image counted once."""
    v_weighted: Unit | None
    """The same of the weighted table, scaled to as many images as its weights are worth."""
    not_computable: NotComputable = ()
