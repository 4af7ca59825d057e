"""The records of a clustering: a partition of the latent space, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Labels = NDArray[np.int32]
Codes = NDArray[np.integer]
Counts = NDArray[np.int64]
Places = NDArray[np.intp]
"""Numbers of rows."""
Mask = NDArray[np.bool_]


class NotClusterable(Exception):
    """No partition can be made; the message says why."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """The best inertia found for one k."""

    k: int
    inertia: float


@dataclass(frozen=True, slots=True)
class KPoint:
    """The criteria of `--k auto` at one k; None = not computable."""

    k: int
    inertia: float
    silhouette: float | None
    """Mean silhouette on a sample, -1 to 1 (Rousseeuw 1987)."""
    ari: float | None
    """Median adjusted Rand index of the partitions of pairs of subsamples, on the rows they share."""


@dataclass(frozen=True, slots=True)
class KChoice:
    """How k was chosen, and the k that each criterion suggests; None = not computable."""

    k: int
    elbow: int | None
    """The knee of the inertia curve (Kneedle, Satopaa 2011)."""
    silhouette: int | None
    """The k with the highest mean silhouette."""
    stability: int | None
    """The largest k whose partition a subsample reproduces."""
    rule: str
    points: tuple[KPoint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """Another partition of the same vectors: another seed, or another k."""

    k: int
    seed: int
    labels: Labels
    """(n,) cluster of each image, numbered by size; -1 where not ok."""
    inertia: float
    """In the full space."""


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A subset or resample of the images, clustered on its own."""

    rows: Counts
    """(m,) row numbers; a bootstrap resample repeats some."""
    labels: Labels
    """(m,) cluster of each of them in the new partition."""


@dataclass(frozen=True, slots=True, eq=False)
class Stability:
    """How similar the partition is with other seeds, other k and other samples."""

    seeds: tuple[Alternative, ...]
    """The same k from other seeds."""
    ks: tuple[Alternative, ...]
    """The partitions of the sweep, k = 1..sweep_max, and of k-1 .. k+2."""
    ari: tuple[float, ...]
    """Adjusted Rand index of every pair of `seeds`, the reported partition included."""
    jaccard: tuple[float, ...]
    """(k,) mean bootstrap Jaccard similarity of each cluster (Hennig 2007); below 0.6 it is not stable."""
    half_a: Mask
    """(n,) the random half that was clustered on its own."""
    half_b_labels: Labels
    """(n,) nearest centre of half A for the other half; -1 elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """A K-Means partition. Clusters are numbered by size, largest first."""

    labels: Labels
    """(n,) cluster of each image; -1 where not ok."""
    centers: Singles
    """(k, d) means of the clusters in the full space."""
    distances: Singles
    """(n,) Euclidean distance to the own centre; 0 where not ok."""
    inertia: float
    """Sum of squared distances, in the full space."""
    start_inertias: tuple[float, ...]
    """Inertia of every start in the reduced space, before the polish."""
    sweep: tuple[SweepPoint, ...]
    fingerprint: str
    coordinates: Singles | None = None
    """(n, m) principal coordinates the starts were made in; 0 where not ok."""
    stability: Stability | None = None
    """None = not measured."""
    choice: KChoice | None = None
    """None = k was given."""

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centers)
