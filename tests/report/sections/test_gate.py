"""The gate: each rule is crossed, kept, or without a value."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD
from fer_audit.audit.types.result import GateRule
from fer_audit.report.sections.method import gate
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said


def test_each_rule_is_crossed_kept_or_without_value() -> None:
    section = gate(View(utkface()))

    assert "1 of 3 rules crossed: the run ends with exit code 1." in said(section)
    crossed, kept, none = rows(section, "Rules")
    assert crossed == {
        "not acceptable": "race.v_corrected>0.2",
        "verdict": "✗ crossed",
        "found": "0.2127",
        "because": "",
    }
    assert (kept["verdict"], kept["found"]) == ("✓ kept", "1")
    assert (none["verdict"], none["found"]) == ("? no value", "–")
    assert "has no value in this run" in none["because"]


def test_a_rule_that_was_judged_by_a_withheld_value_is_judged() -> None:
    reason = f"{BECAUSE_WITHHELD}fewer than 5 people"
    rule = GateRule("race.min_count<3", None, crossed=False, reason=reason)

    (row,) = rows(gate(View(replace(utkface(), gate=(rule,)))), "Rules")

    assert row == {
        "not acceptable": "race.min_count<3",
        "verdict": "✓ kept",
        "found": "[c]",
        "because": reason,
    }


def test_reasons_are_shown_only_where_a_value_is_missing() -> None:
    rule = GateRule("dataset.ok<5", 23_707.0, crossed=False, reason="dataset.ok is 23707")
    section = gate(View(replace(utkface(), gate=(rule,))))

    assert "0 of 1 rule crossed." in said(section)
    assert rows(section, "Rules") == [
        {"not acceptable": "dataset.ok<5", "verdict": "✓ kept", "found": "23,707"}
    ]
    assert gate(View(bare())) is None
