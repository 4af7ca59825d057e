"""Sniffing, subsets, fingerprints, and what is refused at the door."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, plant_table, words

UTK = [f"{age}_0_{age % 5}_201701161840246{age:02}.jpg" for age in range(40)]


def test_a_missing_path_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere") as caught:
        load_dataset(tmp_path / "nowhere")

    assert caught.value.hint


@pytest.mark.parametrize("form", ["auto", "utkface", "folder"])
def test_a_folder_without_images_is_an_error(tmp_path: Path, form: str) -> None:
    plant(tmp_path, "readme.txt", ".hidden/a.jpg")

    with pytest.raises(DatasetError, match="no image"):
        load_dataset(tmp_path, AuditConfig.of(format=form))


def test_a_folder_of_links_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("b")

    with pytest.raises(DatasetError, match="plain file"):
        load_dataset(tmp_path)


def test_a_pipe_or_an_image_is_no_dataset(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")

    with pytest.raises(DatasetError, match="neither a folder nor a table"):
        load_dataset(tmp_path / "labels.csv")
    with pytest.raises(DatasetError, match="neither a folder nor a table"):
        load_dataset(plant(tmp_path, "a.jpg") / "a.jpg")


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="imagenet") as caught:
        load_dataset(tmp_path, AuditConfig.of(format="imagenet"))

    assert "utkface" in caught.value.hint


def test_one_utkface_name_in_ten_makes_it_utkface(tmp_path: Path) -> None:
    plant(tmp_path, UTK[0], *(f"{i}.jpg" for i in range(9)))

    assert load_dataset(tmp_path).attribute("race").counts().sum() == 1


def test_fewer_than_one_utkface_name_in_ten_does_not(tmp_path: Path) -> None:
    plant(tmp_path, UTK[0], *(f"{i}.jpg" for i in range(10)))

    assert load_dataset(tmp_path).attributes == ()


def test_utkface_names_win_over_a_table_and_it_is_said(tmp_path: Path) -> None:
    plant_table(plant(tmp_path, *UTK), "labels.csv", ["file,race", f"{UTK[0]},x"])

    dataset = load_dataset(tmp_path)

    assert dataset.attribute("race").categories[0] == "White"
    assert any('"labels.csv"' in note for note in dataset.notes)
    assert load_dataset(tmp_path, AuditConfig.of(format="table")).attribute("race").categories == (
        "x",
    )


def test_a_dataset_and_its_samples_say_which_reader_made_them(tmp_path: Path) -> None:
    faces = plant(tmp_path / "faces", "1_0_2_20170116184024662.jpg", "2_1_0_20170116184024663.jpg")
    folders = plant(tmp_path / "folders", "happy/a.jpg", "sad/b.jpg")
    plant(tmp_path / "tables", "a.jpg")
    table = plant_table(tmp_path / "tables", "labels.csv", ["file,race", "a.jpg,White"])

    assert load_dataset(faces).format == "utkface"
    assert load_dataset(faces, AuditConfig.of(first=1)).format == "utkface"
    assert load_dataset(folders).format == "folder"
    assert load_dataset(table).format == "table"


def test_columns_asked_for_mean_the_table(tmp_path: Path) -> None:
    plant_table(plant(tmp_path, *UTK), "labels.csv", ["file,tone", f"{UTK[0]},dark"])

    dataset = load_dataset(tmp_path, AuditConfig.of(group=(("tone", "tone"),)))

    assert [a.name for a in dataset.attributes] == ["tone"]


def test_columns_asked_for_without_a_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no columns"):
        load_dataset(plant(tmp_path, *UTK), AuditConfig.of(age_column="age"))


def test_a_table_wins_over_class_folders_unless_told_otherwise(tmp_path: Path) -> None:
    plant_table(plant(tmp_path, "happy/1.jpg"), "labels.csv", ["file,race", "happy/1.jpg,x"])

    assert [a.name for a in load_dataset(tmp_path).attributes] == ["race"]
    told = load_dataset(tmp_path, AuditConfig.of(format="folder"))
    assert [a.name for a in told.attributes] == ["expression"]


def test_several_tables_are_refused_by_name(tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg", "train.csv", "val.csv")

    with pytest.raises(DatasetError, match=r'"train.csv", "val.csv"') as caught:
        load_dataset(tmp_path)

    assert "one of them" in caught.value.hint


def test_format_table_needs_a_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no table"):
        load_dataset(plant(tmp_path, "a.jpg"), AuditConfig.of(format="table"))


def test_a_table_is_not_read_as_another_format(tmp_path: Path) -> None:
    table = plant_table(plant(tmp_path, "a.jpg"), "labels.csv", ["file", "a.jpg"])

    with pytest.raises(ConfigError, match="is a table"):
        load_dataset(table, AuditConfig.of(format="folder"))


def test_the_first_images_are_the_first_in_file_order(tmp_path: Path) -> None:
    whole = load_dataset(plant(tmp_path, *UTK))

    subset = load_dataset(tmp_path, AuditConfig.of(first=7))

    assert subset.ids == whole.ids[:7]
    assert words(subset, "race") == {i: words(whole, "race")[i] for i in subset.ids}
    assert subset.ages is not None
    assert len(subset.ages) == 7
    assert "7 of 40 images" in subset.notes[0]
    assert subset.fingerprint != whole.fingerprint


def test_a_subset_remembers_the_groups_of_the_whole_set(tmp_path: Path) -> None:
    whole = load_dataset(plant(tmp_path, *UTK))

    subset = load_dataset(tmp_path, AuditConfig.of(sample=3))

    assert whole.parent is None
    assert subset.parent is not None
    counts = dict(subset.parent.counts)
    assert list(counts) == ["race", "gender", "age_bin"]
    assert dict(counts["race"]) == dict.fromkeys(
        ("White", "Black", "Asian", "Indian", "Others"), 8
    )
    assert dict(counts["gender"]) == {"male": 40, "female": 0}


def test_a_sample_is_the_seeds_and_stays_in_file_order(tmp_path: Path) -> None:
    plant(tmp_path, *UTK)

    one, again, other = (
        load_dataset(tmp_path, AuditConfig.of(sample=10, seed=s)) for s in (1, 1, 2)
    )

    assert one.ids == again.ids
    assert one.fingerprint == again.fingerprint
    assert one.ids != other.ids
    assert list(one.ids) == sorted(set(one.ids))


def test_a_sample_larger_than_the_set_is_the_set(tmp_path: Path) -> None:
    whole = load_dataset(plant(tmp_path, *UTK))

    same = load_dataset(tmp_path, AuditConfig.of(sample=1000))

    assert same.fingerprint == whole.fingerprint
    assert same.parent is None


def test_rejects_of_images_left_out_are_left_out(tmp_path: Path) -> None:
    plant(tmp_path, *UTK, "zzz.jpg")

    assert len(load_dataset(tmp_path).rejects) == 1
    assert load_dataset(tmp_path, AuditConfig.of(first=5)).rejects == ()


def test_nothing_that_leaves_the_room_can_be_written(tmp_path: Path) -> None:
    for config in (AuditConfig(), AuditConfig.of(first=3)):
        dataset = load_dataset(plant(tmp_path, *UTK), config)
        assert dataset.ages is not None
        longs = [dataset.sizes, dataset.mtimes]
        shorts = [dataset.ages, *(a.codes for a in dataset.attributes)]
        assert not any(array.flags.writeable for array in longs)
        assert not any(array.flags.writeable for array in shorts)
        assert {array.dtype for array in longs} == {np.dtype(np.int64)}
        assert {array.dtype for array in shorts} == {np.dtype(np.int16)}


def test_the_fingerprint_follows_content_and_not_the_place(tmp_path: Path) -> None:
    one = plant(tmp_path / "one", *UTK)
    two = plant(tmp_path / "two", *UTK)
    for root in (one, two):
        for name in UTK:
            os.utime(root / name, ns=(10**18, 10**18))
    before = load_dataset(one).fingerprint

    assert load_dataset(two).fingerprint == before
    assert load_dataset(two, AuditConfig.of(age_bins=(0, 18))).fingerprint != before
    os.utime(two / UTK[0], ns=(10**18, 10**18 + 1))
    assert load_dataset(two).fingerprint != before
    (one / UTK[0]).rename(one / UTK[0].replace("_0_0_", "_1_0_"))
    assert load_dataset(one).fingerprint != before


@given(st.lists(st.sampled_from(["happy", "sad", "x"]), min_size=1, max_size=6), st.integers(1, 8))
def test_listed_images_are_rows_whatever_the_subset(
    tmp_path_factory: pytest.TempPathFactory, folders: list[str], first: int
) -> None:
    root = tmp_path_factory.mktemp("faces")
    plant(root, *(f"{folder}/{i}.jpg" for i, folder in enumerate(folders)))

    dataset = load_dataset(root, AuditConfig.of(first=first))

    assert len(dataset) == min(first, len(folders))
    assert all(len(a.codes) == len(dataset) for a in dataset.attributes)


def test_notes_and_names_can_be_written_as_utf8(tmp_path: Path) -> None:
    """Undecodable bytes in names must not reach a report raw."""
    bad = os.fsdecode(b"caf\xe9")
    plant(tmp_path / bad, f"{bad}/1.jpg", f"{bad}2/1.jpg", f"x.{bad}", "1.jpg")

    dataset = load_dataset(tmp_path / bad)

    words = [dataset.name, *dataset.notes, *(c for a in dataset.attributes for c in a.categories)]
    written = json.dumps(words, ensure_ascii=False).encode("utf-8")
    assert json.loads(written) == words
