"""What to fix, what to know, what is fine, and what no audit can say."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import Finding, Severity
from fer_audit.report.blocks import Climb, Statements
from fer_audit.report.sections.found import CANNOT_SAY, N_FIXES, findings, fix_first
from fer_audit.report.sections.ladder import climb_of
from fer_audit.report.view import View
from tests.report.results import bare, ladder, utkface
from tests.report.sections.reading import blocks_of, sentences

ANSWERS = (True, False, True, None, True, None, True, False)
SKIPPED = 6
KINDS: tuple[Severity, ...] = ("fix", "know", "fine")
"""A rung of ANSWERS at which there is nothing to ask."""


def odd_ladder(attribute: str) -> Ladder:
    """Return a ladder with every kind of answer."""
    base = ladder(attribute, ANSWERS, "reading")
    return replace(
        base, rungs=tuple(replace(rung, skipped=rung.number == SKIPPED) for rung in base.rungs)
    )


def test_every_finding_is_in_one_section_with_its_severity_figures_and_what_to_do() -> None:
    found = tuple(
        Finding(
            f"c{n}",
            severity,
            f"sentence {n}.",
            figures=f"n = {n}",
            do=f"Do {n}.",
            files="lists/x.csv",
        )
        for n, severity in enumerate((*KINDS, *KINDS))
    )
    view = View(replace(utkface(), findings=found))

    shown = [*sentences(fix_first(view)), *sentences(findings(view))]

    for each in found:
        line = f"{each.severity}: {each.text} {each.figures} {each.do} {each.files}"
        assert shown.count(line) == 1
    assert set(CANNOT_SAY) <= set(shown)


def test_what_does_not_fit_among_the_first_fixes_is_counted_and_kept() -> None:
    many = tuple(Finding(f"c{n}", "fix", f"sentence {n}.") for n in range(N_FIXES + 3))

    first, rest = blocks_of(fix_first(View(replace(bare(), findings=many))), Statements)

    assert (len(first.items), first.importance) == (N_FIXES, "summary")
    assert (len(rest.items), rest.importance, rest.cut) == (3, "normal", "3 more things")


def test_each_step_of_a_small_ladder_is_the_answer_of_its_rung() -> None:
    climb = climb_of(odd_ladder("age_bin"))

    assert [(step.number, step.state) for step in climb.steps] == list(
        enumerate(
            ("holds", "fails", "holds", "unknown", "holds", "skipped", "holds", "fails"), start=1
        )
    )
    assert climb == Climb(
        "age group",
        1,
        climb.steps,
        "age group: reaches question 1 of 8; holds: seen, not chance, not image style, stable;"
        " does not hold: corrected, replicated",
    )
