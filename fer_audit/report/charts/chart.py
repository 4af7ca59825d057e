"""What a chart is: a picture, what it shows in words, and the same numbers as a table."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def key_of(*names: str) -> str:
    """Return an anchor and file name made of names that may hold anything: letters, digits and hyphens only.

    Names that differ give keys that differ: what cannot be kept is replaced by a few digits of a hash.
    """
    text = "-".join(names)
    plain = re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")[:60]
    if plain and plain == text:
        return plain
    digits = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:6]
    return f"{plain or 'chart'}-{digits}"


@dataclass(frozen=True, slots=True)
class ChartTable:
    """A table of finished texts. The first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    marked: frozenset[int] = frozenset()
    """Rows to grey: too few images to say anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """One chart, drawn only when somebody wants to see it."""

    key: str
    """From `key_of`. Unique in its report; names the file that `--png` and `--svg` write."""
    title: str
    alt: str
    """What the picture shows, for who cannot see it: the message and the most important numbers."""
    draw: Callable[[], Figure]
    sheet: ChartTable | None = None
    """The same numbers; None where the section shows them in a table of its own."""
    note: str = ""
    """How to read it, or what it does not say."""
    wide: bool = False
    """Two columns of a paper instead of one."""
