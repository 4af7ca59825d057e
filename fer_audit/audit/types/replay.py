"""Records of small samples and resamples that were clustered again, and of what was published."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.ranges import Unit


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """One group's share over many small random samples of the set."""

    group: str
    """Name of the group."""
    share: Unit
    """Its share of the whole set."""
    low: Unit
    """Lower end of where its share lies in most samples."""
    mean: Unit
    """Mean share over the samples."""
    high: Unit
    """Upper end of where it lies."""


@dataclass(frozen=True, slots=True)
class ReplayAttribute:
    """What many random samples of the origin paper's size would have said about one attribute."""

    attribute: str
    """Name of the attribute."""
    studies: int
    """Samples in which V can be computed."""
    v: Unit | None
    """Mean of Cramér's V over them."""
    v_low: Unit | None
    """Lower end of where V lies in most of them, at the level of `confidence`."""
    v_high: Unit | None
    """Upper end of it."""
    v_corrected: Unit | None
    """Mean of the corrected V."""
    v_corrected_low: Unit | None
    """Lower end of where it lies."""
    v_corrected_high: Unit | None
    """Upper end of it."""
    v_full: Unit | None
    """Corrected V of the whole set."""
    groups: tuple[GroupSpread, ...]
    """The share of every group over the samples."""
    other_largest: Unit | None
    """Share of samples whose largest group is not the whole set's."""
    other_under_represented: Unit | None
    """Share of samples that call another set of groups under-represented (below four fifths of the target)."""
    called_different: Unit | None
    """Share of samples with asymptotic p at most alpha for "clusters differ in this attribute"."""
    full_called_different: bool | None
    """Whether the whole set says so with the same test."""
    not_computable: NotComputable = ()
    v_studies: tuple[Unit, ...] = ()
    """Cramér's V of every sample in which it can be computed, in the order they were drawn, to six decimals."""
    v_corrected_studies: tuple[Unit, ...] = ()
    """The corrected V of the same samples, also to six decimals."""
    least_p: Unit | None = None
    """Smallest asymptotic p of the samples; None when none can be computed."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The audit's headlines, drawn again from many small random samples, each clustered on its own."""

    studies: int
    """Random samples drawn, each clustered on its own."""
    size: int
    """Images of each."""
    attributes: tuple[ReplayAttribute, ...]
    """What they say about each demographic attribute."""


@dataclass(frozen=True, slots=True)
class Recluster:
    """The interval of the corrected V when the clustering is done again in every bootstrap resample."""

    attribute: str
    """Name of the attribute."""
    resamples: int
    """Bootstrap resamples in which V can be computed, each clustered on its own."""
    v_corrected: Unit | None
    """Mean of the corrected V over them."""
    low: Unit | None
    """Lower end of its interval."""
    high: Unit | None
    """Upper end of it."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class PublishedValue:
    """What a publication about this set says of clusters and one attribute, from the counts it prints."""

    source: str
    """Which publication, and where in it."""
    attribute: str
    """Name of the attribute."""
    n: int
    """Images."""
    k: int
    """Clusters."""
    v: Unit
    """Cramér's V of its table."""
    v_corrected: Unit
    """Bias-corrected V of it."""
    p: Unit
    """Its p from the chi-squared distribution."""
