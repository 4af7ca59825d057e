"""A report with every kind of block, every text in it from one naming function, and whole reports of made-up results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from matplotlib.figure import Figure

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import (
    Bar,
    Block,
    Bullets,
    Card,
    Cards,
    Charts,
    Climb,
    Code,
    Column,
    Definition,
    Definitions,
    Facts,
    Gallery,
    Heading,
    Interval,
    MapPanel,
    Maps,
    Picture,
    Prose,
    Report,
    Section,
    Sign,
    State,
    Statement,
    Statements,
    Step,
    Table,
)
from fer_audit.report.charts.chart import Chart, ChartTable
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from tests.report.drawn_pictures import webp
from tests.report.results import bare, degenerate, hostile, paper, timings, utkface

Naming = Callable[[str], str]
MAKERS = (utkface, paper, degenerate, bare, hostile)
STATES: tuple[State, ...] = ("holds", "fails", "unknown", "skipped")


@cache
def report_of(make: Callable[[], AuditResult]) -> Report:
    """Return the whole report of a made-up result."""
    return make_report(View(make(), None, timings()))


def section_of(*blocks: Block) -> Report:
    """Return a report of one section that holds these blocks."""
    return Report("title", "heading", (), "", (Section("one", "one section", blocks),), "footer")


def plainly(role: str) -> str:
    """Name each text by its role."""
    return role


def specimen(name: Naming = plainly, *, alarm: str = "") -> Report:
    """Return a report of two sections that hold every kind of block and cell; `name` gets the role of each text."""
    return Report(
        title=name("the title"),
        heading=name("the heading"),
        facts=(name("first fact"), name("second fact")),
        alarm=alarm,
        sections=(
            Section("words", name("section of words"), _words(name)),
            Section("figures", name("section of figures"), _figures(name)),
        ),
        footer=name("the footer"),
    )


def climb(name: Naming = plainly) -> Climb:
    """Return a small ladder with a step of every state."""
    steps = tuple(Step(number, state) for number, state in enumerate(STATES, start=1))
    return Climb(name("climbing attribute"), 1, steps, name("climb in words"))


def _words(name: Naming) -> tuple[Block, ...]:
    severities = ("fix", "know", "fine")
    return (
        Prose(name("summary prose"), "summary", "lead"),
        Prose(name("alarming prose"), tone="alarm"),
        Prose(name("small detail prose"), "detail", "small"),
        Heading(name("a heading")),
        Bullets((name("first bullet"), name("second bullet"))),
        Facts(((name("fact name"), name("fact value")),)),
        Statements(
            tuple(
                Statement(
                    each,
                    name(f"{each} statement"),
                    name(f"{each} figures"),
                    name(f"{each} to do"),
                    name(f"{each} files"),
                )
                for each in severities
            )
        ),
        Definitions(
            (
                Definition(
                    name("defined term"),
                    name("its words"),
                    name("its formula"),
                    name("its source"),
                ),
            )
        ),
        Code(name("code to copy")),
    )


def _figures(name: Naming) -> tuple[Block, ...]:
    return (
        table(name),
        Table(
            name("folded table"),
            (Column(name("folded column")),),
            ((name("folded cell"),),),
            "detail",
        ),
        Charts(lambda: [_chart(name), None]),
        Maps(lambda: [_panel(name)]),
        Gallery(name("gallery title"), (_picture(name, "gallery"),), name("gallery note")),
        Cards(
            lambda: [
                Card(
                    "card-0",
                    name("card title"),
                    name("card subtitle"),
                    "#4477aa",
                    True,
                    (Prose(name("prose in a card")), Heading(name("heading in a card"))),
                )
            ]
        ),
    )


def table(name: Naming = plainly) -> Table:
    """Return a table with a cell of every kind."""
    return Table(
        name("table title"),
        (
            Column(name("first column")),
            Column(name("number column"), right=True),
            Column(name("bar column"), drop=3),
            Column(name("interval column"), drop=2),
            Column(name("sign column")),
            Column(name("climb column"), drop=1),
        ),
        tuple(
            (
                name(f"row {state}"),
                "1,234",
                Bar(0.5, 1.0, 0.25),
                Interval(0.5, 0.25, 0.75, 1.0, 0.1),
                Sign(state, name(f"{state} sign")),
                climb(name),
            )
            for state in STATES
        ),
        faint=frozenset({1}),
        total=True,
        note=name("table note"),
    )


def _chart(name: Naming) -> Chart:
    def draw() -> Figure:
        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([0, 1])
        return figure

    return Chart(
        "chart-0",
        name("chart title"),
        name("chart in words, for a screen reader"),
        draw,
        ChartTable((name("sheet column"),), ((name("sheet cell"),),), frozenset({0})),
        name("chart note"),
    )


def _panel(name: Naming) -> MapPanel:
    sheet = ChartTable((name("panel column"),), ((name("panel cell"),),))
    chart = replace(_chart(name), key="map-0", title=name("panel title"), sheet=sheet)
    return MapPanel(chart, _picture(name, "map"), (("#4477aa", name("legend group")),))


def _picture(name: Naming, role: str) -> Picture:
    return Picture(
        "image/webp", webp(), name(f"{role} alternative"), name(f"{role} caption"), 12, 8
    )
