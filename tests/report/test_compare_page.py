"""The page of two runs: nothing but the comparison, whatever is missing from it and whatever it names."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fer_audit.audit.types.compare import (
    Agreement,
    AttributeComparison,
    Comparison,
    TextDifference,
)
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.compare import cross_map, last_folder, run_names
from fer_audit.report.charts.compare_claims import ladders_in_both, strength_in_both
from fer_audit.report.charts.compare_shares import difference_text, shares_sheet
from fer_audit.report.charts.theme import page_svg, save_chart
from fer_audit.report.page.compare import comparison_charts, comparison_page
from fer_audit.text import coefficient, percent, whole
from tests.report import pages
from tests.report.compare_pages import FOLDER, names_in, two_runs
from tests.report.markup import Markup, read_markup
from tests.report.test_compare import bare, changed, hostile, poor


def empty() -> Comparison:
    """Return a comparison in which nothing at all could be computed."""
    full = two_runs()
    return replace(
        full,
        agreement=unknown_agreement(full.agreement),
        attributes=tuple(unknown_attribute(each) for each in full.attributes),
        first=replace(full.first, model=None, k=None, inertia=None, seed=None, vectors=None),
        second=replace(full.second, model=None, k=None, inertia=None, seed=None, vectors=None),
        model=(),
        settings=(),
        versions=(),
        findings=(),
    )


def nothing(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names)


def unknown_agreement(found: Agreement) -> Agreement:
    names = ("ari", "low", "high", "null_95", "p", "ami")
    return replace(
        found,
        **nothing(*names),
        n=0,
        table=(),
        matches=(),
        matched=0,
        not_computable=tuple((name, "no image has a cluster in both runs") for name in names),
    )


def unknown_attribute(each: AttributeComparison) -> AttributeComparison:
    assert each.first is not None
    known = ("name", "not_computable", "first_count")
    unknown = [
        field.name for field in dataclasses.fields(each.groups[0]) if field.name not in known
    ]
    return replace(
        each,
        **nothing("common", "relabelled", "second", "intervals_overlap"),
        tested=False,
        first=replace(
            each.first,
            **nothing("v", "null_95", "v_corrected", "low", "high", "p_holm", "highest"),
            **nothing("u_group_from_cluster", "u_cluster_from_group"),
            rungs=0,
        ),
        rungs=(),
        ladder=(),
        groups=tuple(replace(group, **nothing(*unknown)) for group in each.groups),
    )


def one_attribute() -> Comparison:
    full = two_runs()
    return replace(full, attributes=full.attributes[:1])


def no_attribute() -> Comparison:
    full = two_runs()
    return replace(full, attributes=(), only_first=("age",), only_second=("years",))


def many() -> Comparison:
    """Return more attributes and clusters than a picture holds."""
    full = two_runs()
    first = full.attributes[0]
    table = tuple(tuple(int(row == column) for column in range(30)) for row in range(30))
    return replace(
        full,
        attributes=tuple(replace(first, attribute=f"column {i}") for i in range(31)),
        agreement=replace(full.agreement, table=table, n=30, matched=30),
    )


SEVERITIES = ("info", "notice", "warning")
MAKERS = (
    two_runs,
    changed,
    poor,
    bare,
    hostile,
    empty,
    one_attribute,
    no_attribute,
    many,
)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return two_runs()


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> Markup:
    return read_markup(comparison_page(comparison))


def chart_of(comparison: Comparison, key: str) -> Chart:
    (chart,) = (each for each in comparison_charts(comparison) if each.key == key)
    return chart


@pytest.mark.parametrize("make", MAKERS)
def test_every_comparison_has_a_page_with_every_section(make: Callable[[], Comparison]) -> None:
    found = read_markup(comparison_page(make()))

    titles = [re.sub(r"^\d+ ", "", head.words) for head in found.all("h2")]
    assert titles == [
        "What changed",
        "The runs",
        "Do the clusters agree?",
        "Do the claims stand?",
        "Who is in them?",
        "Settings and versions that differ",
        "Method",
    ]
    ids = [element["id"] for element in found.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))


def test_the_same_comparison_gives_the_same_bytes() -> None:
    assert comparison_page(two_runs()) == comparison_page(two_runs())


@pytest.mark.parametrize("make", MAKERS)
def test_every_chart_has_a_key_of_its_own_words_and_a_table(
    make: Callable[[], Comparison],
) -> None:
    charts = comparison_charts(make())

    keys = [chart.key for chart in charts]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"[a-z0-9_-]+", key) for key in keys)
    for chart in charts:
        assert chart.alt
        assert chart.sheet.rows
        assert {len(row) for row in chart.sheet.rows} == {len(chart.sheet.columns)}


@pytest.mark.parametrize("make", [two_runs, poor, hostile])
def test_every_chart_is_drawn_for_a_page_and_as_files(
    tmp_path: Path, make: Callable[[], Comparison]
) -> None:
    for chart in comparison_charts(make()):
        save_chart(chart, tmp_path / "chart.png", "png")
        save_chart(chart, tmp_path / "chart.svg", "svg")

        assert page_svg(chart).startswith("<svg ")
        assert (tmp_path / "chart.svg").read_bytes().startswith(b"<?xml")
        with Image.open(io.BytesIO((tmp_path / "chart.png").read_bytes())) as picture:
            assert min(picture.size) > 200


def test_what_a_section_cannot_draw_it_says() -> None:
    text = read_markup(comparison_page(empty())).text

    assert "not computable: no image has a cluster in both runs" in text
    assert comparison_charts(empty()) == []
    assert "Model, settings and versions are the same." in text


def test_what_is_too_much_for_a_picture_is_a_table() -> None:
    found = many()

    page = read_markup(comparison_page(found))

    captions = [caption.words for caption in page.all("caption")]
    assert "Images in each pair of clusters" in captions
    assert "How far each claim climbs" in captions
    assert strength_in_both(found.attributes, ("a", "b"), "") is None
    assert ladders_in_both(found.attributes, ("a", "b")) is None
    assert cross_map(found.agreement, ("a", "b")) is None


def test_every_finding_stands_with_its_severity(comparison: Comparison, page: Markup) -> None:
    said = [item.words for item in page.all("li") if item.get("class") in SEVERITIES]

    assert said
    for finding, words in zip(comparison.findings, said, strict=True):
        assert words.startswith(f"{finding.severity} ")
        assert words.split()[1] == finding.text.split()[0]


def test_the_tables_hold_the_numbers_of_the_comparison(
    comparison: Comparison, page: Markup
) -> None:
    cells = " | ".join(cell.words for cell in page.all("td", "th"))
    agreement = comparison.agreement

    assert f"ARI {coefficient(agreement.ari)}" in page.text
    for row in agreement.table:
        for count in row:
            assert whole(count) in cells
    for each in comparison.attributes:
        for one in (each.first, each.second):
            assert one is not None
            assert coefficient(one.v) in cells
            assert coefficient(one.null_95) in cells
            assert f"{one.highest} of {one.rungs}" in cells
        for group in each.groups:
            assert f"{percent(group.first_share)} ({group.first_count:,}" in cells
            assert f"{percent(group.second_share)} ({group.second_count:,}" in cells
            assert difference_text(group, comparison.alpha) in cells


def test_a_share_that_differs_by_more_than_chance_is_marked(comparison: Comparison) -> None:
    each = comparison.attributes[0]
    last = each.groups[-1]

    assert last.p_adjusted is not None
    assert last.p_adjusted <= comparison.alpha
    assert difference_text(last, comparison.alpha).endswith("▲")
    assert not re.search("[▲▼]", difference_text(replace(last, p_adjusted=0.5), comparison.alpha))


def test_a_group_that_only_one_run_knows_is_said_to_be_missing(comparison: Comparison) -> None:
    each = comparison.attributes[0]
    gone = replace(each.groups[0], second_count=None, second_share=None, difference=None)

    sheet = shares_sheet(replace(each, groups=(gone,)), "95 % ", comparison.alpha)

    assert sheet.rows[0][2] == "no such group"
    assert sheet.rows[0][3] == "–"


def test_the_ladders_show_what_both_runs_answer(comparison: Comparison) -> None:
    chart = chart_of(comparison, "ladders-in-both-runs")

    rungs = [rung for each in comparison.attributes for rung in each.ladder]
    assert [row[1].split(" ", 1)[1] for row in chart.sheet.rows] == [rung.first for rung in rungs]
    assert [row[2].split(" ", 1)[1] for row in chart.sheet.rows] == [rung.second for rung in rungs]
    assert [row[3] == "differs" for row in chart.sheet.rows] == [
        rung.first != rung.second for rung in rungs
    ]


def test_rungs_that_differ_are_some_of_the_ladder(comparison: Comparison) -> None:
    for each in (*comparison.attributes, *changed().attributes):
        assert each.rungs == tuple(rung for rung in each.ladder if rung.first != rung.second)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("runs/a", "a"),
        ("/home/x/runs/a/", "a"),
        ("C:\\runs\\b", "b"),
        ("runs/a\\b", "a\\b"),
        (".", ""),
        ("/", ""),
        ("..", ""),
        ("runs/v1.2", "v1.2"),
    ],
)
def test_a_run_is_called_by_its_last_folder(path: str, name: str) -> None:
    assert last_folder(path) == name


def test_a_run_without_a_folder_name_is_called_by_its_place(comparison: Comparison) -> None:
    nameless = replace(comparison, first=replace(comparison.first, name="."))

    assert run_names(nameless)[0] == "first run"


def test_no_path_of_a_disk_is_on_the_page_or_in_a_chart(comparison: Comparison) -> None:
    settings = (
        TextDifference("model", f"{FOLDER}/0.onnx", f"C:{FOLDER}/1.onnx".replace("/", "\\")),
    )
    told = replace(comparison, settings=settings)
    assert FOLDER in told.first.name

    texts = [comparison_page(told), *map(page_svg, comparison_charts(told))]

    assert [text for text in texts if "somebody" in text or "secret place" in text] == []
    assert "…/0.onnx" in texts[0]
    assert "…/1.onnx" in texts[0]


def test_no_name_becomes_markup_and_every_name_is_read() -> None:
    plain = read_markup(comparison_page(two_runs(pages.harmless)))
    evil = two_runs(pages.evil)

    source = comparison_page(evil)

    page = read_markup(source)
    assert page.kinds == plain.kinds
    assert [name for name in names_in(evil) if not pages.is_shown(name, page.text)] == []
    assert sorted(set(pages.RAW.findall(source))) == []
    assert [each.text for each in page.all("script", "style")] == [
        each.text for each in plain.all("script", "style")
    ]
