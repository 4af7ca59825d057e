"""Lloyd's algorithm over blocks of a matrix that may be larger than memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.reduce import Chunk, Rows
from fer_audit.cluster.threads import ParallelMap, serial_map
from fer_audit.cluster.types import Counts, Floats, Labels, Places, Singles

MAX_ITERATIONS = 300
"""Lloyd steps; the polish of 24k faces takes 10 to 60."""

ROUNDING = 1e-6
"""16 float32 epsilons: what an expanded squared distance can be off, as a share of |x|^2 + |c|^2."""


@dataclass(frozen=True, slots=True, eq=False)
class Partition:
    """Centres, the cluster of each row, and the inertia."""

    centers: Singles
    """(k, d)"""
    labels: Labels
    """(count,) of the usable rows"""
    inertia: float


def lloyd(rows: Rows, centers: Singles, parallel: ParallelMap = serial_map) -> Partition:
    """Run Lloyd's algorithm until no row changes its cluster; memory does not grow with d x n.

    Two bounds a row (to its own centre, to the second nearest) prove that most rows keep their cluster, so only the
    others are assigned again: the same partition at a fraction of the work.
    An emptied cluster keeps its centre.
    Lloyd, IEEE Trans. Inf. Theory 28 (1982); Hamerly, SDM 2010.
    """
    k = len(centers)
    labels = np.full(rows.count, -1, np.int32)
    own, second = np.empty((2, rows.count), np.float32)
    sums = np.zeros(centers.shape)
    counts = np.zeros(k, np.int64)
    active: Places | None = None
    for _ in range(MAX_ITERATIONS):
        changed = 0
        assign = partial(_assign, labels=labels, centers=centers)
        for here, found, movers, more, many in parallel(assign, rows.chunks(active)):
            changed, sums, counts = changed + movers, sums + more, counts + many
            labels[here], own[here], second[here] = found
        if not changed:
            break
        means = _means(sums, counts, centers)
        steps = np.sqrt(np.einsum("kd,kd->k", means - centers, means - centers))
        centers = means
        own += steps[labels]
        second -= steps.max()
        active = np.flatnonzero(own >= np.maximum(second, _half_gaps(centers)[labels]))
    return as_partition(rows, centers, labels, parallel)


def _assign(
    chunk: Chunk, *, labels: Labels, centers: Singles
) -> tuple[slice | Places, tuple[Labels, Singles, Singles], int, NDArray[np.floating], Counts]:
    """Assign one chunk of the usable rows, whose clusters were `labels` (-1 = none yet).

    Return which rows, what `nearest_centers` says of them, how many changed, and by how much the sums (k, d) and counts (k,) do.
    """
    k, (here, block) = len(centers), chunk
    found = nearest_centers(block, centers)
    movers = np.flatnonzero(found[0] != labels[here])
    moved = block if len(movers) == len(block) else block[movers]
    before, after = labels[here][movers], found[0][movers]
    sums = (_members(after, k) - _members(before, k)) @ moved
    counts = np.bincount(after, minlength=k) - np.bincount(before[before >= 0], minlength=k)
    return here, found, len(movers), sums, counts


def as_partition(rows: Rows, centers: Singles, labels: Labels, parallel: ParallelMap) -> Partition:
    """Return centres and labels with their inertia."""
    distances = center_distances(rows, centers, labels, parallel)
    return Partition(centers, labels, float(np.square(distances, dtype=np.float64).sum()))


def nearest_centers(block: Singles, centers: Singles) -> tuple[Labels, Singles, Singles]:
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


def _half_gaps(centers: Singles) -> Singles:
    """Return half the distance of each centre to its nearest other one: a row closer than that keeps its cluster."""
    exact = centers.astype(np.float64)
    lengths = np.einsum("kd,kd->k", exact, exact)
    squares = lengths[:, None] + lengths - 2 * (exact @ exact.T)
    np.fill_diagonal(squares, np.inf)
    gaps = np.sqrt(np.maximum(squares.min(axis=1), 0)) / 2
    halves: Singles = (gaps * (1 - 1e-5)).astype(np.float32)
    return halves


def center_distances(
    rows: Rows, centers: Singles, labels: Labels, parallel: ParallelMap = serial_map
) -> Singles:
    """Return the (count,) Euclidean distance of each usable row to its own centre."""

    def measure(chunk: Chunk) -> Singles:
        here, block = chunk
        difference = block - centers[labels[here]]
        lengths: Singles = np.sqrt(np.einsum("bd,bd->b", difference, difference))
        return lengths

    return np.concatenate([np.empty(0, np.float32), *parallel(measure, rows.chunks())])


def cluster_means(rows: Rows, labels: Labels, k: int, parallel: ParallelMap) -> Singles:
    """Return the (k, d) full-space means of a partition found elsewhere; the overall mean for an empty cluster."""
    sums = np.zeros((k, rows.vectors.shape[1]))
    for part in parallel(lambda chunk: _members(labels[chunk[0]], k) @ chunk[1], rows.chunks()):
        sums += part
    overall = np.broadcast_to(sums.sum(axis=0) / max(len(labels), 1), sums.shape)
    return _means(sums, np.bincount(labels, minlength=k), overall.astype(np.float32))


def _members(labels: Labels, k: int) -> Singles:
    """Return the (k, b) indicator matrix: one product with it sums every cluster's rows."""
    return np.equal(np.arange(k)[:, None], labels).astype(np.float32)


def _means(sums: Floats, counts: Counts, otherwise: Singles) -> Singles:
    means = otherwise.copy()
    filled = counts > 0
    means[filled] = sums[filled] / counts[filled, None]
    return means
