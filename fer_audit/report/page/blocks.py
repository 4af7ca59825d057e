"""What a page is made of. The templates know how each block looks; the sections only say what it holds.

Every text here is plain text: the template environment makes it visible and escapes it, at one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fer_audit.report.charts.chart import Chart, Sheet


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str
    tone: str = ""
    """"lead" under a heading, "small" for how to read something, "alarm" for what must not be overlooked."""
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section, one level below the section's own."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts beside each other, as many as fit."""

    charts: tuple[Chart, ...]
    kind: str = "charts"


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster picture."""

    media: str
    """image/png or image/webp."""
    data: bytes
    alt: str
    caption: str
    width: int
    """CSS pixels."""
    height: int


@dataclass(frozen=True, slots=True)
class MapPanel:
    """The map in one colouring: the points, a legend, and the same groups as a table."""

    key: str
    title: str
    picture: Picture
    legend: tuple[tuple[str, str], ...]
    """(colour, group)."""
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Maps:
    """Maps beside each other."""

    panels: tuple[MapPanel, ...]
    kind: str = "maps"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Small pictures with captions."""

    title: str
    pictures: tuple[Picture, ...]
    note: str = ""
    kind: str = "gallery"


@dataclass(frozen=True, slots=True)
class Table:
    """A table, behind a disclosure unless it is short and the point."""

    title: str
    sheet: Sheet
    open: bool = False
    """Shown at once, without a disclosure."""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = "bullets"


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    pairs: tuple[tuple[str, str], ...]
    kind: str = "facts"


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of a small ladder picture."""

    number: int
    state: str
    """holds, fails, unknown or skipped."""


@dataclass(frozen=True, slots=True)
class Climb:
    """A small picture of how far a claim climbs."""

    attribute: str
    highest: int
    steps: tuple[Step, ...]
    words: str
    """The same in words."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A finding: its sentence, how grave it is, and the ladders it rests on."""

    severity: str
    text: str
    climbs: tuple[Climb, ...]


@dataclass(frozen=True, slots=True)
class Statements:
    """Findings in order."""

    items: tuple[Statement, ...]
    kind: str = "statements"


@dataclass(frozen=True, slots=True)
class Card:
    """A box of its own, e.g. one cluster."""

    key: str
    title: str
    subtitle: str
    colour: str
    dimmed: bool
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """Boxes one below the other."""

    cards: tuple[Card, ...]
    kind: str = "cards"


@dataclass(frozen=True, slots=True)
class Definition:
    """A term: what it says in words, its formula, and where it comes from."""

    term: str
    words: str
    formula: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Definitions:
    """Terms and what they mean."""

    items: tuple[Definition, ...]
    kind: str = "definitions"


@dataclass(frozen=True, slots=True)
class Code:
    """A command or a text to copy."""

    text: str
    kind: str = "code"


Block: TypeAlias = (
    Prose
    | Heading
    | Charts
    | Maps
    | Gallery
    | Table
    | Bullets
    | Facts
    | Statements
    | Cards
    | Definitions
    | Code
)


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered part of a page."""

    key: str
    """Its anchor."""
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page."""

    title: str
    heading: str
    facts: tuple[str, ...]
    """Short facts under the heading."""
    alarm: str
    """Says that the page is about unfinished work; "" when it is whole."""
    sections: tuple[Section, ...]
    footer: str
