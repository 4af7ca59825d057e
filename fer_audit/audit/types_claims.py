"""Records of the upper half of the claim ladder: what is left of a claim, and whether it comes back."""

from __future__ import annotations

from dataclasses import dataclass

TOO_FEW = 30
"""Cells and clusters with fewer images are shown, never ranked."""
MIN_CELL = "min_cell"
"""The setting that a result which was made to be shared has and no other, and the code of the finding that says so."""
WITHHELD = "[c]"
"""How a count that --min-cell withholds is shown, whatever it is: c = confidential, after the symbols for tables of the UK's
Government Analysis Function. "<5" would tell the small counts from those that are withheld to protect them."""
BECAUSE_WITHHELD = "withheld: "
"""How the reason of a number that --min-cell withholds begins."""
UNSTABLE = 0.6
"""A cluster whose mean Jaccard similarity over resamples is lower does not come back; Hennig 2007."""

NotComputable = tuple[tuple[str, str], ...]
"""((field, reason), ...) of the fields of this record that are None because they have no value."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """What is left of the association of clusters and an attribute among images that are alike in `given`."""

    attribute: str
    rung: int | None
    """Rung it decides, 4 to 6; None = asked for with --given, shown beside the ladder."""
    given: tuple[str, ...]
    """Names of the columns held fixed."""
    n: int
    """Images with a cluster, the attribute and every column of `given`."""
    strata: int
    """Combinations of `given` with at least one image."""
    informative: int
    """Strata in which both clusters and groups vary: only they can say anything."""
    n_effective: int
    """Images in informative strata."""
    entropy_left: float | None
    """H(A | given) / H(A), as counted: 0 = the columns of `given` fix the group, so that nothing could be left."""
    marginal: float | None
    """I(C; A) in nats on the same images, minus its mean over shuffled labels."""
    mi: float | None
    """I(C; A | given) in nats, as counted: biased upwards."""
    mi_debiased: float | None
    """The same minus its mean over labels shuffled within strata; below 0 = less than chance gives."""
    kept: float | None
    """mi_debiased / marginal: 1 = as strong among alike images, 0 = none left; above 1 = stronger among them."""
    low: float | None
    """Interval of `kept`, from its influence function and the spread of the shuffles."""
    high: float | None
    p: float | None
    """(1 + #{I* >= I}) / (permutations + 1), labels shuffled within strata."""
    p_holm: float | None
    """p after Holm over the demographic attributes that were asked the same question."""
    permutations: int
    holds: bool | None
    """Whether the interval of `kept` lies above 0 and p_holm is at most alpha; None = not computable."""
    reading: str
    """One line: what this says, or why it cannot be computed."""
    not_computable: NotComputable = ()
    null_low: float | None = None
    """Where `kept` lies when nothing is left: the lower quantile of (I* - mean I*) / marginal over shuffles of
    labels within strata, at the level of `confidence`, two-sided."""
    null_high: float | None = None
    """The upper one."""


@dataclass(frozen=True, slots=True)
class VariantV:
    """The corrected V of one attribute in one other partition of the same vectors."""

    k: int
    seed: int
    v_corrected: float
    null_95: float
    """95 % quantile of the corrected V over tables with these margins and no association."""


@dataclass(frozen=True, slots=True)
class AttributeStability:
    """Does an attribute's association come back with other seeds, another k, and in the held-out half?"""

    attribute: str
    seeds: tuple[VariantV, ...]
    ks: tuple[VariantV, ...]
    """The sweep over k, in order of k; those of k - 1 .. k + 2 decide rung 7."""
    half_n: int
    """Images of the held-out half."""
    half_v: float | None
    """Corrected V of the held-out half, each image in the cluster with the nearest centre of the other."""
    half_low: float | None
    half_high: float | None
    half_p: float | None
    half_p_holm: float | None
    """half_p after Holm over the demographic attributes."""
    half_permutations: int
    not_computable: NotComputable = ()
    half_null_95: float | None = None
    """95 % quantile of the corrected V over tables with the half's margins and no association."""


@dataclass(frozen=True, slots=True)
class ClusterStability:
    """How well one cluster comes back in bootstrap resamples."""

    cluster: int
    jaccard: float
    """Mean Jaccard similarity to the most similar cluster of each resample; Hennig 2007."""
    stable: bool
    """At least 0.6; one below is shown greyed, and no sentence rests on it."""


@dataclass(frozen=True, slots=True)
class StabilityFacts:
    """How much of the partition is the data's, and how much the seed's or k's."""

    seeds: int
    """Other seeds that were tried."""
    ari_median: float | None
    """Median adjusted Rand index of all pairs of seeds, the reported partition included."""
    ari_min: float | None
    ari_max: float | None
    clusters: tuple[ClusterStability, ...]
    attributes: tuple[AttributeStability, ...]
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """One group's share over many small random samples of the set."""

    group: str
    share: float
    """In the whole set."""
    low: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class ReplayAttribute:
    """What many random samples of the origin paper's size would have said about one attribute."""

    attribute: str
    studies: int
    """Studies in which V can be computed."""
    v: float | None
    """Mean of Cramér's V."""
    v_low: float | None
    v_high: float | None
    """V's 2.5 % and 97.5 % quantile over the studies (with the default confidence)."""
    v_corrected: float | None
    """Mean of the corrected V."""
    v_corrected_low: float | None
    v_corrected_high: float | None
    v_full: float | None
    """Corrected V of the whole set."""
    groups: tuple[GroupSpread, ...]
    other_largest: float | None
    """Share of studies whose largest group is not the whole set's."""
    other_under_represented: float | None
    """Share of studies that call another set of groups under-represented (below four fifths of the target)."""
    called_different: float | None
    """Share of studies with asymptotic p <= alpha for "clusters differ in this attribute"."""
    full_called_different: bool | None
    """Whether the whole set, with the same test, says so."""
    not_computable: NotComputable = ()
    v_studies: tuple[float, ...] = ()
    """Cramér's V of every study in which it can be computed, in the order of the studies, to six decimals."""
    v_corrected_studies: tuple[float, ...] = ()
    """The corrected V of the same studies, likewise."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The audit's headlines, drawn again from many small random samples, each clustered anew."""

    studies: int
    size: int
    """Images of each."""
    attributes: tuple[ReplayAttribute, ...]


@dataclass(frozen=True, slots=True)
class Recluster:
    """The interval of the corrected V when the clustering is done again in every bootstrap resample."""

    attribute: str
    resamples: int
    v_corrected: float | None
    """Mean over the resamples."""
    low: float | None
    high: float | None
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class PublishedValue:
    """What a publication about this set says of clusters and one attribute, from the counts it prints."""

    source: str
    """Which publication, and where in it."""
    attribute: str
    n: int
    """Images."""
    k: int
    """Clusters."""
    v: float
    """Cramér's V of its table."""
    v_corrected: float
    p: float
    """From the chi-squared distribution."""


@dataclass(frozen=True, slots=True)
class GateRule:
    """One --fail-on rule and what it found."""

    rule: str
    value: float | None
    """None when the field has no value in this run, or when it is withheld."""
    crossed: bool
    """Whether the rule fires; a field without a value never does, and `reason` says so."""
    reason: str
    """One line."""

    @property
    def withheld(self) -> bool:
        """Whether the rule was judged by a value that a shared result does not tell."""
        return self.value is None and self.reason.startswith(BECAUSE_WITHHELD)
