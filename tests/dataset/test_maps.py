"""Maps to other schemes: every group has one place or none, nothing is guessed, and what is lost is said."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.config import AGE_BINS, AuditConfig
from fer_audit.dataset.ages import MAX_AGE, AgeGroup, age_bin_names
from fer_audit.dataset.formats import by_name, fer
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.maps import CODES, MAPS, AgeMap, GroupMap, fold
from fer_audit.dataset.table.labels import MISSING
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError
from tests.dataset.trees import plant, plant_table, read_beside_faces, words

GROUP_MAPS = [each for each in MAPS if isinstance(each, GroupMap)]
AGE_MAPS = [each for each in MAPS if isinstance(each, AgeMap)]
KNOWN = {
    "race": {name for (about, _), codes in CODES.items() if about == "race" for name in codes.values()},
    "expression": {*by_name.CKPLUS_EXPRESSIONS, *fer.EXPRESSIONS}
    | {name for (about, _), codes in CODES.items() if about == "expression" for name in codes.values()},
}  # fmt: skip
"""Every group of every set that is read, by attribute."""
UTK = [
    "20_0_0_20170116184024662.jpg",
    "3_1_4_20170116184024663.jpg",
    "4_0_2_20170116184024664.jpg",
]


def mapped(root: Path, groups: list[str], *maps: str, column: str = "race") -> FaceDataset:
    """Read a table of images with these groups."""
    plant(root, *(f"{i}.jpg" for i in range(len(groups))))
    lines = [f"file,{column}", *(f"{i}.jpg,{group}" for i, group in enumerate(groups))]
    asked = tuple((column, name) for name in maps)
    config = AuditConfig.of(map=asked, group=((column, column),))
    return load_dataset(plant_table(root, "labels.csv", lines), config)


@pytest.mark.parametrize("scheme", GROUP_MAPS, ids=lambda each: each.name)
def test_every_group_has_one_place_in_a_map_and_a_scheme_maps_to_itself(scheme: GroupMap) -> None:
    places = [name for names in scheme.sources.values() for name in names] + [*scheme.without]

    assert len(places) == len(set(places))
    assert [fold(name) for name in places] == places
    assert all(scheme.sources.values())
    assert [scheme.target(group) for group in scheme.groups] == [*scheme.groups]
    same = {name for each in GROUP_MAPS if each.attribute == scheme.attribute
            for names in (*each.sources.values(), each.without) for name in names}  # fmt: skip
    assert same == set(places)


@pytest.mark.parametrize("scheme", GROUP_MAPS, ids=lambda each: each.name)
def test_every_group_of_every_set_we_read_is_in_every_map_of_it(scheme: GroupMap) -> None:
    for group in KNOWN[scheme.attribute]:
        if group.lower() not in MISSING:
            assert scheme.target(group) in (*scheme.groups, None)


@given(st.sampled_from(GROUP_MAPS), st.data())
def test_case_spaces_and_dashes_do_not_matter(scheme: GroupMap, data: st.DataObject) -> None:
    target = data.draw(st.sampled_from(scheme.groups))
    name = data.draw(st.sampled_from(scheme.sources[target]))
    joints = st.sampled_from(["", " ", "_", "-", " - "])
    spelt = "".join(data.draw(joints) + data.draw(st.sampled_from([x, x.upper()])) for x in name)

    assert scheme.target(spelt) == target


@given(st.sampled_from(GROUP_MAPS), st.text())
def test_what_no_map_names_is_not_guessed(scheme: GroupMap, word: str) -> None:
    places = {x for names in scheme.sources.values() for x in names} | set(scheme.without)
    if fold(word) not in places:
        with pytest.raises(KeyError):
            scheme.target(word)


@given(st.sampled_from(AGE_MAPS), st.integers(0, MAX_AGE - 1), st.integers(0, MAX_AGE))
def test_an_age_group_is_where_every_year_of_it_is(scheme: AgeMap, low: int, span: int) -> None:
    high = min(low + span, MAX_AGE)
    group = AgeGroup(low, high)
    years = {scheme.target(str(year)) for year in range(low, high + 1)}

    assert scheme.target(group.name) == (years.pop() if len(years) == 1 else None)


@pytest.mark.parametrize("scheme", AGE_MAPS, ids=lambda each: each.name)
def test_age_schemes_map_to_themselves(scheme: AgeMap) -> None:
    assert [scheme.target(group) for group in scheme.groups] == [*scheme.groups]
    assert age_bin_names(AGE_BINS) == AGE_MAPS[1].groups
    with pytest.raises(KeyError):
        scheme.target("young")


def test_the_sensible_choices_about_races_are_maps_of_their_own() -> None:
    choices = {
        each.name: (each.target("Middle Eastern"), each.target("Indian"), each.target("Latino"))
        for each in GROUP_MAPS
        if each.attribute == "race"
    }
    assert choices == {
        "race3": (None, None, None),
        "race3_wide": ("Caucasian", "Asian", None),
        "race4": (None, "Indian", None),
        "race4_wide": ("White", "Indian", None),
        "race5": ("Others", "Indian", "Others"),
    }


def test_a_mapped_attribute_is_added_and_what_is_lost_is_one_sentence(tmp_path: Path) -> None:
    groups = [
        "East Asian",
        "Southeast Asian",
        "Latino_Hispanic",
        "Martian",
        "unknown",
        "Caucasian",
    ]

    dataset = mapped(tmp_path, [*groups, "Latino_Hispanic"], "race4", "race5")

    assert [each.name for each in dataset.attributes] == ["race", "race4", "race5"]
    race, race4, race5 = dataset.attributes
    assert (race4.kind, race4.source, race4.mapped_from) == (race.kind, race.source, "race")
    assert (race.mapped_from, race4.categories) == ("", ("White", "Asian"))
    assert [*words(dataset, "race4").values()] == [*("Asian", "Asian", None, None, None, "White"), None]  # fmt: skip
    assert race5.counts().tolist() == [1, 2, 2]
    (note,) = [each for each in dataset.notes if each.startswith("race4 ")]
    assert note == (
        'race4 is race under the map of that name: "Caucasian" is White; "East Asian", "Southeast Asian" are one '
        'group, Asian; "Latino_Hispanic" (2 images) is without a counterpart in it, and not annotated; "Martian" '
        "(1 image) is not in the map, and not annotated; no group of this set is Black or Indian."
    )


@pytest.mark.parametrize("scheme", [each for each in GROUP_MAPS if each.attribute == "race"])
def test_a_set_in_a_scheme_of_ours_loses_nothing_in_it(scheme: GroupMap, tmp_path: Path) -> None:
    dataset = mapped(tmp_path, [*scheme.groups], scheme.name)

    assert words(dataset, "race") == words(dataset, scheme.name)
    assert dataset.notes[-1].endswith("no group is lost in it.")


def test_ages_are_mapped_by_years_where_they_are_known_and_whole_groups_elsewhere(
    tmp_path: Path,
) -> None:
    config = AuditConfig.of(map=(("age_bin", "age5"), ("race", "race3")))
    faces = load_dataset(plant(tmp_path / "utk", *UTK), config)
    assert [*words(faces, "age5").values()] == ["20-39", "0-3", "4-19"]
    assert [*words(faces, "race3").values()] == ["Caucasian", None, "Asian"]

    table = read_beside_faces(tmp_path, "file,age", "a.jpg,3-9", "b.jpg,20-29", "c.jpg,70+",
                              config=AuditConfig.of(map=(("age_bin", "age5"),)))  # fmt: skip
    assert [*words(table, "age5").values()] == [None, "20-39", "70+"]
    assert '"3-9" (1 image) is in no single group of it, and not annotated' in table.notes[-1]


def test_a_subset_knows_the_mapped_counts_of_its_set(tmp_path: Path) -> None:
    config = AuditConfig.of(map=(("race", "race3"),), first=1)

    subset = load_dataset(plant(tmp_path, *UTK), config)

    assert subset.attribute("race3").counts().sum() == 1
    assert subset.parent is not None
    assert dict(subset.parent.counts)["race3"] == (("Caucasian", 1), ("African-American", 0), ("Asian", 1))  # fmt: skip


def test_a_map_changes_the_dataset_and_not_its_images(tmp_path: Path) -> None:
    plant(tmp_path, *UTK)
    plain, other = (
        load_dataset(tmp_path, AuditConfig.of(map=maps)) for maps in ((), (("race", "race4"),))
    )

    assert plain.images_digest() == other.images_digest()
    assert plain.fingerprint != other.fingerprint
    assert not other.attribute("race4").codes.flags.writeable
    assert np.array_equal(plain.attribute("race").codes, other.attribute("race").codes)


@pytest.mark.parametrize(
    ("maps", "message", "hint"),
    [
        ([("race", "race9")], 'no map "race9" for race', "race3, race3_wide, race4, race4_wide, race5."),
        ([("race", "age5")], 'no map "age5" for race', "Known: race3"),
        ([("skin", "race9")], 'no map "race9" for skin', "expression6"),
        ([("skin", "race4")], "'skin', which is no attribute of", "race, gender, age_bin"),
        ([("gender", "race4")], "No group of gender is in the map race4", "--names gender=0:NAME"),
        ([("race", "race4")] * 2, "already has an attribute called race4", "once"),
    ],
)  # fmt: skip
def test_maps_that_cannot_be_are_refused(
    tmp_path: Path, maps: list[tuple[str, str]], message: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        load_dataset(plant(tmp_path, *UTK), AuditConfig.of(map=tuple(maps)))
    assert hint in (refused.value.hint or "")


def test_an_unknown_map_is_refused_before_anything_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no map"):
        load_dataset(tmp_path / "nowhere", AuditConfig.of(map=(("race", "race9"),)))
