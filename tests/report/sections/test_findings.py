"""The findings: which come first, the ladders they rest on, and what no audit can say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.report.blocks import Climb, Statement, Statements
from fer_audit.report.sections.findings import CANNOT_SAY, climb_of, findings
from fer_audit.report.view import View
from tests.report.results import bare, ladder, utkface
from tests.report.sections.reading import said, sentences

ANSWERS = (True, False, True, None, True, None, True, False)
SKIPPED = 6
"""A rung of ANSWERS at which there is nothing to ask."""


def odd_ladder(attribute: str) -> Ladder:
    """Return a ladder with every kind of answer."""
    base = ladder(attribute, ANSWERS, "reading")
    return replace(
        base, rungs=tuple(replace(rung, skipped=rung.number == SKIPPED) for rung in base.rungs)
    )


def statements(result: AuditResult) -> list[tuple[Statement, ...]]:
    blocks = findings(View(result)).blocks
    return [block.items for block in blocks if isinstance(block, Statements)]


def climbs(finding: Finding) -> list[str]:
    ((statement,),) = statements(replace(utkface(), findings=(finding,)))
    return [climb.attribute for climb in statement.climbs]


def test_every_warning_comes_before_what_is_less_grave() -> None:
    quiet = tuple(Finding(f"c{index}", "info", f"sentence {index}.") for index in range(9))
    loud = Finding("loud", "warning", "a loud one.")
    result = replace(bare(), findings=(*quiet, loud))

    top, rest = statements(result)

    assert [item.text for item in top] == [
        *(f"sentence {index}." for index in range(5)),
        "a loud one.",
    ]
    assert [item.text for item in rest] == [f"sentence {index}." for index in (5, 6, 7, 8)]
    assert "4 further findings" in sentences(findings(View(result)))


def test_every_finding_is_shown_with_its_severity_and_what_no_audit_can_say() -> None:
    result = utkface()

    shown = sentences(findings(View(result)))

    for finding in result.findings:
        assert f"{finding.severity}: {finding.text}" in shown
    assert set(CANNOT_SAY) <= set(shown)
    assert f"Who made the labels: {result.dataset.label_source}" in shown


def test_an_audit_without_findings_says_so() -> None:
    text = said(findings(View(bare())))

    assert "The audit has no findings." in text
    assert "small ladder" not in text
    assert "Who made the labels" not in text


@pytest.mark.parametrize(
    ("code", "attribute", "expected"),
    [
        ("clusters_follow", None, ["race", "gender", "age"]),
        ("claim", "gender", ["gender"]),
        ("claim", "unknown", []),
        ("thin_intersections", None, []),
        ("under_represented", "race", []),
    ],
)
def test_a_finding_about_claims_shows_their_ladders(
    code: str, attribute: str | None, expected: list[str]
) -> None:
    assert climbs(Finding(code, "notice", "text.", attribute)) == expected


def test_each_step_of_a_small_ladder_is_the_answer_of_its_rung() -> None:
    climb = climb_of(odd_ladder("age_bin"))

    assert [(step.number, step.state) for step in climb.steps] == list(
        enumerate(
            ("holds", "fails", "holds", "unknown", "holds", "skipped", "holds", "fails"), start=1
        )
    )
    assert climb == Climb(
        "age bin",
        1,
        climb.steps,
        "age bin: reaches question 1 of 8; holds: seen, not chance, not image style, stable;"
        " does not hold: corrected, replicated",
    )
