"""The page of a run: rendered from its JSON files alone, whole without pictures, small, and the same every time."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.types.result import Finding
from fer_audit.encoders.types import ExportedModel
from fer_audit.progress import Timing
from fer_audit.report.files.document import parse_result, read_result, result_json
from fer_audit.report.files.pictures import (
    MapColouring,
    MapPoints,
    Pictures,
    grid_of,
    read_pictures,
)
from fer_audit.report.files.timings import read_timings
from fer_audit.report.page.report import ALARM, report_page
from tests.report.drawn_pictures import some_pictures
from tests.report.markup import Markup, read_markup
from tests.report.pages import demo_page
from tests.report.results import bare, degenerate, hostile, paper, timings, utkface

SECTIONS = ["verdict", "people", "map", "clusters", "ladder", "replay", "method"]
MOST_BYTES = 2_000_000
"""What a page without thumbnails may weigh at 24,000 images."""


def cells(page: Markup) -> list[str]:
    """Return the text of every table cell of a page, in order."""
    return [element.text for element in page.all("th", "td")]


def test_the_page_of_a_run_is_rendered_again_from_its_json_files_byte_for_byte(
    tmp_path: Path, tiny_model: ExportedModel
) -> None:
    page = demo_page(tmp_path, tiny_model)
    run = page.parent

    again = report_page(
        read_result(run / "result.json"),
        read_pictures(run / "pictures.json"),
        read_timings(run / "timings.json"),
    )

    assert again.encode() == page.read_bytes()


def test_every_number_but_the_timings_comes_from_the_result() -> None:
    """Pictures and timings add pictures and one table; whatever else stands in a cell is the result's."""
    result = utkface()

    whole = cells(read_markup(report_page(result, None, timings())))
    alone = cells(read_markup(report_page(parse_result(result_json(result)))))

    at = whole.index("stage")
    block = 3 + 3 * sum(each.stage != "report" for each in timings())
    assert whole[:at] + whole[at + block :] == alone


def test_a_changed_number_is_a_changed_page() -> None:
    """The share in the result, not one computed again, is what a reader sees."""
    document = json.loads(result_json(utkface()))
    document["representation"][0]["groups"][0]["share"] = 0.12345

    page = report_page(parse_result(json.dumps(document)))

    assert "12.3 %" in page
    assert "12.3 %" not in report_page(utkface())


@pytest.mark.parametrize("make", [utkface, paper, degenerate, bare, hostile])
def test_every_result_has_a_page_with_all_its_sections(make: object) -> None:
    result = make()  # type: ignore[operator]  # one of the functions above
    page = read_markup(report_page(result, some_pictures() if make is utkface else None))

    assert [each.get("id") for each in page.all("section")] == SECTIONS
    assert "nan" not in page.text.lower().split()
    assert "None" not in page.text.split()


def test_every_finding_is_on_the_page_in_its_own_words() -> None:
    text = " ".join(read_markup(report_page(utkface())).text.split())

    for finding in utkface().findings:
        assert " ".join(finding.text.split()) in text, finding.code


def test_unfinished_work_says_so_before_anything_else() -> None:
    unfinished = dataclasses.replace(utkface(), complete=False)

    text = read_markup(report_page(unfinished)).text

    assert ALARM in text
    assert text.index(ALARM) < text.index("Verdict")
    assert ALARM not in read_markup(report_page(utkface())).text


def test_a_page_without_pictures_says_why() -> None:
    text = read_markup(report_page(utkface())).text

    assert "No map: the run directory holds no pictures" in text
    assert "No mean faces: the run directory holds no pictures" in text


def test_what_a_page_cannot_show_is_named_with_its_reason() -> None:
    pictures = dataclasses.replace(
        some_pictures(),
        map=None,
        faces=(),
        missing=(("map", "there is one image"), ("mean faces", "the pixels were not kept")),
    )

    text = read_markup(report_page(utkface(), pictures)).text

    assert "No map: there is one image" in text
    assert "No mean faces: the pixels were not kept" in text


def test_no_page_knows_how_long_it_took_itself() -> None:
    """Else a page rendered again from timings.json would be another one."""
    result = utkface()
    during = (Timing("embed", 10, 1.0),)

    after = (*during, Timing("report", 1, 2.0))

    assert report_page(result, None, during) == report_page(result, None, after)


def test_a_page_of_24_000_images_is_small() -> None:
    """With a colouring of 22 days, the noisiest one: no point's neighbour has its colour."""
    rng = np.random.default_rng(0)
    n = 24_000
    box, grid = grid_of(rng.normal(size=(n, 2)).astype(np.float32))
    colourings = tuple(
        MapColouring(
            name,
            "batch" if name == "day" else "cluster" if name == "cluster" else "demographic",
            tuple(map(str, range(groups))),
            rng.integers(-1, groups, n).astype(np.int16),
        )
        for name, groups in (("cluster", 4), ("race", 5), ("gender", 2), ("age", 9), ("day", 22))
    )
    points = MapPoints("pca", (), n, box, np.arange(n, dtype=np.int32), grid, colourings)

    page = report_page(utkface(), Pictures(points, (), (), ()))

    assert len(page.encode()) < MOST_BYTES


def test_the_small_ladders_say_in_words_what_they_show() -> None:
    result = utkface()
    reach = Finding("claims_reach", "notice", "How far the claims climb.")

    page = read_markup(report_page(dataclasses.replace(result, findings=(reach,))))

    told = {each.get("aria-label") for each in page.all("span") if "rungs" in each.get("class")}
    for ladder in result.ladders:
        said = f"{ladder.attribute}: rung {ladder.highest} of {len(ladder.rungs)}"
        assert any(label.startswith(said) for label in told), said
