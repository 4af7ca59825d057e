"""Records of clusters and claims: the partition, the association with each attribute, and the ladder a claim climbs."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable

UNSTABLE = 0.6
"""A cluster whose mean Jaccard similarity over resamples is lower does not come back; Hennig 2007."""


@dataclass(frozen=True, slots=True)
class SweepEntry:
    """Best inertia found for one k."""

    k: int
    inertia: float


@dataclass(frozen=True, slots=True)
class Starts:
    """Spread over the K-Means starts, in the reduced space where they are run."""

    n: int
    inertia_min: float
    inertia_max: float
    near_best: int = 0
    """Starts within 0.1 % of the best inertia, the best one included."""


@dataclass(frozen=True, slots=True)
class KVote:
    """What one criterion of `--k auto` voted for."""

    criterion: str
    k: int | None
    """None = it abstained."""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """The partition the tables refer to."""

    k: int
    inertia: float
    sizes: tuple[int | None, ...]
    """Images of each cluster; None = withheld."""
    sweep: tuple[SweepEntry, ...]
    starts: Starts
    votes: tuple[KVote, ...] = ()
    """How `--k auto` chose k: the lower median of these; empty when k was given."""


@dataclass(frozen=True, slots=True)
class AssociationCell:
    """One cluster x group cell."""

    cluster: int
    group: str
    count: int
    share: float | None
    """Share of the group within the cluster."""
    lift: float | None
    """p_ij / (p_i p_j): 1 = as often as chance."""
    lift_low: float | None
    lift_high: float | None
    residual: float | None
    """Adjusted (Haberman) residual."""
    p_adjusted: float | None
    """Benjamini-Hochberg over all cells of the table."""
    npmi: float | None
    ducher_z: float | None
    too_few: bool
    """Fewer than 30 images: shown, never ranked."""


@dataclass(frozen=True, slots=True)
class Association:
    """Do clusters and one attribute go together?"""

    attribute: str
    kind: str
    n: int
    """Images in the table: ok, annotated, one copy of each duplicate group unless all are kept."""
    groups: tuple[str, ...]
    table: tuple[tuple[int | None, ...], ...]
    """(k, groups) counts; None = withheld."""
    chi2: float | None
    df: int | None
    p_asymptotic: float | None
    expected_min: float | None
    """Smallest expected count; below 5 the asymptotic p is not to be trusted."""
    v: float | None
    """Cramér's V."""
    null_mean: float | None
    """Mean of V over tables with these margins and no association."""
    null_95: float | None
    """95 % quantile of the same."""
    v_corrected: float | None
    """Bias-corrected V (Bergsma 2013)."""
    low: float | None
    """Bootstrap interval of v_corrected, cluster assignments fixed."""
    high: float | None
    p_permutation: float | None
    p_holm: float | None
    """p_permutation after Holm over the demographic attributes of this run; None for other kinds."""
    permutations: int
    u_group_from_cluster: float | None
    """Theil's U, as counted: share of the attribute's entropy that is gone once the cluster is known."""
    u_cluster_from_group: float | None
    ami: float | None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    balance: float | None
    """min over clusters and groups of min(r_g / r_g(C), r_g(C) / r_g); 1 = every cluster mirrors the set."""
    cells: tuple[AssociationCell, ...]
    not_computable: NotComputable = ()
    u_corrected: float | None = None
    """u_group_from_cluster less its mean under chance: (I - E[I]) / H(group), at least 0."""
    v_corrected_null_95: float | None = None
    """95 % quantile of v_corrected over the tables of null_95."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One question a claim has to answer."""

    number: int
    name: str
    holds: bool | None
    """None = not computable."""
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    n_effective: int
    reading: str
    """One line: what this rung says, or why it cannot be computed."""
    skipped: bool = False
    """True when the set has nothing to ask about; the claim climbs on."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """What is left of the association of clusters and an attribute among images that are alike in `given`."""

    attribute: str
    rung: int | None
    """Rung it decides, 4 to 6; None = asked for with --given, shown next to the ladder."""
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
    """The corrected V of the same studies, to six decimals."""
    least_p: float | None = None
    """Smallest asymptotic p of the studies."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The audit's headlines, drawn again from many small random samples, each clustered on its own."""

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
class Ladder:
    """How far the claim "clusters and this attribute go together" climbs."""

    attribute: str
    rungs: tuple[Rung, ...]
    highest: int
    """Number of the last rung that held before one did not; 0 = none."""
    conditionals: tuple[Conditional, ...] = ()
    """Every question of rungs 4 to 6, and those of --given."""
    lost: tuple[tuple[str, float], ...] = ()
    """(columns held fixed, 1 - kept) for each of them with a value: what was lost where."""
    stopped: str = ""
    """Reading of the first rung that did not hold; "" when all did."""


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """How well a batch attribute alone, e.g. the hour of the crawl, guesses another attribute.

    The guess is the most frequent group of each batch, counted on the same images.
    """

    batch: str
    attribute: str
    n: int
    right: int
    """Images guessed right."""
    accuracy: float | None
    majority_group: str | None
    majority: float | None
    """Share guessed right by always naming the largest group."""
    chance: float | None
    """Mean accuracy when the attribute is shuffled: small batches guess their own chance right."""
    p: float | None
    """(1 + #{accuracy* >= accuracy}) / (permutations + 1), fixed margins."""
    permutations: int
    not_computable: NotComputable = ()
    left_out_accuracy: float | None = None
    """The same guess for each image from the others alone: a tie is wrong, and an image that is alone in its
    batch is guessed from the whole set. Many small batches make `accuracy` too good, never this."""
    v_corrected: float | None = None
    """Bias-corrected V of batch and attribute."""
