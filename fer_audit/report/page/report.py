"""The report of one run as a page, and its charts as files."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.result import AuditResult
from fer_audit.progress import Timing
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.palette import palette_of
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.page.blocks import Page
from fer_audit.report.page.claims import claim_charts, claims, sweep_charts
from fer_audit.report.page.clusters import (
    card_charts,
    clusters,
    map_charts,
    partition_charts,
    the_map,
)
from fer_audit.report.page.context import Context
from fer_audit.report.page.method import method
from fer_audit.report.page.people import people, people_charts
from fer_audit.report.page.render import render_page
from fer_audit.report.page.replay import replay, replay_charts
from fer_audit.report.page.verdict import verdict
from fer_audit.report.settings import level
from fer_audit.text import counted, whole

ALARM = "INCOMPLETE: a part of this audit is missing. Do not quote its numbers; mend what the notes name and run the same command again."


def report_page(
    result: AuditResult, pictures: Pictures | None = None, timings: Sequence[Timing] = ()
) -> str:
    """Return report.html. It rests on nothing but its arguments: the same ones give the same bytes."""
    context = _context(result, pictures, timings)
    dataset, model = result.dataset, result.model
    facts = [
        f"{counted(dataset.listed, 'image')} listed",
        f"{whole(dataset.ok)} ok",
        f"{whole(dataset.failed)} failed",
        f"{whole(dataset.fully_labelled)} with all labels",
    ]
    if model is not None:
        facts += [f"{model.name}, {model.precision}", f"ran on {model.provider}"]
    page = Page(
        title=f"{dataset.name}: fer-audit report",
        heading=dataset.name,
        facts=tuple(facts),
        alarm="" if result.complete else ALARM,
        sections=(
            verdict(context),
            people(context),
            the_map(context),
            clusters(context),
            claims(context),
            replay(context),
            method(context),
        ),
        footer="Made by fer-audit from result.json. This page asks for nothing outside itself.",
    )
    return render_page(page)


def report_charts(result: AuditResult, pictures: Pictures | None = None) -> list[Chart]:
    """Return every chart of the report, in the order of the page."""
    context = _context(result, pictures, ())
    k = 0 if result.clustering is None else result.clustering.k
    return [
        *people_charts(context),
        *map_charts(context),
        *partition_charts(context),
        *(chart for cluster in range(k) for chart in card_charts(context, cluster)),
        *claim_charts(context),
        *sweep_charts(context),
        *replay_charts(context),
    ]


def _context(result: AuditResult, pictures: Pictures | None, timings: Sequence[Timing]) -> Context:
    return Context(
        result=result,
        pictures=pictures,
        timings=tuple(timings),
        palette=palette_of(result),
        alpha=result.config.statistics.alpha,
        level=level(result),
    )
