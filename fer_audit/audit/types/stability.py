"""Records of the partition, of how much of it and of an association comes back, and of small studies and published tables."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Ordinal, Signed, Unit


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """Best inertia found for one k."""

    k: Ordinal
    """Number of clusters."""
    inertia: NotNegative
    """Best inertia found for it."""


@dataclass(frozen=True, slots=True)
class Starts:
    """Spread over the K-Means starts, in the reduced space where they are run."""

    n: Ordinal
    """Number of starts."""
    inertia_min: NotNegative
    """Inertia of the best start, in the reduced space where starts are run."""
    inertia_max: NotNegative
    """Inertia of the worst start."""
    near_best: int = 0
    """Starts within 0.1 % of the best, the best one included."""


@dataclass(frozen=True, slots=True)
class KVote:
    """What one criterion of `--k auto` voted for."""

    criterion: str
    """elbow, silhouette or stability."""
    k: Ordinal | None
    """What it voted for; None when it abstained."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The partition the tables refer to."""

    k: Ordinal
    """Number of clusters."""
    inertia: NotNegative
    """Sum of squared distances to the own centre, in the full space."""
    sizes: tuple[int | None, ...]
    """Images in each cluster, largest cluster first; None where withheld."""
    sweep: tuple[SweepEntry, ...]
    """The elbow: the best inertia found for each k."""
    starts: Starts
    """Spread over the K-Means starts."""
    votes: tuple[KVote, ...] = ()
    """How `--k auto` chose k, the lower median of these votes; empty when k was given."""
    nearest: tuple[tuple[str, ...], ...] = ()
    """Of each cluster at most five images nearest to its centre, as printable ids, the nearest first."""
    farthest: tuple[tuple[str, ...], ...] = ()
    """Of each cluster at most five images farthest from its centre, the farthest first."""


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
    v: Unit | None = None
    """Mean of Cramér's V over them."""
    v_low: Unit | None = None
    """Lower end of where V lies in most of them, at the level of `confidence`."""
    v_high: Unit | None = None
    """Upper end of it."""
    v_corrected: Unit | None = None
    """Mean of the corrected V."""
    v_corrected_low: Unit | None = None
    """Lower end of where it lies."""
    v_corrected_high: Unit | None = None
    """Upper end of it."""
    v_full: Unit | None = None
    """Corrected V of the whole set."""
    groups: tuple[GroupSpread, ...] = ()
    """The share of every group over the samples."""
    other_largest: Unit | None = None
    """Share of samples whose largest group is not the whole set's."""
    other_under_represented: Unit | None = None
    """Share of samples that call another set of groups under-represented (below four fifths of the target)."""
    called_different: Unit | None = None
    """Share of samples with asymptotic p at most alpha for "clusters differ in this attribute"."""
    full_called_different: bool | None = None
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
    v_corrected: Unit | None = None
    """Mean of the corrected V over them."""
    low: Unit | None = None
    """Lower end of its interval."""
    high: Unit | None = None
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
