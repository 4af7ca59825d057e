"""Tables and lists that know how much room they have: wide, narrow, and, as the last resort, stacked.

No renderable here takes markup: cells are Text, and what a stranger named went through `words.visible` before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fer_audit.text import visible

GAP = 2
_LINES = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
"""A line below the column titles, and one above a row that is set apart."""
INDENT = 2
PROSE = 100
"""Longer lines than this are hard to read, however wide the terminal is."""


def plain(text: str, style: str = "") -> Text:
    """Return a Text of anything, made visible: nothing in it is parsed, nothing in it controls the terminal."""
    return Text(visible(text), style=style)


@dataclass(frozen=True, slots=True)
class Column:
    """How one column of a Grid looks."""

    title: Text
    right: bool = False
    squeeze: int = 0
    """Least width to which the column may be wrapped; 0 = never wrapped."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; where even its squeezed columns do not fit, one small list for each row."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]
    rule_before_last: bool = False
    """Set the last row apart, for totals."""
    cap: int = 160

    @property
    def widths(self) -> list[int]:
        """Width of each column when nothing is wrapped."""
        return [
            max(_widest(column.title), *(_widest(row[index]) for row in self.rows), 1)
            for index, column in enumerate(self.columns)
        ]

    def width(self, *, squeezed: bool = False) -> int:
        """Return the width of the whole table, its columns wrapped as far as they may be or not at all."""
        widths = self.widths
        if squeezed:
            least = [column.squeeze for column in self.columns]
            widths = [min(full, low or full) for full, low in zip(widths, least, strict=True)]
        return INDENT + sum(widths) + GAP * (len(widths) - 1)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as a table if it fits, else stacked."""
        room = min(options.max_width, self.cap)
        if self.width(squeezed=True) <= room:
            yield Padding(self._table(room), (0, 0, 0, INDENT), expand=False)
        else:
            yield from self._stacked()

    def _table(self, room: int) -> Table:
        table = Table(
            box=_LINES,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            header_style="bold",
            border_style="default",
        )
        for column, width in zip(self.columns, self._fitted(room), strict=True):
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                vertical="top",
                width=width,
                overflow="fold",
            )
        last = len(self.rows) - 1
        for index, row in enumerate(self.rows):
            table.add_row(*row, end_section=self.rule_before_last and index == last - 1)
        return table

    def _fitted(self, room: int) -> list[int]:
        """Return the widths, those that may be squeezed sharing what is missing."""
        widths = self.widths
        excess = self.width() - room
        while excess > 0:
            slack = [
                width - column.squeeze if column.squeeze else 0
                for width, column in zip(widths, self.columns, strict=True)
            ]
            widest = max(range(len(widths)), key=lambda index: slack[index])
            widths[widest] -= 1
            excess -= 1
        return widths

    def _stacked(self) -> RenderResult:
        yield Padding(_bold(self.columns[0].title), (0, 0, 0, INDENT))
        for row in self.rows:
            name, *cells = row
            yield Padding(name, (0, 0, 0, 2 * INDENT))
            for column, cell in zip(self.columns[1:], cells, strict=True):
                if cell.plain.strip():
                    title = _flat(column.title)
                    label = title + ": " if title.plain.strip() else Text("")
                    yield Padding(label + _flat(cell), (0, 0, 0, 3 * INDENT))


@dataclass(frozen=True, slots=True)
class FirstThatFits:
    """The same table in several shapes, the best first; the last one is drawn when none fits."""

    grids: Sequence[Grid]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the first shape that fits the width."""
        for grid in self.grids:
            if grid.width() <= min(options.max_width, grid.cap):
                yield grid
                return
        yield self.grids[-1]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of a section, a question where there is one, with a rule behind it."""

    title: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the title, and the rule as far as there is room."""
        title = plain(self.title, "bold")
        rest = min(options.max_width, 160) - title.cell_len - 4
        if rest > 0:
            title = Text("── ", "cyan") + title + Text(" " + "─" * rest, "cyan")
        yield Text("")
        yield title


@dataclass(frozen=True, slots=True)
class Item:
    """A marker and a body that hangs beside it; below it where there is little room."""

    marker: Text
    body: RenderableType
    marker_width: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the body beside the marker from 40 characters on."""
        width = max(self.marker_width, self.marker.cell_len)
        if options.max_width < 40 or options.max_width < 3 * width:
            yield Padding(self.marker, (0, 0, 0, INDENT))
            yield Padding(self.body, (0, 0, 0, 2 * INDENT))
            return
        row = Table.grid(padding=(0, GAP, 0, 0))
        row.add_column(width=width)
        row.add_column(overflow="fold")
        row.add_row(self.marker, self.body)
        yield Padding(Constrain(row, PROSE), (0, 0, 0, INDENT), expand=False)


@dataclass(frozen=True, slots=True)
class Flow:
    """Short pieces one after another, broken only between pieces."""

    pieces: Sequence[Text]
    joint: str = " · "
    indent: int = INDENT
    cap: int = field(default=PROSE)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Fill line after line with whole pieces."""
        room = max(1, min(options.max_width, self.cap) - self.indent)
        lines: list[Text] = []
        for piece in self.pieces:
            longer = lines[-1] + Text(self.joint) + piece if lines else piece
            if lines and longer.cell_len <= room:
                lines[-1] = longer
            else:
                lines.append(piece)
        yield Padding(Group(*lines), (0, 0, 0, self.indent), expand=False)


def prose(text: Text | str, style: str = "") -> RenderableType:
    """Return a paragraph, indented, in lines of at most 100 characters."""
    body = plain(text, style) if isinstance(text, str) else text
    return Padding(Constrain(body, PROSE), (0, 0, 0, INDENT), expand=False)


def _bold(title: Text) -> Text:
    bold = _flat(title)
    bold.stylize("bold")
    return bold


def _flat(cell: Text) -> Text:
    """Return a cell of several lines on one."""
    return Text(" ").join(cell.split("\n"))


def _widest(cell: Text) -> int:
    return max((line.cell_len for line in cell.split("\n", allow_blank=True)), default=0)
