"""The --fail-on rules of this run: what each found, and whether it was crossed."""

from __future__ import annotations

from fer_audit.audit.types.result import GateRule
from fer_audit.report.blocks import Prose, Section, Sign
from fer_audit.report.sections.values import Shown, left, right, table_of
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
    columns: list[Shown[GateRule]] = [
        left("not acceptable", lambda x: clipped(x.rule, 60), wrap=16),
        left("verdict", _verdict, wrap=9),
        right("found", _found),
    ]
    if any(rule.value is None for rule in rules):
        columns.append(left("because", lambda x: x.reason if x.value is None else "", wrap=16))
    table = table_of("Rules", rules, *columns)
    return Section("gate", "Does it pass the gate?", (Prose(said), table))


def _verdict(rule: GateRule) -> Sign:
    if rule.value is None and not rule.withheld:
        return Sign("unknown", "no value")
    # A rule that a withheld value was compared with was judged all the same.
    return Sign("fails", "crossed") if rule.crossed else Sign("holds", "kept")


def _found(rule: GateRule) -> str:
    missing = WITHHELD if rule.withheld else NO_VALUE
    return missing if rule.value is None else six_figures(rule.value)
