"""How much of a partition depends on the seed, on k and on the sample: other seeds, other k, resamples, a held-out half."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from fer_audit.cluster.kmeans import (
    best_partition,
    best_start,
    by_size,
    draw_seeds,
    polish,
    size_order,
    start_seeds,
)
from fer_audit.cluster.lloyd import Partition, nearest_centers
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.types import (
    Alternative,
    Codes,
    Floats,
    Labels,
    Mask,
    Places,
    Singles,
    Stability,
)
from fer_audit.progress import Progress
from fer_audit.rng import stage_rng

N_SEEDS = 10
N_STEPS = N_SEEDS + 3
"""How often `measure_stability` reports progress."""
N_BOOTSTRAPS = 20
"""Hennig takes 50 to 100; the mean of 20 similarities is known to about 0.03."""

N_SEED_STARTS = 4
"""Fewer than the reported run makes, so the agreement over seeds is rather too low than too high."""
N_BOOTSTRAP_STARTS = 2
N_NEIGHBOUR_STARTS = 3

N_HALF_STARTS = 10
LEAST_HELD_OUT = 0.2
"""Share of the rows below which neither part is called a half: one unit has nearly all of them."""


def measure_stability(
    rows: Rows,
    reduced: Singles,
    reported: Alternative,
    sweep: Sequence[Alternative] = (),
    *,
    seed: int,
    progress: Progress,
    units: Codes | None = None,
) -> Stability:
    """Return how similar the partition is with another seed, another k or another sample.

    `reduced` is (rows.count, m), the coordinates of the usable rows. `reported` is the partition in question,
    `sweep` those of other k that are there already; the missing ones of k-1 .. k+2 are made.
    `units` are (n,) codes of what another collection would draw: the halves are made of whole ones; -1 is a unit alone.
    Other seeds are runs of their own: several starts, the best of them polished in the full space.
    Resamples and the half are clustered in the reduced space, where the polish would move one row in a thousand.
    """
    seeds = _other_seeds(rows, reduced, reported.k, range(seed + 1, seed + 1 + N_SEEDS), progress)
    ks = _other_ks(rows, reduced, reported, sweep, seed)
    progress.advance("cluster")
    usable = reported.labels[rows.ok]
    jaccard = bootstrap_jaccard(reduced, usable, reported.k, seed=seed)
    progress.advance("cluster")
    drawn = None if units is None else units[rows.ok]
    in_a, b_labels = split_half(reduced, reported.k, seed=seed, units=drawn)
    progress.advance("cluster")
    partitions = [usable, *(each.labels[rows.ok] for each in seeds)]
    return Stability(
        seeds,
        ks,
        pairwise_ari(partitions),
        jaccard,
        half_a=rows.over_all(in_a, fill=0),
        half_b_labels=rows.over_all(b_labels, fill=-1),
    )


def pairwise_ari(partitions: Sequence[Labels]) -> tuple[float, ...]:
    """Return the adjusted Rand index of every pair, (0, 1), (0, 2), ... (Hubert & Arabie 1985)."""
    from sklearn.metrics import adjusted_rand_score

    return tuple(float(adjusted_rand_score(a, b)) for a, b in combinations(partitions, 2))


def bootstrap_jaccard(reduced: Singles, labels: Labels, k: int, *, seed: int) -> tuple[float, ...]:
    """Return for each cluster the mean, over resamples, of its similarity with the most similar new cluster.

    A resample draws n rows with replacement and keeps each drawn row once, about 63 % of them: repeated points look
    like tight clusters of their own (the default of `clusterboot` in R's fpc).
    A resample without any member of a cluster says nothing about it; 0 for a cluster that none ever held.
    Hennig, Computational Statistics & Data Analysis 52 (2007).
    """
    totals, held = np.zeros(k), np.zeros(k, np.int64)
    for i in range(N_BOOTSTRAPS):
        rng = stage_rng(seed, "cluster", "jaccard", f"k={k}", str(i))
        drawn = np.unique(rng.integers(0, len(reduced), size=len(reduced)))
        found = min(k, len(drawn))
        best, _ = best_start(reduced[drawn], found, draw_seeds(rng, N_BOOTSTRAP_STARTS))
        similarity = best_jaccard(labels[drawn], best.labels, k, found)
        here = np.bincount(labels[drawn], minlength=k) > 0
        totals[here] += similarity[here]
        held += here
    return tuple(float(x) for x in totals / np.maximum(held, 1))


def best_jaccard(old: Labels, new: Labels, k_old: int, k_new: int) -> Floats:
    """Return (k_old,) for each old cluster the largest |A and B| / |A or B| over new clusters; 0 for an empty one."""
    both = np.bincount(old * k_new + new, minlength=k_old * k_new).reshape(k_old, k_new)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None] - both
    similarity: Floats = (both / np.maximum(either, 1)).max(axis=1)
    return similarity


def split_half(
    reduced: Singles, k: int, *, seed: int, units: Codes | None = None
) -> tuple[Mask, Labels]:
    """Return which rows are in a random half A, and for the others the nearest centre of half A's own clusters.

    Both are (count,); the second is -1 in half A. Clusters are numbered by their size in half A.
    Half A has at least k rows. Copies of one image (equal coordinates, to a thousandth) stay in one half: a held-out copy of what was
    clustered would not be held out. So do rows of one unit; copies that lie in two units then lie in the half of the first.
    Where one unit leaves too few for the other half there are none: half A is empty and all of the second are -1.
    """
    rng = stage_rng(seed, "cluster", "half", f"k={k}")
    n = len(reduced)
    image = _image_numbers(reduced)
    if units is not None:
        alone = int(units.max(initial=-1)) + 1 + np.arange(n)
        first = np.unique(image, return_index=True)[1]  # a copy goes where the first one goes
        image = np.unique(np.where(units >= 0, units, alone)[first][image], return_inverse=True)[1]
    n_images = int(image.max(initial=-1)) + 1
    drawn, rows = rng.permutation(n_images), np.bincount(image, minlength=n_images)
    drawn = drawn[np.argsort(rows[drawn] <= n / 2, kind="stable")]  # more than half is half A
    sizes = np.cumsum(rows[drawn])
    half = int(np.searchsorted(sizes, max(n // 2, k))) + 1
    if units is not None and n - sizes[half - 1] < LEAST_HELD_OUT * n:
        half -= 1  # without the unit that is too large
        if half == 0 or sizes[half - 1] < max(k, LEAST_HELD_OUT * n):
            return np.zeros(n, np.bool_), np.full(n, -1, np.int32)
    chosen = np.zeros(n_images, np.bool_)
    chosen[drawn[:half]] = True
    in_a = chosen[image]
    best, _ = best_start(reduced[in_a], k, draw_seeds(rng, N_HALF_STARTS))
    centers = best.centers[size_order(best.labels, k)]
    labels = np.full(n, -1, np.int32)
    other = Rows(reduced, ~in_a)
    for numbers, block in other.blocks():
        labels[numbers] = nearest_centers(block, centers)[0]
    return in_a, labels


def _image_numbers(reduced: Singles) -> Places:
    """Return for each row the number, in lexicographic order, of its coordinates rounded to a thousandth.

    It is the inverse of `np.unique(..., axis=0)`, which at a million rows takes 2 GB and minutes: the first columns
    distinguish nearly all rows, so only rows that are equal so far are compared further.
    """
    below = np.zeros(len(reduced), np.intp)  # rows that come before all that equal this one so far
    open_rows = np.arange(len(reduced))
    for column in reduced.T:
        if not len(open_rows):
            break
        values, before = np.round(column[open_rows], 3), below[open_rows]
        order = np.lexsort((values, before))
        values, before, open_rows = values[order], before[order], open_rows[order]
        opens = np.ones(len(order), np.bool_)
        opens[1:] = (values[1:] != values[:-1]) | (before[1:] != before[:-1])
        first = np.flatnonzero(opens)
        sizes = np.diff(first, append=len(order))
        leads = np.ones(len(order), np.bool_)
        leads[1:] = before[1:] != before[:-1]
        place = np.arange(len(order))
        own_lead = np.maximum.accumulate(np.where(leads, place, 0))
        below[open_rows] = before + np.repeat(first, sizes) - own_lead
        open_rows = open_rows[np.repeat(sizes > 1, sizes)]
    numbers: Places = np.unique(below, return_inverse=True)[1]
    return numbers


def _other_seeds(
    rows: Rows, reduced: Singles, k: int, seeds: range, progress: Progress
) -> tuple[Alternative, ...]:
    """Run K-Means from each seed; runs that meet in the reduced space share one polish."""
    polished: dict[bytes, Partition] = {}
    alternatives = []
    for seed in seeds:
        best, _ = best_start(reduced, k, start_seeds(seed, k, N_SEED_STARTS))
        labels = by_size(best.labels, k)
        key = labels.tobytes()
        if key not in polished:
            polished[key] = polish(rows, labels, k)
        alternatives.append(as_alternative(rows, polished[key], k, seed))
        progress.advance("cluster")
    return tuple(alternatives)


def _other_ks(
    rows: Rows, reduced: Singles, reported: Alternative, sweep: Sequence[Alternative], seed: int
) -> tuple[Alternative, ...]:
    """Return the partitions of the sweep, the reported one and its neighbours, by k."""
    known = {each.k: each for each in (*sweep, reported)}
    for k in range(max(1, reported.k - 1), min(reported.k + 2, rows.count) + 1):
        if k not in known:
            found, _ = best_partition(rows, reduced, k, start_seeds(seed, k, N_NEIGHBOUR_STARTS))
            known[k] = as_alternative(rows, found, k, seed)
    return tuple(known[k] for k in sorted(known))


def as_alternative(rows: Rows, partition: Partition, k: int, seed: int) -> Alternative:
    """Return a partition of the usable rows as one of all n, clusters numbered by size."""
    labels = rows.over_all(by_size(partition.labels, k), fill=-1)
    return Alternative(k, seed, labels, partition.inertia)
