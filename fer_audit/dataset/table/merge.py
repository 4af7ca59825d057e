"""Several lines about one file become one row, independent of their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.types import Reject


class MergedRows(NamedTuple):
    """One row for each file."""

    ids: tuple[str, ...]
    """n file ids, sorted bytewise, each once."""
    codes: NDArray[np.int16]
    """(n, c) labels; -1 = not annotated, or the lines about this file disagree."""
    rejects: tuple[Reject, ...]
    """One for each line beyond a file's first: duplicate_row when it says the same, else conflicting_rows."""


def merge_lines(ids: Sequence[str], codes: NDArray[np.int16], rows: TableRows) -> MergedRows:
    """Return one row for each file that m lines name.

    ids: m file ids; codes: (m, c) labels; rows: the m lines, for their numbers.
    A label on which the lines of a file differ becomes -1, whichever line came first.
    """
    order = bytewise_order(ids)
    new_file = np.array(
        [i == 0 or ids[order[i]] != ids[order[i - 1]] for i in range(len(ids))], np.bool_
    )
    starts = np.flatnonzero(new_file)
    if not len(starts):
        return MergedRows((), codes, ())
    by_file = codes[order]
    first = by_file[starts]
    lowest = np.minimum.reduceat(by_file, starts, axis=0)
    highest = np.maximum.reduceat(by_file, starts, axis=0)
    same = (by_file == first[np.cumsum(new_file) - 1]).all(axis=1)
    extra = sorted(
        (int(order[i]), "duplicate_row" if same[i] else "conflicting_rows")
        for i in np.flatnonzero(~new_file).tolist()
    )
    return MergedRows(
        ids=tuple(ids[line] for line in order[starts].tolist()),
        codes=np.where(lowest == highest, first, np.int16(-1)),
        rejects=tuple(Reject(rows.line(line), reason) for line, reason in extra),
    )
