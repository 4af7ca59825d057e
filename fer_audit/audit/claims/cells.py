"""What each cell of a cluster x group table says by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.information import duchers_z, npmi
from fer_audit.audit.stats.multiple_testing import benjamini_hochberg
from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    adjusted_residuals,
    drop_empty,
    expected_counts,
)
from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.result import BENJAMINI_HOCHBERG, LedgerEntry


def residual_p(residuals: Floats) -> Floats:
    """Return the two-sided normal p of adjusted residuals."""
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    return np.asarray(2 * norm.sf(np.abs(residuals)))


def lift_with_interval(table: Counts, *, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return p_ij / (p_i p_j) and its log-interval, NaN where a cell is empty.

    By the delta method under multinomial sampling, Var ln lift =
    1/n_ij - 1/n_i - 1/n_j - 1/n + 2 n_ij / (n_i n_j): the margins belong to the same images, so they
    take away from the variance of the cell instead of adding to it. `table` has no empty row or column.
    """
    from scipy.stats import norm

    n = table.sum()
    row, col = table.sum(axis=1)[:, None], table.sum(axis=0)[None, :]
    lift = table / expected_counts(table)
    seen = table > 0
    cell = np.where(seen, table, 1)
    variance = 1 / cell - 1 / row - 1 / col - 1 / n + 2 * table / (row * col)
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(np.maximum(variance, 0.0))
    low = np.where(seen, lift * np.exp(-half), np.nan)
    high = np.where(seen, lift * np.exp(half), np.nan)
    return lift, low, high


def measure_cells(
    table: Counts, groups: tuple[str, ...], *, confidence: float
) -> tuple[AssociationCell, ...]:
    """Return every cell of the (k, groups) table, row by row; None where a margin leaves no value."""
    kept, rows, cols = drop_empty(table)
    columns = {"share": table / np.maximum(table.sum(axis=1), 1)[:, None]}
    columns["share"][table.sum(axis=1) == 0] = np.nan
    if kept.size:
        lift, low, high = lift_with_interval(kept, confidence=confidence)
        columns |= _spread(table.shape, rows, cols, lift=lift, lift_low=low, lift_high=high)
    if min(kept.shape) > 1:
        residual = adjusted_residuals(kept)
        p_adjusted = benjamini_hochberg(residual_p(residual))
        columns |= _spread(table.shape, rows, cols, residual=residual, p_adjusted=p_adjusted)
        columns |= _spread(table.shape, rows, cols, npmi=npmi(kept), ducher_z=duchers_z(kept))
    return tuple(
        AssociationCell(
            cluster=i,
            group=groups[j],
            count=int(table[i, j]),
            too_few=bool(table[i, j] < TOO_FEW),
            **{name: _value(columns, name, i, j) for name in _MEASURES},
        )
        for i in range(table.shape[0])
        for j in range(table.shape[1])
    )


_MEASURES = (
    "share",
    "lift",
    "lift_low",
    "lift_high",
    "residual",
    "p_adjusted",
    "npmi",
    "ducher_z",
)


def _spread(
    shape: tuple[int, ...],
    rows: NDArray[np.intp],
    cols: NDArray[np.intp],
    **measures: Floats,
) -> dict[str, Floats]:
    """Put measures of the reduced table back where their cells were, NaN elsewhere."""
    spread = {}
    for name, values in measures.items():
        spread[name] = np.full(shape, np.nan)
        spread[name][np.ix_(rows, cols)] = values
    return spread


def _value(columns: dict[str, Floats], name: str, i: int, j: int) -> float | None:
    if name not in columns or np.isnan(columns[name][i, j]):
        return None
    return float(columns[name][i, j])


def cells_ledger(association: Association) -> Iterator[LedgerEntry]:
    """Yield one entry for the cells of a table."""
    cells = [
        (cell.residual, cell.p_adjusted)
        for cell in association.cells
        if cell.residual is not None and cell.p_adjusted is not None
    ]
    if cells:
        residuals, adjusted = np.array(cells).T
        yield LedgerEntry(
            family=f"cells of {association.attribute} x cluster",
            subject=f"smallest of {len(cells)} cells",
            method="adjusted residual, two-sided normal",
            p=float(residual_p(residuals).min()),
            p_corrected=float(adjusted.min()),
            correction=BENJAMINI_HOCHBERG,
            tests=len(cells),
        )
