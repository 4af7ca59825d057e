"""What stands in for a number that is not there: too few images, not computable, or withheld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

TOO_FEW = 30
"""Cells and clusters with fewer images are shown, never ranked."""
MIN_CELL = "min_cell"
"""The setting that a result which was made to be shared has and no other, and the code of the finding that says so."""
BECAUSE_WITHHELD = "withheld: "
"""How the reason of a number that --min-cell withholds begins."""

NotComputable = tuple[tuple[str, str], ...]
"""((field, reason), ...) of the fields of this record that are None because they have no value."""


def because(reason: str, *names: str) -> NotComputable:
    """Return one reason for each of these fields; none where there is none."""
    return tuple((name, reason) for name in names if reason)


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a number; None = unbounded."""

    low: int
    high: int | None = None


Unit = Annotated[float, Range(0, 1)]
"""A share, a p, Cramér's V, an AUC."""
Signed = Annotated[float, Range(-1, 1)]
"""A correlation-like coefficient, a silhouette, a difference of shares."""
NotNegative = Annotated[float, Range(0)]
Ordinal = Annotated[int, Range(1)]
"""A k, or the number of a rung. Every other int is a count, at least 0."""
