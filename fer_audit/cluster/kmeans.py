"""K-Means: many mini-batch starts in the reduced space, the best of them polished in the full space."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fer_audit.cluster.reduce import Rows

MINI_BATCH = 2048
"""Rows in a mini-batch."""

STREAM_ROWS = 262_144
"""Above so many rows a start walks the data in shuffled blocks, `STREAM_EPOCHS` times, through partial_fit."""

STREAM_EPOCHS = 3

MAX_ITERATIONS = 300
"""Lloyd steps; the polish of 24k faces takes 10 to 60."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Centres, and what they cost."""

    centers: NDArray[np.float32]
    """(k, d)"""
    labels: NDArray[np.int32]
    """(count,) of the usable rows"""
    inertia: float


def best_partition(
    rows: Rows, reduced: NDArray[np.float32], k: int, seeds: list[int]
) -> tuple[Partition, tuple[float, ...]]:
    """Return the polished best of several starts, and the inertia of each start in the reduced space.

    `reduced` is (rows.count, m), the principal coordinates of the usable rows.
    """
    space = Rows(reduced, np.ones(len(reduced), np.bool_))
    with threadpool_limits(
        1
    ):  # steps of a millisecond: two threads wait for each other longer than they work
        starts = [lloyd(space, mini_batch_centers(reduced, k, seed)) for seed in seeds]
        best = min(starts, key=lambda partition: partition.inertia)
        polished = lloyd(rows, _means(rows, best.labels, k))
    return polished, tuple(partition.inertia for partition in starts)


def mini_batch_centers(reduced: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    """Return (k, m) centres: k-means++ on a sample, then mini-batches.

    Arthur & Vassilvitskii, SODA 2007; Sculley, WWW 2010.
    """
    from sklearn.cluster import MiniBatchKMeans, kmeans_plusplus

    rng = np.random.default_rng(seed)
    sample = reduced[np.sort(rng.permutation(len(reduced))[: 3 * MINI_BATCH])]
    first, _ = kmeans_plusplus(sample, k, random_state=seed)
    model = MiniBatchKMeans(
        k,
        init=first,
        batch_size=MINI_BATCH,
        n_init=1,
        random_state=seed,
        compute_labels=False,
        reassignment_ratio=0,  # a block of one class would pull rare centres into it
    )
    with warnings.catch_warnings():
        # fewer distinct points than clusters: the empty clusters stand in the result
        warnings.simplefilter("ignore")
        if len(reduced) <= STREAM_ROWS:
            model.fit(reduced)
        else:
            for block in _shuffled_blocks(reduced, rng):
                model.partial_fit(block)
    centers: NDArray[np.float32] = model.cluster_centers_.astype(np.float32)
    return centers


def _shuffled_blocks(
    reduced: NDArray[np.float32], rng: np.random.Generator
) -> list[NDArray[np.float32]]:
    """Return views of the blocks, every epoch in another order: folder order is class order."""
    starts = np.arange(0, len(reduced), MINI_BATCH)
    order = np.concatenate([rng.permutation(starts) for _ in range(STREAM_EPOCHS)])
    return [reduced[start : start + MINI_BATCH] for start in order]


def lloyd(rows: Rows, centers: NDArray[np.float32]) -> Partition:
    """Run Lloyd's algorithm until no row changes its cluster, block by block: memory does not grow with d x n.

    An emptied cluster keeps its centre. Lloyd, IEEE Trans. Inf. Theory 28 (1982).
    """
    k = len(centers)
    labels = np.full(rows.count, -1, np.int32)
    for _ in range(MAX_ITERATIONS):
        offsets = np.einsum("kd,kd->k", centers, centers)
        sums = np.zeros(centers.shape)
        counts = np.zeros(k, np.int64)
        changed = False
        position = 0
        for _, block in rows.blocks():
            nearest = (offsets - 2 * (block @ centers.T)).argmin(axis=1).astype(np.int32)
            here = slice(position, position + len(block))
            changed |= not np.array_equal(labels[here], nearest)
            labels[here] = nearest
            position += len(block)
            sums += _members(nearest, k) @ block
            counts += np.bincount(nearest, minlength=k)
        if not changed:
            break
        centers = _divide(sums, counts, centers)
    distances = center_distances(rows, centers, labels)
    return Partition(centers, labels, float(np.square(distances, dtype=np.float64).sum()))


def center_distances(
    rows: Rows, centers: NDArray[np.float32], labels: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Return the (count,) Euclidean distance of each usable row to its own centre."""
    distances = np.empty(len(labels), np.float32)
    position = 0
    for _, block in rows.blocks():
        here = slice(position, position + len(block))
        difference = block - centers[labels[here]]
        distances[here] = np.sqrt(np.einsum("bd,bd->b", difference, difference))
        position += len(block)
    return distances


def _means(rows: Rows, labels: NDArray[np.int32], k: int) -> NDArray[np.float32]:
    """Return the (k, d) full-space means of a partition found elsewhere; the overall mean for an empty cluster."""
    sums = np.zeros((k, rows.vectors.shape[1]))
    position = 0
    for _, block in rows.blocks():
        sums += _members(labels[position : position + len(block)], k) @ block
        position += len(block)
    overall = np.broadcast_to(sums.sum(axis=0) / max(len(labels), 1), sums.shape)
    return _divide(sums, np.bincount(labels, minlength=k), overall.astype(np.float32))


def _members(labels: NDArray[np.int32], k: int) -> NDArray[np.float32]:
    """Return the (k, b) indicator matrix: one product with it sums every cluster's rows."""
    return np.equal(np.arange(k)[:, None], labels).astype(np.float32)


def _divide(
    sums: NDArray[np.float64], counts: NDArray[np.int64], otherwise: NDArray[np.float32]
) -> NDArray[np.float32]:
    means = otherwise.copy()
    filled = counts > 0
    means[filled] = sums[filled] / counts[filled, None]
    return means
