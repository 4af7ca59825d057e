"""Tables and lists that know how much room they have: wide, narrow, and, as the last resort, stacked.

No renderable here takes markup: cells are Text, and what a stranger named went through `text.visible` before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fer_audit.report.blocks import Bar, Column, Interval
from fer_audit.report.render.terminal_lines import INDENT, bar, interval
from fer_audit.text import visible

GAP = 2
_SPACE = re.compile(r"(?<![<>]) (?!%)")
"""Where a cell may be broken: 47.0 % and < .001 stay whole."""
_LINES = box.Box("    \n    \n ── \n    \n ── \n ── \n    \n    \n")
"""A line below the column titles, and one above a row that is set apart."""
LONG_WORD = 12
"""Letters of a word that is not cut where a column is wrapped: expression, collection."""
PROSE = 100
"""Longer lines than this are hard to read, however wide the terminal is."""
WIDEST = 160
MIN_DRAWING, MAX_DRAWING = 10, 32
"""Characters of a bar or an interval."""


def plain(text: str, style: str = "") -> Text:
    """Return a Text of anything, made visible: nothing in it is parsed, nothing in it controls the terminal."""
    return Text(visible(text), style=style)


Drawn: TypeAlias = Bar | Interval
"""A cell that is drawn as wide as there is room for."""


def _at(shape: Text | Drawn, width: int) -> Text:
    """Return a cell in so many characters."""
    if isinstance(shape, Bar):
        return bar(shape.value, full=shape.full, cells=width, target=shape.target)
    if isinstance(shape, Interval):
        ends = (shape.value, shape.low, shape.high)
        return interval(*ends, full=shape.full, cells=width, mark=shape.mark)
    return _filled(shape, width)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. Where it does not fit, columns are wrapped, then dropped by their priority; then rows become small lists."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text | Drawn]]
    rule_before_last: bool = False
    """Set the last row apart, for totals."""
    bare: bool = False
    """Without a line below the column titles."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it as a table if it fits, else stacked."""
        room = min(options.max_width, WIDEST)
        kept, dropped = self._fitting(room)
        if kept._least() > room:
            yield from self._stacked()  # lists have room for every column
            return
        yield Padding(kept._table(room), (0, 0, 0, INDENT), expand=False)
        if dropped:
            names = Text(", ").join(plain(column.title) for column in dropped)
            yield prose(Text.assemble("not shown at this width: ", names), "dim")

    def _fitting(self, room: int) -> tuple[Grid, list[Column]]:
        """Return the grid without the columns that find no room, and those columns but for drawings."""
        grid, dropped = self, []
        while grid._least() > room and any(column.drop for column in grid.columns):
            last = max(column.drop for column in grid.columns)
            kept = [at for at, column in enumerate(grid.columns) if column.drop != last]
            lost = [at for at in range(len(grid.columns)) if at not in kept]
            dropped += [grid.columns[at] for at in lost if not grid._is_drawn(at)]
            rows = [[row[at] for at in kept] for row in grid.rows]
            grid = replace(grid, columns=[grid.columns[at] for at in kept], rows=rows)
        return grid, dropped

    def _is_drawn(self, index: int) -> bool:
        return any(isinstance(row[index], (Bar, Interval)) for row in self.rows)

    def _widths(self) -> list[int]:
        """Return the width of each column when nothing is wrapped and every drawing is as small as it may be."""
        return [
            max(_widest(plain(column.title)), *(_cell_width(row[index]) for row in self.rows), 1)
            for index, column in enumerate(self.columns)
        ]

    def _least(self) -> int:
        """Return the least width of the whole table, its columns wrapped as far as they may be."""
        return _together([self._narrowest(at, full) for at, full in enumerate(self._widths())])

    def _narrowest(self, index: int, full: int) -> int:
        """Return how far a column may be wrapped: not so far that a word of at most `LONG_WORD` letters is cut."""
        if not (wrap := self.columns[index].wrap):
            return full
        cells = [cell.plain for row in self.rows if isinstance(cell := row[index], Text)]
        words = " ".join((*cells, plain(self.columns[index].title).plain)).split()
        return min(full, max(wrap, min(LONG_WORD, max(map(cell_len, words), default=1))))

    def _table(self, room: int) -> Table:
        table = Table(
            box=None if self.bare else _LINES,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            header_style="bold",
            border_style="default",
        )
        widths = self._fitted(room)
        for column, width in zip(self.columns, widths, strict=True):
            table.add_column(
                _filled(plain(column.title), width),
                justify="right" if column.right else "left",
                vertical="top",
                width=width,
                overflow="fold",
            )
        last = len(self.rows) - 1
        for index, row in enumerate(self.rows):
            cells = [_at(cell, width) for cell, width in zip(row, widths, strict=True)]
            table.add_row(*cells, end_section=self.rule_before_last and index == last - 1)
        return table

    def _fitted(self, room: int) -> list[int]:
        """Return the widths: those that may be wrapped share what is missing, drawings share what is left over."""
        natural = self._widths()
        widths = list(natural)
        slack = [full - self._narrowest(at, full) for at, full in enumerate(natural)]
        for _ in range(_together(widths) - room):
            widest = max(range(len(widths)), key=lambda at: slack[at] - natural[at] + widths[at])
            widths[widest] -= 1
        for at, full in enumerate(natural):
            if widths[at] < full:
                widths[at] = self._tight(at, widths[at])
        drawn = [at for at in range(len(widths)) if self._is_drawn(at)]
        spare = max(0, room - _together(widths)) // max(1, len(drawn))
        for at in drawn:
            widths[at] = min(MAX_DRAWING, widths[at] + spare)
        return widths

    def _tight(self, index: int, width: int) -> int:
        """Return the least width in which no cell of a wrapped column takes more lines."""
        cells = [cell for row in self.rows if isinstance(cell := row[index], Text)]
        cells.append(plain(self.columns[index].title))

        def lines(at: int) -> list[int]:
            return [_filled(cell, at).plain.count("\n") for cell in cells]

        least = self._narrowest(index, width)
        while width > least and lines(width - 1) == lines(width):
            width -= 1
        return width

    def _stacked(self) -> RenderResult:
        yield Padding(plain(self.columns[0].title, "bold"), (0, 0, 0, INDENT))
        for row in self.rows:
            name, *cells = [cell if isinstance(cell, Text) else Text("") for cell in row]
            yield Padding(name, (0, 0, 0, 2 * INDENT))
            for column, cell in zip(self.columns[1:], cells, strict=True):
                if cell.plain.strip():
                    title = plain(column.title)
                    label = title + ": " if title.plain.strip() else Text("")
                    flat = Text(" ").join(cell.split("\n"))
                    yield Padding(label + flat, (0, 0, 0, 3 * INDENT))


@dataclass(frozen=True, slots=True)
class Rule:
    """The title of a section, a question where there is one, with a rule behind it."""

    title: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the title, and the rule as far as there is room."""
        title = plain(self.title, "bold")
        rest = min(options.max_width, WIDEST) - title.cell_len - 4
        if rest > 0:
            title = Text("── ", "cyan") + title + Text(" " + "─" * rest, "cyan")
        yield Text("")
        yield title


@dataclass(frozen=True, slots=True)
class Item:
    """A marker and a body that hangs next to it; below it where there is little room."""

    marker: Text
    body: RenderableType
    marker_width: int = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the body next to the marker from 40 characters on."""
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

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Fill line after line with whole pieces."""
        room = max(1, min(options.max_width, PROSE) - INDENT)
        lines: list[Text] = []
        for piece in self.pieces:
            longer = lines[-1] + Text(" · ") + piece if lines else piece
            if lines and longer.cell_len <= room:
                lines[-1] = longer
            else:
                lines.append(piece)
        yield Padding(Group(*lines), (0, 0, 0, INDENT), expand=False)


def prose(text: Text | str, style: str = "") -> RenderableType:
    """Return a paragraph, indented, in lines of at most 100 characters."""
    body = plain(text, style) if isinstance(text, str) else text
    return Padding(Constrain(body, PROSE), (0, 0, 0, INDENT), expand=False)


def _filled(cell: Text, width: int) -> Text:
    """Return a cell broken into lines between words, but not between a number and its sign."""
    if _widest(cell) <= width:
        return cell
    words, cuts, start, last = cell.plain, [], 0, 0
    for end in (*(space.end() for space in _SPACE.finditer(words)), len(words)):
        if last > start and cell_len(words[start:end].rstrip()) > width:
            cuts.append(start := last)
        last = end
    lines = cell.divide(cuts)
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _widest(cell: Text) -> int:
    return max((line.cell_len for line in cell.split("\n", allow_blank=True)), default=0)


def _cell_width(cell: Text | Drawn) -> int:
    return _widest(cell) if isinstance(cell, Text) else MIN_DRAWING


def _together(widths: Sequence[int]) -> int:
    return INDENT + sum(widths) + GAP * (len(widths) - 1)
