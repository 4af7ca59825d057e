"""Do two partitions of the same images agree?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fer_audit.audit.stats.information import adjusted_mutual_information
from fer_audit.audit.stats.resampling import CHUNK_CELLS, fixed_margin_tables, monte_carlo_p
from fer_audit.audit.stats.tables import Counts, Floats, drop_empty
from fer_audit.audit.types.compare import Agreement

DRAWS = 1_999
"""Tables drawn for the interval, and for the p: 0.0005 is the smallest."""
DRAWN_CELLS = 20_000_000
"""Cells drawn at most, about two seconds: partitions into hundreds of clusters get fewer tables."""
LEAST_DRAWS = 199


def adjusted_rand(tables: NDArray[np.integer]) -> Floats:
    """Return the adjusted Rand index of (..., r, c) tables: 1 = equal partitions, 0 = expected by chance.

    Two partitions of which neither tells any images apart, or both all of them, agree fully.
    Hubert & Arabie 1985, eq. 5.
    """
    x = tables.astype(np.float64)
    together = _pairs(x).sum(axis=(-2, -1))
    rows = _pairs(x.sum(axis=-1)).sum(axis=-1)
    cols = _pairs(x.sum(axis=-2)).sum(axis=-1)
    every = np.maximum(_pairs(x.sum(axis=(-2, -1))), 1.0)
    chance = rows * cols / every
    room = (rows + cols) / 2 - chance
    return np.asarray(
        np.divide(together - chance, room, out=np.ones_like(room), where=np.abs(room) > 1e-9)
    )


def measure_agreement(
    table: Counts, *, confidence: float, rng: np.random.Generator, absent: str = ""
) -> Agreement:
    """Return how alike two partitions are, from the (k first, k second) table of the images in both.

    `absent` says why there is no second partition to compare, if so.
    """
    kept, _, _ = drop_empty(table)
    n = int(table.sum())
    matches, matched = _best_matches(table)
    reason = absent or _why_not(kept)
    if reason:
        fields = ("ari", "low", "high", "null_95", "p", "ami")
        return Agreement(
            n=n,
            table=tuple(tuple(row) for row in table.tolist()),
            **dict.fromkeys(fields),
            bootstraps=0,
            permutations=0,
            matches=matches,
            matched=matched,
            not_computable=tuple((field, reason) for field in fields),
        )
    for_null, for_bootstrap = rng.spawn(2)
    ari = float(adjusted_rand(kept))
    draws = min(DRAWS, max(LEAST_DRAWS, DRAWN_CELLS // kept.size))
    null = _null(kept, draws=draws, rng=for_null)
    low, high = _interval(kept, ari, draws=draws, confidence=confidence, rng=for_bootstrap)
    return Agreement(
        n=n,
        table=tuple(tuple(row) for row in table.tolist()),
        ari=ari,
        low=low,
        high=high,
        bootstraps=draws,
        null_95=float(np.quantile(null, 0.95)),
        p=monte_carlo_p(null, ari),
        permutations=draws,
        ami=adjusted_mutual_information(kept),
        matches=matches,
        matched=matched,
    )


def _pairs(counts: Floats) -> Floats:
    return np.asarray(counts * (counts - 1) / 2)


def _why_not(kept: Counts) -> str:
    if kept.size == 0:
        return "no image has a cluster in both runs"
    if min(kept.shape) < 2:
        return "the common images are all in one cluster of a run"
    return ""


def _best_matches(table: Counts) -> tuple[tuple[tuple[int, int], ...], int]:
    """Return the one-to-one pairs of clusters that hold most images, and how many; pairs without images are left out."""
    rows, cols = linear_sum_assignment(table, maximize=True)
    pairs = [
        (row, col)
        for row, col in zip(rows.tolist(), cols.tolist(), strict=True)
        if table[row, col] > 0
    ]
    return tuple(pairs), int(sum(table[row, col] for row, col in pairs))


def _null(table: Counts, *, draws: int, rng: np.random.Generator) -> Floats:
    rows, cols = np.sort(table.sum(axis=1)), np.sort(table.sum(axis=0))
    stacks = fixed_margin_tables(rows, cols, draws=draws, rng=rng)
    return np.concatenate([adjusted_rand(stack) for stack in stacks])


def _interval(
    table: Counts, ari: float, *, draws: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval under resampled images, moved by the bias that resampling adds.

    A resampled table holds the noise of the sample twice, which lifts the index: without the move the
    interval of two unrelated partitions would lie above 0.
    """
    n = int(table.sum())
    values = []
    chunk = max(1, CHUNK_CELLS // table.size)
    for start in range(0, draws, chunk):
        counts = rng.multinomial(n, table.ravel() / n, size=min(chunk, draws - start))
        values.append(adjusted_rand(counts.reshape(-1, *table.shape)))
    drawn = np.concatenate(values)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail)) - (drawn.mean() - ari)
    return float(min(low, ari)), float(min(1.0, max(high, ari)))
