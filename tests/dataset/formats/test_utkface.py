"""UTKFace names: read when they say something, rejected when they do not, never guessed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.config import AuditConfig
from fer_audit.dataset.formats import utkface
from fer_audit.dataset.formats.utkface import GENDERS, RACES, parse_name
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from tests.dataset.trees import plant, reasons, words

NAME = "26_1_2_20170116184024662.jpg.chip.jpg"
OTHER = "1_0_4_20161219154612988.jpg.chip.jpg"
NO_RACE = "61_1_20170109150557335.jpg.chip.jpg"


def read(root: Path, *names: str) -> FaceDataset:
    """Plant files and read them as UTKFace."""
    return load_dataset(plant(root, *names), AuditConfig.of(layout="utkface"))


@given(
    age=st.integers(0, 116),
    gender=st.integers(0, 1),
    race=st.integers(0, 4),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),
    chip=st.sampled_from([".jpg", ".jpg.chip.jpg"]),
)
def test_every_name_that_we_write_reads_back(
    age: int, gender: int, race: int, moment: datetime, chip: str
) -> None:
    stamp = moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03}"

    labels = parse_name(f"{age}_{gender}_{race}_{stamp}{chip}")

    assert (labels.age, labels.gender, labels.race) == (age, gender, race)
    assert (labels.stamp or "").startswith(moment.strftime("%Y%m%d%H%M%S"))
    assert labels.reasons == ()
    assert not labels.misspelt


@given(st.text())
def test_any_other_name_says_nothing(name: str) -> None:
    labels = parse_name(name + "?")

    assert (labels.age, labels.gender, labels.race, labels.stamp) == (-1, -1, -1, None)
    assert labels.reasons == ("name_not_utkface",)


@pytest.mark.parametrize(
    "name",
    [
        *("117_0_0_20170116184024662.jpg", "26_2_0_20170116184024662.jpg"),
        *("26_1_5_20170116184024662.jpg", "53__20170116184028385.jpg"),
        *("61_3_20170109150557335.jpg.chip.jpg", "26_1_2_201701161840246.jpg"),
        *("26_1_2_20170116184024662.jpg\n", "\u0662_1_2_20170116184024662.jpg", "face.jpg"),
    ],
)
def test_a_field_out_of_its_range_makes_the_name_unreadable(name: str) -> None:
    assert parse_name(name).reasons == ("name_not_utkface",)


def test_a_name_without_a_gender_keeps_its_age_and_race(tmp_path: Path) -> None:
    name = "53__0_20170116184028385.jpg"

    dataset = read(tmp_path, name, NAME)

    assert words(dataset, "gender") == {name: None, NAME: "female"}
    assert words(dataset, "race")[name] == RACES[0]
    assert words(dataset, "age_bin")[name] == "50-59"
    assert reasons(dataset) == [(name, "gender_missing")]
    assert name in dataset.notes[0]


def test_attributes_come_in_a_fixed_order_with_their_categories(tmp_path: Path) -> None:
    dataset = read(tmp_path, NAME, OTHER)

    assert [(a.name, a.kind) for a in dataset.attributes] == [
        ("race", "demographic"),
        ("gender", "demographic"),
        ("age_bin", "demographic"),
        ("crawl_day", "batch"),
        ("crawl_hour", "batch"),
        ("crawl_ten_minutes", "batch"),
        ("crawl_minute", "batch"),
    ]
    assert dataset.attribute("race").categories == RACES
    assert dataset.attribute("gender").categories == GENDERS
    assert words(dataset, "race") == {NAME: "Asian", OTHER: "Others"}
    assert words(dataset, "gender") == {NAME: "female", OTHER: "male"}
    assert words(dataset, "age_bin") == {NAME: "20-29", OTHER: "0-2"}
    assert words(dataset, "crawl_day") == {NAME: "20170116", OTHER: "20161219"}
    assert words(dataset, "crawl_hour") == {NAME: "2017011618", OTHER: "2016121915"}
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [1, 26]
    assert "DEX" in dataset.label_source
    assert (dataset.rejects, dataset.notes) == ((), ())


@pytest.mark.parametrize(
    "name",
    [
        "55_0_0_20170116232725357jpg.chip.jpg",
        "24_0_1_20170116220224657 .jpg.chip.jpg",
        "44_1_4_20170116235150272.pg.chip.jpg",
    ],
)
def test_a_misspelt_suffix_is_repaired_with_a_note(tmp_path: Path, name: str) -> None:
    dataset = read(tmp_path, name, NAME)

    assert words(dataset, "race")[name] is not None
    assert dataset.rejects == ()
    assert "misspelt" in dataset.notes[0]
    assert name in dataset.notes[0]


@pytest.mark.parametrize("stamp", ["20170230120000000", "20170101240000000", "00000101000000000"])
def test_an_impossible_hour_is_unknown_and_the_labels_stay(tmp_path: Path, stamp: str) -> None:
    name = f"26_1_2_{stamp}.jpg"

    dataset = read(tmp_path, name, NAME)

    assert words(dataset, "crawl_hour")[name] is None
    assert words(dataset, "crawl_day")[name] is None
    assert words(dataset, "race")[name] == "Asian"
    assert reasons(dataset) == [(name, "timestamp_invalid")]


def test_timestamps_of_another_length_are_read_and_noted(tmp_path: Path) -> None:
    short = "14_0_0_2017011022340900.jpg.chip.jpg"
    long = "28_1_2_201701161846515488.jpg.chip.jpg"

    dataset = read(tmp_path, short, long, NAME)

    assert words(dataset, "crawl_hour")[short] == "2017011022"
    assert dataset.rejects == ()
    assert "16 or 18 digits" in dataset.notes[0]


def test_a_nested_copy_of_the_set_is_left_out_and_said(tmp_path: Path) -> None:
    """Kaggle's archive holds the set, and a folder that holds the set again."""
    plant(tmp_path, f"UTKFace/{NAME}", f"nested/UTKFace/{NAME}", f"crop_part1/{NAME}")
    plant(tmp_path, f"UTKFace/{OTHER}")

    dataset = load_dataset(tmp_path)

    assert dataset.ids == (f"UTKFace/{OTHER}", f"UTKFace/{NAME}")
    assert "2 files repeat" in dataset.notes[0]
    assert '"crop_part1" (1) and "nested/UTKFace" (1)' in dataset.notes[0]
    assert dataset.skipped == (("copy in another folder", 2),)


def test_only_files_that_share_name_and_size_are_opened_when_a_set_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, f"a/{NAME}", f"b/{NAME}", f"a/{OTHER}")
    plant(tmp_path, f"b/{OTHER}", f"c/{NAME}", content=b"longer")
    opened: list[str] = []

    def digest(listing: Listing, row: int) -> str:
        opened.append(listing.ids[row])
        return ""

    monkeypatch.setattr(utkface, "_digest", digest)

    assert len(load_dataset(tmp_path)) == 5
    assert sorted(opened) == [f"a/{NAME}", f"b/{NAME}"]


def test_photographs_in_the_wild_are_read_and_their_crops_are_named(tmp_path: Path) -> None:
    """The set in the wild lies in part1/ to part3/, its crops have the name and .chip.jpg."""
    whole, cropped = (name.removesuffix(".chip.jpg") for name in (OTHER, NAME))
    plant(tmp_path, f"part1/{whole}", f"part3/{cropped}")
    wild = load_dataset(tmp_path)
    plant(tmp_path, f"UTKFace/{NAME}", content=b"cropped")

    both = load_dataset(tmp_path)

    assert words(wild, "race") == {f"part1/{whole}": "Others", f"part3/{cropped}": "Asian"}
    assert (wild.format, wild.notes, wild.rejects) == ("utkface", (), ())
    assert len(both) == 3
    assert (
        f'there twice, in the wild and as its cropped face, each with the same labels: "part3/{cropped}".'
        in (both.notes[0])
    )


def test_one_name_with_different_bytes_is_two_images(tmp_path: Path) -> None:
    plant(tmp_path, f"part1/{NAME}", content=b"in the wild")
    plant(tmp_path, f"chips/{NAME}", content=b"cropped")
    plant(tmp_path, f"same_size/{NAME}", content=b"CROPPED")

    dataset = load_dataset(tmp_path)

    assert len(dataset) == 3
    assert "1 name occurs in more than one folder with different bytes" in dataset.notes[0]


def test_equal_bytes_under_different_names_are_kept(tmp_path: Path) -> None:
    """Two labels for one picture are a finding, not an accident of packing."""
    assert len(read(tmp_path, NAME, OTHER)) == 2


def test_a_name_that_says_less_keeps_its_row_and_the_labels_it_has(tmp_path: Path) -> None:
    dataset = read(tmp_path, NAME, NO_RACE, "holiday.jpg")

    assert words(dataset, "race") == {NAME: "Asian", NO_RACE: None, "holiday.jpg": None}
    assert words(dataset, "gender")[NO_RACE] == "female"
    assert words(dataset, "crawl_hour")[NO_RACE] == "2017010915"
    assert all(words(dataset, a.name)["holiday.jpg"] is None for a in dataset.attributes)
    assert reasons(dataset) == [(NO_RACE, "race_missing"), ("holiday.jpg", "name_not_utkface")]
    assert [NO_RACE in note for note in dataset.notes] == [True, False]
    for attribute in dataset.attributes:
        assert attribute.counts().sum() + (attribute.codes == -1).sum() == len(dataset)
