"""What the page shows beside its charts: small ladders, tables, legends and captions, each with the result's own values."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from fer_audit.audit.types.claims import Association, Ladder
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.report.charts.palette import palette_of
from fer_audit.report.files.picture_types import Pictures
from fer_audit.report.page.report import report_page
from tests.report.drawn_pictures import some_pictures
from tests.report.markup import Element, Markup, read_markup
from tests.report.results import RACES, utkface

ALPHA = 0.01
PS = (0.004, 0.01, 0.011, 0.04, 0.06)
"""Adjusted p of the cells, in turn: two of them pass, one at alpha itself, and one would at 0.05."""
ANSWERS = {
    "race": (True, True, False, True, None, False, True, True),
    "gender": (True, True, True, True, True, True, None, False),
    "age": (True, False, True, None, False, True, False, True),
}
SKIPPED = 6
"""A rung that nothing is asked on, in the ladder of gender."""


def asked(claim: Ladder) -> Ladder:
    """Return a ladder with every kind of answer."""
    answers = ANSWERS[claim.attribute]
    return replace(
        claim,
        rungs=tuple(
            replace(
                rung, holds=held, skipped=claim.attribute == "gender" and rung.number == SKIPPED
            )
            for rung, held in zip(claim.rungs, answers, strict=True)
        ),
    )


def with_values_of_its_own(each: Association, place: int) -> Association:
    """Return an association whose chance and p values no other has."""
    return replace(
        each,
        null_mean=0.011 + 0.01 * place,
        null_95=0.018 + 0.01 * place,
        cells=tuple(
            replace(cell, p_adjusted=PS[(index + place) % len(PS)])
            for index, cell in enumerate(each.cells)
        ),
    )


def shown_result() -> AuditResult:
    """Return a result without the parts that no test here reads: each would be drawn."""
    base = utkface()
    return base.having(
        stability=None,
        replay=None,
        cluster_styles=(),
        intersections=None,
        findings=(
            Finding("claims_reach", "notice", "How far the claims climb."),
            Finding("claim_lost", "warning", "One claim is lost.", "race"),
        ),
        ladders=tuple(map(asked, base.ladders)),
        associations=tuple(
            with_values_of_its_own(each, place) for place, each in enumerate(base.associations)
        ),
        config=base.config.having(alpha=ALPHA),
    )


RESULT = shown_result()
PALETTE = palette_of(RESULT)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    return some_pictures()


@pytest.fixture(scope="module")
def page(pictures: Pictures) -> Markup:
    return read_markup(report_page(RESULT, pictures))


def table(page: Markup | Element, caption: str) -> list[dict[str, str]]:
    """Return the rows of the table with this caption, by the names of its columns."""
    tables = page.all("table") if isinstance(page, Markup) else page.find("table")
    (found,) = (each for each in tables if each.find("caption")[0].words == caption)
    heads, *rows = (
        [cell.words for cell in row.children if cell.tag in ("th", "td")]
        for row in found.find("tr")
    )
    return [dict(zip(heads, row, strict=True)) for row in rows]


def classed(element: Element, tag: str, name: str) -> list[Element]:
    return [each for each in element.find(tag) if name in each.get("class").split()]


def states(attribute: str) -> list[str]:
    words = {True: "holds", False: "fails", None: "unknown"}
    found = [words[held] for held in ANSWERS[attribute]]
    if attribute == "gender":
        found[SKIPPED - 1] = "skipped"
    return found


def coefficient(value: float | None) -> str:
    assert value is not None
    return f"{value:.3f}".removeprefix("0")


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("How far the claims climb.", ["race", "gender", "age"]),
        ("One claim is lost.", ["race"]),
    ],
)
def test_each_bar_of_a_small_ladder_is_the_answer_of_its_rung(
    page: Markup, text: str, attributes: list[str]
) -> None:
    (finding,) = (each for each in page.all("li") if each.words.partition(" ")[2].startswith(text))

    climbs = classed(finding, "span", "climb")

    names = [name.words for climb in climbs for name in classed(climb, "span", "name")]
    bars = [[bar.get("class") for bar in climb.find("i")] for climb in climbs]
    assert names == attributes
    assert bars == [states(attribute) for attribute in attributes]


def test_a_small_ladder_says_in_words_which_rungs_hold(page: Markup) -> None:
    labels = [each.get("aria-label") for each in page.all("span") if each.get("class") == "rungs"]

    for claim in RESULT.ladders:
        (said, *_) = (label for label in labels if label.startswith(f"{claim.attribute}:"))
        named = {"holds": "", "does not hold": ""}
        named |= dict(part.split(": ", 1) for part in said.split("; ")[1:])
        for state, words in (("holds", "holds"), ("fails", "does not hold")):
            answers = zip(claim.rungs, states(claim.attribute), strict=True)
            assert named[words].split(", ") == [rung.name for rung, is_ in answers if is_ == state]


def test_the_association_table_has_each_number_under_its_name(page: Markup) -> None:
    rows = table(page, "Association of every attribute with the clusters")

    assert len(rows) == len(RESULT.associations)
    for row, each in zip(rows, RESULT.associations, strict=True):
        assert row["attribute"].startswith(each.attribute)
        assert row["images"] == f"{each.n:,}"
        assert row["V"] == coefficient(each.v)
        assert row["chance"] == f"{coefficient(each.null_mean)}-{coefficient(each.null_95)}"
        low, high = coefficient(each.low), coefficient(each.high)
        assert row["V~ (interval)"] == f"{coefficient(each.v_corrected)} ({low}-{high})"


@pytest.mark.parametrize("cluster", range(4))
def test_the_most_telling_groups_are_those_that_pass_alpha(page: Markup, cluster: int) -> None:
    """Those furthest from chance, either way, with 30 images or more."""
    passed = [
        (abs(cell.residual), each.attribute, cell)
        for each in RESULT.associations
        if each.kind != "batch"
        for cell in each.cells
        if cell.cluster == cluster and cell.count >= 30 and cell.residual is not None
        if cell.p_adjusted is not None and cell.p_adjusted <= ALPHA
    ]
    passed.sort(key=lambda each: -each[0])
    card = page.by_id(f"cluster-{cluster}")

    rows = table(card, "The most telling groups")

    assert [(row["group"], row["images"], row["residual"]) for row in rows] == [
        (f"{attribute}: {cell.group}", f"{cell.count:,}", f"{cell.residual:+.1f}")
        for _, attribute, cell in passed[:5]
    ]


def test_the_cells_that_do_not_pass_would_have_been_the_most_telling() -> None:
    """Else the test above could not see a table that ignores alpha."""
    cells = [
        cell
        for each in RESULT.associations
        if each.kind != "batch"
        for cell in each.cells
        if cell.cluster == 0 and not cell.too_few and cell.residual is not None
    ]
    furthest = sorted(cells, key=lambda cell: -abs(cell.residual or 0.0))[:5]

    assert any(cell.p_adjusted is not None and cell.p_adjusted > ALPHA for cell in furthest)


@pytest.mark.parametrize("attribute", ["race", "gender", "age"])
def test_every_row_of_a_composition_has_its_share_and_its_count(
    page: Markup, attribute: str
) -> None:
    (found,) = (each for each in RESULT.representation if each.attribute == attribute)

    rows = table(page.by_id(f"composition-{attribute}"), f"Table: {attribute}")

    *groups, missing = rows
    for row, group in zip(groups, found.groups, strict=True):
        assert row["group"] == group.name
        assert group.share is not None
        (text,) = (value for name, value in row.items() if name.startswith("share"))
        assert text.startswith(f"{100 * group.share:.1f} % ({group.count:,};")
    assert list(missing.values())[:2] == ["not annotated", f"{found.not_annotated:,}"]


def test_a_mean_face_says_how_many_images_it_is_of(page: Markup, pictures: Pictures) -> None:
    shown = {}
    for figure in page.by_id("cluster-0").find("figure"):
        for image in figure.find("img"):
            (caption,) = figure.find("figcaption")
            shown[image["src"].partition("base64,")[2]] = caption.words

    for face in pictures.faces:
        said = shown[base64.b64encode(face.webp).decode()]
        counts = [int(count) for count in re.findall(r"\d+", said)]
        assert counts == ([face.n] if face.drawn == face.n else [face.drawn, face.n])
        assert said.startswith(face.group or "all")


def test_the_legend_of_a_map_gives_each_group_its_colour(pictures: Pictures) -> None:
    assert pictures.map is not None
    colouring = replace(pictures.map.colourings[1], groups=RACES[2::-1])
    reversed_map = replace(pictures.map, colourings=(colouring,))
    alone = RESULT.having(clustering=None, associations=(), ladders=())

    page = read_markup(report_page(alone, Pictures(reversed_map, (), (), ())))

    legend = {
        each.words: each.find("span")[0]["style"] for each in page.by_id("map-race").find("li")
    }
    assert legend == {name: f"background:{PALETTE.group('race', name)}" for name in RACES[:3]}
