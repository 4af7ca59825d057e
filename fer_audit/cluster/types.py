"""What the cluster room hands on: a partition of the latent space and how it was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class NotClusterable(Exception):
    """There is no partition to speak of; the message says why."""


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """The best inertia found for one k."""

    k: int
    inertia: float


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """A K-Means partition. Clusters are numbered by size, largest first."""

    labels: NDArray[np.int32]
    """(n,) cluster of each image; -1 where not ok."""
    centers: NDArray[np.float32]
    """(k, d) means of the clusters in the full space."""
    distances: NDArray[np.float32]
    """(n,) Euclidean distance to the own centre; 0 where not ok."""
    inertia: float
    """Sum of squared distances, in the full space."""
    start_inertias: tuple[float, ...]
    """Inertia of every start in the reduced space, before the polish."""
    sweep: tuple[SweepPoint, ...]
    fingerprint: str

    @property
    def k(self) -> int:
        """Number of clusters."""
        return len(self.centers)
