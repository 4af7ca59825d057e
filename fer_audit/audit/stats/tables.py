"""Contingency tables and what is measured on them; most functions take a whole stack of tables at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Labels = NDArray[np.int32]
Codes = NDArray[np.integer]
"""A column of codes: -1 is not known."""
Places = NDArray[np.intp]
"""Numbers of rows."""
Mask = NDArray[np.bool_]


def or_none(value: float) -> float | None:
    """Return a number; None for NaN."""
    return None if np.isnan(value) else float(value)


def cross_table(row_codes: Codes, col_codes: Codes, *, n_rows: int, n_cols: int) -> Counts:
    """Return the (n_rows, n_cols) counts of two code columns; a row with a negative code is left out."""
    both = (row_codes >= 0) & (col_codes >= 0)
    flat = row_codes[both].astype(np.int64) * n_cols + col_codes[both]
    return np.bincount(flat, minlength=n_rows * n_cols).reshape(n_rows, n_cols)


def drop_empty(table: Counts) -> tuple[Counts, Places, Places]:
    """Return the table without its empty rows and columns, and the indices of those that stay."""
    rows = np.flatnonzero(table.sum(axis=1))
    cols = np.flatnonzero(table.sum(axis=0))
    return table[np.ix_(rows, cols)], rows, cols


def expected_counts(tables: NDArray[np.integer | np.floating]) -> Floats:
    """Return the counts of (..., r, c) tables if rows and columns were independent; n must be positive."""
    x = tables.astype(np.float64)
    n = x.sum(axis=(-2, -1), keepdims=True)
    return np.asarray(x.sum(axis=-1, keepdims=True) * x.sum(axis=-2, keepdims=True) / n)


def pearson_chi2(tables: NDArray[np.integer | np.floating], expected: Floats) -> Floats:
    """Return Pearson's chi-squared of (..., r, c) tables against `expected`, which broadcasts.

    A cell that expects nothing holds nothing, and adds nothing.
    """
    inverse = np.divide(1.0, expected, out=np.zeros_like(expected), where=expected > 0)
    gap = tables.astype(np.float64) - expected
    return np.asarray(np.sum(gap * gap * inverse, axis=(-2, -1)), dtype=np.float64)


def cramers_v(chi2: Floats | float, *, n: int, rows: int, cols: int) -> Floats:
    """Return Cramér's V, sqrt(chi2 / (n min(r-1, c-1))), in [0, 1]; Cramér 1946.

    Needs at least two rows and two columns, none of them empty.
    """
    root = np.sqrt(np.asarray(chi2) / (n * min(rows - 1, cols - 1)))
    return np.asarray(np.minimum(1.0, root))


def corrected_v(tables: NDArray[np.integer | np.floating]) -> Floats:
    """Return the bias-corrected V of (..., r, c) tables, in [0, 1]; Bergsma 2013, eq. 5-8.

    r and c count what is not empty in each table by itself.
    0 where a table has one row or column, or as many of them as images.
    """
    x = tables.astype(np.float64)
    n = x.sum(axis=(-2, -1))
    r = (x.sum(axis=-1) > 0).sum(axis=-1)
    c = (x.sum(axis=-2) > 0).sum(axis=-1)
    return corrected_from_chi2(pearson_chi2(x, expected_counts(x)), n=n, rows=r, cols=c)


def corrected_from_chi2(
    chi2: Floats, *, n: Floats | int, rows: Counts | int, cols: Counts | int
) -> Floats:
    """Return the bias-corrected V of tables of which chi-squared, n and the occupied rows and columns are known."""
    r, c = np.asarray(rows), np.asarray(cols)
    free = np.maximum(np.asarray(n) - 1, 1)
    phi2 = np.maximum(0.0, chi2 / n - (r - 1) * (c - 1) / free)
    room = np.minimum((r - 1) * (1 - (r - 1) / free), (c - 1) * (1 - (c - 1) / free))
    ratio = np.divide(phi2, room, out=np.zeros_like(phi2), where=room > 0)
    return np.asarray(np.minimum(1.0, np.sqrt(ratio)))


def v_and_p(table: Counts) -> tuple[float, float, float]:
    """Return Cramér's V, the bias-corrected V and the p of chi-squared's distribution.

    Needs at least two rows and columns, none of them empty.
    """
    from scipy.stats import chi2 as chi2_law  # 0.9 s that a warm rerun would wait for

    chi2 = float(pearson_chi2(table, expected_counts(table)))
    r, c = table.shape
    v = float(cramers_v(chi2, n=int(table.sum()), rows=r, cols=c))
    return v, float(corrected_v(table)), float(chi2_law.sf(chi2, (r - 1) * (c - 1)))


def adjusted_residuals(table: Counts) -> Floats:
    """Return (n_ij - e_ij) / sqrt(e_ij (1 - p_i)(1 - p_j)), standard normal under independence.

    Haberman 1973, Biometrics 29, eq. 2.5. Needs at least two rows and columns, none of them empty.
    """
    p = table / table.sum()
    shrink = np.outer(1 - p.sum(axis=1), 1 - p.sum(axis=0))
    expected = expected_counts(table)
    return np.asarray((table - expected) / np.sqrt(expected * shrink))
