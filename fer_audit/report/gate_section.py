"""The --fail-on rules of this run: what each looked at, and whether it was crossed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.result import GateRule
from fer_audit.report.tables import Column, Grid, Heading, plain, prose
from fer_audit.text import WITHHELD, clipped, counted


def gate(rules: Sequence[GateRule]) -> list[RenderableType]:
    """Return every rule with its value, or nothing where no rule was given."""
    if not rules:
        return []
    crossed = sum(rule.crossed for rule in rules)
    said = f"{crossed:,} of {counted(len(rules), 'rule')} crossed"
    said += ": the run ends with exit code 1." if crossed else "."
    columns = [
        Column(Text("gate"), squeeze=7),
        Column(Text("not acceptable"), squeeze=16),
        Column(Text("found"), right=True),
        Column(Text("because"), squeeze=16),
    ]
    if all(rule.value is not None for rule in rules):
        columns.pop()
    return [
        Heading("Does it pass the gate?"),
        prose(said),
        Text(""),
        Grid(columns, [_row(rule)[: len(columns)] for rule in rules], cap=120),
    ]


def _row(rule: GateRule) -> list[Text]:
    if rule.value is None and not rule.withheld:
        mark = Text.assemble(("? ", "bold yellow"), "no value")
    elif rule.crossed:
        mark = Text.assemble(("✗ ", "bold red"), ("crossed", "bold"))
    else:
        mark = Text.assemble(("✓ ", "green"), "kept")
    missing = WITHHELD if rule.withheld else "–"
    found = Text(missing if rule.value is None else f"{rule.value:,.6g}")
    return [
        mark,
        plain(clipped(rule.rule, 60)),
        found,
        plain(rule.reason if rule.value is None else ""),
    ]
