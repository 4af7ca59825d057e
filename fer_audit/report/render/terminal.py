"""Blocks for a terminal, with rich: any width, no colour needed, ASCII where the terminal has no more.

Charts, maps and galleries are for the page; the tables next to them say the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from fer_audit.report import blocks as b
from fer_audit.report.render.terminal_layout import Drawn, Flow, Grid, Item, Rule, plain, prose
from fer_audit.report.render.terminal_lines import Lines, OneLine
from fer_audit.text import clipped

SEVERITIES = {
    "fix": Text.assemble(("■ ", "bold red"), ("fix", "bold")),
    "know": Text.assemble(("● ", "bold yellow"), ("know", "bold")),
    "fine": Text.assemble(("✓ ", "green"), "fine"),
}
_SHORT = 49
"""Lines of the sections of the short report; the head and what stands below take at most sixteen."""
_ALARM = 9
"""Lines of the alarm, above and below."""
_MARK_WIDTH = max(mark.cell_len for mark in SEVERITIES.values())
_STYLES: dict[b.State, str] = {
    "holds": "green",
    "fails": "bold red",
    "unknown": "bold yellow",
    "skipped": "",
}


def terminal_report(
    report: b.Report,
    least: b.Importance = "normal",
    page: str = "",
    more: tuple[str, str] | None = None,
) -> RenderableType:
    """Return the report as something rich can print: its blocks of at least this importance.

    "summary" gives the short report: at most 60 lines of 80 columns, whatever the set. `page` stands first and last, `more` says how to
    see the rest: a command, and its other options. A path or command is one line, so that it can be copied.
    """
    short = least == "summary"
    banner: list[RenderableType] = []
    if report.alarm:
        word, _, rest_of_it = report.alarm.partition(":")
        text = Text.assemble((f"■ {word}", "bold"), plain(f":{rest_of_it}" if rest_of_it else ""))
        banner = [Panel(text, box=box.HEAVY, border_style="bold red", padding=(0, 1))]
    head: list[RenderableType] = [
        plain(clipped(report.heading, 80) if short else report.heading, "bold cyan"),
        Flow([plain(fact) for fact in report.facts]),
    ]
    where: list[RenderableType] = [OneLine(f"Page: {page}")] if page else []
    sections: list[RenderableType] = [
        part for section in report.sections for part in _section(section, least)
    ]
    rest: list[RenderableType] = []
    if more is not None:
        command, options = more
        rest = [Text(""), OneLine(f"More: {command}"), Lines(prose(options, "dim"))]
    body = Lines(Group(*sections), (_SHORT - len(banner) * _ALARM) if short else 0)
    return Group(Lines(Group(*banner, *head)), *where, body, Lines(Group(*banner)), *rest, *where)


def _section(section: b.Section, least: b.Importance) -> list[RenderableType]:
    short = least == "summary"
    parts = [
        part
        for block in section.blocks
        if b.is_shown(block, least)
        for part in _parts(block, short=short)
    ]
    if short:
        while parts and isinstance(parts[0], Text) and not parts[0].plain:
            del parts[0]
        title: list[RenderableType] = [Text(""), plain(section.title.upper(), "bold")]
    else:
        title = [Rule(section.title)]
    return [*title, *parts] if parts else []


def _parts(block: b.Block, *, short: bool = False) -> Iterator[RenderableType]:
    """Draw one block; charts, maps and galleries are for the page. In short, a finding is its sentence and its list."""
    match block:
        case b.Prose():
            yield prose(
                block.text,
                "bold red" if block.tone == "alarm" else "dim" * (short and block.tone == "small"),
            )
        case b.Heading():
            yield from (Text(""), prose(plain(block.text, "bold")))
        case b.Table():
            yield from _table(block, bare=short)
        case b.Bullets():
            yield from (Item(Text("-"), plain(item)) for item in block.items)
        case b.Facts():
            width = max((plain(name).cell_len for name, _ in block.pairs), default=0)
            for name, value in block.pairs:
                yield Item(plain(name, "bold"), plain(value), min(width, 24))
        case b.Statements():
            for each in block.items:
                yield _statement(each, short=short)
        case b.Cards():
            for card in block.make():
                yield from _parts(b.Heading(card.title))
                yield prose(card.subtitle)
                for inner in card.blocks:
                    yield from _parts(inner)
        case b.Definitions():
            for term in block.items:
                words = " ".join(filter(None, (term.words, term.formula, term.source)))
                yield Item(plain(term.term, "bold"), plain(words), 16)
        case b.Code():
            yield prose(plain(block.text, "cyan"))


def _statement(each: b.Statement, *, short: bool) -> Item:
    """Return the sentence and its list; below it, but in the short report, its figures in grey and what to do."""
    text = plain(clipped(each.text, 200) if short else each.text)
    if each.files:
        text += plain(f" -> {each.files}", "cyan")
    if short:
        return Item(Text("!", "bold red"), text)
    for more, style in ((each.figures, "dim"), (each.do, "")):
        if more:
            text = text + Text("\n") + plain(more, style)
    return Item(SEVERITIES[each.severity], text, _MARK_WIDTH)


def _table(block: b.Table, *, bare: bool = False) -> Iterator[RenderableType]:
    yield Text("")
    if block.title and not bare:
        yield prose(plain(block.title, "bold"))
    rows = [
        [_cell(cell, faint=index in block.faint) for cell in row]
        for index, row in enumerate(block.rows)
    ]
    yield Grid(block.columns, rows, rule_before_last=block.total, bare=bare)
    if block.note:
        yield prose(block.note)


def _cell(cell: b.Cell, *, faint: bool) -> Text | Drawn:
    if isinstance(cell, (b.Bar, b.Interval)):
        return cell
    if isinstance(cell, b.Sign):
        sign = (b.SIGNS[cell.state], _STYLES[cell.state])
        return Text.assemble(sign, plain(f" {cell.text}" if cell.text else ""))
    if isinstance(cell, b.Climb):
        # The questions in a row, tied together as far as the claim climbs.
        strip = Text("")
        for index, step in enumerate(cell.steps):
            if index:
                strip.append("─" if step.number <= cell.highest else " ", "green")
            strip.append(f"{b.SIGNS[step.state]}{step.number}", _STYLES[step.state])
        return strip
    return plain(cell.words if isinstance(cell, b.Strength) else cell, "dim" if faint else "")
