"""`--k auto`: the median of the k that the elbow, the silhouette and the stability suggest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from fer_audit.cluster.kmeans import best_start, draw_seeds
from fer_audit.cluster.types import Alternative, KChoice, KPoint, Mask, Singles
from fer_audit.rng import stage_rng

MAX_SILHOUETTE_ROWS = 3000
"""3000^2 distances, 36 MB; the mean silhouette of so many rows is known to about 0.005."""

MAX_POOL_ROWS = 6000
N_SUBSAMPLES = 5
SUBSAMPLE_SHARE = 0.8
"""Ben-Hur et al. take 0.8: two subsamples share 64 % of the rows."""
N_SUBSAMPLE_STARTS = 3

MIN_REPRODUCED_ARI = 0.9
"""Median ARI from which a partition counts as reproduced (excellent recovery in Steinley 2004)."""

RULE = "median of the votes for elbow, silhouette and stability; of two votes the smaller"


def choose_k(reduced: Singles, ok: Mask, sweep: Sequence[Alternative], *, seed: int) -> KChoice:
    """Return the number of clusters that the partitions of a sweep over k suggest.

    `reduced` is (count, m), the coordinates of the usable rows.

    - Elbow: the knee of the inertia curve, see `elbow`.
    - Silhouette: the k of the highest mean silhouette on a seeded sample (Rousseeuw 1987).
    - Stability: the largest k whose partition is reproduced on subsamples (Ben-Hur et al., PSB 2002); the most
      reproducible k when none is.

    The median lets no single criterion decide: where two agree it is theirs, and one that runs to an end of the range,
    as the silhouette runs to 2, is outvoted. A criterion that cannot be computed abstains.
    """
    points = []
    silhouettes = _silhouettes(reduced, ok, sweep, seed)
    for each, silhouette in zip(sweep, silhouettes, strict=True):
        ari = subsample_ari(reduced, each.k, seed=seed) if each.k > 1 else None
        points.append(KPoint(each.k, each.inertia, silhouette, ari))
    scored = [(point.silhouette, -point.k) for point in points if point.silhouette is not None]
    votes = (
        elbow([point.k for point in points], [point.inertia for point in points]),
        -max(scored)[1] if scored else None,
        _stability_vote(points),
    )
    cast = sorted(vote for vote in votes if vote is not None)
    chosen = cast[(len(cast) - 1) // 2] if cast else max(point.k for point in points)
    return KChoice(chosen, *votes, RULE, tuple(points))


def elbow(ks: Sequence[int], inertias: Sequence[float]) -> int | None:
    """Return the knee of a falling, convex curve, or None when it has none.

    The curve is scaled to the unit square and turned over; a knee is a peak of its height above the diagonal from
    which it then falls by one mean step in x before it rises again. The first one counts.
    Kneedle: Satopaa et al., ICDCS Workshops 2011, offline; the same answers as the package kneed without a knee's
    fall below zero, and without its import of matplotlib.
    """
    x, y = np.asarray(ks, np.float64), np.asarray(inertias, np.float64)
    if len(x) < 3 or np.ptp(y) <= 0:
        return None
    x_unit = (x - x[0]) / (x[-1] - x[0])
    height = (y.max() - y) / np.ptp(y) - x_unit
    padded = np.concatenate([height[:1], height, height[-1:]])
    peaks = (height >= padded[:-2]) & (height >= padded[2:])
    valleys = (height <= padded[:-2]) & (height <= padded[2:])
    drop = float(np.diff(x_unit).mean())
    peak: int | None = None
    for i in range(len(x) - 1):
        if peaks[i]:
            peak = i
        if valleys[i]:
            peak = None
        if peak is not None and height[i + 1] < height[peak] - drop:
            return ks[peak]
    return None


def subsample_ari(reduced: Singles, k: int, *, seed: int) -> float | None:
    """Return the median ARI over pairs of subsamples of 80 %, each clustered on its own, on the rows a pair shares.

    Other seeds are no test: with enough starts even a k that splits a cluster is found every time.
    """
    from sklearn.metrics import adjusted_rand_score

    rng = stage_rng(seed, "cluster", "choose", f"k={k}")
    pool = reduced[np.sort(rng.permutation(len(reduced))[:MAX_POOL_ROWS])]
    size = int(SUBSAMPLE_SHARE * len(pool))
    if size < max(k, 2):
        return None
    labels = np.full((N_SUBSAMPLES, len(pool)), -1, np.int32)
    for row in labels:
        drawn = np.sort(rng.permutation(len(pool))[:size])
        row[drawn] = best_start(pool[drawn], k, draw_seeds(rng, N_SUBSAMPLE_STARTS))[0].labels
    aris = []
    for one, other in combinations(labels, 2):
        shared = (one >= 0) & (other >= 0)
        aris.append(float(adjusted_rand_score(one[shared], other[shared])))
    return float(np.median(aris))


def _silhouettes(
    reduced: Singles, ok: Mask, sweep: Sequence[Alternative], seed: int
) -> list[float | None]:
    """Return the mean silhouette of each partition on one sample, the distances computed once."""
    from sklearn.metrics import pairwise_distances, silhouette_score

    rng = stage_rng(seed, "cluster", "choose", "silhouette")
    drawn = np.sort(rng.permutation(len(reduced))[:MAX_SILHOUETTE_ROWS])
    distances = pairwise_distances(reduced[drawn])
    np.fill_diagonal(distances, 0)
    scores: list[float | None] = []
    for each in sweep:
        labels = each.labels[ok][drawn]
        if 2 <= len(np.unique(labels)) < len(drawn):
            scores.append(float(silhouette_score(distances, labels, metric="precomputed")))
        else:
            scores.append(None)
    return scores


def _stability_vote(points: Sequence[KPoint]) -> int | None:
    scored = [(point.ari, -point.k) for point in points if point.ari is not None]
    reproduced = [-k for ari, k in scored if ari >= MIN_REPRODUCED_ARI]
    return max(reproduced, default=-max(scored)[1] if scored else None)
