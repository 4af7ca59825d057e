"""Who is in each cluster: the overview, a table for each attribute, names, cards, how k was found, and the map."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.blocks import Block, Card, Cards, Gallery, MapPanel, Maps, Section, Table
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.sections.cluster_cards import (
    GAIN,
    N_NAMES,
    cluster_name,
    cluster_title,
    telling,
)
from fer_audit.report.sections.clusters import clusters, the_map
from fer_audit.report.view import View
from tests.report.drawn_pictures import some_pictures
from tests.report.results import PEOPLE, RACES, association, bare, paper, utkface
from tests.report.sections.reading import blocks_of, rows, said, tables

ALPHA = 0.01
TELLING = "who is in it more than in the set"
PS = (0.004, 0.01, 0.011, 0.04, 0.06)
"""Adjusted p of the cells, in turn: two of them pass, one at alpha itself, and one would at 0.05."""


def with_p_of_its_own(association: Association, place: int) -> Association:
    cells = tuple(
        replace(cell, p_adjusted=PS[(index + place) % len(PS)])
        for index, cell in enumerate(association.cells)
    )
    return replace(association, cells=cells)


def judged() -> AuditResult:
    """Return a result in which some of the cells furthest from chance do not pass alpha."""
    base = utkface()
    associations = tuple(
        with_p_of_its_own(each, place) for place, each in enumerate(base.associations)
    )
    return base.having(associations=associations, config=base.config.having(alpha=ALPHA))


def cards(result: AuditResult, pictures: Pictures | None = None) -> list[Card]:
    (block,) = blocks_of(clusters(View(result, pictures)), Cards)
    return list(block.make())


def galleries(card: Card) -> dict[str, Gallery]:
    return {block.title: block for block in card.blocks if isinstance(block, Gallery)}


def card_table(card: Card) -> list[dict[str, str]]:
    blocks: tuple[Block, ...] = tuple(x for x in card.blocks if isinstance(x, Table))
    return rows(Section("card", "", blocks), "The most telling groups")


def test_table_one_of_the_origin_paper_has_every_count_and_share() -> None:
    table = rows(clusters(View(paper())), "race in each cluster")

    unstable, whole_set = table[2], table[-1]
    assert list(unstable.values())[:3] == ["2 unstable (19)", "7 few 36.8 %", "0 few 0.0 %"]
    assert list(whole_set.values())[:3] == ["all (500)", "271 54.2 %", "13 2.6 %"]


def test_marks_say_more_and_fewer_than_chance() -> None:
    table = rows(clusters(View(utkface())), "race in each cluster")

    assert table[0]["White"].startswith("3,346 ▲")
    assert any("▼" in cell for cell in table[0].values())
    assert not any("▲" in cell for cell in table[-1].values())


def test_many_groups_are_rows_and_more_are_counted() -> None:
    section = clusters(View(utkface()))

    ages = rows(section, "age in each cluster")
    assert [row["age"] for row in ages] == list(PEOPLE["age"])
    assert list(ages[0]) == ["age", *(f"{n} ({size})" for n, size in sizes()), "all (22,900)"]
    assert "crawl hour in each cluster" not in tables(section), "a batch has no table"


def sizes() -> list[tuple[str, str]]:
    (age,) = (each for each in utkface().associations if each.attribute == "age")
    totals = [sum(count or 0 for count in row) for row in age.table]
    return [(f"{n} unstable" if n == 2 else f"{n}", f"{t:,}") for n, t in enumerate(totals)]


def test_withheld_counts_show_neither_sums_nor_shares() -> None:
    base = utkface()
    (gender,) = (each for each in base.associations if each.attribute == "gender")
    table = ((None, gender.table[0][1]), *gender.table[1:])
    facts = base.clustering
    assert facts is not None
    result = base.having(
        associations=(replace(gender, table=table),),
        clustering=replace(facts, sizes=(None, *facts.sizes[1:])),
    )

    section = clusters(View(result))

    first, *_, whole_set = rows(section, "gender in each cluster")
    assert first["cluster"] == "0 ([c])"
    assert first["male"] == "[c]"
    assert whole_set["cluster"] == "all ([c])"
    overview = [(row["images"], row[TELLING]) for row in rows(section, "The clusters")]
    assert overview == [(size, "withheld") for size in ("[c]", "6,511", "5,190", "4,602")]


def test_the_overview_has_sizes_and_the_groups_furthest_above_chance() -> None:
    section = clusters(View(utkface()))

    overview = rows(section, "The clusters")

    assert [row["cluster"] for row in overview] == ["0", "1", "2 unstable", "3"]
    assert [row["images"] for row in overview] == ["7,404", "6,511", "5,190", "4,602"]
    words = [each.words for each in telling(View(utkface()), 0)]
    assert overview[0][TELLING] == ", ".join(words[:2]), "as many as one line holds"
    assert tables(section)["The clusters"].faint == {2}
    assert tables(section)["The clusters"].importance == "summary"


def test_the_sweep_marks_the_k_that_was_used() -> None:
    section = clusters(View(utkface()))

    used = rows(section, "Other k")[3]
    assert (used["k"], used["saved by one more cluster"]) == ("4 ◀ used", "4.3 %")


@pytest.mark.parametrize("cluster", range(4))
def test_the_most_telling_groups_are_those_that_pass_alpha(cluster: int) -> None:
    """Those furthest from chance, either way, with 30 images or more."""
    result = judged()
    passed = [
        (abs(cell.residual), each.attribute, cell)
        for each in result.associations
        if each.kind != "batch"
        for cell in each.cells
        if cell.cluster == cluster and cell.count >= 30 and cell.residual is not None
        if cell.p_adjusted is not None and cell.p_adjusted <= ALPHA
    ]
    passed.sort(key=lambda each: -each[0])

    table = card_table(cards(result)[cluster])

    assert [(row["group"], row["images"], row["residual"]) for row in table] == [
        (f"{attribute}: {cell.group}", f"{cell.count:,}", f"{cell.residual:+.1f}")
        for _, attribute, cell in passed[:5]
    ]


def test_the_cells_that_do_not_pass_would_have_been_the_most_telling() -> None:
    """Else the test above could not see a table that ignores alpha."""
    cells = [
        cell
        for each in judged().associations
        if each.kind != "batch"
        for cell in each.cells
        if cell.cluster == 0 and not cell.too_few and cell.residual is not None
    ]
    furthest = sorted(cells, key=lambda cell: -abs(cell.residual or 0.0))[:5]

    assert any(cell.p_adjusted is not None and cell.p_adjusted > ALPHA for cell in furthest)


def test_a_card_says_size_and_whether_its_cluster_comes_back() -> None:
    found = cards(utkface())

    assert found[0].subtitle == (
        "7,404 images, 31.2 % of the set; it comes back in resamples (mean Jaccard .964)."
    )
    assert "it does not come back in resamples: read nothing into it" in found[2].subtitle
    assert [card.dimmed for card in found] == [False, False, True, False]


def test_a_mean_face_says_how_many_images_it_is_of() -> None:
    pictures = some_pictures()

    shown = galleries(cards(utkface(), pictures)[0])["Mean faces"].pictures

    captions = {base64.b64encode(each.data): each.caption for each in shown}
    for face in pictures.faces:
        said_of = captions[base64.b64encode(face.webp)]
        counts = [int(count) for count in re.findall(r"\d+", said_of)]
        assert counts == ([face.n] if face.drawn == face.n else [face.drawn, face.n])
        assert said_of.startswith(face.group or "all")


def test_a_contact_sheet_warns_of_what_it_shows() -> None:
    found = galleries(cards(utkface(), some_pictures())[1])

    sheet = found["Half way out"]
    assert sheet.pictures[0].caption == "3 faces"
    assert sheet.note == (
        "Faces are personal data: think before you pass this page on. They are blurred."
    )


def test_pictures_that_are_missing_are_named_with_their_reason() -> None:
    missing = (("map", "there is one image"), ("mean faces", "the pixels were not kept"))
    pictures = replace(some_pictures(), map=None, faces=(), missing=missing)

    with_reason = said(clusters(View(utkface(), pictures)))

    assert "No mean faces: the pixels were not kept." in with_reason
    assert "there is one image" not in with_reason, "the section of the map says it"


BINS = ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")
EVEN = (100,) * len(BINS)


def view_of(*tables: tuple[str, tuple[str, ...], tuple[tuple[int, ...], ...]]) -> View:
    return View(bare().having(associations=tuple(association(*each) for each in tables)))


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (("20-29", "30-39"), "age 20-39"),
        (("60-69", "70+"), "age 60+"),
        (("70+",), "age 70+"),
        (("0-9",), "age 0-9"),
        (("0-9", "10-19", "20-29"), "age 0-29"),
        (("0-9", "40-49", "50-59"), "age 40-59"),
    ],
)
def test_neighbouring_ages_are_one_range(more: tuple[str, ...], name: str) -> None:
    first = tuple(300 if each in more else 100 for each in BINS)

    found = telling(view_of(("age_bin", BINS, (first, EVEN, EVEN))), 0)

    assert [each.name for each in found] == [name]
    assert found[0].in_cluster > found[0].in_set


def test_years_alone_and_other_groups_are_not_joined() -> None:
    years, moods = ("1", "2", "3"), ("calm", "glad", "sad")
    table = ((300, 300, 100), (100, 100, 300))

    assert cluster_name(view_of(("age", years, table)), 0) == "mostly age 1-2"
    assert cluster_name(view_of(("mood", moods, table)), 0) == "more calm"


def test_the_widest_gap_comes_first_and_a_small_one_names_nothing() -> None:
    weak, strong, slight = (
        ("race", ("a", "b"), ((700, 300), (500, 500))),
        ("gender", ("male", "female"), ((900, 100), (100, 900))),
        ("mood", ("calm", "sad"), ((30_900, 29_100), (29_000, 31_000))),
    )

    found = telling(view_of(weak, slight, strong), 0)

    assert [each.words for each in found] == ["male 90 % (set 50)", "a 70 % (set 60)"]


@pytest.mark.parametrize("hidden", [True, False])
def test_a_table_that_is_withheld_names_nobody(*, hidden: bool) -> None:
    found = association("gender", ("male", "female"), ((900, 100), (100, 900)))
    rows = ((900, None), (100, 900)) if hidden else found.table
    view = View(bare().having(associations=(replace(found, table=rows),)))

    assert cluster_name(view, 0) == ("" if hidden else "mostly male")
    assert cluster_name(View(bare().having(associations=(replace(found, table=()),))), 0) == ""


def test_a_cluster_without_a_name_says_whether_its_groups_are_few_withheld_or_none() -> None:
    ages = ("age_bin", ("0-2", "3-9"), ((25, 5), (4, 366)))
    few, even = view_of(ages), view_of(("gender", ("male", "female"), ((15, 15), (185, 185))))
    emptied = replace(even.result.associations[0], table=())

    assert cluster_title(few, 0) == "too few to say; age 0-2 25 of 30"
    assert "Too few: under 30 images." in said(
        clusters(View(utkface().having(associations=few.result.associations)))
    )
    assert cluster_title(even, 0) == "nobody in particular"
    shared = even.result.having(associations=(emptied,), min_cell=5)
    assert cluster_title(View(shared), 0) == "withheld"


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 900), min_size=8, max_size=8), min_size=2, max_size=4))
def test_the_shares_are_those_of_the_ages_in_the_name(table: list[list[int]]) -> None:
    rows = tuple(map(tuple, table))
    view = view_of(("age_bin", BINS, rows))
    (about,) = view.result.associations
    total = sum(map(sum, rows))

    for cluster, row in enumerate(rows):
        found = telling(view, cluster)
        assert len(found) <= N_NAMES
        for each in found:
            low, _, high = each.name.removeprefix("age ").removesuffix("+").partition("-")
            ages = [
                at
                for at, name in enumerate(BINS)
                if int(low)
                <= int(name.rstrip("+").partition("-")[0])
                <= int(high or (999 if "+" in each.name else low))
            ]
            assert each.in_cluster == pytest.approx(sum(row[at] for at in ages) / sum(row))
            assert each.in_set == pytest.approx(sum(x[at] for x in rows for at in ages) / total)
            assert each.in_cluster - each.in_set >= GAIN
            above = {
                x.group for x in about.cells if x.cluster == cluster and (x.residual or 0) > 3
            }
            assert {BINS[at] for at in ages} <= above


def panels(view: View) -> list[MapPanel]:
    (block,) = blocks_of(the_map(view), Maps)
    return list(block.make())


def test_the_map_says_what_its_points_are_and_how_they_are_laid_out() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    principal = replace(pictures, map=replace(pictures.map, method="pca", n=pictures.map.shown))

    assert "a random 7 of 9 images, laid out by UMAP" in said(the_map(View(utkface(), pictures)))
    whole = said(the_map(View(utkface(), principal)))
    assert "all 7 images that were embedded, laid out by the first two principal" in whole
    assert "which hold 11.8 % and 9.4 % of the variance" in whole
    assert "the other 78.8 %" in whole


def test_the_legend_gives_each_group_its_colour() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    colouring = replace(pictures.map.colourings[1], groups=RACES[2::-1])
    view = View(utkface(), Pictures(replace(pictures.map, colourings=(colouring,)), (), (), ()))

    (panel,) = panels(view)

    assert panel.chart.key == "map-race"
    assert dict(panel.legend) == {view.palette.group("race", name): name for name in RACES[:3]}


def test_a_legend_of_many_groups_names_the_first_the_middle_and_the_last() -> None:
    pictures = some_pictures()
    assert pictures.map is not None
    many = replace(pictures.map.colourings[1], groups=tuple(f"day {n}" for n in range(22)))
    points = replace(pictures.map, colourings=(many,))

    (panel,) = panels(View(utkface(), Pictures(points, (), (), ())))

    assert [group for _, group in panel.legend] == [
        "day 0",
        "day 11",
        "day 21",
        "22 in all, in this order",
    ]


def test_without_a_map_the_reason_is_said() -> None:
    pictures = replace(some_pictures(), map=None, missing=(("map", "there is one image"),))

    assert "No map: there is one image." in said(the_map(View(utkface(), pictures)))
    assert "No map: the run directory holds no pictures" in said(the_map(View(utkface())))


def test_a_colouring_that_is_missing_is_named() -> None:
    pictures = replace(some_pictures(), missing=(("map by day", "it has 99 groups"),))

    assert "No map by day: it has 99 groups." in said(the_map(View(utkface(), pictures)))


@pytest.mark.parametrize(("kept", "told"), [(50, 50), (3, 213)])
def test_a_missing_colouring_counts_the_groups_that_have_images(kept: int, told: int) -> None:
    base = utkface()
    hour = next(x for x in base.representation if x.kind == "batch")
    none = tuple(replace(x, count=0) for x in hour.groups[kept:])
    sample = base.having(representation=(replace(hour, groups=(*hour.groups[:kept], *none)),))
    missing = ((f"map by {hour.attribute}", "it has 213 groups, more than 40 colours"),)
    view = View(sample, replace(some_pictures(), missing=missing))

    assert f"No map by crawl hour: it has {told} groups, more than 40 colours." in said(
        the_map(view)
    )
