"""Which cells of a table have to be withheld so that its small ones cannot be worked out.

Primary suppression withholds the small cells. A total that is told gives a single withheld cell away by subtraction, so that
secondary (complementary) suppression withholds further ones: where a row, a column or a total has one withheld cell, the next
smallest goes as well, and again, until no withheld cell is the only one its sums leave possible.
Hundepool et al., Statistical Disclosure Control (Wiley 2012), chapter 4; the checks of the Office for National Statistics for
frequency tables (GSS/GSR Disclosure Control Guidance for Tables Produced from Surveys, 2014) are the same two steps.

What is checked is more than two cells in a line: two cells of which each holds somebody and which add up to 2 hold one each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.audit.suppression.network import Mask, network, protect_edges

__all__ = ["Mask", "Sums", "exposed", "protect"]

LOOKS = 6
"""Random directions in which all withheld cells are moved at once, before those that stood still are asked one by one."""
ROUNDS = 12
"""Times that cells are added because linear programs ask for it."""
PROGRAMS = 400
"""Linear programs for one table; each takes some milliseconds."""
CELLS = 1_000
"""Withheld cells of one table that linear programs are solved over."""
_STEP = 1 - 1e-6
"""A cell is safe when it could as well hold one image more or less; less than 1 by the solver's tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Cells that are tied to each other: matrix @ counts is known to who reads the table."""

    counts: Counts
    """(m,) the true counts; totals that may be withheld are cells of their own."""
    matrix: csr_matrix
    """(e, m) of 1, and of -1 for a total that is a cell."""
    signs: Counts | None = None
    """(e,) of 1 and -1 for a two-way table: by which each sum is taken to make every cell 1 in one sum and -1 in another."""


def protect(sums: Sums, withheld: Mask, may_add: Mask) -> Mask | None:
    """Return the (m,) cells to withhold: `withheld`, and as many of `may_add` as keep them from being worked out.

    The reader is taken to know every cell that is not withheld, every sum, and that withheld cells hold somebody unless they
    hold nobody: the last resort is to withhold a cell that is 0. None when nothing that may be added is enough.

    One sum is settled by arithmetic and a two-way table (`signs`) as a network, both at once and exactly. For other tables
    linear programs are solved in at most ROUNDS rounds, at most PROGRAMS of them, and over at most CELLS withheld cells.
    Whoever needs more gets None as well, so that the caller withholds the whole table: that is always safe.
    """
    if sums.matrix.shape[0] == 1:
        return _protect_line(sums.counts, withheld, may_add)
    if sums.signs is not None:
        net = network(sums.counts, sums.matrix, sums.signs)
        return protect_edges(net, withheld, may_add)
    mask = withheld.copy()
    rounds, left = 0, PROGRAMS
    while mask.any():
        lonely = _lonely(sums, mask)
        if not len(lonely):
            if rounds == ROUNDS or mask.sum() > CELLS:
                return None
            rounds += 1
            found = _exposed(sums, mask, left)
            if found is None:
                return None
            lonely, spent = found
            left -= spent
        if not len(lonely):
            return mask
        joined: set[int] = set()
        for cell in lonely.tolist():
            if joined.intersection(_lines(sums, cell)):
                continue  # what was just added there may do for this cell as well
            partner = _partner(sums, cell, mask, may_add & ~mask)
            if partner is not None:
                mask[partner] = True
                joined.update(_lines(sums, partner))
        if not joined:
            return None
    return mask


def _protect_line(counts: Counts, withheld: Mask, may_add: Mask) -> Mask | None:
    """Protect the cells of one sum: two or more, of which not all are known to hold one or none."""
    mask = withheld.copy()
    while mask.any() and (mask.sum() < 2 or counts[mask].max() < 2):
        free = np.flatnonzero(may_add & ~mask)
        if counts[mask].max() < 2:
            free = free[counts[free] > 1]
        if not len(free):
            return None
        mask[free[np.lexsort((free, counts[free], counts[free] == 0))[0]]] = True
    return mask


def exposed(sums: Sums, mask: Mask) -> NDArray[np.intp]:
    """Return the withheld cells that the sums leave no second value, as linear programs over the withheld cells find them.

    Fischetti and Salazar, Management Science 47 (2001) call this the attacker's problem.
    """
    found = _exposed(sums, mask, 2 * (LOOKS + int(mask.sum())))
    if found is None:
        raise RuntimeError("two programs for each cell are enough")
    return found[0]


def _exposed(sums: Sums, mask: Mask, most: int) -> tuple[NDArray[np.intp], int] | None:
    """Return the exposed cells and how many programs it took to find them; None when `most` are not enough."""
    cells = np.flatnonzero(mask)
    matrix = sums.matrix[:, cells]
    known = matrix @ sums.counts[cells]
    floor = np.minimum(sums.counts[cells], 1).astype(np.float64)
    bounds = np.stack([floor, np.full(len(cells), float(sums.counts.sum()) + 1)], axis=1)
    low = high = sums.counts[cells].astype(np.float64)
    rng = np.random.default_rng(0)
    aims = [sign * aim for aim in rng.standard_normal((LOOKS, len(cells))) for sign in (1, -1)]
    spent, lost, index = 0, [], 0
    while aims or index < len(cells):
        if not aims:
            index += 1
            if high[index - 1] - low[index - 1] >= _STEP:
                continue
            alone = np.zeros(len(cells))
            alone[index - 1] = 1.0
            aims = [alone, -alone]
        if spent == most:
            return None
        found = _extreme(aims.pop(), matrix, known, bounds)
        spent += 1
        low, high = np.minimum(low, found), np.maximum(high, found)
        if index and not aims and high[index - 1] - low[index - 1] < _STEP:
            lost.append(cells[index - 1])
    return np.array(lost, dtype=np.intp), spent


def _extreme(aim: Floats, matrix: csr_matrix, known: Floats, bounds: Floats) -> Floats:
    """Return the values of the withheld cells that the sums allow and that are least in a direction."""
    found = linprog(aim, A_eq=matrix, b_eq=known, bounds=bounds, method="highs")
    if found.x is None:
        raise RuntimeError(f"the true counts are a solution, yet: {found.message}")
    return np.asarray(found.x)


def _lonely(sums: Sums, mask: Mask) -> NDArray[np.intp]:
    """Return the withheld cells that are the only one in some sum."""
    tied = abs(sums.matrix)
    alone = np.flatnonzero(tied @ mask.astype(np.int64) == 1)
    return np.unique((tied[alone].multiply(mask)).nonzero()[1]).astype(np.intp)


def _lines(sums: Sums, cell: int) -> list[int]:
    """Return the sums that a cell is in."""
    return [int(line) for line in sums.matrix[:, [cell]].nonzero()[0]]


def _partner(sums: Sums, cell: int, mask: Mask, free: Mask) -> int | None:
    """Return the smallest free cell that shares a sum with this one, an empty one last; None when there is none.

    Where a sum has no other withheld cell, the partner is looked for there.
    """
    tied = abs(sums.matrix)
    lines = np.array(_lines(sums, cell), dtype=np.intp)
    alone = lines[(tied[lines] @ mask.astype(np.int64)) == 1]
    searched = alone if len(alone) else lines
    reached = np.asarray(tied[searched].sum(axis=0)).ravel() > 0
    near = np.flatnonzero(reached & free)
    if not len(near):
        return None
    count = sums.counts[near]
    return int(near[np.lexsort((near, count, count == 0))[0]])
