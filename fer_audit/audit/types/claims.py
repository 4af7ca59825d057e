"""Records of clusters and claims: the partition, the association with each attribute, and the ladder a claim climbs."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.ranges import NotNegative, Ordinal, Signed, Unit

UNSTABLE = 0.6
"""A cluster whose mean Jaccard similarity over resamples is lower does not come back; Hennig 2007."""


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


@dataclass(frozen=True, slots=True)
class AssociationCell:
    """One cluster x group cell."""

    cluster: int
    """Number of the cluster, from 0."""
    group: str
    """Name of the group."""
    count: int
    """Images."""
    share: Unit | None
    """Share of the group within the cluster."""
    lift: NotNegative | None
    """Observed over expected share, p_ij / (p_i p_j): 1 = as often as chance."""
    lift_low: NotNegative | None
    """Lower end of the interval of the lift."""
    lift_high: NotNegative | None
    """Upper end of it."""
    residual: float | None
    """Adjusted (Haberman) residual."""
    p_adjusted: Unit | None
    """Its p after Benjamini-Hochberg over all cells of the table."""
    npmi: Signed | None
    """Normalised pointwise mutual information, -1 to 1."""
    ducher_z: Signed | None
    """Ducher's Z, -1 to 1."""
    too_few: bool
    """Fewer than 30 images: shown, never ranked."""


@dataclass(frozen=True, slots=True)
class Association:
    """Whether one attribute is associated with the clusters, or with a label."""

    attribute: str
    """Name of the attribute."""
    kind: str
    """Its kind, as in `representation[].kind`."""
    n: int
    """Images in the table: ok, annotated, one copy of each duplicate group unless all are kept."""
    groups: tuple[str, ...]
    """Names of the columns of the table."""
    table: tuple[tuple[int | None, ...], ...]
    """Counts: one row for each cluster or group of `of`, one column for each group; None where withheld, empty when all
    of it is."""
    chi2: NotNegative | None
    """Pearson chi-squared of the table."""
    df: int | None
    """Its degrees of freedom."""
    p_asymptotic: Unit | None
    """Its p from the chi-squared distribution."""
    expected_min: NotNegative | None
    """Smallest expected count; below 5 the asymptotic p is not to be trusted."""
    v: Unit | None
    """Cramér's V: 0 = clusters ignore the attribute, 1 = they sort by it."""
    null_mean: Unit | None
    """Mean of V over tables with these margins and no association."""
    null_95: Unit | None
    """95 % quantile of the same: a V below it means nothing."""
    v_corrected: Unit | None
    """Bias-corrected V (Bergsma 2013)."""
    low: Unit | None
    """Lower end of the bootstrap interval of `v_corrected` for these images, drawn by `unit`, cluster assignments
    fixed."""
    high: Unit | None
    """Upper end of it."""
    p_permutation: Unit | None
    """Share of tables with the same margins and no association that are as extreme (Phipson & Smyth 2010)."""
    p_holm: Unit | None
    """`p_permutation` after Holm over the demographic attributes of this run; None for other kinds."""
    permutations: int
    """Tables drawn."""
    u_group_from_cluster: NotNegative | None
    """Theil's U, as counted: share of the attribute's entropy that is gone once the cluster is known."""
    u_cluster_from_group: NotNegative | None
    """Theil's U the other way round."""
    ami: Signed | None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    balance: Unit | None
    """Cluster balance (Chierichetti 2017; Bera 2019), min over clusters and groups of min(r_g / r_g(C), r_g(C) /
    r_g): 1 = every cluster mirrors the set, 0 = a group is missing from a cluster."""
    cells: tuple[AssociationCell, ...]
    """Every cell of the table with its own statistics."""
    not_computable: NotComputable = ()
    u_corrected: NotNegative | None = None
    """`u_group_from_cluster` less its mean under chance, (I - E[I]) / H(group), at least 0: what findings rank by."""
    v_corrected_null_95: Unit | None = None
    """95 % quantile of `v_corrected` over the tables of `null_95`; None where `v_corrected` is."""
    unit: str = "image"
    """What is exchanged and drawn for p and the interval of these images: "image", or a subject attribute."""
    drawn: str = ""
    """What another collection would draw: the coarsest batch attribute of at least 30 parts, else a subject attribute;
    empty = not known."""
    units: int = 0
    """How many of them there are."""
    other_low: Unit | None = None
    """Lower end of the interval of `v_corrected` for another collection; None = not known."""
    other_high: Unit | None = None
    """Upper end of it."""
    of: str = "cluster"
    """What with: "cluster", or the name of a label attribute, whose groups are then the rows."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One question a claim has to answer."""

    number: Ordinal
    """Number of the rung, from 1."""
    name: str
    """Its name."""
    holds: bool | None
    """Whether the claim passes; None when it cannot be computed."""
    value: float | None
    """The number it is judged by."""
    low: float | None
    """Lower end of its interval."""
    high: float | None
    """Upper end of it."""
    p: Unit | None
    """Its p."""
    n_effective: int
    """Images that carry information on this rung."""
    reading: str
    """One line: what this rung says, or why it cannot be computed."""
    skipped: bool = False
    """True when the set has nothing to ask about, such as no batch; the claim climbs on."""
    grade: str = ""
    """Rungs 4 to 6: how much is left in the comparison the rung is summed up by; see `conditionals[].grade`."""
    at_most: bool = False
    """Whether no shuffle reached what was seen: `p` is the least that so many can give."""


@dataclass(frozen=True, slots=True)
class LaggedControl:
    """The same question asked of labels that only the strata can link: each image has another one's of its stratum."""

    lag: int
    """How many images later, in the order in which they were collected or listed, that other one comes."""
    n: int
    """Images that have such a partner."""
    kept: float | None
    """What is left of it, over the marginal information of the real labels of the same images; None = too few."""
    more: float | None = None
    """How much more is left of the real labels of these images, of what can vary: difference of the two `per_entropy`."""
    more_low: float | None = None
    """Lower end of its interval, for another collection where that is known."""
    more_high: float | None = None
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class Conditional:
    """What is left of an association among images that are alike in the columns of `given`."""

    of: str
    """What the attribute is associated with: "cluster", or the name of a label attribute."""
    attribute: str
    """Name of the attribute."""
    rung: Ordinal | None
    """The rung it belongs to, 4 to 6; None when it was asked for with --given."""
    given: tuple[str, ...]
    """Names of the columns held fixed, together."""
    headline: bool
    """Whether the claim is summed up by it, among the questions of its rung."""
    detail: bool
    """Whether it is only shown: it decides nothing and is not tested."""
    n: int
    """Images with both labels and every column of `given`."""
    strata: int
    """Combinations of `given` with at least one image."""
    informative: int
    """Strata in which both vary: only they can say anything."""
    n_effective: int
    """Images in informative strata."""
    entropy_left: Unit | None
    """H(A | given) / H(A), as counted: 0 = the columns of `given` fix the group, so that nothing could be left."""
    marginal: float | None = None
    """Mutual information of the two labels in nats on the same images, minus its mean over shuffled labels."""
    mi_debiased: float | None = None
    """The same given the columns, minus its mean over labels shuffled within strata; below 0 = less than chance."""
    kept: float | None = None
    """`mi_debiased` over `marginal`: 1 = as strong among alike images, 0 = none left, also where strata cannot tell;
    above 1 = stronger among them than over all."""
    low: float | None = None
    """Lower end of the interval of `kept` for these images."""
    high: float | None = None
    """Upper end of it."""
    per_entropy: float | None = None
    """`kept` over `entropy_left`: what is left of what can still vary. About 1 where `kept` is small says that the two
    cannot be separated."""
    per_low: float | None = None
    """Lower end of the interval of `per_entropy` for these images."""
    per_high: float | None = None
    """Upper end of it."""
    other_low: float | None = None
    """Lower end of the interval of `kept` for another collection; None = not known, see `units.drawn`."""
    other_high: float | None = None
    """Upper end of it."""
    per_other_low: float | None = None
    """Lower end of the interval of `per_entropy` for another collection."""
    per_other_high: float | None = None
    """Upper end of it."""
    controls: tuple[LaggedControl, ...] = ()
    """Rung 6: what labels keep that only the collection links to the image."""
    p_mi: Unit | None = None
    """Permutation p of the conditional mutual information, labels shuffled within strata by unit."""
    p_cmh: Unit | None = None
    """Permutation p of the generalised Cochran-Mantel-Haenszel statistic over the same shuffles (Landis et al. 1978)."""
    p: Unit | None = None
    """min(1, 2 min(p_mi, p_cmh)): both were looked at."""
    permutations: int = 0
    """Shuffles drawn."""
    grade: str = "cannot tell"
    """How much is left, by the interval of `per_entropy`, for another collection where that is known: cannot tell,
    trace (at most a tenth, or perhaps no more than the control), little (at most a third), part, most (at least two thirds)."""
    reading: str = ""
    """One line: what this says, or why it cannot be computed."""
    not_computable: NotComputable = ()
    null_low: float | None = None
    """Where `kept` lies when nothing is left: lower quantile over shuffles of labels within strata, at the level of
    `confidence`, two-sided."""
    null_high: float | None = None
    """The upper one."""
    exchanged: int = 0
    """Blocks of a person's images that keep together in shuffles; 0 = images are shuffled one by one."""


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


@dataclass(frozen=True, slots=True)
class Ladder:
    """How far the claim climbs that an attribute is associated with the clusters or with a label."""

    attribute: str
    """Name of the attribute."""
    rungs: tuple[Rung, ...]
    """The questions in order."""
    highest: int
    """Number of the last rung that held before one did not; 0 = none."""
    conditionals: tuple[Conditional, ...] = ()
    """Every question of rungs 4 to 6, and those asked for with --given."""
    lost: tuple[tuple[str, float], ...] = ()
    """Share of the association that is lost (1 - kept), by the columns held fixed."""
    stopped: str = ""
    """Reading of the first rung that did not hold; empty when all did."""
    of: str = "cluster"
    """What the attribute is associated with: "cluster", or the name of a label attribute."""


@dataclass(frozen=True, slots=True)
class BatchPrediction:
    """How well a batch attribute alone, e.g. the hour of the crawl, guesses another attribute.

    The guess is the most frequent group of each batch, counted on the same images.
    """

    batch: str
    """Name of the batch attribute, such as the hour of the crawl."""
    attribute: str
    """Name of the attribute that is guessed."""
    n: int
    """Images."""
    right: int
    """Images guessed right."""
    accuracy: Unit | None
    """Share guessed right."""
    majority_group: str | None
    """The largest group."""
    majority: Unit | None
    """Share guessed right by always naming the largest group."""
    chance: Unit | None
    """Mean accuracy when the attribute is shuffled: small batches guess their own chance right."""
    p: Unit | None
    """Share of shuffles that guess as well, (1 + #{accuracy* >= accuracy}) / (permutations + 1), fixed margins."""
    permutations: int
    """Shuffles drawn."""
    not_computable: NotComputable = ()
    left_out_accuracy: Unit | None = None
    """The same guess for each image from the others alone: a tie is wrong, and an image that is alone in its batch is
    guessed from the whole set. Many small batches make `accuracy` too good, never this."""
    v_corrected: Unit | None = None
    """Bias-corrected V of batch and attribute."""
