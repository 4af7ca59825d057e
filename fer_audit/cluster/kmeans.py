"""K-Means: many mini-batch starts in the reduced space, the best of them polished in the full space."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.small import start_together
from fer_audit.rng import stage_rng

MINI_BATCH = 2048
"""Rows in a mini-batch."""

MINI_BATCH_STEPS = 12
"""Mini-batches a start sees at least; Lloyd's algorithm does the rest."""

STREAM_ROWS = 262_144
"""Above so many rows a start walks the data in shuffled blocks, `STREAM_EPOCHS` times, through partial_fit."""

STREAM_EPOCHS = 3

MAX_ITERATIONS = 300
"""Lloyd steps; the polish of 24k faces takes 10 to 60."""

ROUNDING = 1e-6
"""16 float32 epsilons: what an expanded squared distance can be off, as a share of |x|^2 + |c|^2."""


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
    best, inertias = best_start(reduced, k, seeds)
    return polish(rows, best.labels, k), inertias


def best_start(
    reduced: NDArray[np.float32], k: int, seeds: list[int]
) -> tuple[Partition, tuple[float, ...]]:
    """Return the best of several starts in the reduced space, and the inertia of each.

    Rows that fit into one mini-batch leave it nothing to save: k-means++ and Lloyd's algorithm, all starts at once.
    """
    if len(reduced) <= MINI_BATCH:
        with one_thread():
            centers, labels, costs = start_together(
                reduced, k, seeds, max_iterations=MAX_ITERATIONS
            )
        i = int(costs.argmin())
        return Partition(centers[i], labels[i], float(costs[i])), tuple(costs.tolist())
    space = Rows(reduced, np.ones(len(reduced), np.bool_))
    with one_thread():
        starts = [lloyd(space, _first_centers(reduced, k, seed)) for seed in seeds]
    best = min(starts, key=lambda partition: partition.inertia)
    return best, tuple(partition.inertia for partition in starts)


def polish(rows: Rows, labels: NDArray[np.int32], k: int) -> Partition:
    """Return the partition that Lloyd's algorithm reaches in the full space from one found in the reduced space."""
    with one_thread():
        return lloyd(rows, _means(rows, labels, k))


def start_seeds(seed: int, k: int, count: int) -> list[int]:
    """Return the seeds of the starts that a run with `seed` makes for k clusters; fewer starts are the first of them."""
    rng = stage_rng(seed, "cluster", f"k={k}")
    return [int(x) for x in rng.integers(0, 2**31, size=count)]


def one_thread() -> AbstractContextManager[object]:
    """Keep the linear algebra to one thread: steps of a millisecond wait for each other longer than they work.

    Beside another busy process the difference is a factor of six.
    """
    limits: AbstractContextManager[object] = _thread_controller().limit(limits=1)
    return limits


@cache
def _thread_controller() -> ThreadpoolController:
    """Find the thread pools once: the search takes 6 ms, a limit 0.06.

    scikit-learn's OpenMP is among them only when it is loaded before, hence the import.
    """
    import sklearn.cluster  # noqa: F401 - for its effect, above

    return ThreadpoolController()


def by_size(labels: NDArray[np.int32], k: int) -> NDArray[np.int32]:
    """Return the labels (all 0..k-1) with clusters numbered by size, largest first."""
    rank = np.empty(k, np.int32)
    rank[size_order(labels, k)] = np.arange(k)
    return rank[labels]


def size_order(labels: NDArray[np.int32], k: int) -> NDArray[np.intp]:
    """Return the clusters in order of size, largest first; the lower number first among equals."""
    return np.argsort(-np.bincount(labels, minlength=k), kind="stable")


def _first_centers(reduced: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    """Return the centres of the mini-batches, settled on a sample: most of Lloyd's steps at a fraction of the rows.

    Measured on 20k faces: a start costs 0.6 of what it costs without, and ends as low.
    """
    centers = mini_batch_centers(reduced, k, seed)
    sample = _sample(reduced, np.random.default_rng(seed))
    return lloyd(Rows(sample, np.ones(len(sample), np.bool_)), centers).centers


def _sample(reduced: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    return reduced[np.sort(rng.permutation(len(reduced))[: 3 * MINI_BATCH])]


def mini_batch_centers(reduced: NDArray[np.float32], k: int, seed: int) -> NDArray[np.float32]:
    """Return (k, m) centres: k-means++ on a sample, then mini-batches.

    Arthur & Vassilvitskii, SODA 2007; Sculley, WWW 2010.
    """
    from sklearn.cluster import MiniBatchKMeans, kmeans_plusplus

    rng = np.random.default_rng(seed)
    first, _ = kmeans_plusplus(_sample(reduced, rng), k, random_state=seed)
    model = MiniBatchKMeans(
        k,
        init=first,
        batch_size=MINI_BATCH,
        max_iter=-(-MINI_BATCH_STEPS * MINI_BATCH // len(reduced)),
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
    """Run Lloyd's algorithm until no row changes its cluster; memory does not grow with d x n.

    Two bounds a row (to its own centre, to the second nearest) prove that most rows stay where they are, so only the
    others are looked at again: the same partition at a fraction of the work.
    An emptied cluster keeps its centre.
    Lloyd, IEEE Trans. Inf. Theory 28 (1982); Hamerly, SDM 2010.
    """
    k = len(centers)
    labels = np.full(rows.count, -1, np.int32)
    own, second = np.empty((2, rows.count), np.float32)
    sums = np.zeros(centers.shape)
    counts = np.zeros(k, np.int64)
    active: NDArray[np.intp] | None = None
    for _ in range(MAX_ITERATIONS):
        changed = 0
        for here, block in rows.chunks(active):
            nearest, own[here], second[here] = nearest_centers(block, centers)
            movers = np.flatnonzero(nearest != labels[here])
            changed += len(movers)
            moved = block if len(movers) == len(block) else block[movers]
            before, after = labels[here][movers], nearest[movers]
            sums += (_members(after, k) - _members(before, k)) @ moved
            counts += np.bincount(after, minlength=k)
            counts -= np.bincount(before[before >= 0], minlength=k)
            labels[here] = nearest
        if not changed:
            break
        means = _divide(sums, counts, centers)
        steps = np.sqrt(np.einsum("kd,kd->k", means - centers, means - centers))
        centers = means
        own += steps[labels]
        second -= steps.max()
        active = np.flatnonzero(own >= np.maximum(second, _half_gaps(centers)[labels]))
    distances = center_distances(rows, centers, labels)
    return Partition(centers, labels, float(np.square(distances, dtype=np.float64).sum()))


def nearest_centers(
    block: NDArray[np.float32], centers: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return for each of (b, d) rows its nearest centre, at most how far that is, and at least how far the second is.

    The expanded square |x|^2 - 2xc + |c|^2 cancels, so both bounds are widened by what float32 can lose.
    """
    lengths = np.einsum("bd,bd->b", block, block)
    offsets = np.einsum("kd,kd->k", centers, centers)
    scores = centers @ block.T
    scores *= -2
    scores += offsets[:, None]
    nearest = np.zeros(len(block), np.int32)
    best = scores[0].copy()
    second = np.full_like(best, np.inf)
    # argmin along an axis of 4 to 20 is ten times slower than these few whole-row passes
    for j, row in enumerate(scores[1:], start=1):
        np.copyto(nearest, j, where=row < best)
        np.minimum(second, np.maximum(row, best), out=second)
        np.minimum(best, row, out=best)
    lost = ROUNDING * (lengths + offsets.max())
    return (
        nearest,
        np.sqrt(np.maximum(best + lengths + lost, 0)),
        np.sqrt(np.maximum(second + lengths - lost, 0)),
    )


def _half_gaps(centers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return half the distance of each centre to its nearest other one: nothing closer than that can change sides."""
    exact = centers.astype(np.float64)
    lengths = np.einsum("kd,kd->k", exact, exact)
    squares = lengths[:, None] + lengths - 2 * (exact @ exact.T)
    np.fill_diagonal(squares, np.inf)
    gaps = np.sqrt(np.maximum(squares.min(axis=1), 0)) / 2
    halves: NDArray[np.float32] = (gaps * (1 - 1e-5)).astype(np.float32)
    return halves


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
