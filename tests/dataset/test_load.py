"""Which format is read, its card, subsets, fingerprints, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.config import AuditConfig, DatasetSettings
from fer_audit.dataset import formats
from fer_audit.dataset.formats.registry import FORMATS, HOMES, Format, Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError, FerAuditError
from tests.dataset.trees import plant, plant_table, read_beside_faces, words
from tests.known import known

UTK = [f"{age}_0_{age % 5}_201701161840246{age:02}.jpg" for age in range(40)]


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Give forty files with names of UTKFace."""
    return plant(tmp_path / "faces", *UTK)


def load(path: Path, **settings: object) -> FaceDataset:
    return load_dataset(path, AuditConfig.of(**settings))


@pytest.mark.parametrize(
    ("files", "path", "settings", "error", "message", "hint"),
    [
        (["a.jpg"], "nowhere", {}, DatasetError, "nowhere", "relative to here"),
        (["a.txt", ".hidden/a.jpg"], "", {}, DatasetError, "no image", "hidden"),
        (["a.txt"], "", {"layout": "utkface"}, DatasetError, "no image", "hidden"),
        (["a.txt"], "", {"layout": "folder"}, DatasetError, "no image", "hidden"),
        (["a.jpg"], "a.jpg", {}, DatasetError, "neither a folder nor a file", "datasets"),
        (["a.jpg"], "", {"layout": "imagenet"}, ConfigError, "imagenet", "utkface"),
        (UTK, "", {"age_column": "age"}, ConfigError, "no columns", "path of a table"),
        (["a.jpg"], "", {"layout": "table"}, DatasetError, "no table", ".csv"),
        (["a.jpg", "t.csv"], "t.csv", {"layout": "folder"}, ConfigError, "is a table", "Give the"),
        (
            ["a.jpg", "train.csv", "val.csv"],
            *("", {}, ConfigError, '"train.csv", "val.csv"', "one of them"),
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_hint(
    tmp_path: Path,
    files: list[str],
    path: str,
    settings: dict[str, str],
    error: type[FerAuditError],
    message: str,
    hint: str,
) -> None:
    plant(tmp_path, *files)

    with pytest.raises(error, match=message) as caught:
        load(tmp_path / path, **settings)

    assert hint in caught.value.hint


def test_a_folder_of_links_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("b")

    with pytest.raises(DatasetError, match="plain file"):
        load(tmp_path)


def test_a_pipe_or_an_image_is_no_dataset(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")

    for path in (tmp_path / "labels.csv", plant(tmp_path, "a.jpg") / "a.jpg"):
        with pytest.raises(DatasetError, match="neither a folder nor a file"):
            load(path)


@pytest.mark.parametrize(("others", "form"), [(9, "utkface"), (10, "folder")])
def test_one_utkface_name_in_ten_makes_it_utkface(tmp_path: Path, others: int, form: str) -> None:
    plant(tmp_path, UTK[0], *(f"{i}.jpg" for i in range(others)))

    assert load(tmp_path).format == form


def test_utkface_names_win_over_a_table_and_it_is_noted(faces: Path) -> None:
    plant_table(faces, "labels.csv", ["file,race,tone", f"{UTK[0]},x,dark"])

    dataset = load(faces)

    assert dataset.format == "utkface"
    assert "research only" in dataset.terms
    assert any('"labels.csv"' in note for note in dataset.notes)
    assert load(faces, layout="table").attribute("race").categories == ("x",)
    assert [a.name for a in load(faces, group=(("tone", "tone"),)).attributes] == ["tone"]


def test_a_table_wins_over_class_folders_unless_told_otherwise(tmp_path: Path) -> None:
    plant(tmp_path, "happy/1.jpg", "sad/1.jpg")
    plant_table(tmp_path, "labels.csv", ["file,race", "happy/1.jpg,x"])

    assert [a.name for a in load(tmp_path).attributes] == ["race"]
    assert load(tmp_path).format == load(tmp_path / "labels.csv").format == "table"
    assert load(tmp_path).terms == "", "they are the terms of one set, and any set may be a table"
    assert [a.name for a in load(tmp_path, layout="folder").attributes] == ["expression"]


def test_a_folder_without_the_lists_of_the_format_asked_for_is_refused_in_words(
    tmp_path: Path,
) -> None:
    plant(tmp_path, "x/a.jpg")
    for layout in ("rafdb", "celeba", "expw", "ferplus", "adience", "affectnet", "fairface"):
        with pytest.raises(DatasetError, match=f"no label file that {layout} has"):
            load_dataset(tmp_path, AuditConfig.of(layout=layout))


def test_names_for_an_attribute_that_is_not_there_are_an_error(tmp_path: Path) -> None:
    lines = ("file,race", "a.jpg,0", "b.jpg,1")
    config = AuditConfig.of(names=(("rase", "0:White,1:Black"),))

    with pytest.raises(ConfigError, match='about "rase"') as problem:
        read_beside_faces(tmp_path, *lines, config=config)

    assert problem.value.hint == 'It has "race".'


def test_the_first_images_are_the_first_in_file_order(faces: Path) -> None:
    whole, subset = load(faces), load(faces, first=7)

    assert subset.ids == whole.ids[:7]
    assert words(subset, "race") == {i: words(whole, "race")[i] for i in subset.ids}
    assert len(known(subset.ages)) == 7
    assert subset.format == "utkface"
    assert "7 of 40 images" in subset.notes[0]
    assert subset.fingerprint != whole.fingerprint


def test_a_subset_remembers_the_groups_of_the_whole_set(faces: Path) -> None:
    subset = load(faces, sample=3)

    assert load(faces).parent is None
    counts = dict(known(subset.parent).counts)
    assert list(counts) == ["race", "gender", "age_bin"]
    assert set(dict(counts["race"]).values()) == {8}
    assert dict(counts["gender"]) == {"male": 40, "female": 0}


def test_a_sample_is_the_seeds_and_stays_in_file_order(faces: Path) -> None:
    one, again, other = (load(faces, sample=10, seed=seed) for seed in (1, 1, 2))

    assert one.ids == again.ids
    assert one.fingerprint == again.fingerprint
    assert one.ids != other.ids
    assert list(one.ids) == sorted(set(one.ids))


def test_a_sample_larger_than_the_set_is_the_set(faces: Path) -> None:
    same = load(faces, sample=1000)

    assert same.fingerprint == load(faces).fingerprint
    assert same.parent is None


def test_rejects_of_images_left_out_are_left_out(faces: Path) -> None:
    plant(faces, "zzz.jpg")

    assert len(load(faces).rejects) == 1
    assert load(faces, first=5).rejects == ()


@pytest.mark.parametrize("settings", [{}, {"first": 3}])
def test_no_array_of_a_dataset_can_be_written(faces: Path, settings: dict[str, int]) -> None:
    dataset = load(faces, **settings)

    shorts = [known(dataset.ages), *(a.codes for a in dataset.attributes)]
    assert not any(array.flags.writeable for array in shorts)
    assert {array.dtype for array in shorts} == {np.dtype(np.int16)}


def test_the_fingerprint_follows_content_and_not_the_place(tmp_path: Path) -> None:
    one, two = (plant(tmp_path / name, *UTK) for name in ("one", "two"))
    for root in (one, two):
        for name in UTK:
            os.utime(root / name, ns=(10**18, 10**18))
    before = load(one).fingerprint

    assert load(two).fingerprint == before
    assert load(two, age_bins=(0, 18)).fingerprint != before
    os.utime(two / UTK[0], ns=(10**18, 10**18 + 1))
    assert load(two).fingerprint != before
    (one / UTK[0]).rename(one / UTK[0].replace("_0_0_", "_1_0_"))
    assert load(one).fingerprint != before


@given(st.lists(st.sampled_from(["happy", "sad", "x"]), min_size=1, max_size=6), st.integers(1, 8))
def test_listed_images_are_rows_whatever_the_subset(
    tmp_path_factory: pytest.TempPathFactory, folders: list[str], first: int
) -> None:
    root = tmp_path_factory.mktemp("faces")
    plant(root, *(f"{folder}/{i}.jpg" for i, folder in enumerate(folders)))

    dataset = load(root, first=first)

    assert len(dataset) == min(first, len(folders))
    assert all(len(a.codes) == len(dataset) for a in dataset.attributes)


def test_notes_and_names_can_be_written_as_utf8(tmp_path: Path) -> None:
    """Undecodable bytes in names must not reach a report raw."""
    bad = os.fsdecode(b"caf\xe9")
    plant(tmp_path / bad, f"{bad}/1.jpg", f"{bad}2/1.jpg", f"x.{bad}", "1.jpg")

    dataset = load_dataset(tmp_path / bad)

    texts = [dataset.name, *dataset.notes, *(c for a in dataset.attributes for c in a.categories)]
    written = json.dumps(texts, ensure_ascii=False).encode("utf-8")
    assert json.loads(written) == texts


def test_every_module_of_a_format_is_in_the_list_and_the_other_way_round() -> None:
    folder = Path(formats.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "registry"}

    assert modules == {HOMES.get(form.name, form.name) for form in FORMATS}


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_looks_at_a_folder_and_says_what_it_is(form: Format, tmp_path: Path) -> None:
    given = DatasetPath(plant(tmp_path, "happy/a.jpg"), is_folder=True)

    assert form.sniff(given, DatasetSettings()) in Match
    assert form.about


def test_the_formats_are_listed_without_loading_numpy() -> None:
    code = (
        "import sys, fer_audit.cli.options, fer_audit.dataset.formats.registry;"
        "print('numpy' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("happy/1.jpg", "sad/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_the_card_says_who_made_the_labels(folder: Path) -> None:
    (folder / "dataset.json").write_text(
        '{"label_source": "Two students, 2024.", "notes": ["Half of it is blurred."]}'
    )

    dataset = load_dataset(folder)

    assert dataset.label_source == "Two students, 2024."
    assert dataset.notes[0] == "Half of it is blurred."
    assert not any("ignored" in note for note in dataset.notes)


def test_without_a_card_the_reader_says_what_it_knows(folder: Path) -> None:
    assert load_dataset(folder).label_source


@pytest.mark.parametrize("text", ["[]", "{", '{"label_source": 3}', '{"notes": "one"}'])
def test_a_card_that_is_something_else_is_an_error(folder: Path, text: str) -> None:
    (folder / "dataset.json").write_text(text)

    with pytest.raises(ConfigError, match=r"dataset\.json"):
        load_dataset(folder)
