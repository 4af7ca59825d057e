"""Tables that chance could have drawn instead of the one seen, and corrections for having asked more than one question."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    corrected_from_chi2,
    corrected_v,
    cramers_v,
    expected_counts,
    pearson_chi2,
)


def holm(p: Sequence[float]) -> list[float]:
    """Return the p values adjusted so that one false claim among them is as rare as each p says.

    Step-down Bonferroni, valid under any dependence. Holm 1979.
    """
    order = np.argsort(p, kind="stable")
    adjusted = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(order.tolist()):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Return p values adjusted for the share of false claims among all made, any shape. BH 1995."""
    from scipy.stats import false_discovery_control  # 0.9 s that a warm rerun would wait for

    return np.asarray(false_discovery_control(p.ravel(), method="bh")).reshape(p.shape)


def adjusted_p(p: Sequence[float | None]) -> list[float | None]:
    """Return the same of those p values that are there; None where there is none."""
    there = np.array([each for each in p if each is not None], np.float64)
    adjusted = iter(benjamini_hochberg(there).tolist() if len(there) else [])
    return [None if each is None else next(adjusted) for each in p]


CHUNK_CELLS = 2_000_000
"""Cells drawn at a time: 16 MB of int64 and a few temporaries of the same size."""


@dataclass(frozen=True, slots=True)
class NullBand:
    """Cramér's V among tables with the margins of the one seen, and no association."""

    mean: float
    quantile_95: float
    corrected: float
    """The bias-corrected V of the table seen."""
    corrected_95: float
    """The 95 % quantile of the same of the tables of `mean`."""
    p: float
    """(1 + #{V* >= V}) / (B + 1); Phipson & Smyth 2010: never 0."""
    draws: int
    surplus: float = 0.0
    """Mean chi-squared of shuffled people beyond that of shuffled images: what fewer people than images add by chance.
    Taken off in `corrected` and `corrected_95`."""


def fixed_margin_tables(
    rows: Counts, cols: Counts, *, draws: int, rng: np.random.Generator
) -> Iterator[Counts]:
    """Yield (chunk, r, c) stacks of random tables with these margins, `draws` tables in all.

    Shuffling labels against clusters gives the same distribution, one image at a time: that is
    Boyett's algorithm, 4.8 s for 10,000 tables of 4 x 5 at n = 23,704. Patefield's (AS 159), which
    draws cell by cell, takes 0.04 s.
    """
    from scipy.stats import random_table  # 0.9 s that a warm rerun would wait for

    law = random_table(rows, cols)
    chunk = max(1, CHUNK_CELLS // (len(rows) * len(cols)))
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        drawn = law.rvs(size, method="patefield", random_state=rng)
        yield np.asarray(drawn, dtype=np.int64).reshape(size, len(rows), len(cols))


def at_least(draws: Floats, seen: float) -> int:
    """Return how many draws reach `seen`, where equal in theory counts as equal in floating point."""
    return int(np.count_nonzero(draws >= seen - 1e-9 * max(1.0, abs(seen))))


def monte_carlo_p(draws: Floats, seen: float) -> float:
    """Return (1 + #{T* >= T}) / (B + 1); Phipson & Smyth 2010."""
    return (1 + at_least(draws, seen)) / (len(draws) + 1)


def least_draws(tests: int, alpha: float) -> int:
    """Return 2 m / alpha, the shuffles from which Holm over m tests can find something with room to spare."""
    return math.ceil(2 * tests / alpha - 1e-9)


def null_band(
    table: Counts,
    *,
    draws: int,
    rng: np.random.Generator,
    shuffled: Iterable[Counts] | None = None,
) -> NullBand:
    """Return where V lies without any association, at this n and these margins.

    `table` has no empty row or column, and at least two of each. The margins are drawn in sorted
    order, so that renaming clusters or groups changes no digit. `shuffled` are (r, c) tables of shuffled labels where rows
    are not exchanged one by one.
    """
    if shuffled is None:
        rows, cols = np.sort(table.sum(axis=1)), np.sort(table.sum(axis=0))
        expected = np.outer(rows, cols) / table.sum()
        stacks = fixed_margin_tables(rows, cols, draws=draws, rng=rng)
        chi2 = np.concatenate([pearson_chi2(stack, expected) for stack in stacks])
        surplus = 0.0
    else:
        chi2 = np.array([pearson_chi2(each, expected_counts(each)) for each in shuffled])
        draws = len(chi2)
        surplus = max(0.0, float(chi2.mean()) - chance_chi2(table))
    rows, cols = table.shape
    seen = float(pearson_chi2(table, expected_counts(table)))
    v = cramers_v(chi2, n=int(table.sum()), rows=rows, cols=cols)
    corrected = corrected_from_chi2(
        np.append(chi2, seen) - surplus, n=int(table.sum()), rows=rows, cols=cols
    )
    return NullBand(
        mean=float(v.mean()),
        quantile_95=float(np.quantile(v, 0.95)),
        corrected=float(corrected[-1]),
        corrected_95=float(np.quantile(corrected[:-1], 0.95)),
        p=monte_carlo_p(chi2, seen),
        draws=draws,
        surplus=surplus,
    )


def chance_chi2(table: Counts) -> float:
    """Return the mean chi-squared of tables of independent rows with these margins, n (r - 1) (c - 1) / (n - 1)."""
    n = int(table.sum())
    return float(n * (table.shape[0] - 1) * (table.shape[1] - 1) / max(n - 1, 1))


def corrected_v_interval(
    table: Counts, *, draws: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval of the bias-corrected V under multinomial resampling.

    Resampling the table as it is would add chance to chance: its V holds the noise of the sample, and
    every replicate adds as much again. At n = 500 and no association such an interval excludes zero in
    28 % of samples and covers the truth in 72 %. So the resampled table is first drawn towards
    independence, (1 - s) e + s x, until its plain V is the corrected V of the table seen:
    s^2 = max(0, phi2 - bias) / phi2. Measured so, with 4 x 5 tables, n = 200 to 5,000 and V = 0 to 0.2:
    93 to 99.8 % cover at a nominal 95 %, and zero is excluded in at most 2 % of samples without
    association.
    """
    n = int(table.sum())
    expected = expected_counts(table)
    phi2 = float(pearson_chi2(table, expected)) / n
    rows, cols = table.shape
    bias = (rows - 1) * (cols - 1) / max(n - 1, 1)
    kept = np.sqrt(max(0.0, phi2 - bias) / phi2) if phi2 > 0 else 0.0
    p = (expected + kept * (table - expected)).ravel() / n
    p = np.maximum(p, 0.0) / np.maximum(p, 0.0).sum()
    values = []
    chunk = max(1, CHUNK_CELLS // table.size)
    for start in range(0, draws, chunk):
        counts = rng.multinomial(n, p, size=min(chunk, draws - start))
        values.append(corrected_v(counts.reshape(-1, rows, cols)))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(values), (tail, 1 - tail))
    return float(low), float(high)


def between_units_sd(by_unit: Counts, *, draws: int, rng: np.random.Generator) -> float:
    """Return the standard deviation of the bias-corrected V when whole units are drawn; `by_unit` is (u, r, c) counts."""
    units = len(by_unit)
    flat, values = by_unit.reshape(units, -1).astype(np.float64), []
    chunk = max(1, CHUNK_CELLS // units)
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        weights = rng.multinomial(units, np.full(units, 1 / units), size=size)
        values.append(corrected_v((weights @ flat).reshape(size, *by_unit.shape[1:])))
    return float(np.concatenate(values).std())
