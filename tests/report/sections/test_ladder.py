"""The ladders: where a claim stops and why, what is left of it among images alike; and the findings in their order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.audit.types.claims import Ladder
from fer_audit.audit.types.result import Finding, Severity
from fer_audit.report.blocks import SIGNS, Climb, Interval, Section, Statements
from fer_audit.report.not_computable import missing_values
from fer_audit.report.sections.found import CANNOT_SAY, N_FIXES, findings, fix_first
from fer_audit.report.sections.ladder import climb_of, ladders
from fer_audit.report.view import View
from tests.report.results import bare, ladder, paper, utkface
from tests.report.results_upper import asked, silent
from tests.report.sections.reading import blocks_of, rows, said, sentences, tables

CLIMBS = "How far each claim climbs"
LEFT = "left (95 % interval)"


def of_one(claim: Ladder) -> Section:
    section = ladders(View(paper().having(ladders=(claim,))))
    assert section is not None
    return section


def of_utkface() -> Section:
    section = ladders(View(utkface()))
    assert section is not None
    return section


def test_ladders_show_where_a_claim_stops_and_why() -> None:
    section = of_utkface()

    climbs = [row[1] for row in tables(section)[CLIMBS].rows]
    assert all(isinstance(climb, Climb) for climb in climbs)
    assert [row["holds up to"] for row in rows(section, CLIMBS)] == [
        "5 of 8: not image style",
        "8 of 8: replicated",
        "6 of 8: not the crawl",
    ]
    reading = "race, 6 not the crawl: 38.0 % of the association is kept (31.0-45.0), p < .001"
    assert reading in sentences(section)


def test_a_claim_that_fails_the_first_rung_is_over() -> None:
    section = ladders(View(paper()))

    assert [row["holds up to"] for row in rows(section, CLIMBS)] == ["0 of 8"]
    readings = [text for text in sentences(section) if text.startswith("race, ")]
    assert readings == ["race, 1 seen: V = .090 lies inside the null band (.089-.118)"]


def test_what_is_left_of_a_claim_stands_next_to_its_strata_and_its_interval() -> None:
    section = of_utkface()

    table = {row["images alike in"]: row for row in rows(section, "race: what is left")}

    assert table["✓ 4 gender × age"] == {
        "images alike in": "✓ 4 gender × age",
        "usable strata": "18 of 18",
        "images in them": "23,298 of 23,314",
        "free to vary": "97.3 %",
        LEFT: "84.1 % (79.4-89.3)",
        "of what can vary": ".86 (.82-.92)",
        "control": "–",
        "grade": "most",
    }
    assert list(table["✗ 6 crawl hour"].values())[1:] == [
        "97 of 213",
        "22,871 of 23,314",
        "31.8 %",
        "2.1 % (-2.6 to 7.3)",
        ".07 (-.53 to .67)",
        "18.6 %",
        "trace",
    ]
    assert "✓ grey × image size (asked for)" in table
    lost = "Lost most among images alike: 97.9 % in crawl hour, 15.9 % in gender × age and "
    assert lost in said(section)


def test_intervals_are_drawn_on_one_scale() -> None:
    table = tables(of_utkface())["race: what is left"]

    drawn = [cell for row in table.rows for cell in row if isinstance(cell, Interval)]

    assert {(each.full, each.mark) for each in drawn} == {(drawn[0].full, 1.0)}
    assert drawn[0].full == max(each.high for each in drawn)
    assert (drawn[0].low, drawn[0].high) == (0.841 - 0.047, 0.841 + 0.052)


def test_of_many_questions_only_those_that_leave_least_are_shown() -> None:
    section = of_utkface()

    shown = [row["images alike in"] for row in rows(section, "race: what is left")]

    assert "Not shown: 8 further questions of rung 5: they leave 95.3-101.3 %." in sentences(
        section
    )
    assert "✓ 5 sharpness" not in shown or "✓ 5 border red" not in shown
    assert sum(" 5 " in name for name in shown) == 3


def test_the_ledger_has_every_rung_and_every_question() -> None:
    claim = next(each for each in utkface().ladders if each.attribute == "race")

    table = tables(of_utkface())["race: every rung and every question"]

    assert table.importance == "detail"
    assert len(table.rows) == len(claim.rungs) + len(claim.conditionals)
    readings = [row["reading"] for row in rows(of_utkface(), table.title)]
    assert {each.reading for each in claim.conditionals} <= set(readings)


def test_strata_without_information_are_said() -> None:
    section = of_utkface()

    table = {row["images alike in"]: row for row in rows(section, "race: what is left")}

    silent_row = table["? 6 gender × age × crawl hour"]
    assert silent_row.pop("") == "", "no interval is drawn"
    told = ["0 of 17", "0 of 40", "–", "– no information", "–", "–", "cannot tell"]
    assert list(silent_row.values())[1:] == told
    assert "gender × age × crawl hour: not computable (no stratum holds two clusters" in said(
        section
    )


def test_a_skipped_rung_is_neither_a_failure_nor_missing() -> None:
    base = ladder("race", (True,) * 8, "reading")
    rungs = tuple(
        replace(rung, holds=None, skipped=True, reading="skipped: no batch")
        if rung.number == 6
        else rung
        for rung in base.rungs
    )
    skipped = replace(base, rungs=rungs, highest=8)

    section = of_one(skipped)

    assert [row["holds up to"] for row in rows(section, CLIMBS)] == ["8 of 8: replicated"]
    (climb,) = (row[1] for row in tables(section)[CLIMBS].rows)
    assert isinstance(climb, Climb)
    assert [step.state for step in climb.steps][5] == "skipped"
    assert "○ skipped: nothing to ask" in said(section)
    assert "skipped" not in said(of_utkface())
    assert missing_values(bare().having(ladders=(skipped,))) == ()


def test_a_claim_of_which_nothing_is_lost_says_so() -> None:
    base = asked(ladder("race", (True,) * 8, "reading"), ("gender",), 0.9)
    answered = tuple(each for each in base.conditionals if each.kept is not None)

    every = said(of_one(replace(base, conditionals=answered, lost=(("gender", -0.01),))))
    not_every = said(of_one(replace(base, lost=(("gender", -0.01),))))

    assert "Nothing is lost, whatever is held fixed." in every
    assert "whatever is held fixed" not in not_every
    assert (
        "Nothing is lost in the questions that have an answer; 1 question has none." in not_every
    )


@pytest.mark.parametrize(("holds", "sign"), [(True, "✓"), (False, "✗"), (None, "?")])
def test_the_question_that_sums_up_a_rung_has_its_sign_whatever_its_grade(
    holds: bool | None, sign: str
) -> None:
    base = asked(ladder("race", (True,) * 3 + (holds,) + (True,) * 4, "reading"), ("gender",), 0.9)
    headline, *others = base.conditionals
    assert (headline.rung, headline.headline) == (4, True)
    unsure = replace(headline, grade="cannot tell")

    section = of_one(replace(base, conditionals=(unsure, *others)))

    row = rows(section, "race: what is left")[0]
    assert (row["images alike in"], row["grade"]) == (f"{sign} 4 gender", "cannot tell")
    (climb,) = (row[1] for row in tables(section)[CLIMBS].rows)
    assert isinstance(climb, Climb)
    assert SIGNS[climb.steps[3].state] == sign


def test_one_further_question_leaves_one_number_and_all_that_is_lost_is_a_word() -> None:
    base = asked(ladder("race", (True,) * 8, "reading"), ("gender",), 0.9)
    four = tuple(
        replace(base.conditionals[0], rung=5, headline=False, given=(name,), kept=kept)
        for name, kept in (("a", -0.4), ("b", 0.1), ("c", 0.2), ("d", 0.712))
    )

    section = of_one(replace(base, conditionals=four, lost=(("a", 1.4), ("b", 0.9))))

    assert "Not shown: 1 further question of rung 5: it leaves 71.2 %." in sentences(section)
    assert "Lost most among images alike: all in a and 90.0 % in b." in sentences(section)


def test_questions_that_none_can_answer_are_counted() -> None:
    base = asked(ladder("race", (True,) * 8, "reading"), ("gender",), 0.9)
    many = tuple(silent("race", 5, (name,), "one stratum") for name in "abcde")

    text = sentences(of_one(replace(base, conditionals=(*many, base.conditionals[0]))))

    assert "Not shown: 2 further questions of rung 5." in text
    assert "a, b and c: not computable (one stratum)." in text


def test_a_claim_with_nothing_left_to_measure_has_no_table() -> None:
    base = ladder("race", (True,) * 8, "reading")
    none = tuple(silent("race", rung, ("hour",), "at chance") for rung in (4, 6))

    section = of_one(replace(base, conditionals=none))

    assert "race: not computable (at chance)." in sentences(section)
    assert "race: what is left" not in tables(section)


def test_a_question_without_an_answer_is_missing_once_and_its_rung_is_not() -> None:
    base = ladder("race", (True, True, True, None, True, True, True, True), "reading")
    asked_once = replace(base, conditionals=(silent("race", 4, ("hour",), "one stratum"),))

    found = missing_values(bare().having(ladders=(asked_once,)))

    assert [(each.where, each.reason) for each in found] == [("race, what is left", "one stratum")]


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
