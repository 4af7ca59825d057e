"""K-Means on a few hundred rows: the steps of all starts in one matrix product, since studies come by the hundred."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.lloyd import MAX_ITERATIONS


def batched_kmeans(
    points: NDArray[np.float32], k: int, seeds: list[int]
) -> tuple[NDArray[np.float32], NDArray[np.int32], NDArray[np.float64]]:
    """Run k-means++ and Lloyd's algorithm from every seed at once on (m, d) points.

    Return the (s, k, d) centres, the (s, m) labels and the (s,) inertias.
    A start depends on its own seed alone. An emptied cluster keeps its centre.
    """
    centers = kmeans_plus_plus(points, k, seeds)
    s, m, d = len(seeds), *points.shape
    labels = np.full((s, m), -1, np.int32)
    for _ in range(MAX_ITERATIONS):
        offsets = np.einsum("skd,skd->sk", centers, centers)
        scores = (centers.reshape(s * k, d) @ points.T).reshape(s, k, m)
        scores *= -2
        scores += offsets[:, :, None]
        nearest = _argmin_clusters(scores)
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        members = np.equal(np.arange(k)[:, None], labels[:, None, :])
        counts = members.sum(axis=2)
        sums = (members.reshape(s * k, m).astype(np.float32) @ points).reshape(s, k, d)
        filled = counts > 0
        centers[filled] = sums[filled] / counts[filled, None].astype(np.float32)
    inertias = np.array(
        [
            np.square(points - c[own], dtype=np.float64).sum()
            for c, own in zip(centers, labels, strict=True)
        ]
    )
    return centers, labels, inertias


def kmeans_plus_plus(points: NDArray[np.float32], k: int, seeds: list[int]) -> NDArray[np.float32]:
    """Return (s, k, d) first centres: each a point drawn by its squared distance to the nearest one so far.

    When every point is a centre already, the draw is uniform.
    Arthur & Vassilvitskii, SODA 2007.
    """
    s, m, d = len(seeds), *points.shape
    draws = np.stack([np.random.default_rng(seed).random(k) for seed in seeds])
    lengths = np.einsum("md,md->m", points, points)
    centers = np.empty((s, k, d), np.float32)
    weights = np.ones((s, m))
    nearest = np.full((s, m), np.inf, np.float32)
    for j in range(k):
        bounds = weights.cumsum(axis=1)
        targets = draws[:, j] * bounds[:, -1]
        picked = np.minimum((bounds <= targets[:, None]).sum(axis=1), m - 1)
        centers[:, j] = points[picked]
        squares = lengths + lengths[picked][:, None] - 2 * (points[picked] @ points.T)
        np.minimum(nearest, np.maximum(squares, 0), out=nearest)
        nearest[np.arange(s), picked] = 0
        weights = nearest.astype(np.float64)
        weights[~weights.any(axis=1)] = 1
    return centers


def _argmin_clusters(scores: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the (s, m) argmin over the middle axis of (s, k, m); the lower number among equals."""
    best = scores[:, 0].copy()
    nearest = np.zeros(best.shape, np.int32)
    for j in range(1, scores.shape[1]):
        np.copyto(nearest, j, where=scores[:, j] < best)
        np.minimum(best, scores[:, j], out=best)
    return nearest
