"""How notes and messages say counts and name files."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.dataset.types import printable_id

LONGEST = 300
"""Characters of a name in a sentence: a file's name has at most 255 bytes, a cell may have millions."""
NAMED = 3
"""Files a sentence names before it says "and so many more"."""


def count_of(n: int, one: str, many: str = "") -> str:
    """Return "1 file" or "1,234 files"; `many` where adding an s is not enough."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def name_some(items: Sequence[str], *, limit: int = NAMED) -> str:
    """Return the first few items, quoted, then how many more there are."""
    shown = ", ".join(f'"{_clipped(printable_id(item))}"' for item in items[:limit])
    more = len(items) - limit
    return f"{shown} and {more:,} more" if more > 0 else shown


def _clipped(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
