"""The --fail-on rules of this run: what each found, and whether it was crossed."""

from __future__ import annotations

from fer_audit.audit.types.result import GateRule
from fer_audit.report.blocks import Cell, Column, Prose, Section, Sign, Table
from fer_audit.report.view import View
from fer_audit.text import NO_VALUE, WITHHELD, clipped, counted, six_figures, whole


def gate(view: View) -> Section | None:
    """Return every rule with its value; None where no rule was given."""
    rules = view.result.gate
    if not rules:
        return None
    crossed = sum(rule.crossed for rule in rules)
    said = f"{whole(crossed)} of {counted(len(rules), 'rule')} crossed"
    said += ": the run ends with exit code 1." if crossed else "."
    columns = [
        Column("not acceptable", wrap=16),
        Column("verdict", wrap=9),
        Column("found", right=True),
        Column("because", wrap=16),
    ]
    if all(rule.value is not None for rule in rules):
        columns.pop()
    rows = tuple(_row(rule)[: len(columns)] for rule in rules)
    return Section(
        "gate",
        "Does it pass the gate?",
        (Prose(said, "summary"), Table("Rules", tuple(columns), rows)),
    )


def _row(rule: GateRule) -> tuple[Cell, ...]:
    if rule.value is None and not rule.withheld:
        verdict = Sign("unknown", "no value")
    else:  # a rule that a withheld value was compared with was judged all the same
        verdict = Sign("fails", "crossed") if rule.crossed else Sign("holds", "kept")
    missing = WITHHELD if rule.withheld else NO_VALUE
    return (
        clipped(rule.rule, 60),
        verdict,
        missing if rule.value is None else six_figures(rule.value),
        rule.reason if rule.value is None else "",
    )
