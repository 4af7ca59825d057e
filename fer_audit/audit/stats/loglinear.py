"""What a cross table would hold if attributes were associated in pairs only: the model of all two-way margins.

Counts beyond it are what no pair of attributes can tell: an intersection that is rare, or frequent, by itself.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from fer_audit.audit.stats.tables import Counts, Floats

STEPS = 1000
TIGHT = 1e-8
"""Images by which no two-way margin may be off; reached in 5 to 30 steps on tables of faces."""
MOST_CELLS = 2000
"""Leverages need a decomposition of cells x parameters: 0.4 s at 2,000 x 600."""


def fit_pairs(table: Counts) -> tuple[Floats, bool]:
    """Return the expected counts under all two-way margins, and whether the fit converged.

    Iterative proportional fitting: Deming & Stephan 1940; the maximum likelihood fit of the log-linear model
    without interactions of three or more attributes. `table` has at least two dimensions.
    """
    seen = table.astype(np.float64)
    fitted = np.full(table.shape, seen.sum() / max(seen.size, 1))
    pairs = list(combinations(range(table.ndim), 2))
    for _ in range(STEPS):
        off = 0.0
        for pair in pairs:
            others = tuple(axis for axis in range(table.ndim) if axis not in pair)
            wanted = seen.sum(axis=others, keepdims=True)
            found = fitted.sum(axis=others, keepdims=True)
            off = max(off, float(np.abs(wanted - found).max()))
            fitted = fitted * np.divide(wanted, found, out=np.zeros_like(found), where=found > 0)
        if off < TIGHT:
            return fitted, True
    return fitted, False


def pair_residuals(table: Counts, fitted: Floats) -> Floats:
    """Return (x - m) / sqrt(m (1 - h)), NaN where m is 0 or the cell fits itself.

    The leverage h is the diagonal of the projection on the model's parameters, weighted with m: as in a
    Poisson regression with all two-way terms. Haberman 1973; Agresti 2013, section 4.5.
    """
    used = fitted.ravel() > 1e-9
    weighted = _design(table.shape)[used] * np.sqrt(fitted.ravel()[used])[:, None]
    # Columns of margins without images are empty or repeat others: the rank tells them apart.
    u, s, _ = np.linalg.svd(weighted, full_matrices=False)
    rank = int((s > s.max(initial=0.0) * 1e-9).sum())
    leverage = (u[:, :rank] ** 2).sum(axis=1)
    residual = np.full(table.size, np.nan)
    free = 1 - leverage
    gap = table.ravel()[used] - fitted.ravel()[used]
    safe = np.where(free > 1e-9, free, 1.0)
    residual[used] = np.where(free > 1e-9, gap / np.sqrt(fitted.ravel()[used] * safe), np.nan)
    return residual.reshape(table.shape)


def _design(shape: tuple[int, ...]) -> Floats:
    """Return the (cells, parameters) matrix of main effects and pairs, first group of each as reference."""
    axes = np.indices(shape).reshape(len(shape), -1)
    own = [
        (axes[a][:, None] == np.arange(1, size)[None, :]).astype(np.float64)
        for a, size in enumerate(shape)
    ]
    columns = [np.ones((axes.shape[1], 1)), *own]
    for a, b in combinations(range(len(shape)), 2):
        columns.append((own[a][:, :, None] * own[b][:, None, :]).reshape(axes.shape[1], -1))
    return np.hstack(columns)
