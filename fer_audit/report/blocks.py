"""What a report is made of, whatever shows it: neutral blocks of plain text, numbers already written.

A section says what it holds and how important each block is; the terminal, the page, markdown and a notebook each
have one handler per kind of block and choose by importance. Every text here is plain text: the renderers make it
visible and escape it, each at one place. What needs drawing (charts, maps) is a function that draws when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from fer_audit.report.charts.chart import Chart

Importance = Literal["summary", "normal", "detail"]
"""summary: in the short report and every other. normal: also in the full terminal report, and open on the page. detail:
folded on the page, left out elsewhere."""
State = Literal["holds", "fails", "unknown", "skipped"]
"""How a question was answered: yes, no, it could not be asked, there was nothing to ask."""
SIGNS: dict[State, str] = {"holds": "✓", "fails": "✗", "unknown": "?", "skipped": "○"}
Tone = Literal["", "lead", "small", "alarm"]
"""lead: under a heading. small: how to read something. alarm: what must not be overlooked."""


class Prose(NamedTuple):
    """A paragraph."""

    text: str
    importance: Importance = "normal"
    tone: Tone = ""


class Heading(NamedTuple):
    """A heading inside a section, one level below the section's own."""

    text: str
    importance: Importance = "normal"


class Bar(NamedTuple):
    """A cell that is a bar from 0 to `full`, with a tick at `target`; drawn in the terminal only."""

    value: float
    full: float
    target: float | None = None


class Interval(NamedTuple):
    """A cell that is a line from low to high with a dot at value, on a scale from 0 to `full`; terminal only."""

    value: float
    low: float
    high: float
    full: float
    mark: float | None = None


class Sign(NamedTuple):
    """A cell or mark that says how a question was answered, and words after it."""

    state: State
    text: str = ""


class Step(NamedTuple):
    """One question of a small ladder picture."""

    number: int
    state: State


class Climb(NamedTuple):
    """A small picture of how far a claim climbs; also a cell."""

    attribute: str
    highest: int
    steps: tuple[Step, ...]
    words: str
    """The same in words."""


class Strength(NamedTuple):
    """How strong a claim is, 0 to 1, and how much of it is left among images alike; a bar on the page, words elsewhere."""

    value: float
    left: float | None
    """Share of it that is left, 0 to 1; None = not known."""
    words: str


Cell: TypeAlias = Strength | str | Bar | Interval | Sign | Climb


class Column(NamedTuple):
    """One column of a table."""

    title: str
    right: bool = False
    wrap: int = 0
    """Least width to which a terminal may wrap it; 0 = never wrapped."""
    drop: int = 0
    """A terminal without room drops the columns with the largest number first; 0 = never dropped."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of finished cells. The first column names the row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    importance: Importance = "normal"
    faint: frozenset[int] = frozenset()
    """Rows to grey: too few images to say anything."""
    total: bool = False
    """Set the last row apart."""
    note: str = ""
    """How to read it."""


class Charts(NamedTuple):
    """Charts next to each other, as many as fit; shown by the page and saved as files."""

    make: Callable[[], Iterable[Chart | None]]
    """Draws when it is asked; None = a chart that has nothing to show."""
    importance: Importance = "normal"


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


class MapPanel(NamedTuple):
    """The map in one colouring: the chart that files show, its points as a picture for the page, and a legend."""

    chart: Chart
    picture: Picture
    legend: tuple[tuple[str, str], ...]
    """(colour, group)."""


class Maps(NamedTuple):
    """Maps next to each other."""

    make: Callable[[], Sequence[MapPanel]]
    importance: Importance = "normal"


class Gallery(NamedTuple):
    """Small pictures with captions."""

    title: str
    pictures: tuple[Picture, ...]
    note: str = ""
    importance: Importance = "normal"


class Bullets(NamedTuple):
    """A list of sentences."""

    items: tuple[str, ...]
    importance: Importance = "normal"


class Facts(NamedTuple):
    """Names and values."""

    pairs: tuple[tuple[str, str], ...]
    importance: Importance = "normal"


@dataclass(frozen=True, slots=True)
class Statement:
    """A finding: one sentence, the figures behind it, what to do, and the list that names the files."""

    severity: str
    text: str
    figures: str = ""
    do: str = ""
    files: str = ""
    shown: str = ""
    """Key of the section that shows it."""


class Statements(NamedTuple):
    """Findings in order."""

    items: tuple[Statement, ...]
    importance: Importance = "normal"
    cut: str = ""
    """What a rendering that leaves them out says instead: 3 more things."""


class Card(NamedTuple):
    """A box of its own, e.g. one cluster."""

    key: str
    title: str
    subtitle: str
    colour: str
    dimmed: bool
    blocks: tuple[Block, ...]


class Cards(NamedTuple):
    """Boxes one below the other."""

    make: Callable[[], Sequence[Card]]
    importance: Importance = "detail"


class Definition(NamedTuple):
    """A term: what it says in words, its formula, and where it comes from."""

    term: str
    words: str
    formula: str = ""
    source: str = ""


class Definitions(NamedTuple):
    """Terms and what they mean."""

    items: tuple[Definition, ...]
    importance: Importance = "detail"


class Code(NamedTuple):
    """A command or a text to copy."""

    text: str
    importance: Importance = "normal"


class Links(NamedTuple):
    """Files next to the page, to be saved; the page alone shows them."""

    pairs: tuple[tuple[str, str], ...]
    """(name, path from the run directory)."""
    importance: Importance = "detail"


Block: TypeAlias = (
    Prose
    | Heading
    | Table
    | Charts
    | Maps
    | Gallery
    | Bullets
    | Facts
    | Statements
    | Cards
    | Definitions
    | Code
    | Links
)


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report."""

    key: str
    """Its anchor, and its word for --section."""
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report, of one run or of two."""

    title: str
    heading: str
    facts: tuple[str, ...]
    """Short facts under the heading."""
    alarm: str
    """Says that the report is about unfinished work; "" when it is whole."""
    sections: tuple[Section, ...]
    footer: str
    topics: tuple[str, ...] = ()
    """Words for --section of which there is something to say."""
    linked: bool = True
    """Whether the files of the run lie next to the page, so that it can link to them."""
    day: str = ""
    """The day on which the run was finished, in UTC; "" = not known. On a page, which is read later."""


_RANK: dict[Importance, int] = {"summary": 0, "normal": 1, "detail": 2}


def is_shown(block: Block, least: Importance) -> bool:
    """Whether a rendering that shows everything of at least this importance shows the block."""
    return _RANK[block.importance] <= _RANK[least]


def state_of(holds: bool | None, *, skipped: bool = False) -> State:
    """Return how a question was answered."""
    if skipped:
        return "skipped"
    return "unknown" if holds is None else "holds" if holds else "fails"


def without_drawings(table: Table) -> tuple[tuple[Column, ...], tuple[tuple[Cell, ...], ...]]:
    """Return the columns and rows without bars and intervals, which say nothing beyond the numbers next to them."""
    drawn = {
        at for row in table.rows for at, x in enumerate(row) if isinstance(x, (Bar, Interval))
    }
    kept = [at for at in range(len(table.columns)) if at not in drawn]
    rows = tuple(tuple(row[at] for at in kept) for row in table.rows)
    return tuple(table.columns[at] for at in kept), rows


def plain_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    right: Sequence[int] = (),
    importance: Importance = "normal",
) -> Table:
    """Return a table whose first column may be wrapped and whose others may be too, but for those set flush right."""
    heads = [
        Column(name, at in right, 0 if at in right else 12) for at, name in enumerate(columns)
    ]
    return Table(title, tuple(heads), tuple(map(tuple, rows)), importance)
