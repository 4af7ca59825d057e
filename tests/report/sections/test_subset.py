"""Fair draws and planted facts."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.sections.collection import subset
from fer_audit.report.sections.method import planted
from fer_audit.report.view import View
from tests.report.results import bare, degenerate, paper, utkface
from tests.report.sections.reading import rows, said, sentences


def test_a_sample_unlike_its_set_says_by_how_much_and_where() -> None:
    section = subset(View(utkface()))

    assert sentences(section)[1] == (
        "race of 500 images compared with UTKFace, all 23,702 strictly named files: unlike the set, p < .001;"
        " 21.5 % of the images would have to change group (TV); furthest off: Black with 2.6 % (13) where the set has"
        " 19.1 %, p < .001."
    )
    table = rows(section, "race compared with UTKFace, all 23,702 strictly named files")
    assert [row["group"] for row in table] == ["White", "Black", "Asian", "Indian", "Other"]
    assert table[4] == {
        "group": "Other",
        "here": "10.8 %",
        "images": "54",
        "in the set": "7.1 %",
        "exact p": ".003",
    }


def test_a_fair_draw_names_no_worst_group() -> None:
    check = replace(utkface().subset_checks[0], p=0.051, method="drawn without replacement")

    text = said(subset(View(utkface().having(subset_checks=(check,)))))

    assert "as a fair draw would be, p = .051 (drawn without replacement); 21.5 %" in text
    assert "furthest" not in text


def test_a_check_without_a_value_says_why() -> None:
    text = said(subset(View(degenerate())))

    assert "race compared with the whole set: not computable (nothing is annotated)." in text
    assert subset(View(bare())) is None


def test_what_was_planted_stands_next_to_what_was_found() -> None:
    first, _, last = rows(planted(View(paper())), "Planted in this demo set")

    assert first == {
        "planted": "race is tied to the background",
        "expected": "a rung of style that does not hold",
        "found": "rung 5 does not hold",
        "agrees": "✓ yes",
    }
    assert last["agrees"] == "✗ no"
    assert planted(View(utkface())) is None
