"""A comparison of two runs: its sections as data, its page, its charts and its JSON."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from fer_audit.audit.types.compare import Comparison, TextDifference
from fer_audit.report.blocks import Table
from fer_audit.report.comparison import make_comparison
from fer_audit.report.render.html import render_page
from fer_audit.report.render.terminal import terminal_report
from fer_audit.text import coefficient, percent, whole
from tests.report import pages
from tests.report.comparisons import MAKERS, changed, many, names_in, predicted, two_runs
from tests.report.markup import read_markup
from tests.report.sections import reading

Make = Callable[[], Comparison]
each_comparison = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


def tables(comparison: Comparison) -> dict[str, Table]:
    sections = make_comparison(comparison).sections
    return {title: table for each in sections for title, table in reading.tables(each).items()}


def texts(comparison: Comparison) -> list[str]:
    """Return every sentence and every cell in words."""
    found = [
        text for each in make_comparison(comparison).sections for text in reading.sentences(each)
    ]
    for table in tables(comparison).values():
        cells = (cell for row in table.rows for cell in row)
        found += map(str, cells)
    return found


@each_comparison
def test_every_comparison_has_every_section(make: Make) -> None:
    titles = [section.title for section in make_comparison(make()).sections]

    every = [
        *("What changed?", "The runs", "Do the clusters agree?", "Do the claims stand?"),
        *("Do the models do as well?", "Who is in them?", "What was set differently?", "Method"),
    ]
    assert titles == [title for title in every if title in titles]
    assert {"What changed?", "The runs", "Do the claims stand?", "Method"} <= set(titles)


def test_the_same_comparison_gives_the_same_bytes() -> None:
    assert render_page(make_comparison(two_runs())) == render_page(make_comparison(two_runs()))


@each_comparison
@pytest.mark.parametrize("width", [20, 80, 160])
def test_no_line_is_wider_than_the_terminal_and_no_name_controls_it(
    make: Make, width: int
) -> None:
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(
        terminal_report(make_comparison(make()))
    )

    text = stream.getvalue()
    assert max(cell_len(line) for line in text.split("\n")) <= width
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", text)


def test_a_comparison_holds_its_numbers() -> None:
    comparison = two_runs()
    said = " | ".join(texts(comparison))

    assert f"ARI {coefficient(comparison.agreement.ari)}" in said
    for counts in comparison.agreement.table:
        assert all(whole(count) in said for count in counts)
    for claim in comparison.claims:
        for run in (claim.first, claim.second):
            assert run is not None
            assert coefficient(run.v_corrected).replace("< .001", ".000") in said
    for group in (x for each in comparison.attributes for x in each.groups):
        for side in (group.first, group.second):
            assert side is not None
            assert percent(side.share) in said


def test_a_claim_says_what_is_left_and_whether_it_comes_back() -> None:
    found = changed()

    (race, *_) = tables(found)["How strongly clusters, labels and attributes are associated"].rows

    assert str(race[3]).endswith(" .920 (.900-.950); does not come back")
    assert race[5] == "apart"
    left = found.claims[0].first
    assert left is not None
    assert left.left is not None
    assert f", {left.left.grade} " in str(race[2])


def test_two_models_on_one_set_are_compared_in_accuracy_recall_and_fairness() -> None:
    found = predicted()

    (table,) = (x for x in tables(found).values() if x.title == "fer-mini and another")
    assert [row[0] for row in table.rows] == [
        *("accuracy", "worst recall"),
        *(f"{measure} by {name}" for name in ("race", "gender") for measure in ("worst recall", "recall gap", "Xu's F")),
    ]  # fmt: skip
    (told,) = (x for x in found.findings if x.code == "model")
    assert told.severity == "know"
    assert re.match(r"fer-mini and another: 8\d % right in the first run, [34]\d %", told.text)


def test_what_is_too_much_is_a_folded_table() -> None:
    found = tables(many())

    folded = [title for title, table in found.items() if table.importance == "detail"]
    assert "Images in each pair of clusters" in folded
    assert any(title.startswith("Shares of") for title in folded)


def test_a_setting_that_is_absent_is_not_an_empty_one_and_a_path_is_not_told() -> None:
    given = (
        TextDifference("setting", "a", None, ""),
        TextDifference(
            "setting", "model", "/home/somebody/a place/0.onnx", "C:\\somebody\\1.onnx"
        ),
        TextDifference("setting", "b", "~/somebody/x/", "runs/v1.2"),
    )

    found = replace(two_runs(), differences=given)

    assert tables(found)["Everything that differs"].rows == (
        ("setting", "a", "not there", "empty"),
        ("setting", "model", "…/0.onnx", "…/1.onnx"),
        ("setting", "b", "…/x", "runs/v1.2"),
    )
    assert "somebody" not in render_page(make_comparison(found))


def test_a_share_that_differs_by_more_than_chance_is_marked() -> None:
    comparison = two_runs()
    first = comparison.attributes[0]
    calm = replace(first, groups=tuple(replace(x, p_adjusted=0.5) for x in first.groups))

    told = ["".join(texts(replace(comparison, attributes=(x,)))) for x in (first, calm)]

    assert (first.groups[-1].p_adjusted or 1.0) <= comparison.alpha
    assert [bool(re.search(r"\d [▲▼]", text)) for text in told] == [True, False]


def test_a_group_that_only_one_run_knows_is_said_to_be_missing() -> None:
    comparison = two_runs()
    each = comparison.attributes[0]
    gone = replace(each.groups[0], second=None, difference=None, low=None, high=None)
    only = replace(comparison, attributes=(replace(each, groups=(gone,)),))

    (table,) = (x for title, x in tables(only).items() if title.startswith("Shares of"))
    assert table.rows[0][2:5] == ("no such group", "–", "–")


def test_no_name_becomes_markup_and_every_name_is_read() -> None:
    plain = read_markup(render_page(make_comparison(two_runs(pages.harmless))))
    evil = two_runs(pages.evil)

    source = render_page(make_comparison(evil))

    page = read_markup(source)
    assert page.kinds == plain.kinds
    assert [name for name in names_in(evil) if not pages.is_shown(name, page.text)] == []
    assert sorted(set(pages.RAW.findall(source))) == []
