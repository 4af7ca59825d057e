"""The whole report of a run: its order, its page, and that every number in it is the result's own."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.types.result import AuditResult
from fer_audit.encoders.types import ExportedModel
from fer_audit.report.blocks import Heading
from fer_audit.report.files import pictures
from fer_audit.report.files.document import read_result
from fer_audit.report.files.timings import read_timings
from fer_audit.report.not_computable import missing_values
from fer_audit.report.render.html import render_page
from fer_audit.report.report import ALARM, charts_of, make_report
from fer_audit.report.sections.found import N_CLAIMS, N_FIXES
from fer_audit.report.view import View
from fer_audit.text import two_figures
from tests.report import results
from tests.report.pages import demo_page
from tests.report.render.specimen import MAKERS, report_of
from tests.report.render.test_terminal import shown
from tests.report.results import utkface


def test_what_was_found_comes_first_and_how_it_was_computed_last() -> None:
    keys = [section.key for section in report_of(results.utkface).sections]

    assert keys[:6] == ["found", "fix", "who", "clusters", "sure", "findings"]
    assert keys[-1] == "method"
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("make", MAKERS)
def test_a_section_says_something_and_a_heading_has_something_below_it(
    make: Callable[[], AuditResult],
) -> None:
    for section in report_of(make).sections:
        assert section.blocks, section.key
        assert not isinstance(section.blocks[-1], Heading), section.key
        for block, following in pairwise(section.blocks):
            both = isinstance(block, Heading) and isinstance(following, Heading)
            assert not both, section.key


def test_the_head_says_which_set_which_model_and_whether_all_of_it() -> None:
    report, unfinished = (report_of(make) for make in (results.utkface, results.degenerate))

    assert report.heading == "UTKFace"
    assert report.facts[0] == "23,707 faces of 23,708"
    assert "resnet50-keras fp32" in report.facts
    assert report.facts[-2:] == ("4 clusters", "20 min 56 s")
    assert report.alarm == ""
    assert unfinished.alarm == ALARM
    assert "no model: nothing was embedded" in unfinished.facts


def test_no_two_charts_share_a_name() -> None:
    keys = [chart.key for chart in charts_of(make_report(View(results.utkface())))]

    assert len(set(keys)) == len(keys)
    assert keys[:2] == ["composition-race", "composition-gender"]


NUMBER = re.compile(r"\d[\d,]*\.?\d*(?:e[+-]?\d+)?|\.\d+")
PROSE = {
    *("0", "1", "2", "5", "23", "29", "30", "62", "95", "100", "255", "500"),
    *("0.1", "0.8", "1.25", ".001", ".999", ".0", "2.0"),
}
"""Numbers of the report's own sentences: thresholds, scales, this version and its licence; no results."""


def values(part: object) -> Iterator[object]:
    if isinstance(part, tuple):
        for item in part:
            yield from values(item)
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for field in dataclasses.fields(part):
            yield from values(getattr(part, field.name))
    else:
        yield part


def derived(result: AuditResult) -> Iterator[object]:
    """Yield what the report adds up or divides itself."""
    for association in result.associations:
        table = [[count or 0 for count in row] for row in association.table]
        totals = [sum(row) for row in table]
        columns = [sum(column) for column in zip(*table, strict=True)]
        yield from (*totals, *columns, sum(totals), len(association.groups))
        for row, total in zip(table, totals, strict=True):
            yield from (count / total for count in row if total)
        yield from (column / sum(totals) for column in columns if sum(totals))
    if result.clustering is not None:
        starts = result.clustering.starts
        sizes = [size or 0 for size in result.clustering.sizes]
        yield from (size / (sum(sizes) or 1) for size in sizes)
        yield (starts.inertia_max - starts.inertia_min) / (starts.inertia_min or 1)
        for before, after in pairwise(result.clustering.sweep):
            yield (before.inertia - after.inertia) / before.inertia
    for representation in result.representation:
        yield from (len(representation.groups), len(representation.groups) - 3)
    yield from divmod(round(sum(each.seconds for each in results.timings())), 60)
    fixes = sum(each.severity == "fix" for each in result.findings)
    yield from (fixes - N_FIXES, len(result.claims) - N_CLAIMS)
    yield from (len(ladder.rungs) for ladder in result.ladders)
    yield from range(len(result.ledger) + 1)
    missing = missing_values(result)
    counts: Counter[str] = Counter()
    for each in missing:
        counts[each.reason] += len(each.fields)
    yield from (counts.total(), len(counts), *counts.values())
    for timing in results.timings():
        yield from (timing.items, timing.seconds, timing.items / timing.seconds)


def written(value: object) -> Iterator[str]:
    """Yield every way in which the report may write a value."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        yield from (f"{value:,}", two_figures(value))
    elif isinstance(value, float):
        for factor in (1, 100):
            for digits in (0, 1, 2, 3):
                text = f"{factor * value:,.{digits}f}"
                yield from (text.lstrip("-"), text.lstrip("-").replace("0.", ".", 1))
    elif isinstance(value, str):
        yield from (number.rstrip(",.") for number in NUMBER.findall(value))


@pytest.mark.parametrize(
    "make", [results.utkface, results.paper, results.degenerate, results.bare]
)
def test_every_number_comes_from_the_result(make: Callable[[], AuditResult]) -> None:
    result = make()
    known = {
        text
        for value in (*values(dataclasses.astuple(result)), *derived(result))
        for text in written(value)
    }
    text = re.sub(r"(sha256|fingerprint) +\w{16}…", "", shown(report_of(make)))

    unknown = {number.rstrip(",.") for number in NUMBER.findall(text)} - known - PROSE

    assert unknown == set()


MAX_BYTES = 2_000_000
"""What a page without thumbnails may weigh at 24,000 images."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel) -> Path:
    return demo_page(tmp_path_factory.mktemp("page"), tiny_model)


def test_the_page_of_a_run_is_rendered_again_from_its_json_files_byte_for_byte(page: Path) -> None:
    run = page.parent

    again = make_report(
        View(
            read_result(run / "result.json"),
            pictures.read_pictures(run / "pictures.json"),
            read_timings(run / "timings.json"),
        )
    )

    assert render_page(again).encode() == page.read_bytes()


def test_the_page_says_when_the_run_was_finished_and_the_result_does_not(page: Path) -> None:
    days = {each.day for each in read_timings(page.parent / "timings.json")}

    assert max(days) >= "2026-11-29"
    assert f'<time datetime="{max(days)}">' in page.read_text(encoding="utf-8")
    assert max(days) not in (page.parent / "result.json").read_text(encoding="utf-8")


def test_the_page_names_no_place_of_this_machine(page: Path) -> None:
    source = page.read_text(encoding="utf-8")

    assert f"{Path.home()}/" not in source
    assert re.findall("/tmp/pytest-[^ <]*|file://", source) == []


def test_a_page_of_24_000_images_is_small() -> None:
    """With a colouring of 22 days, the noisiest one: no point's neighbour has its colour."""
    rng = np.random.default_rng(0)
    n = 24_000
    box, grid = pictures.grid_of(rng.normal(size=(n, 2)).astype(np.float32))
    colourings = tuple(
        pictures.MapColouring(
            name,
            "batch" if name == "day" else "cluster" if name == "cluster" else "demographic",
            tuple(map(str, range(groups))),
            rng.integers(-1, groups, n).astype(np.int16),
        )
        for name, groups in (("cluster", 4), ("race", 5), ("gender", 2), ("age", 9), ("day", 22))
    )
    points = pictures.MapPoints("pca", (), n, box, np.arange(n, dtype=np.int32), grid, colourings)

    page = render_page(make_report(View(utkface(), pictures.Pictures(points, (), (), ()))))

    assert len(page.encode()) < MAX_BYTES
