"""Is a group treated worse than chance would have it? Group labels are shuffled, what is right stays where it is.

Tables are (z, 2, g): strata, wrong and right, groups. Within a stratum, e.g. the images of one true class, every group is
treated alike under chance.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.resampling import fixed_margin_tables
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask
from fer_audit.audit.stats.units import make_blocks

MOST_GRID = 100_000
"""Shares at which the expected extremes are summed; groups with more images are summed on an even grid."""


def right_tables(group: Codes, right: Codes, strata: Codes, shape: tuple[int, int]) -> Counts:
    """Return the (z, 2, g) counts of (n,) codes, (z, g) = shape; a row with a negative code is left out."""
    known = (group >= 0) & (right >= 0) & (strata >= 0)
    flat = (strata[known].astype(np.int64) * 2 + right[known]) * shape[1] + group[known]
    return np.bincount(flat, minlength=2 * shape[0] * shape[1]).reshape(shape[0], 2, shape[1])


def shuffled_tables(
    group: Codes,
    right: Codes,
    strata: Codes,
    units: Codes,
    shape: tuple[int, int],
    *,
    draws: int,
    unit_draws: int,
    rng: np.random.Generator,
) -> Iterator[Counts]:
    """Yield (chunk, z, 2, g) tables of group labels shuffled within strata; rows of one unit move together.

    `draws` of them in all, `unit_draws` where units have several rows: those are slow.
    """
    known = (group >= 0) & (right >= 0) & (strata >= 0)
    # whole units are exchanged over all strata, which stay with the rows
    rows = np.where(known, strata.astype(np.int64) * 2 + right, -1)
    blocks = make_blocks(rows, group, np.zeros(len(rows), np.int64), units)
    if blocks is not None:
        for (flat,) in blocks.shuffled((2 * shape[0], shape[1]), min(draws, unit_draws), rng):
            yield flat.reshape(1, shape[0], 2, shape[1])
        return
    seen = right_tables(group, right, strata, shape)
    drawn = np.zeros((draws, *seen.shape), np.int64)
    for number, table in enumerate(seen):
        rows, cols = np.flatnonzero(table.sum(axis=1)), np.flatnonzero(table.sum(axis=0))
        if len(rows) < 2 or len(cols) < 2:
            drawn[:, number] = table
            continue
        margins = table[np.ix_(rows, cols)]
        stacks = fixed_margin_tables(
            margins.sum(axis=1), margins.sum(axis=0), draws=draws, rng=rng
        )
        drawn[:, number][:, rows[:, None], cols] = np.concatenate(list(stacks))
    yield drawn


def rates(tables: Counts) -> Floats:
    """Return the (..., z, g) share that is right; NaN where a group has nothing."""
    return ratio(tables[..., 1, :], tables.sum(axis=-2))


def distance_to_rest(tables: Counts) -> Floats:
    """Return |share of the group - share of all other groups| of (..., z, 2, g) tables, (..., z, g)."""
    others = tables.sum(axis=-1, keepdims=True) - tables
    return np.abs(rates(tables) - rates(others))


def max_gap(tables: Counts, counted: Mask | None = None) -> Floats:
    """Return the widest gap between two groups of a stratum of (..., z, 2, g) tables, over all strata.

    `counted` is (z, g): cells that count. NaN where no stratum has two.
    """
    share = rates(tables)
    has = np.isfinite(share) if counted is None else np.isfinite(share) & counted
    high = np.where(has, share, -np.inf).max(axis=-1)
    low = np.where(has, share, np.inf).min(axis=-1)
    gap = np.where(has.sum(axis=-1) >= 2, high - low, -np.inf).max(axis=-1)
    return np.asarray(np.where(np.isfinite(gap), gap, np.nan))


def step_down_max_t(seen: Floats, drawn: Floats, *, exact: bool = False) -> tuple[Floats, Floats]:
    """Return p and adjusted p of (m,) statistics, larger = further from chance; Westfall & Young 1993, algorithm 4.1.

    `drawn` is (draws, m) under chance; `exact` when it holds every possible assignment, the one seen among them.
    """
    order = np.argsort(-seen, kind="stable")
    margin = 1e-9 * np.maximum(1.0, np.abs(seen))
    more = 0 if exact else 1
    n = len(drawn) + more
    p = ((drawn >= seen - margin).sum(axis=0) + more) / n
    # the greatest of a statistic and of all that are not larger than it
    successive = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    stepped = ((successive >= (seen - margin)[order]).sum(axis=0) + more) / n
    adjusted = np.empty(len(seen))
    adjusted[order] = np.maximum.accumulate(stepped)
    return p, np.maximum(adjusted, p)


def expected_extremes(n: Counts, rate: float) -> tuple[float, float]:
    """Return the mean of the least and of the greatest share right of groups of n images that are all right at one rate.

    E[min] is the integral over t of P(every share > t), shares being binomial and independent.
    """
    from scipy.stats import binom  # 0.9 s that a warm rerun would wait for

    if n.sum() <= MOST_GRID:
        edges = np.unique(np.concatenate([np.arange(each + 1) / each for each in n]))
    else:
        edges = np.linspace(0, 1, MOST_GRID + 1)
    at, steps = edges[:-1], np.diff(edges)
    above, below = np.ones(len(at)), np.ones(len(at))
    for each in n:
        cdf = binom.cdf(np.floor(at * each + 1e-9), each, rate)
        above *= 1 - cdf
        below *= cdf
    return float((above * steps).sum()), float(1 - (below * steps).sum())
