"""Entropy, and how much of it one column knows of another. Natural logarithms."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.stats.tables import Counts, Floats


def entropy(counts: Counts) -> float:
    """Return Shannon's H = -sum p ln p of counts with a positive sum."""
    from scipy.special import xlogy  # 0.2 s that a warm rerun would wait for

    p = counts / counts.sum()
    return float(max(0.0, -xlogy(p, p).sum()))


def mutual_information(table: Counts) -> float:
    """Return I(row; column) = H(row) + H(column) - H(row, column), at least 0."""
    joint = entropy(table.ravel())
    return max(0.0, entropy(table.sum(axis=1)) + entropy(table.sum(axis=0)) - joint)


def theils_u(table: Counts) -> float | None:
    """Return the share of the columns' entropy that the rows know; None where the columns have none.

    U = (H(col) - H(col | row)) / H(col) = I / H(col), in [0, 1]; Theil 1970.
    """
    h = entropy(table.sum(axis=0))
    return min(1.0, mutual_information(table) / h) if h > 0 else None


def expected_mutual_information(rows: Counts, cols: Counts) -> float:
    """Return the mean of I over all tables with these margins; Vinh, Epps & Bailey 2010, eq. 24a.

    Each cell is hypergeometric. Its probabilities are summed within 12 standard deviations of the
    mean, beyond which less than 1e-30 is left, and scaled to 1: ln n! carries an absolute error that
    grows with n.
    """
    from scipy.special import gammaln, xlogy  # 0.2 s that a warm rerun would wait for

    n = int(rows.sum())
    log_factorial = gammaln(np.arange(n + 2, dtype=np.float64) + 1.0)
    pairs, times = np.unique(
        np.array([(a, b) for a in rows for b in cols]), axis=0, return_counts=True
    )
    total = 0.0
    for (a, b), repeats in zip(pairs.tolist(), times.tolist(), strict=True):
        spread = 12 * np.sqrt(a * b * (n - a) * (n - b) / (n * n * max(n - 1, 1))) + 12
        low = max(0, a + b - n, int(a * b / n - spread))
        high = min(a, b, int(a * b / n + spread))
        x = np.arange(low, high + 1)
        log_p = -sum(log_factorial[k] for k in (x, a - x, b - x, n - a - b + x))
        p = np.exp(log_p - log_p.max())
        terms: Floats = xlogy(x / n, np.maximum(x, 1) * (n / (a * b)))
        total += repeats * float((p * terms).sum() / p.sum())
    return total


def corrected_u(table: Counts) -> float | None:
    """Return Theil's U less what chance gives: (I - E[I]) / H(col), at least 0; None where the columns have none.

    U of unrelated labels grows with the number of rows and columns and shrinks with n; this stays near 0.
    E[I] as in `expected_mutual_information`.
    """
    rows, cols = table.sum(axis=1), table.sum(axis=0)
    h = entropy(cols)
    if h <= 0:
        return None
    gain = mutual_information(table) - expected_mutual_information(rows, cols)
    return float(np.clip(gain / h, 0.0, 1.0))


def adjusted_mutual_information(table: Counts) -> float:
    """Return (I - E[I]) / (mean(H(row), H(col)) - E[I]): 0 by chance, 1 for equal partitions.

    Arithmetic mean, as scikit-learn's default; computed from the table alone, whose margins must
    both have two or more parts. Vinh et al. 2010.
    """
    rows, cols = table.sum(axis=1), table.sum(axis=0)
    chance = expected_mutual_information(rows, cols)
    room = (entropy(rows) + entropy(cols)) / 2 - chance
    # As in scikit-learn: where every image is a part of its own, both sides vanish together.
    floor = np.finfo(np.float64).eps
    room = min(room, -floor) if room < 0 else max(room, floor)
    return float((mutual_information(table) - chance) / room)


def npmi(table: Counts) -> Floats:
    """Return ln(p_ij / (p_i p_j)) / -ln p_ij, in [-1, 1]; -1 where p_ij = 0. Bouma 2009.

    Needs at least two cells with images: where p_ij = 1 there is nothing to normalise by.
    """
    p = table / table.sum()
    seen = p > 0
    lift = np.where(seen, p, 1.0) / np.outer(p.sum(axis=1), p.sum(axis=0))
    surprise = -np.log(np.where(seen, p, 0.5))
    return np.asarray(np.where(seen, np.clip(np.log(lift) / surprise, -1, 1), -1.0))


def duchers_z(table: Counts) -> Floats:
    """Return the share of the largest possible gap that p_ij - p_i p_j reaches, in [-1, 1].

    A positive gap is measured against min(p_i, p_j) - p_i p_j, a negative one against
    p_i p_j - max(0, p_i + p_j - 1); Ducher et al. 1994. In whole counts, so that 0 is exactly 0.
    """
    n = int(table.sum())
    # n^2 leaves int64 at three thousand million images, beyond any set of faces.
    row, col = table.sum(axis=1)[:, None], table.sum(axis=0)[None, :]
    product = row * col
    gap = n * table - product
    over = n * np.minimum(row, col) - product
    under = product - n * np.maximum(0, row + col - n)
    room = np.where(gap > 0, over, under)
    return np.asarray(np.divide(gap, room, out=np.zeros(gap.shape), where=gap != 0))
