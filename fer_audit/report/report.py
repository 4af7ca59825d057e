"""THE list of sections, and a run as a report: the same blocks for the terminal, the page, markdown and notebooks."""

from __future__ import annotations

from collections.abc import Callable

from fer_audit.report.blocks import Block, Card, Cards, Charts, Maps, Report, Section
from fer_audit.report.charts.chart import Chart
from fer_audit.report.sections.claims import claims
from fer_audit.report.sections.clusters import clusters
from fer_audit.report.sections.collection import collection
from fer_audit.report.sections.composition import composition
from fer_audit.report.sections.copies import copies
from fer_audit.report.sections.files import files
from fer_audit.report.sections.findings import findings
from fer_audit.report.sections.gate import gate
from fer_audit.report.sections.intersections import intersections
from fer_audit.report.sections.ladder import ladders
from fer_audit.report.sections.map import the_map
from fer_audit.report.sections.method import method
from fer_audit.report.sections.overlap import overlap
from fer_audit.report.sections.planted import planted
from fer_audit.report.sections.replay import replay
from fer_audit.report.sections.split_leakage import split_leakage
from fer_audit.report.sections.stability import stability
from fer_audit.report.sections.style import style
from fer_audit.report.sections.subset import subset
from fer_audit.report.view import View
from fer_audit.text import counted, whole

SECTIONS: tuple[Callable[[View], Section | None], ...] = (
    findings,
    gate,
    composition,
    intersections,
    copies,
    split_leakage,
    files,
    the_map,
    clusters,
    claims,
    ladders,
    stability,
    style,
    collection,
    overlap,
    replay,
    subset,
    planted,
    method,
)
"""In the order of a report. A section that has nothing to say gives None."""

ALARM = (
    "INCOMPLETE: a part of this audit is missing. Do not quote its numbers; mend what the notes name and run the"
    " same command again."
)


def make_report(view: View) -> Report:
    """Return the whole report of a run. It rests on nothing but the view: the same one gives the same blocks."""
    dataset, model = view.result.dataset, view.result.model
    facts = [
        f"{counted(dataset.listed, 'image')} listed",
        f"{whole(dataset.ok)} ok",
        f"{whole(dataset.failed)} failed",
        f"{whole(dataset.fully_labelled)} with all labels",
    ]
    if model is None:
        facts.append("no model: nothing was embedded")
    else:
        facts += [model.name, model.precision, f"ran on {model.provider}"]
    found = (section(view) for section in SECTIONS)
    return Report(
        title=f"{dataset.name}: fer-audit report",
        heading=dataset.name,
        facts=tuple(facts),
        alarm="" if view.result.complete else ALARM,
        sections=tuple(section for section in found if section is not None),
        footer="Made by fer-audit from result.json. This page asks for nothing outside itself.",
    )


def charts_of(report: Report) -> list[Chart]:
    """Return every chart of a report, in its order."""
    return [chart for section in report.sections for chart in _charts(section.blocks)]


def _charts(blocks: tuple[Block, ...]) -> list[Chart]:
    found: list[Chart] = []
    for block in blocks:
        if isinstance(block, Charts):
            found += [chart for chart in block.make() if chart is not None]
        elif isinstance(block, Maps):
            found += [panel.chart for panel in block.make()]
        elif isinstance(block, Cards):
            cards: list[Card] = list(block.make())
            found += [chart for card in cards for chart in _charts(card.blocks)]
    return found
