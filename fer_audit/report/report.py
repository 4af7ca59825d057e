"""THE list of sections, and a run as a report: the same blocks for the terminal, the page, markdown and notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fer_audit.audit.types.result import AuditResult
from fer_audit.progress import Timing
from fer_audit.report.blocks import Block, Card, Cards, Charts, Maps, Report, Section
from fer_audit.report.charts.chart import Chart
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.sections.claims import claims
from fer_audit.report.sections.clusters import clusters, the_map
from fer_audit.report.sections.collection import collection, style, subset
from fer_audit.report.sections.found import findings, fix_first, how_sure, what_we_found
from fer_audit.report.sections.groups import intersections, overlap
from fer_audit.report.sections.labels import copies, files, split_leakage
from fer_audit.report.sections.ladder import ladders
from fer_audit.report.sections.method import gate, method, planted
from fer_audit.report.sections.models import models
from fer_audit.report.sections.remedies import erasure, mitigation, weighted
from fer_audit.report.sections.stability import replay, stability
from fer_audit.report.sections.who import composition
from fer_audit.report.view import View
from fer_audit.text import counted, duration, whole

SECTIONS: tuple[tuple[str, Callable[[View], Section | None]], ...] = (
    ("claims", what_we_found),
    ("labels", fix_first),
    ("who", composition),
    ("clusters", clusters),
    ("models", models),
    ("method", how_sure),
    ("claims", findings),
    ("method", gate),
    ("who", intersections),
    ("labels", copies),
    ("labels", split_leakage),
    ("labels", files),
    ("clusters", the_map),
    ("claims", claims),
    ("claims", ladders),
    ("claims", stability),
    ("collection", style),
    ("collection", collection),
    ("clusters", overlap),
    ("claims", replay),
    ("claims", erasure),
    ("claims", mitigation),
    ("sets", subset),
    ("who", weighted),
    ("method", planted),
    ("method", method),
)
"""(its word for --section, the section) in the order of a report. A section that has nothing to say gives None."""
TOPICS = tuple(dict.fromkeys(topic for topic, _ in SECTIONS))


ALARM = (
    "INCOMPLETE: a part of this audit is missing. Do not quote its numbers; mend what the notes name and run the"
    " same command again."
)


def make_report(view: View, topic: str | None = None) -> Report:
    """Return the whole report of a run, or its sections of one topic; the same view gives the same blocks.

    It rests on nothing but the view.
    """
    dataset, model = view.result.dataset, view.result.model
    facts = [
        f"{counted(dataset.ok, 'face')}"
        + (f" of {whole(dataset.listed)}" if dataset.failed else "")
    ]
    if model is None:
        facts.append("no model: nothing was embedded")
    else:
        facts += [
            f"{model.name} {model.precision}",
            f"on {model.provider.removesuffix('ExecutionProvider')}",
        ]
    if view.result.clustering is not None:
        facts.append(counted(view.result.clustering.k, "cluster"))
    if view.stages:
        facts.append(duration(sum(each.seconds for each in view.stages)))
    made = [(name, section(view)) for name, section in SECTIONS if topic in (None, name)]
    found = [(name, section) for name, section in made if section is not None]
    return Report(
        title=f"{dataset.name}: fer-audit report",
        heading=dataset.name,
        facts=tuple(facts),
        alarm="" if view.result.complete else ALARM,
        sections=tuple(section for _, section in found),
        topics=tuple(each for each in TOPICS if each in dict(found)),
        footer="Made by fer-audit from result.json. This page asks for nothing outside itself.",
        day=max((each.day for each in view.stages), default=""),
    )


def report_page(
    result: AuditResult, pictures: Pictures | None = None, timings: Iterable[Timing] = ()
) -> str:
    """Return report.html. It rests on nothing but its arguments: the same ones give the same bytes."""
    from fer_audit.report.render.html import render_page  # jinja2

    return render_page(make_report(View(result, pictures, tuple(timings))))


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
