"""A comparison of two runs: its sections as data, its page, its charts and its JSON."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from rich.cells import cell_len
from rich.console import Console

from fer_audit.audit.types.compare import Comparison, TextDifference
from fer_audit.report.blocks import Table
from fer_audit.report.charts.compare import cross_map
from fer_audit.report.charts.compare_claims import ladders_in_both, strength_in_both
from fer_audit.report.charts.theme import page_svg, save_chart
from fer_audit.report.comparison import make_comparison
from fer_audit.report.render.html import render_page
from fer_audit.report.render.terminal import terminal_report
from fer_audit.report.report import charts_of
from fer_audit.report.sections.compare_people import who_is_in_them
from fer_audit.report.two_runs import difference_text, last_folder, run_names
from fer_audit.text import coefficient, percent, whole
from tests.report import pages
from tests.report.compare_pages import FOLDER, names_in, two_runs
from tests.report.comparisons import MAKERS, changed, empty, hostile, many
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
        found += [cell for row in table.rows for cell in row if isinstance(cell, str)]
    return found


@each_comparison
def test_every_comparison_has_every_section(make: Make) -> None:
    assert [section.title for section in make_comparison(make()).sections] == [
        *("What changed?", "The runs", "Do the clusters agree?", "Do the claims stand?"),
        *("Who is in them?", "What was set differently?", "Method"),
    ]


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
    for each in comparison.attributes:
        for run in (each.first, each.second):
            assert run is not None
            assert coefficient(run.v_corrected) in said
        for group in each.groups:
            assert percent(group.first_share) in said
            assert percent(group.second_share) in said


def test_what_cannot_be_computed_is_said() -> None:
    said = " ".join(texts(empty()))

    assert "not computable: no image has a cluster in both runs" in said
    assert "Model, settings and versions are the same." in said
    assert charts_of(make_comparison(empty())) == []


def test_what_is_too_much_for_a_picture_is_a_folded_table() -> None:
    comparison = many()

    assert tables(comparison)["Images in each pair of clusters"].importance == "detail"
    assert strength_in_both(comparison.attributes, ("a", "b")) is None
    assert ladders_in_both(comparison.attributes, ("a", "b")) is None
    assert cross_map(comparison.agreement, ("a", "b")) is None


def test_a_setting_that_is_absent_is_not_an_empty_one() -> None:
    comparison = replace(
        two_runs(), settings=(TextDifference("a", None, ""), TextDifference("b", "1", "2"))
    )

    assert tables(comparison)["Settings"].rows == (("a", "not there", "empty"), ("b", "1", "2"))


def test_a_share_that_differs_by_more_than_chance_is_marked() -> None:
    comparison = two_runs()
    last = comparison.attributes[0].groups[-1]

    assert last.p_adjusted is not None
    assert last.p_adjusted <= comparison.alpha
    assert difference_text(last, comparison.alpha).endswith("▲")
    assert not re.search("[▲▼]", difference_text(replace(last, p_adjusted=0.5), comparison.alpha))


def test_a_group_that_only_one_run_knows_is_said_to_be_missing() -> None:
    comparison = two_runs()
    each = comparison.attributes[0]
    gone = replace(
        each.groups[0], second_count=None, second_share=None, difference=None, low=None, high=None
    )
    only = replace(comparison, attributes=(replace(each, groups=(gone,)),))

    (table,) = (block for block in who_is_in_them(only).blocks if isinstance(block, Table))
    assert table.rows[0][2:5] == ("no such group", "–", "–")


def test_every_question_that_either_run_asked_is_there_and_those_that_differ_once_more() -> None:
    comparison = changed()

    every = tables(comparison)["How far each claim climbs"]
    differing = tables(comparison)["Questions that the runs answer differently"]
    asked = [rung for each in comparison.attributes for rung in each.ladder]
    assert [row[2:] for row in every.rows] == [(rung.first, rung.second) for rung in asked]
    assert list(differing.rows) == [row for row in every.rows if row[2] != row[3]]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *(("runs/a", "a"), ("/home/x/runs/a/", "a"), ("C:\\runs\\b", "b"), ("runs/a\\b", "a\\b")),
        *((".", ""), ("/", ""), ("..", ""), ("runs/v1.2", "v1.2")),
    ],
)
def test_a_run_is_called_by_its_last_folder(path: str, name: str) -> None:
    assert last_folder(path) == name


def test_a_run_without_a_folder_name_is_called_by_its_place() -> None:
    comparison = two_runs()
    nameless = replace(comparison, first=replace(comparison.first, name="."))

    assert run_names(nameless)[0] == "first run"


def test_no_path_of_a_disk_is_on_the_page_or_in_a_chart() -> None:
    settings = (
        TextDifference("model", f"{FOLDER}/0.onnx", f"C:{FOLDER}/1.onnx".replace("/", "\\")),
    )
    comparison = replace(two_runs(), settings=settings)
    assert FOLDER in comparison.first.name

    report = make_comparison(comparison)
    shown = [render_page(report), *map(page_svg, charts_of(report))]

    assert [text for text in shown if "somebody" in text or "secret place" in text] == []
    assert "…/0.onnx" in shown[0]
    assert "…/1.onnx" in shown[0]


def test_no_name_becomes_markup_and_every_name_is_read() -> None:
    plain = read_markup(render_page(make_comparison(two_runs(pages.harmless))))
    evil = two_runs(pages.evil)

    source = render_page(make_comparison(evil))

    page = read_markup(source)
    assert page.kinds == plain.kinds
    assert [name for name in names_in(evil) if not pages.is_shown(name, page.text)] == []
    assert sorted(set(pages.RAW.findall(source))) == []


@pytest.mark.parametrize("make", [two_runs, changed, hostile])
def test_every_chart_has_a_key_and_words_and_is_drawn(tmp_path: Path, make: Make) -> None:
    charts = charts_of(make_comparison(make()))

    keys = [chart.key for chart in charts]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-z0-9_-]+", key) for key in keys)
    for chart in charts:
        assert chart.alt
        save_chart(chart, tmp_path / "chart.png", "png")
        assert page_svg(chart).startswith("<svg ")
        with Image.open(tmp_path / "chart.png") as picture:
            assert min(picture.size) > 200


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_null_says_why(make: Callable[[], Comparison]) -> None:
    """Only where the record has a place for reasons: p_holm and the ladder are others' to explain."""
    for each in make().attributes:
        for group in each.groups:
            fields = (
                *("difference", "low", "high", "p", "p_adjusted", "first_share", "second_share"),
            )
            missing = {name for name in fields if getattr(group, name) is None}
            assert missing <= {name for name, _ in group.not_computable}
