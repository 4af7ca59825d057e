"""Charts: each draws in both kinds of file, names itself safely, and gives a group the same colour everywhere."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.errors import StoreError
from fer_audit.report.blocks import Report, Table
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.composition import MOST_BARS
from fer_audit.report.charts.palette import make_palette, palette_of
from fer_audit.report.charts.theme import COLUMN, WIDE, FileKind, page_svg, save_chart, save_charts
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from tests.report.drawn_pictures import some_pictures
from tests.report.results import bare, degenerate, hostile, utkface

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report(View(utkface(), some_pictures()))


@pytest.fixture(scope="module")
def charts(report: Report) -> list[Chart]:
    return charts_of(report)


def test_the_report_has_a_chart_for_every_part(charts: list[Chart]) -> None:
    kinds = {re.sub(r"-[^-]*$", "", chart.key) for chart in charts}

    assert {"composition", "map", "lifts", "style", "ladder", "sweep", "replay"} <= kinds
    assert {"intersections", "elbow", "cluster-stability"} <= {chart.key for chart in charts}


def test_every_chart_has_words_and_a_table(report: Report, charts: list[Chart]) -> None:
    """Of its own, or in the section where it stands."""
    for chart in charts:
        assert chart.title
        assert len(chart.alt) > 20, chart.key
        sheet = chart.sheet
        assert sheet is None or sheet.rows, chart.key
        assert sheet is None or {len(row) for row in sheet.rows} == {len(sheet.columns)}, chart.key
    for section in report.sections:
        found = charts_of(replace(report, sections=(section,)))
        tables = [block for block in section.blocks if isinstance(block, Table) and block.rows]
        assert tables or all(chart.sheet is not None for chart in found), section.key


def test_a_chart_is_as_wide_as_a_column_or_as_two(charts: list[Chart], tmp_path: Path) -> None:
    for path in save_charts(charts, tmp_path, "svg"):
        root = ElementTree.parse(path).getroot()  # our own file
        inches = float(root.get("width", "").removesuffix("pt")) / 72
        assert inches in (pytest.approx(COLUMN), pytest.approx(WIDE)), path.name
        assert root.find(f".//{SVG}text") is None, "letters are outlines, so no font is needed"


def test_a_png_has_300_dots_an_inch(charts: list[Chart], tmp_path: Path) -> None:
    one = next(chart for chart in charts if not chart.wide)

    save_chart(one, tmp_path / "one.png", "png")

    data = (tmp_path / "one.png").read_bytes()
    assert struct.unpack(">I", data[16:20])[0] == pytest.approx(300 * COLUMN, abs=1)


def test_a_chart_is_the_same_bytes_each_time(charts: list[Chart], tmp_path: Path) -> None:
    for chart in charts[:4]:
        assert page_svg(chart) == page_svg(chart)
        kinds: tuple[FileKind, ...] = ("png", "svg")
        for kind in kinds:
            for name in ("a", "b"):
                save_chart(chart, tmp_path / name, kind)
            assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nobodys_own_matplotlib_settings_change_a_chart(charts: list[Chart]) -> None:
    before = page_svg(charts[0])

    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert page_svg(charts[0]) == before


@pytest.mark.parametrize("make", [degenerate, bare, hostile])
def test_odd_results_draw_whatever_they_can(make: object) -> None:
    for chart in charts_of(make_report(View(make()))):  # type: ignore[operator]  # one of the three
        assert ElementTree.fromstring(page_svg(chart)).tag == "svg", chart.key  # our own text


def test_ids_of_two_charts_on_a_page_never_meet(charts: list[Chart]) -> None:
    ids = [re.findall(r'\bid="([^"]*)"', page_svg(chart)) for chart in charts[:6]]

    assert len(set().union(*ids)) == sum(len(set(each)) for each in ids)
    assert all(each.startswith(c.key) for c, of in zip(charts, ids, strict=False) for each in of)


def test_a_folder_that_cannot_be_written_is_told(charts: list[Chart], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(StoreError, match="taken"):
        save_charts(charts, tmp_path / "taken", "png")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=3))
def test_a_key_is_safe_as_an_anchor_and_as_a_file_name(names: list[str]) -> None:
    assert re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,80}", key_of(*names))


@given(st.text(max_size=80), st.text(max_size=80))
def test_names_that_differ_have_keys_that_differ(one: str, other: str) -> None:
    assert (key_of("map", one) == key_of("map", other)) == (one == other)


def test_a_group_has_one_colour_and_no_two_groups_of_an_attribute_share_it() -> None:
    result = utkface()
    palette = palette_of(result)

    for each in result.representation:
        if len(each.groups) > MOST_BARS:
            continue  # nobody can tell two hundred colours apart, and none of these is drawn
        colours = [palette.group(each.attribute, group.name) for group in each.groups]
        assert len(set(colours)) == len(colours), each.attribute
    assert palette_of(result) == palette


@given(
    st.integers(1, MOST_BARS),
    st.sampled_from(["race", "age_bin", "day"]),
    st.integers(1, MOST_BARS),
)
def test_any_number_of_groups_and_clusters_can_be_told_apart(n: int, name: str, k: int) -> None:
    groups = tuple(f"g{index}" for index in range(n))

    palette = make_palette([(name, "batch" if name == "day" else "demographic", groups)], k)

    assert len({palette.group(name, group) for group in groups}) == n
    assert len({palette.cluster(cluster) for cluster in range(k)}) == k
