"""Vectors whose best partition is known, and vectors that have none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clouds(
    seed: int, *, n: int = 400, k: int = 4, d: int = 6, apart: float = 12.0
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return (n, d) points of k <= d round clouds, sizes falling, and the (n,) number of each one's cloud."""
    rng = np.random.default_rng(seed)
    shares = np.arange(k, 0, -1) / (k * (k + 1) / 2)
    kinds = rng.choice(k, n, p=shares).astype(np.int32)
    points = rng.normal(0, 1, (n, d))
    points[np.arange(n), kinds] += apart
    return points.astype(np.float32), kinds


def noise(seed: int, *, n: int = 400, d: int = 10) -> NDArray[np.float32]:
    """Return (n, d) points of one round cloud."""
    return np.random.default_rng(seed).normal(0, 1, (n, d)).astype(np.float32)


def all_ok(points: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the mask of a set without failures."""
    return np.ones(len(points), np.bool_)
