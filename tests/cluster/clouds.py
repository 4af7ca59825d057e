"""Vectors whose best partition is known, and vectors that have none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.reduce import Rows


def clouds(
    seed: int, *, n: int = 400, k: int = 4, d: int = 6, apart: float = 20.0, spread: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return (n, d) points of k <= d round clouds far from the origin, and the (n,) number of each one's cloud.

    Sizes fall (4 : 3 : 2 : 1 for four), so that the order of the clusters is known too.
    """
    rng = np.random.default_rng(seed)
    bounds = np.arange(k, 0, -1).cumsum() * 2 * n // (k * (k + 1))
    kinds = rng.permutation(np.searchsorted(bounds, np.arange(n), side="right")).astype(np.int32)
    points = rng.normal(50, spread, (n, d))
    points[np.arange(n), kinds] += apart
    return points.astype(np.float32), kinds


def noise(seed: int, *, n: int = 400, d: int = 10) -> NDArray[np.float32]:
    """Return (n, d) points of one round cloud."""
    return np.random.default_rng(seed).normal(0, 1, (n, d)).astype(np.float32)


def all_ok(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the mask of a set without failures."""
    return np.ones(len(points), np.bool_)


def rows_of(points: NDArray[np.float32]) -> Rows:
    """Return all rows of a set without failures."""
    return Rows(points, all_ok(points))
