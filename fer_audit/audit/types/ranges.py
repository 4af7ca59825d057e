"""Types of numbers with a range; docs/result.schema.json has it too, the program does not check it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


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
