"""A report with every kind of block, every text in it from one naming function, and whole reports of made-up results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from matplotlib.figure import Figure

from fer_audit.audit.types.result import AuditResult
from fer_audit.report import blocks as b
from fer_audit.report.charts.chart import Chart, ChartTable
from fer_audit.report.report import make_report
from fer_audit.report.view import View
from tests.report.drawn_pictures import webp
from tests.report.results import bare, degenerate, hostile, paper, timings, utkface

Naming = Callable[[str], str]
MAKERS = (utkface, paper, degenerate, bare, hostile)
STATES: tuple[b.State, ...] = ("holds", "fails", "unknown", "skipped")


@cache
def report_of(make: Callable[[], AuditResult]) -> b.Report:
    """Return the whole report of a made-up result."""
    return make_report(View(make(), None, timings()))


def section_of(*blocks: b.Block) -> b.Report:
    """Return a report of one section that holds these blocks."""
    return b.Report(
        "title", "heading", (), "", (b.Section("one", "one section", blocks),), "footer"
    )


def plainly(role: str) -> str:
    """Name each text by its role."""
    return role


def specimen(name: Naming = plainly, *, alarm: str = "") -> b.Report:
    """Return a report of two sections that hold every kind of block and cell; `name` gets the role of each text."""
    return b.Report(
        title=name("the title"),
        heading=name("the heading"),
        facts=(name("first fact"), name("second fact")),
        alarm=alarm,
        sections=(
            b.Section("words", name("section of words"), _words(name)),
            b.Section("figures", name("section of figures"), _figures(name)),
        ),
        footer=name("the footer"),
    )


def climb(name: Naming = plainly) -> b.Climb:
    """Return a small ladder with a step of every state."""
    steps = tuple(b.Step(number, state) for number, state in enumerate(STATES, start=1))
    return b.Climb(name("climbing attribute"), 1, steps, name("climb in words"))


def _words(name: Naming) -> tuple[b.Block, ...]:
    severities = ("fix", "know", "fine")
    return (
        b.Prose(name("summary prose"), "summary", "lead"),
        b.Prose(name("alarming prose"), tone="alarm"),
        b.Prose(name("small detail prose"), "detail", "small"),
        b.Heading(name("a heading")),
        b.Bullets((name("first bullet"), name("second bullet"))),
        b.Facts(((name("fact name"), name("fact value")),)),
        b.Statements(
            tuple(
                b.Statement(
                    each,
                    name(f"{each} statement"),
                    name(f"{each} figures"),
                    name(f"{each} to do"),
                    name(f"{each} files"),
                )
                for each in severities
            )
        ),
        b.Definitions(
            (
                b.Definition(
                    name("defined term"),
                    name("its words"),
                    name("its formula"),
                    name("its source"),
                ),
            )
        ),
        b.Code(name("code to copy")),
    )


def _figures(name: Naming) -> tuple[b.Block, ...]:
    return (
        table(name),
        b.Table(
            name("folded table"),
            (b.Column(name("folded column")),),
            ((name("folded cell"),),),
            "detail",
        ),
        b.Charts(lambda: [_chart(name), None]),
        b.Maps(lambda: [_panel(name)]),
        b.Gallery(name("gallery title"), (_picture(name, "gallery"),), name("gallery note")),
        b.Cards(
            lambda: [
                b.Card(
                    "card-0",
                    name("card title"),
                    name("card subtitle"),
                    "#4477aa",
                    True,
                    (b.Prose(name("prose in a card")), b.Heading(name("heading in a card"))),
                )
            ]
        ),
    )


def table(name: Naming = plainly) -> b.Table:
    """Return a table with a cell of every kind."""
    return b.Table(
        name("table title"),
        (
            b.Column(name("first column")),
            b.Column(name("number column"), right=True),
            b.Column(name("bar column"), drop=3),
            b.Column(name("interval column"), drop=2),
            b.Column(name("sign column")),
            b.Column(name("climb column"), drop=1),
        ),
        tuple(
            (
                name(f"row {state}"),
                "1,234",
                b.Bar(0.5, 1.0, 0.25),
                b.Interval(0.5, 0.25, 0.75, 1.0, 0.1),
                b.Sign(state, name(f"{state} sign")),
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


def _panel(name: Naming) -> b.MapPanel:
    sheet = ChartTable((name("panel column"),), ((name("panel cell"),),))
    chart = replace(_chart(name), key="map-0", title=name("panel title"), sheet=sheet)
    return b.MapPanel(chart, _picture(name, "map"), (("#4477aa", name("legend group")),))


def _picture(name: Naming, role: str) -> b.Picture:
    return b.Picture(
        "image/webp", webp(), name(f"{role} alternative"), name(f"{role} caption"), 12, 8
    )
