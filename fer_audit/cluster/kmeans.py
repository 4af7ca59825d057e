"""K-Means: many mini-batch starts in the reduced space, the best of them polished in the full space; of a few hundred rows all at once."""

from __future__ import annotations

import warnings

import numpy as np

from fer_audit.cluster.lloyd import (
    MAX_ITERATIONS,
    Partition,
    as_partition,
    cluster_means,
    lloyd,
    nearest_centers,
)
from fer_audit.cluster.reduce import Chunk, Rows
from fer_audit.cluster.threads import parallel_map, single_threaded
from fer_audit.cluster.types import Floats, Labels, Places, Singles
from fer_audit.rng import stage_rng


def batched_kmeans(points: Singles, k: int, seeds: list[int]) -> tuple[Singles, Labels, Floats]:
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


def kmeans_plus_plus(points: Singles, k: int, seeds: list[int]) -> Singles:
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


def _argmin_clusters(scores: Singles) -> Labels:
    """Return the (s, m) argmin over the middle axis of (s, k, m); the lower number among equals."""
    best = scores[:, 0].copy()
    nearest = np.zeros(best.shape, np.int32)
    for j in range(1, scores.shape[1]):
        np.copyto(nearest, j, where=scores[:, j] < best)
        np.minimum(best, scores[:, j], out=best)
    return nearest


MINI_BATCH_ROWS = 2048
"""Rows in a mini-batch."""

MIN_MINI_BATCHES = 12
"""Mini-batches a start sees at least; Lloyd's algorithm does the rest."""

MAX_START_ROWS = 131_072
"""Above so many rows the starts see a draw of so many, and all rows then go to the nearest centre of the best.
The centres of k clusters cost k / 131,072 more than those of all rows would, a hundredth of what starts differ by."""


def best_partition(
    rows: Rows, reduced: Singles, k: int, seeds: list[int]
) -> tuple[Partition, tuple[float, ...]]:
    """Return the polished best of several starts, and the inertia of each start in the reduced space.

    `reduced` is (rows.count, m), the principal coordinates of the usable rows.
    """
    best, inertias = best_start(reduced, k, seeds)
    return polish(rows, best.labels, k), inertias


def best_start(reduced: Singles, k: int, seeds: list[int]) -> tuple[Partition, tuple[float, ...]]:
    """Return the best of several starts in the reduced space, and the inertia of each.

    Above `MAX_START_ROWS` rows the inertias are those of the drawn rows, scaled to all.
    Where one mini-batch holds all rows, it saves nothing: k-means++ and Lloyd's algorithm, all starts at once.
    """
    if len(reduced) <= MINI_BATCH_ROWS:
        with single_threaded():
            centers, labels, costs = batched_kmeans(reduced, k, seeds)
        i = int(costs.argmin())
        return Partition(centers[i], labels[i], float(costs[i])), tuple(costs.tolist())
    drawn = _start_rows(reduced, seeds[0])
    space = _as_rows(drawn)
    best: Partition | None = None
    inertias = []
    with parallel_map(len(seeds)) as parallel, warnings.catch_warnings():
        # fewer distinct points than clusters: the empty clusters are part of the result
        warnings.simplefilter("ignore")
        for start in parallel(lambda seed: lloyd(space, _first_centers(drawn, k, seed)), seeds):
            inertias.append(start.inertia * len(reduced) / len(drawn))
            if best is None or start.inertia < best.inertia:
                best = start
    if best is None:
        raise ValueError("no seed was given")
    return best if drawn is reduced else _assign_all(best, reduced), tuple(inertias)


def _start_rows(reduced: Singles, seed: int) -> Singles:
    """Return the rows that all starts are made from, so that their inertias compare."""
    if len(reduced) <= MAX_START_ROWS:
        return reduced
    rng = np.random.default_rng([seed, MAX_START_ROWS])
    return reduced[np.sort(rng.permutation(len(reduced))[:MAX_START_ROWS])]


def _assign_all(start: Partition, reduced: Singles) -> Partition:
    """Return a start's partition of all rows: each goes to the nearest centre."""

    def nearest(chunk: Chunk) -> Labels:
        return nearest_centers(chunk[1], start.centers)[0]

    space = _as_rows(reduced)
    with parallel_map() as parallel:
        labels = np.concatenate(list(parallel(nearest, space.chunks())))
        return as_partition(space, start.centers, labels, parallel)


def _as_rows(points: Singles) -> Rows:
    return Rows(points, np.ones(len(points), np.bool_))


def polish(rows: Rows, labels: Labels, k: int) -> Partition:
    """Return the partition that Lloyd's algorithm reaches in the full space from one found in the reduced space."""
    with parallel_map() as parallel:
        return lloyd(rows, cluster_means(rows, labels, k, parallel), parallel)


def start_seeds(seed: int, k: int, count: int) -> list[int]:
    """Return the seeds of the starts that a run with `seed` makes for k clusters; fewer starts are the first of them."""
    return draw_seeds(stage_rng(seed, "cluster", f"k={k}"), count)


def draw_seeds(rng: np.random.Generator, count: int) -> list[int]:
    """Return the next `count` seeds of a stream."""
    return [int(x) for x in rng.integers(0, 2**31, size=count)]


def by_size(labels: Labels, k: int) -> Labels:
    """Return the labels (all 0..k-1) with clusters numbered by size, largest first."""
    rank = np.empty(k, np.int32)
    rank[size_order(labels, k)] = np.arange(k)
    return rank[labels]


def size_order(labels: Labels, k: int) -> Places:
    """Return the clusters in order of size, largest first; the lower number first among equals."""
    return np.argsort(-np.bincount(labels, minlength=k), kind="stable")


def _first_centers(reduced: Singles, k: int, seed: int) -> Singles:
    """Return the centres of the mini-batches after Lloyd's algorithm on a sample: most steps at a fraction of the rows.

    Measured on 20k faces: a start costs 0.6 of what it costs without, and its inertia is as low.
    """
    centers = mini_batch_centers(reduced, k, seed)
    sample = _sample(reduced, np.random.default_rng(seed))
    return lloyd(_as_rows(sample), centers).centers


def _sample(reduced: Singles, rng: np.random.Generator) -> Singles:
    return reduced[np.sort(rng.permutation(len(reduced))[: 3 * MINI_BATCH_ROWS])]


def mini_batch_centers(reduced: Singles, k: int, seed: int) -> Singles:
    """Return (k, m) centres: k-means++ on a sample, then mini-batches.

    Arthur & Vassilvitskii, SODA 2007; Sculley, WWW 2010.
    """
    from sklearn.cluster import MiniBatchKMeans, kmeans_plusplus

    rng = np.random.default_rng(seed)
    first, _ = kmeans_plusplus(_sample(reduced, rng), k, random_state=seed)
    model = MiniBatchKMeans(
        k,
        init=first,
        batch_size=MINI_BATCH_ROWS,
        max_iter=-(-MIN_MINI_BATCHES * MINI_BATCH_ROWS // len(reduced)),
        n_init=1,
        random_state=seed,
        compute_labels=False,
        reassignment_ratio=0,  # rare clusters keep their centres
    )
    model.fit(reduced)
    centers: Singles = model.cluster_centers_.astype(np.float32)
    return centers
