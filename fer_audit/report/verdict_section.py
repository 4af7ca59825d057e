"""The top of the report: what was audited, whether all of it, and the findings as plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from fer_audit.audit.types.result import AuditResult, Finding, PlantedCheck
from fer_audit.report.tables import Column, Flow, Grid, Heading, Item, plain, prose
from fer_audit.text import counted

SEVERITY_MARKS = {
    "warning": Text.assemble(("■ ", "bold red"), ("warning", "bold")),
    "notice": Text.assemble(("● ", "bold yellow"), ("notice", "bold")),
    "info": Text.assemble(("○ ", "bold cyan"), "info"),
}
_MARK_WIDTH = max(mark.cell_len for mark in SEVERITY_MARKS.values())
VERDICT_LENGTH = 6


def banner(result: AuditResult) -> list[RenderableType]:
    """Return the warning that a part of the work is missing, or nothing."""
    if result.complete:
        return []
    text = Text.assemble(
        ("■ INCOMPLETE", "bold"),
        ": a part of this audit is missing. Do not quote its numbers; mend what the notes name and run the same command again.",
    )
    return [Panel(text, box=box.HEAVY, border_style="bold red", padding=(0, 1))]


def header(result: AuditResult) -> list[RenderableType]:
    """Return the set, the model and the counts in one or two lines."""
    dataset, model = result.dataset, result.model
    facts = [
        Text(f"{counted(dataset.listed, 'image')} listed"),
        Text(f"{dataset.ok:,} ok"),
        Text(f"{dataset.failed:,} failed"),
        Text(f"{dataset.fully_labelled:,} with all labels"),
    ]
    engine = [Text("no model: nothing was embedded")]
    if model is not None:
        engine = [plain(model.name), plain(model.precision), plain(f"ran on {model.provider}")]
    return [
        Text.assemble(("fer-audit", "bold cyan"), "  ", plain(dataset.name, "bold")),
        Flow(facts),
        Flow(engine),
    ]


def verdict(findings: Sequence[Finding]) -> list[RenderableType]:
    """Return the findings that matter most, at most six, each as its sentence."""
    top, rest = split_findings(findings)
    parts: list[RenderableType] = [Heading("Verdict"), *map(_sentence, top)]
    if not top:
        parts.append(prose("The audit has nothing to say."))
    if rest:
        parts.append(prose(f"... and {counted(len(rest), 'further finding')} below."))
    return parts


def further_findings(findings: Sequence[Finding]) -> list[RenderableType]:
    """Return the findings that the verdict had no room for."""
    _, rest = split_findings(findings)
    return [Heading("Further findings"), *map(_sentence, rest)] if rest else []


def planted(checks: Sequence[PlantedCheck]) -> list[RenderableType]:
    """Return what was drawn into the demo set beside what the audit found."""
    if not checks:
        return []
    columns = [
        Column(Text("planted in this demo set"), squeeze=16),
        Column(Text("expected"), squeeze=12),
        Column(Text("found"), squeeze=12),
        Column(Text("agrees")),
    ]
    rows = [
        [
            plain(check.claim),
            plain(check.expected),
            plain(check.found),
            Text("✓ yes", "green") if check.agrees else Text("✗ no", "bold red"),
        ]
        for check in checks
    ]
    return [
        Heading("Does the audit find what was planted?"),
        prose("This set is drawn, not photographed: what is wrong with it is known."),
        Text(""),
        Grid(columns, rows, cap=120),
    ]


def split_findings(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Return the verdict and the rest, both in the order of the audit: warnings and the first finding go before others."""
    by_weight = sorted(
        range(len(findings)),
        key=lambda index: (index > 0 and findings[index].severity != "warning", index),
    )
    top = set(by_weight[:VERDICT_LENGTH])
    return (
        [finding for index, finding in enumerate(findings) if index in top],
        [finding for index, finding in enumerate(findings) if index not in top],
    )


def _sentence(finding: Finding) -> RenderableType:
    return Item(SEVERITY_MARKS[finding.severity], plain(finding.text), _MARK_WIDTH)
