"""How all of it was computed: definitions, tests, settings, versions, timings, the command and the citation."""

from __future__ import annotations

from fer_audit import __version__
from fer_audit.config import setting_texts
from fer_audit.report.charts.chart import Sheet
from fer_audit.report.command import run_command_line
from fer_audit.report.gaps import gaps
from fer_audit.report.page.blocks import (
    Block,
    Code,
    Definitions,
    Facts,
    Heading,
    Prose,
    Section,
    Table,
)
from fer_audit.report.page.context import Context
from fer_audit.report.page.definitions import DEFINITIONS
from fer_audit.text import counted, p_text

CITATION = f"The fer-audit authors. fer-audit: audits of face datasets. Version {__version__}. Apache-2.0. CITATION.cff in its repository."


def method(context: Context) -> Section:
    """Return the section."""
    result = context.result
    blocks: list[Block] = [Heading("Definitions"), Definitions(DEFINITIONS)]
    blocks += _ledger(context)
    missing = gaps(result)
    if missing:
        rows = tuple((gap.where, ", ".join(gap.fields), gap.reason) for gap in missing)
        blocks += [
            Heading("What could not be computed"),
            Table(
                f"{counted(len(missing), 'value')} without an answer, and why",
                Sheet(("not computable", "values", "because"), rows),
            ),
        ]
    blocks += [Heading("Configuration"), Facts(_model(context))]
    if result.model is not None and result.model.caveat:
        blocks.append(Prose(result.model.caveat, "small"))
    blocks += [
        Table("Settings", Sheet(("setting", "value"), setting_texts(result.config))),
        Table("Versions", Sheet(("package", "version"), result.versions)),
    ]
    timings = [each for each in context.timings if each.stage != "report"]  # no page knows its own
    if timings:
        rows = tuple(
            (
                each.stage,
                f"{each.items:,}",
                f"{each.seconds:,.2f}" + (" (done before)" if each.reused else ""),
            )
            for each in timings
        )
        blocks.append(
            Table(
                "Timings of the run that made this page",
                Sheet(("stage", "items", "seconds"), rows),
            )
        )
    command, incomplete = run_command_line(result)
    blocks += [Heading("How to reproduce"), Code(command)]
    if incomplete:
        blocks.append(
            Prose(
                "Some settings name columns or files of the set: see the table of settings.",
                "small",
            )
        )
    blocks.append(
        Prose(
            f"The same files (fingerprint {result.dataset.fingerprint[:16]}…), versions and machine give the same"
            " result.json, byte for byte.",
            "small",
        )
    )
    blocks += [Heading("Citation"), Prose(CITATION)]
    return Section("method", "Method", tuple(blocks))


def _ledger(context: Context) -> list[Block]:
    ledger = context.result.ledger
    if not ledger:
        return []
    rows = tuple(
        (
            each.family,
            each.subject,
            each.method,
            p_text(each.p),
            "" if each.p_corrected is None else p_text(each.p_corrected),
            each.correction,
        )
        for each in ledger
    )
    columns = ("family", "test of", "method", "p", "corrected", "by")
    return [
        Heading("Every test that was run"),
        Table(f"The ledger: {counted(len(ledger), 'test')}", Sheet(columns, rows)),
    ]


def _model(context: Context) -> tuple[tuple[str, str], ...]:
    result = context.result
    pairs: list[tuple[str, str]] = [("set", result.dataset.name)]
    if result.model is not None:
        model = result.model
        pairs += [
            ("model", model.name),
            ("numbers an image", f"{model.dim:,}"),
            ("precision", model.precision),
            ("ran on", model.provider),
            ("model sha256", f"{model.sha256[:16]}…"),
        ]
    if context.pictures is not None and context.pictures.map is not None:
        settings = ", ".join(f"{name} {value}" for name, value in context.pictures.map.settings)
        pairs.append(("map", f"{context.pictures.map.method} {settings}".strip()))
    return (*pairs, ("fer-audit", dict(result.versions).get("fer-audit", __version__)))
