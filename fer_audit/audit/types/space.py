"""Records about the way pictures were taken, and about how groups lie in the latent space."""

from __future__ import annotations

from dataclasses import dataclass

from fer_audit.audit.types.not_computable import NotComputable


@dataclass(frozen=True, slots=True)
class StyleTest:
    """Are the groups of one attribute photographed differently, by one measure of style?"""

    measure: str
    attribute: str
    n: int
    eta_squared: float | None
    """Share of the measure's variance that lies between groups, 0..1."""
    rank_effect: float | None
    """Epsilon squared of Kruskal and Wallis: the same on ranks, its value under chance taken off; 0..1."""
    p: float | None
    """Permutation p of the Kruskal-Wallis H."""
    p_adjusted: float | None
    """Benjamini-Hochberg over all measures and attributes."""
    permutations: int
    lowest: str | None
    """Group with the lowest mean rank, among those with 30 images or more."""
    lowest_median: float | None
    highest: str | None
    highest_median: float | None
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class StyleBaseline:
    """How far clusters made from style measures alone follow an attribute."""

    attribute: str
    n: int
    k: int
    """Style-only clusters."""
    v_corrected: float | None
    low: float | None
    high: float | None
    p: float | None
    permutations: int
    embedding_v: float | None
    """Corrected V of the embedding's clusters."""
    reproduced: float | None
    """v_corrected / embedding_v, where both are above chance; the two need not be the same association."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class ClusterStyle:
    """How the images of one cluster were taken, by one measure of style, compared with the whole set."""

    cluster: int
    measure: str
    n: int
    """Images of the cluster, one copy of each unless all are kept."""
    mean: float | None
    """Of the measure in the cluster."""
    set_mean: float | None
    """Of the measure in all clusters together."""
    difference: float | None
    """mean - set_mean, in standard deviations of the whole set."""
    low: float | None
    """Interval of the difference, normal approximation."""
    high: float | None
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class PrincipalAxes:
    """How much of the variance of the vectors the principal axes hold that the clusters were looked for on."""

    dimensions: int
    """Principal axes kept."""
    shares: tuple[float, ...]
    """Share of the total variance on each of the first ten, 0..1."""
    total: float | None
    """Share of all kept axes together."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class GroupOverlap:
    """How one group lies among the others in the latent space."""

    group: str
    n: int
    """Images of the group in the subsample."""
    homophily: float | None
    """Share of the k nearest neighbours that are of the same group."""
    expected: float | None
    """The same when labels are shuffled."""
    silhouette: float | None
    """Mean silhouette of the group as if it were a cluster, -1..1; 0 = it has no region of its own."""
    dispersion: float | None
    """Root mean squared distance to the group's centroid."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class PairOverlap:
    """How well a straight cut separates two groups, and how far apart their centres are."""

    first: str
    second: str
    n_first: int
    n_second: int
    auc: float | None
    """Cross-validated area under the ROC curve of a linear probe; 0.5 = not at all, 1 = entirely."""
    balanced_accuracy: float | None
    null_95: float | None
    """95 % quantile of the AUC over shuffled labels."""
    p: float | None
    p_adjusted: float | None
    """Benjamini-Hochberg over the pairs of the attribute."""
    permutations: int
    centroid_distance: float | None
    relative_distance: float | None
    """centroid_distance over the pooled dispersion of the two groups."""
    not_computable: NotComputable = ()


@dataclass(frozen=True, slots=True)
class LatentOverlap:
    """How the groups of one attribute overlap in the latent space, before any clustering."""

    attribute: str
    n: int
    """Images of the seeded subsample, one copy of each."""
    drawn_from: int
    dimensions: int
    """Principal coordinates used."""
    neighbours: int
    homophily: float | None
    """Share of the nearest neighbours that are of the same group, over all images."""
    expected: float | None
    """Its mean over shuffled labels."""
    p: float | None
    permutations: int
    groups: tuple[GroupOverlap, ...]
    pairs: tuple[PairOverlap, ...]
    not_computable: NotComputable = ()
