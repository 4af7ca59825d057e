"""Blocks for a terminal, with rich: any width, no colour needed, ASCII where the terminal has no more.

Charts, maps and galleries are for the page; the tables next to them say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from fer_audit.report.blocks import (
    SIGNS,
    Bar,
    Block,
    Bullets,
    Cards,
    Cell,
    Climb,
    Code,
    Definitions,
    Facts,
    Heading,
    Importance,
    Interval,
    Prose,
    Report,
    Section,
    Sign,
    State,
    Statements,
    Table,
    is_shown,
)
from fer_audit.report.render.any_encoding import AnyEncoding
from fer_audit.report.render.terminal_layout import (
    Drawn,
    Flow,
    Grid,
    Item,
    Rule,
    plain,
    prose,
)

SEVERITIES = {
    "warning": Text.assemble(("■ ", "bold red"), ("warning", "bold")),
    "notice": Text.assemble(("● ", "bold yellow"), ("notice", "bold")),
    "info": Text.assemble(("○ ", "bold cyan"), "info"),
}
_MARK_WIDTH = max(mark.cell_len for mark in SEVERITIES.values())
_STYLES: dict[State, str] = {
    "holds": "green",
    "fails": "bold red",
    "unknown": "bold yellow",
    "skipped": "",
}


def terminal_report(report: Report, least: Importance = "normal") -> RenderableType:
    """Return the report as something rich can print: its blocks of at least this importance."""
    banner: list[RenderableType] = [_banner(report.alarm)] if report.alarm else []
    head: list[RenderableType] = [
        Text.assemble(("fer-audit", "bold cyan"), "  ", plain(report.heading, "bold")),
        Flow([plain(fact) for fact in report.facts]),
    ]
    sections: list[RenderableType] = [
        part for section in report.sections for part in _section(section, least)
    ]
    return AnyEncoding(Group(*banner, *head, *sections, *banner))


def _banner(alarm: str) -> RenderableType:
    word, _, rest = alarm.partition(":")
    text = Text.assemble((f"■ {word}", "bold"), f":{rest}") if rest else plain(f"■ {alarm}")
    return Panel(text, box=box.HEAVY, border_style="bold red", padding=(0, 1))


def _section(section: Section, least: Importance) -> list[RenderableType]:
    parts = [part for block in section.blocks if is_shown(block, least) for part in _parts(block)]
    return [Rule(section.title), *parts] if parts else []


def _parts(block: Block) -> Iterator[RenderableType]:
    """Draw one block; charts, maps and galleries are for the page."""
    match block:
        case Prose():
            yield prose(block.text, "bold red" if block.tone == "alarm" else "")
        case Heading():
            yield from (Text(""), prose(plain(block.text, "bold")))
        case Table():
            yield from _table(block)
        case Bullets():
            yield from (Item(Text("-"), plain(item)) for item in block.items)
        case Facts():
            width = max((plain(name).cell_len for name, _ in block.pairs), default=0)
            for name, value in block.pairs:
                yield Item(plain(name, "bold"), plain(value), min(width, 24))
        case Statements():
            for each in block.items:
                yield Item(SEVERITIES[each.severity], plain(each.text), _MARK_WIDTH)
        case Cards():
            for card in block.make():
                yield from _parts(Heading(card.title))
                yield prose(card.subtitle)
                for inner in card.blocks:
                    yield from _parts(inner)
        case Definitions():
            for term in block.items:
                words = " ".join(filter(None, (term.words, term.formula, term.source)))
                yield Item(plain(term.term, "bold"), plain(words), 16)
        case Code():
            yield prose(plain(block.text, "cyan"))


def _table(block: Table) -> Iterator[RenderableType]:
    yield Text("")
    if block.title:
        yield prose(plain(block.title, "bold"))
    rows = [
        [_cell(cell, faint=index in block.faint) for cell in row]
        for index, row in enumerate(block.rows)
    ]
    yield Grid(block.columns, rows, rule_before_last=block.total)
    if block.note:
        yield prose(block.note)


def _cell(cell: Cell, *, faint: bool) -> Text | Drawn:
    if isinstance(cell, (Bar, Interval)):
        return Drawn(cell)
    if isinstance(cell, Sign):
        sign = (SIGNS[cell.state], _STYLES[cell.state])
        return Text.assemble(sign, plain(f" {cell.text}" if cell.text else ""))
    if isinstance(cell, Climb):
        return _climb(cell)
    return plain(cell, "dim" if faint else "")


def _climb(climb: Climb) -> Text:
    """Return the questions in a row, tied together as far as the claim climbs."""
    strip = Text("")
    for index, step in enumerate(climb.steps):
        if index:
            strip.append("─" if step.number <= climb.highest else " ", "green")
        strip.append(f"{SIGNS[step.state]}{step.number}", _STYLES[step.state])
    return strip
