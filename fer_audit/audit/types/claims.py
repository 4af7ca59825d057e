"""Records of claims: the association of two labels, and the ladder that a claim climbs."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Ordinal, Signed, Unit


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
    chi2: NotNegative | None = None
    """Pearson chi-squared of the table."""
    df: int | None = None
    """Its degrees of freedom."""
    p_asymptotic: Unit | None = None
    """Its p from the chi-squared distribution."""
    expected_min: NotNegative | None = None
    """Smallest expected count; below 5 the asymptotic p is not to be trusted."""
    v: Unit | None = None
    """Cramér's V: 0 = clusters ignore the attribute, 1 = they sort by it."""
    null_mean: Unit | None = None
    """Mean of V over tables with these margins and no association."""
    null_95: Unit | None = None
    """95 % quantile of the same: a V below it means nothing."""
    v_corrected: Unit | None = None
    """Bias-corrected V (Bergsma 2013)."""
    low: Unit | None = None
    """Lower end of the bootstrap interval of `v_corrected` for these images, drawn by `unit`, cluster assignments
    fixed."""
    high: Unit | None = None
    """Upper end of it."""
    p_permutation: Unit | None = None
    """Share of tables with the same margins and no association that are as extreme (Phipson & Smyth 2010)."""
    p_holm: Unit | None = None
    """`p_permutation` after Holm over the demographic attributes of this run; None for other kinds."""
    permutations: int = 0
    """Tables drawn."""
    u_group_from_cluster: NotNegative | None = None
    """Theil's U, as counted: share of the attribute's entropy that is gone once the cluster is known."""
    u_cluster_from_group: NotNegative | None = None
    """Theil's U the other way round."""
    ami: Signed | None = None
    """Adjusted mutual information (Vinh et al. 2010, arithmetic mean)."""
    balance: Unit | None = None
    """Cluster balance (Chierichetti 2017; Bera 2019), min over clusters and groups of min(r_g / r_g(C), r_g(C) /
    r_g): 1 = every cluster mirrors the set, 0 = a group is missing from a cluster."""
    cells: tuple[AssociationCell, ...] = ()
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
    holds: bool | None = None
    """Whether the claim passes; None when it cannot be computed."""
    value: float | None = None
    """The number it is judged by."""
    low: float | None = None
    """Lower end of its interval."""
    high: float | None = None
    """Upper end of it."""
    p: Unit | None = None
    """Its p."""
    n_effective: int = 0
    """Images that carry information on this rung."""
    reading: str = ""
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
    right: int = 0
    """Images guessed right."""
    accuracy: Unit | None = None
    """Share guessed right."""
    majority_group: str | None = None
    """The largest group."""
    majority: Unit | None = None
    """Share guessed right by always naming the largest group."""
    chance: Unit | None = None
    """Mean accuracy when the attribute is shuffled: small batches guess their own chance right."""
    p: Unit | None = None
    """Share of shuffles that guess as well, (1 + #{accuracy* >= accuracy}) / (permutations + 1), fixed margins."""
    permutations: int = 0
    """Shuffles drawn."""
    not_computable: NotComputable = ()
    left_out_accuracy: Unit | None = None
    """The same guess for each image from the others alone: a tie is wrong, and an image that is alone in its batch is
    guessed from the whole set. Many small batches make `accuracy` too good, never this."""
    v_corrected: Unit | None = None
    """Bias-corrected V of batch and attribute."""
    unit: str = "image"
    """What is exchanged for p: "image", a subject attribute, or "near-identical group"."""
