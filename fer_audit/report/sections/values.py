"""What the cells and lists of several sections share: estimates with their intervals, names, and what has no value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.report.blocks import Block, Bullets
from fer_audit.text import NO_VALUE, because, clipped, coefficient, display, span


def spoken(name: str, limit: int = 28) -> str:
    """Write an attribute or a measure as words, its middle left out where it is long."""
    return clipped(display(name), limit)


def alike_in(given: Sequence[str], limit: int = 20) -> str:
    """Write the columns in which images are alike: race × gender."""
    return " × ".join(spoken(name, limit) for name in given)


def span_or_dash(low: float | None, high: float | None) -> str:
    """Write an interval of coefficients, a dash where there is none."""
    return NO_VALUE if low is None or high is None else span(low, high)


def estimate(value: float | None, low: float | None, high: float | None) -> str:
    """Write a coefficient with its interval: .213 (.193-.264)."""
    return NO_VALUE if value is None else f"{zero(value)} ({span_or_dash(low, high)})"


def zero(value: float) -> str:
    """Write a coefficient; what rounds to zero is .000, as it reads best next to others."""
    return ".000" if 0 <= value < 0.0005 else coefficient(value)


def without_value(silent: Iterable[tuple[str, NotComputable]]) -> list[Block]:
    """Return a list of what could not be computed and why; nothing for nothing."""
    items = tuple(f"{name}: {because(reasons)}." for name, reasons in silent)
    return [Bullets(items)] if items else []
