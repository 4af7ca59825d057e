"""Reports made to be shared: what they withhold is nowhere in them, in whatever form they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from fer_audit.audit.composition.intersections import intersect
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.result import AuditResult
from fer_audit.dataset.types import Attribute
from fer_audit.report.card import dataset_card
from fer_audit.report.files.document import parse_result, result_document, result_json
from fer_audit.report.files.pictures import MeanFace, Pictures, shared_pictures
from fer_audit.report.render.html import render_page
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from fer_audit.text import WITHHELD
from tests.known import known
from tests.report import results
from tests.report.drawn_pictures import some_pictures, webp
from tests.report.render.test_terminal import shown

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "result.schema.json").read_text(encoding="utf-8")
)
ONE = ((3, 60, 70, 41), (50, 20, 80, 62), (90, 85, 75, 77))
OTHER = ((1, 62, 70, 41), (52, 18, 80, 62), (90, 85, 75, 77))
"""The same totals, and the same cells but for the four that are withheld."""


def with_table(table: tuple[tuple[int, ...], ...], *, v: float) -> AuditResult:
    """Return a result with this table of clusters and race, and the same one of race and a second attribute."""
    base = results.utkface()
    races = results.RACES[:4]
    counts = np.array(table)
    codes = np.unravel_index(np.repeat(np.arange(counts.size), counts.ravel()), counts.shape)
    kind, race = (each.astype(np.int16) for each in codes)
    return base.having(
        representation=(
            results.representation("race", races, tuple(counts.sum(axis=0).tolist()), 3),
        ),
        clustering=replace(known(base.clustering), k=3, sizes=tuple(counts.sum(axis=1).tolist())),
        associations=(results.association("race", races, table, v=v, v_corrected=v),),
        ladders=tuple(
            replace(each, stopped=f"V is {v}") for each in base.ladders if each.attribute == "race"
        ),
        intersections=intersect(
            [
                Attribute("hair", ("none", "some", "much"), kind, "demographic"),
                Attribute("race", races, race, "demographic"),
            ]
        ),
        subset_checks=(),
        duplicates=replace(base.duplicates, examples=((str(v),),)),
        batch_predictions=(),
    )


def every_form(result: AuditResult) -> Iterator[str]:
    """Yield a result as JSON, page, terminal report, cards, and the tables of its charts."""
    report = make_report(View(result))
    yield result_json(result)
    yield render_page(report)
    yield shown(report)
    yield shown(report, 40)
    yield dataset_card(result)
    yield dataset_card(result, form="croissant")
    yield from (f"{chart.alt} {chart.sheet} {chart.note}" for chart in charts_of(report))


def test_sets_that_differ_in_what_is_withheld_give_the_same_report_to_the_last_byte() -> None:
    """So nothing in it depends on the withheld numbers: no share, no statistic, no order, no length of a bar."""
    one, other = with_table(ONE, v=0.31), with_table(OTHER, v=0.29)

    assert result_json(one) != result_json(other)
    assert list(every_form(one))[1] != list(every_form(other))[1]
    found = list(every_form(withhold(one, 5)))
    assert found == list(every_form(withhold(other, 5)))
    assert all(WITHHELD in text for text in found[1:4])


@pytest.mark.parametrize(
    ("make", "min_cell"), [(results.utkface, 500), (results.degenerate, 5), (results.hostile, 5)]
)
def test_every_form_can_be_made_of_every_shared_result(
    make: Callable[[], AuditResult], min_cell: int
) -> None:
    shared = withhold(make(), min_cell)

    document = result_document(shared)

    errors = Draft202012Validator(SCHEMA).iter_errors(document)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    assert parse_result(result_json(shared)) == parse_result(json.dumps(document))
    for text in list(every_form(shared))[:5]:
        assert f"fewer than {min_cell} people" in " ".join(text.split())


def test_contact_sheets_and_maps_by_group_are_left_out() -> None:
    """Points lie in the same places in every colouring: two of them side by side are a cross table."""
    shared = withhold(with_table(ONE, v=0.3), 5)

    found = known(shared_pictures(some_pictures(), shared, 5))

    assert found.sheets == ()
    assert [each.kind for each in known(found.map).colourings] == ["cluster"]
    assert {"map by group", "contact sheets"} <= dict(found.missing).keys()


def test_a_mean_face_is_kept_where_a_table_shows_the_same_count() -> None:
    table = ((30, 60, 70, 41), (50, 20, 80, 62), (90, 85, 75, 77))
    faces = (
        MeanFace(0, None, None, 201, 201, webp()),
        MeanFace(0, "race", "Black", 60, 60, webp()),
        MeanFace(1, None, None, 210, 210, webp()),
        MeanFace(1, "race", "White", 48, 48, webp()),
        MeanFace(2, None, None, 4, 4, webp()),
    )
    pictures = Pictures(None, faces, (), ())

    found = known(shared_pictures(pictures, withhold(with_table(table, v=0.3), 5), 5))
    hidden = known(shared_pictures(pictures, withhold(with_table(table, v=0.3), 25), 25))

    assert found.faces == faces[:2]
    assert "some mean faces" in dict(found.missing)
    assert hidden.faces == faces[:1]


def test_no_map_tells_the_size_of_a_cluster_that_is_withheld() -> None:
    table = ((1, 2, 1, 0), (50, 20, 80, 62), (90, 85, 75, 77))
    shared = withhold(with_table(table, v=0.3), 5)
    assert None in known(shared.clustering).sizes

    found = known(shared_pictures(some_pictures(), shared, 5))

    assert found.map is None
    assert "map" in dict(found.missing)
