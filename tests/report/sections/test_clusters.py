"""Who is in each cluster: the overview, a table for each attribute, how k was found, and the cards."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.stability import KVote
from fer_audit.report.blocks import Block, Card, Cards, Gallery, Section, Table
from fer_audit.report.files.pictures import Pictures
from fer_audit.report.sections.cluster_names import telling
from fer_audit.report.sections.clusters import clusters
from fer_audit.report.view import View
from tests.report.drawn_pictures import some_pictures
from tests.report.results import PEOPLE, bare, paper, utkface
from tests.report.sections.reading import rows, said, tables

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
    section = clusters(View(result, pictures))
    (block,) = (each for each in section.blocks if isinstance(each, Cards))
    return list(block.make())


def galleries(card: Card) -> dict[str, Gallery]:
    return {block.title: block for block in card.blocks if isinstance(block, Gallery)}


def card_table(card: Card) -> list[dict[str, str]]:
    blocks: tuple[Block, ...] = tuple(x for x in card.blocks if isinstance(x, Table))
    return rows(Section("card", "", blocks), "The most telling groups")


def test_table_one_of_the_origin_paper_has_every_count_and_share() -> None:
    table = rows(clusters(View(paper())), "race in each cluster")

    unstable, whole_set = table[2], table[-1]
    assert table[0] == {
        "cluster": "0 (199)",
        "White": "117 58.8 %",
        "Black": "6 few 3.0 %",
        "Asian": "28 few 14.1 %",
        "Indian": "26 few 13.1 %",
        "Other": "22 few 11.1 %",
    }
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
    assert "crawl hour in each cluster" not in tables(section)
    assert "too many" not in said(section), "a batch has no table"


def sizes() -> list[tuple[str, str]]:
    (age,) = (each for each in utkface().associations if each.attribute == "age")
    totals = [sum(count or 0 for count in row) for row in age.table]
    return [(f"{n} unstable" if n == 2 else f"{n}", f"{t:,}") for n, t in enumerate(totals)]


def test_an_attribute_of_too_many_groups_is_named() -> None:
    base = utkface()
    (crawl,) = (each for each in base.associations if each.kind == "batch")
    result = base.having(associations=(replace(crawl, kind="label"),))

    assert "crawl hour: 213 groups, too many for a table here" in said(clusters(View(result)))


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
    assert overview == [("[c]", "[c]"), ("6,511", "[c]"), ("5,190", "[c]"), ("4,602", "[c]")]


def test_the_overview_has_sizes_and_the_groups_furthest_above_chance() -> None:
    section = clusters(View(utkface()))

    overview = rows(section, "The clusters")

    assert [row["cluster"] for row in overview] == ["0", "1", "2 unstable", "3"]
    assert [row["images"] for row in overview] == ["7,404", "6,511", "5,190", "4,602"]
    words = [each.words for each in telling(View(utkface()), 0)]
    assert overview[0][TELLING] == ", ".join(words[:2]), "as many as one line holds"
    assert tables(section)["The clusters"].faint == {2}
    assert tables(section)["The clusters"].importance == "summary"
    assert "Unstable clusters do not come back in resamples" in said(section)


def test_how_the_clusters_were_found_is_said() -> None:
    section = clusters(View(utkface()))

    text = said(section)
    sweep = rows(section, "Other k")
    assert "Inertia 8,409,512. Best of 10 starts" in text
    assert "0.2 % apart; 3 of 10 within 0.1 % of the best" in text
    assert "k was chosen" not in text
    assert sweep[0] == {"k": "1", "inertia": "10,210,000", "saved by one more cluster": ""}
    assert sweep[3]["k"] == "4 ◀ used"
    assert sweep[3]["saved by one more cluster"] == "4.3 %"


def test_the_votes_for_k_are_named() -> None:
    base = utkface().clustering
    assert base is not None
    voted = replace(base, votes=(KVote("silhouette", 4), KVote("gap", None)))

    text = said(clusters(View(utkface().having(clustering=voted))))

    assert "Votes: silhouette 4 and gap not computable; the lower median counts." in text


def test_without_clusters_the_reason_is_said() -> None:
    why = (("clustering", "fewer images than clusters"),)

    assert "No clusters: the images were not embedded" in said(clusters(View(bare())))
    assert "No clusters: not computable (fewer images than clusters)." in said(
        clusters(View(replace(bare(), not_computable=why)))
    )


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
    assert "No mean faces: the run directory holds no pictures" in said(clusters(View(utkface())))
