"""Do two partitions of the same images agree, and do the vectors?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from fer_audit.audit.stats.resampling import CHUNK_CELLS, fixed_margin_tables, monte_carlo_p
from fer_audit.audit.stats.tables import Counts, Floats, drop_empty
from fer_audit.audit.types.compare import Agreement

DRAWS = 1_999
"""Tables drawn for the interval, and for the p: 0.0005 is the smallest."""
DRAWN_CELLS = 20_000_000
"""Cells drawn at most, about two seconds: partitions into hundreds of clusters get fewer tables."""
LEAST_DRAWS = 199
BLOCK_BYTES = 32 * 2**20
Vectors = NDArray[np.floating[Any]]
"""(n, d); it may be a memory map of any size, and is read 32 MiB at a time."""


def adjusted_rand(tables: NDArray[np.integer]) -> Floats:
    """Return the adjusted Rand index of (..., r, c) tables: 1 = equal partitions, 0 = expected by chance.

    Two partitions of which neither tells any images apart, or both all of them, agree fully.
    Hubert & Arabie 1985, eq. 5.
    """
    x = tables.astype(np.float64)
    sums = (x, x.sum(axis=-1), x.sum(axis=-2), x.sum(axis=(-2, -1))[..., None])
    pairs = [each * (each - 1) / 2 for each in sums]
    together = pairs[0].sum(axis=(-2, -1))
    rows, cols, every = (each.sum(axis=-1) for each in pairs[1:])
    chance = rows * cols / np.maximum(every, 1.0)
    room = (rows + cols) / 2 - chance
    return np.asarray(
        np.divide(together - chance, room, out=np.ones_like(room), where=np.abs(room) > 1e-9)
    )


def measure_agreement(
    table: Counts, *, confidence: float, rng: np.random.Generator, absent: str = ""
) -> Agreement:
    """Return how alike two partitions are, from the (k first, k second) table of the images in both.

    `absent` says why there is no second partition to compare, if so. The interval is the percentile interval under resampled
    images, moved by the bias that resampling adds: a resampled table holds the noise of the sample twice, which lifts the
    index, and without the move the interval of two unrelated partitions would lie above 0.
    """
    kept, _, _ = drop_empty(table)
    n = int(table.sum())
    ends = zip(
        *(each.tolist() for each in linear_sum_assignment(table, maximize=True)), strict=True
    )
    matches = tuple((row, col) for row, col in ends if table[row, col] > 0)
    counts = tuple(tuple(row) for row in table.tolist())
    matched = int(sum(table[pair] for pair in matches))
    reason = absent or (
        "no image has a cluster in both runs"
        if kept.size == 0
        else "the common images are all in one cluster of a run"
        if min(kept.shape) < 2
        else ""
    )
    if reason:
        fields = ("ari", "low", "high", "null_95", "p")
        why = tuple((field, reason) for field in fields)
        return Agreement(n, counts, matches, matched, not_computable=why)
    for_null, for_bootstrap = rng.spawn(2)
    ari = float(adjusted_rand(kept))
    draws = min(DRAWS, max(LEAST_DRAWS, DRAWN_CELLS // kept.size))
    margins = (np.sort(kept.sum(axis=1)), np.sort(kept.sum(axis=0)))
    stacks = fixed_margin_tables(*margins, draws=draws, rng=for_null)
    null = np.concatenate([adjusted_rand(stack) for stack in stacks])
    values = []
    chunk = max(1, CHUNK_CELLS // kept.size)
    for start in range(0, draws, chunk):
        drawn = for_bootstrap.multinomial(n, kept.ravel() / n, size=min(chunk, draws - start))
        values.append(adjusted_rand(drawn.reshape(-1, *kept.shape)))
    again = np.concatenate(values)
    tail = (1 - confidence) / 2
    low, high = np.quantile(again, (tail, 1 - tail)) - (again.mean() - ari)
    return Agreement(
        n=n,
        table=counts,
        ari=ari,
        low=float(min(low, ari)),
        high=float(min(1.0, max(high, ari))),
        null_95=float(np.quantile(null, 0.95)),
        p=monte_carlo_p(null, ari),
        permutations=draws,
        matches=matches,
        matched=matched,
    )


def measure_vectors(
    vectors: Vectors | None, ok: NDArray[np.bool_]
) -> tuple[float | None, float | None, float | None]:
    """Return the share of zeros, and mean and deviation of the lengths, of the vectors of images that are ok."""
    if vectors is None or not ok.any() or not vectors.shape[1]:
        return None, None, None
    step = max(1, BLOCK_BYTES // (vectors.shape[1] * vectors.dtype.itemsize))
    zeros, norms = 0, []
    for start in range(0, len(vectors), step):
        block = np.asarray(vectors[start : start + step])[ok[start : start + step]]
        zeros += block.size - int(np.count_nonzero(block))
        norms.append(np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64)))
    lengths = np.concatenate(norms)
    share = zeros / (len(lengths) * vectors.shape[1])
    return share, float(lengths.mean()), float(lengths.std())


def vectors_agree(
    first: Vectors | None, second: Vectors | None, pairs: NDArray[np.intp]
) -> tuple[float, ...]:
    """Return the mean, the 1 % quantile and the least cosine of the two vectors of an image, row pairs[i] of each run.

    Nothing where a run has no vectors, or theirs differ in length; 0 for a vector of zeros.
    """
    if first is None or second is None or first.shape[1] != second.shape[1] or not len(pairs):
        return ()
    step = max(1, BLOCK_BYTES // (8 * max(1, first.shape[1])))
    found = []
    for start in range(0, len(pairs), step):
        rows = pairs[start : start + step].T
        a, b = first[rows[0]].astype(np.float64), second[rows[1]].astype(np.float64)
        lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
        inner = np.einsum("nd,nd->n", a, b)
        found.append(np.divide(inner, lengths, out=np.zeros_like(inner), where=lengths > 0))
    cosines = np.clip(np.concatenate(found), -1.0, 1.0)
    return float(cosines.mean()), float(np.quantile(cosines, 0.01)), float(cosines.min())
