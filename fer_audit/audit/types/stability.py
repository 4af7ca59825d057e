"""Records of how much of a partition, and of an association, comes back."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.ranges import Ordinal, Signed, Unit

AGREE = 0.75
"""Median adjusted Rand index below which seeds do not find the same clusters."""
UNSTABLE = 0.6
"""A cluster whose mean Jaccard similarity over resamples is lower does not come back; Hennig 2007."""


@dataclass(frozen=True, slots=True)
class VariantV:
    """The corrected V of one attribute in one other partition of the same vectors."""

    k: Ordinal
    """Number of clusters of that partition."""
    seed: int
    """Its seed."""
    v_corrected: Unit
    """Corrected V of the attribute in it."""
    null_95: Unit
    """95 % quantile of the corrected V over shuffled labels."""


@dataclass(frozen=True, slots=True)
class AttributeStability:
    """Does an attribute's association come back with other seeds, another k, and in the held-out half?"""

    attribute: str
    """Name of the attribute."""
    seeds: tuple[VariantV, ...]
    """Its corrected V in the partitions of other seeds."""
    ks: tuple[VariantV, ...]
    """Its corrected V in the sweep over k, in order of k; those of k - 1 .. k + 2 decide rung 7."""
    half_n: int
    """Images of the held-out half."""
    half_v: Unit | None
    """Corrected V of the held-out half, each image in the cluster with the nearest centre of the other half."""
    half_low: Unit | None
    """Lower end of its bootstrap interval."""
    half_high: Unit | None
    """Upper end of it."""
    half_p: Unit | None
    """Its permutation p."""
    half_p_holm: Unit | None
    """`half_p` after Holm over the demographic attributes."""
    half_permutations: int
    """Tables drawn."""
    not_computable: NotComputable = ()
    half_null_95: Unit | None = None
    """95 % quantile of the corrected V of the half over shuffled labels."""
    unit: str = "image"
    """What is exchanged: "image", or a subject attribute."""


@dataclass(frozen=True, slots=True)
class ClusterStability:
    """How well one cluster comes back in bootstrap resamples."""

    cluster: int
    """Number of the cluster, from 0."""
    jaccard: Unit
    """Mean Jaccard similarity to the most similar cluster of each bootstrap resample (Hennig 2007)."""
    stable: bool
    """Whether that is at least 0.6; no sentence rests on a cluster that is not."""


@dataclass(frozen=True, slots=True)
class StabilityFacts:
    """How much of the partition is the data's, and how much the seed's or k's."""

    seeds: int
    """Other seeds that were tried."""
    ari_median: Signed | None
    """Median adjusted Rand index of all pairs of seeds, the reported partition included: 1 = the same, 0 = chance."""
    ari_min: Signed | None
    """The least of them."""
    ari_max: Signed | None
    """The largest of them."""
    clusters: tuple[ClusterStability, ...]
    """Every cluster in bootstrap resamples."""
    attributes: tuple[AttributeStability, ...]
    """Every demographic attribute in other partitions."""
    not_computable: NotComputable = ()
