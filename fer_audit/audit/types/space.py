"""Records about the way pictures were taken, and about how groups lie in the latent space."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable, NotNegative, Ordinal, Unit


@dataclass(frozen=True, slots=True)
class StyleTest:
    """Are the groups of one attribute photographed differently, by one measure of style?"""

    measure: str
    """Measure of style, a column of rows.parquet."""
    attribute: str
    """Name of the attribute."""
    n: int
    """Images."""
    eta_squared: Unit | None = None
    """Share of the measure's variance that lies between groups."""
    rank_effect: Unit | None = None
    """The same on ranks, less its value under chance (epsilon squared of Kruskal and Wallis)."""
    p: Unit | None = None
    """Permutation p of the Kruskal-Wallis H."""
    p_adjusted: Unit | None = None
    """The same after Benjamini-Hochberg over all measures and attributes."""
    permutations: int = 0
    """Shuffles drawn."""
    lowest: str | None = None
    """Group with the lowest mean rank, among those with 30 images or more."""
    lowest_median: float | None = None
    """Its median of the measure."""
    highest: str | None = None
    """Group with the highest mean rank, among those with 30 images or more."""
    highest_median: float | None = None
    """Its median of the measure."""
    not_computable: NotComputable = ()
    unit: str = "image"
    """What is exchanged for p: "image", a subject attribute, or "near-identical group"."""


@dataclass(frozen=True, slots=True)
class StyleBaseline:
    """How strongly clusters made from style measures alone are associated with an attribute.

    The ten measures (brightness, colour, sharpness, ...) are of the whole image; brightness also measures skin.
    """

    attribute: str
    """Name of the attribute."""
    n: int
    """Images."""
    k: Ordinal
    """Number of style-only clusters."""
    v_corrected: Unit | None
    """Corrected V of style-only clusters and the attribute."""
    low: Unit | None
    """Lower end of its bootstrap interval."""
    high: Unit | None
    """Upper end of it."""
    p: Unit | None
    """Its permutation p."""
    permutations: int
    """Tables drawn."""
    embedding_v: Unit | None
    """Corrected V of the embedding's clusters and the attribute."""
    reproduced: NotNegative | None
    """`v_corrected` over `embedding_v`; the two need not be the same association; None where one of them does not
    pass rungs 1 to 3 (p of the style clusters without Holm)."""
    not_computable: NotComputable = ()
    unit: str = "image"
    """What is exchanged for p: "image", or a subject attribute."""


@dataclass(frozen=True, slots=True)
class ClusterStyle:
    """How the images of one cluster were taken, by one measure of style, compared with the whole set."""

    cluster: int
    """Number of the cluster, from 0."""
    measure: str
    """Measure of style, a column of rows.parquet."""
    n: int
    """Images of the cluster, one copy of each duplicate group unless all are kept."""
    mean: float | None = None
    """Mean of the measure over them."""
    set_mean: float | None = None
    """Mean of the measure over the images of all clusters."""
    difference: float | None = None
    """`mean` minus `set_mean`, in standard deviations of the whole set."""
    low: float | None = None
    """Lower end of its interval: the normal one of the mean of the cluster against the mean of the rest of the set."""
    high: float | None = None
    """Upper end of it."""
    not_computable: NotComputable = ()
    unit: str = "image"
    """What is drawn for the interval: "image", a subject attribute, or "near-identical group"."""


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """How much of the variance of the vectors lies on the principal axes that the clusters were looked for on.

    The total variance is the inertia of one cluster.
    """

    dimensions: int
    """Principal axes kept."""
    shares: tuple[Unit, ...]
    """Share of the total variance on each of the first ten, in the order they were found; empty when not
    computable."""
    total: Unit | None
    """Share of the total variance on all kept axes together."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupOverlap:
    """How one group lies among the others in the latent space."""

    group: str
    """Name of the group."""
    n: int
    """Images of the group in the subsample."""
    homophily: Unit | None = None
    """Share of the nearest neighbours that are of the same group."""
    expected: Unit | None = None
    """The same when labels are shuffled."""
    dispersion: NotNegative | None = None
    """Root mean squared distance to the group's centroid."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class PairOverlap:
    """How well a straight cut separates two groups, and how far apart their centres are."""

    first: str
    """Name of one group."""
    second: str
    """Name of the other."""
    n_first: int
    """Images of the first: of all that the subsample was drawn from, at most 5,000 of a group."""
    n_second: int
    """Images of the second."""
    auc: Unit | None
    """Cross-validated area under the ROC curve of a linear probe: 0.5 = not separated at all, 1 = entirely."""
    balanced_accuracy: Unit | None
    """Mean share of each group that the probe recognises."""
    null_95: Unit | None
    """95 % quantile of the AUC over shuffled labels."""
    p: Unit | None
    """Permutation p of the AUC."""
    p_adjusted: Unit | None
    """The same after Benjamini-Hochberg over the pairs of the attribute."""
    permutations: int
    """Shuffles drawn."""
    centroid_distance: NotNegative | None
    """Distance of the two centroids."""
    relative_distance: NotNegative | None
    """`centroid_distance` over the pooled dispersion of the two groups."""
    not_computable: NotComputable = ()
    low: Unit | None = None
    """Lower end of the score interval of `auc` (Newcombe 2006); wider by as much as AUCs of shuffled labels vary more than
    those of independent scores."""
    high: Unit | None = None
    """Upper end of it."""


@dataclass(frozen=True, slots=True)
class LatentOverlap:
    """How the groups of one attribute overlap in the latent space, before any clustering."""

    attribute: str
    """Name of the attribute."""
    n: int
    """Images of the seeded subsample."""
    drawn_from: int
    """Images it was drawn from: one copy of each, and one image of each person where the set says who is on them."""
    dimensions: int
    """Principal coordinates used."""
    neighbours: int
    """Nearest neighbours looked at."""
    homophily: Unit | None = None
    """Share of them that are of the same group, over all images."""
    expected: Unit | None = None
    """Its mean over shuffled labels."""
    p: Unit | None = None
    """Permutation p of the homophily."""
    permutations: int = 0
    """Shuffles drawn."""
    groups: tuple[GroupOverlap, ...] = ()
    """Every group."""
    pairs: tuple[PairOverlap, ...] = ()
    """Every two groups with 30 images or more in `drawn_from`."""
    not_computable: NotComputable = ()
    unit: str = "image"
    """What is exchanged for p, of which one image each is looked at: "image", a subject attribute, or "near-identical group"."""
