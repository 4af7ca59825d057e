"""Which images of a cell go, and which stay to be shown in altered copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Counts

COPY, CONFLICT, DRAWN = "copy", "contradicting_label", "drawn"
"""Why an image goes, in this order: what is a copy first, then what copies disagree on, then at random."""
MOST_COPIES = 4


@dataclass(frozen=True, slots=True)
class Alteration:
    """One image and how often it is to be shown again, altered."""

    row: int
    copies: int


def draw_removals(
    cell: NDArray[np.integer],
    remove: Counts,
    copies: NDArray[np.bool_],
    conflicting: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.str_]:
    """Return the (n,) reason for which each image goes, "" where it stays.

    `cell` is the (n,) number of each image's cell, -1 for none; `remove` the images that go from each cell.
    """
    reasons = np.where(copies, COPY, np.where(conflicting, CONFLICT, DRAWN))
    order = np.lexsort((rng.permutation(len(cell)), ~conflicting, ~copies, cell))
    place = np.arange(len(cell)) - np.searchsorted(cell[order], cell[order])
    goes = np.zeros(len(cell), np.bool_)
    goes[order] = (cell[order] >= 0) & (place < np.append(remove, 0)[cell[order]])
    return np.where(goes, reasons, "")


def spread_copies(
    cell: NDArray[np.integer], kept: NDArray[np.bool_], gaps: Counts, rng: np.random.Generator
) -> tuple[list[Alteration], int]:
    """Return how often each kept image is shown again to fill the gaps of the cells, and how many no image can fill.

    The images of a cell share its gap evenly, each at most `MOST_COPIES` times; the lot says which take one more.
    """
    found, left = [], 0
    for number in np.flatnonzero(gaps).tolist():
        rows = rng.permutation(np.flatnonzero(kept & (cell == number)))
        filled = min(int(gaps[number]), MOST_COPIES * len(rows))
        left += int(gaps[number]) - filled
        each, more = divmod(filled, max(len(rows), 1))
        shared = each + (np.arange(len(rows)) < more)
        found += [
            Alteration(row, n) for row, n in zip(rows.tolist(), shared.tolist(), strict=True) if n
        ]
    return sorted(found, key=lambda one: one.row), left
