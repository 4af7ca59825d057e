"""Parquet files with images: names of codes, shards, splits, and images that are only named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fer_audit.config import AuditConfig
from fer_audit.dataset import parquet_images
from fer_audit.dataset.formats.hf_parquet import split_of
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.table.words import json_word
from fer_audit.dataset.types import FaceDataset, Reject
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.cells import GENDERS, face, records, write_parquet
from tests.dataset.trees import plant, reasons, words

CODES = {"gender": [0, 1, 1], "race": [2, 0, 1]}
FAIRFACE = {"gender": ["Male", "Female"], "race": ["East Asian", "Indian", "Black"]}
NATERAW = {"gender": ["Female", "Male"], "race": ["Black", "East Asian", "Indian"]}


def values(dataset: FaceDataset, name: str) -> list[str | None]:
    return list(words(dataset, name).values())


@pytest.mark.parametrize("names", [FAIRFACE, NATERAW, None])
def test_codes_have_the_names_of_the_files_own_metadata_or_none(
    names: dict[str, list[str]] | None, tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / "a.parquet", records(range(3)), CODES, names=names)

    dataset = load_dataset(path)

    assert dataset.format == "hf_parquet"
    assert dataset.ids == ("a.parquet#0", "a.parquet#1", "a.parquet#2")
    for column, codes in CODES.items():
        expected = [names[column][code] if names else str(code) for code in codes]
        assert values(dataset, column) == expected
    assert [dataset.source.read(row).data for row in range(3)] == [face(row) for row in range(3)]
    assert dataset.rejects == ()
    unnamed = [] if names else list(CODES)
    assert [
        f'"{each}" are codes' in note for each, note in zip(unnamed, dataset.notes, strict=True)
    ] == ([True] * len(unnamed))


def test_minus_one_is_no_label_and_a_code_without_a_name_stays_a_code(tmp_path: Path) -> None:
    codes = {"gender": [0, -1, 7]}
    path = write_parquet(
        tmp_path / "a.parquet", records(range(3)), codes, names={"gender": GENDERS}
    )

    assert values(load_dataset(path), "gender") == ["Male", None, "7"]


TEXT = pa.array(["b", None, "a", "b", "c", None, "a"])


@pytest.mark.parametrize("group", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "column",
    [
        TEXT,
        pa.array([1, None, 0, 1, 12, None, 0]),
        pa.array([1.0, None, 0.5, 1.0, float("nan"), None, 0.5]),
        pa.array([True, None, False, True, False, None, False]),
        pa.array([None, None, None, "a", None, None, None]),
        TEXT.cast(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=["text", "integers", "floats", "truth values", "few", "dictionary"],
)
def test_labels_are_the_words_of_their_rows_however_the_rows_are_grouped(
    column: pa.Array, group: int, tmp_path: Path
) -> None:
    path = write_parquet(tmp_path / "a.parquet", records(range(7)), {"mood": column}, group=group)

    dataset = load_dataset(path, AuditConfig.of(label=(("mood", "mood"),)))

    assert values(dataset, "mood") == [json_word(cell) for cell in column.to_pylist()]


def test_shards_are_read_together_and_their_names_are_the_split(tmp_path: Path) -> None:
    parts = {
        "train-00000-of-00002": [0, 1],
        "train-00001-of-00002": [2],
        "test-00000-of-00001": [3],
    }
    for name, numbers in parts.items():
        columns = {"gender": [GENDERS[n % 2] for n in numbers]}
        write_parquet(tmp_path / f"data/{name}.parquet", records(numbers), columns)
    plant(tmp_path, "README.md")

    dataset = load_dataset(tmp_path)

    by_id = dict(zip(dataset.ids, range(4), strict=True))
    for name, numbers in parts.items():
        for row, number in enumerate(numbers):
            file_id = f"data/{name}.parquet#{row}"
            assert dataset.source.read(by_id[file_id]).data == face(number)
            assert words(dataset, "split")[file_id] == name.split("-")[0]
            assert words(dataset, "gender")[file_id] == GENDERS[number % 2]
    assert dataset.attribute("split").kind == "split"
    assert dataset.whole

    (tmp_path / "data/train-00001-of-00002.parquet").unlink()
    dataset = load_dataset(tmp_path)

    assert len(dataset) == 3
    assert not dataset.whole
    assert "Not every shard is there" in dataset.notes[0]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *(
            ("train-00000-of-00003.parquet", "train"),
            ("default/validation/0000.parquet", "validation"),
        ),
        *(
            ("test.parquet", "test"),
            ("faces-val.parquet", "val"),
            ("data/TRAIN/a.parquet", "TRAIN"),
        ),
        *(("trainer.parquet", None), ("latest.parquet", None), ("train/x/y.parquet", None)),
    ],
)
def test_the_split_is_a_word_of_the_name_or_of_the_folder(name: str, split: str | None) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize("label", [(), (("gender", "gender"),)], ids=["plain", "a column"])
@pytest.mark.parametrize("path", [".", "train-{00000..00001}-of-00002.parquet"])
def test_where_no_parquet_file_can_be_read_the_first_says_why(
    path: str, label: tuple[tuple[str, str], ...], tmp_path: Path
) -> None:
    for shard in range(2):
        name = tmp_path / f"train-0000{shard}-of-00002.parquet"
        data = write_parquet(name, records([shard]), {"gender": ["Male"]}).read_bytes()
        name.write_bytes(data[:-8])

    with pytest.raises(DatasetError, match=r"None of the 2 parquet files .*footer") as refused:
        load_dataset(tmp_path / path, AuditConfig.of(label=label))

    assert "train-00000-of-00002.parquet cannot be read as parquet" in str(refused.value)


def test_one_parquet_file_that_cannot_be_read_is_named_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        path = write_parquet(tmp_path / f"{name}.parquet", records([0]), {})
    path.write_bytes(path.read_bytes()[:-8])

    with pytest.raises(DatasetError, match=r"b.parquet cannot be read") as refused:
        load_dataset(tmp_path)

    assert "None of" not in str(refused.value)


def test_broken_parquet_files_next_to_another_table_leave_the_choice_to_the_user(
    tmp_path: Path,
) -> None:
    plant(tmp_path, "a.parquet", "b.parquet", "labels.csv")

    with pytest.raises(ConfigError, match="several tables"):
        load_dataset(tmp_path)


def test_files_that_are_no_parts_of_one_set_need_a_decision(tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "a/x.parquet", records([0]), {"gender": [0]}, names={"gender": GENDERS}
    )
    write_parquet(
        tmp_path / "b/x.parquet", records([1]), {"gender": [0]}, names={"gender": GENDERS}
    )

    with pytest.raises(ConfigError, match="different folders"):
        load_dataset(tmp_path)

    other = GENDERS[::-1]
    write_parquet(tmp_path / "a/y.parquet", records([1]), {"gender": [0]}, names={"gender": other})

    with pytest.raises(ConfigError, match="classes differ"):
        load_dataset(tmp_path / "a")


def test_plain_bytes_are_images_when_they_begin_like_one(tmp_path: Path) -> None:
    images = [None, face(0)]
    dataset = load_dataset(write_parquet(tmp_path / "a.parquet", images[::-1], CODE_OF_TWO))

    assert dataset.source.read(0).data == face(0)

    plant(tmp_path, "a.jpg")
    path = write_parquet(tmp_path / "b.parquet", [b"text", b"text"], CODE_OF_TWO)
    with pytest.raises((ConfigError, DatasetError)):
        load_dataset(path, AuditConfig.of(layout="hf_parquet"))


CODE_OF_TWO = {"gender": ["f", "m"]}


def test_images_that_are_only_named_are_files_beside_or_under_images(tmp_path: Path) -> None:
    paths = ["img/a.jpg", "..\\b.jpg", "/etc/passwd", "gone.jpg", None]
    images = [{"bytes": None, "path": path} for path in paths]
    columns = {"gender": ["f", "m", "f", "m", "f"]}
    path = write_parquet(tmp_path / "set/a.parquet", images, columns)
    plant(tmp_path, "b.jpg")

    with pytest.raises(DatasetError, match=r'hold no image.*"img/a.jpg"'):
        load_dataset(path)

    plant(tmp_path / "elsewhere", "img/a.jpg", content=face(1))
    elsewhere = load_dataset(path, AuditConfig.of(images_dir=str(tmp_path / "elsewhere")))
    plant(tmp_path / "set", "img/a.jpg", content=face(0))
    beside = load_dataset(path)

    for dataset, number in ((elsewhere, 1), (beside, 0)):
        assert dataset.ids == tuple(f"a.parquet#{row}" for row in range(5))
        assert dataset.source.there.tolist() == [True, False, False, False, False]
        assert dataset.source.read(0).data == face(number)


def test_columns_that_are_no_words_are_said_and_not_read(tmp_path: Path) -> None:
    columns = {
        "race": pa.array(["x", "y"]).dictionary_encode(),
        "age": [23.0, None],
        "emotion": [[1], [2]],
        "caption": ["a", "b"],
        "mask": records([8, 9]),
    }
    dataset = load_dataset(write_parquet(tmp_path / "a.parquet", records([0, 1]), columns))

    assert {each.name for each in dataset.attributes} == {"age_bin", "race"}
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [23, -1]
    assert len([note for note in dataset.notes if '"mask"' in note]) == 1
    assert len([note for note in dataset.notes if '"emotion"' in note]) == 1
    assert len([note for note in dataset.notes if '"caption"' in note]) == 1

    other = load_dataset(tmp_path / "a.parquet", AuditConfig.of(path_column="mask"))
    assert other.source.read(0).data == face(8)
    with pytest.raises(ConfigError, match='no column of images "race"'):
        load_dataset(tmp_path / "a.parquet", AuditConfig.of(path_column="race"))


def test_the_images_are_not_read_when_the_set_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken pages of the images are found when the images are read, and cost no label."""
    path = write_parquet(tmp_path / "a.parquet", records(range(3)), CODES)
    data = path.read_bytes()
    path.write_bytes(data.replace(face(1), b"\xff" * len(face(1))))

    dataset = load_dataset(path)

    assert values(dataset, "gender") == ["0", "1", "1"]
    assert reasons(dataset) == []


def test_labels_of_a_broken_row_group_are_missing_and_the_others_are_there(tmp_path: Path) -> None:
    columns = {"race": [f"group-{row // 2}-zzzz" for row in range(6)]}
    path = write_parquet(tmp_path / "a.parquet", records(range(6)), columns, group=2)
    data = path.read_bytes()
    at = data.index(b"group-1-zzzz")
    path.write_bytes(data[: at - 4] + b"\xff" * 8 + data[at + 4 :])

    dataset = load_dataset(path)

    found = values(dataset, "race")
    assert found[:2] + found[4:] == ["group-0-zzzz"] * 2 + ["group-2-zzzz"] * 2
    assert found[2:4] == [None, None]
    assert reasons(dataset) == [("a.parquet, row group 1", "labels_unreadable")]


def test_a_folder_of_parquet_files_and_columns_that_are_asked_for(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", records(range(3)), {"mood": ["a", "b", "a"]})

    dataset = load_dataset(tmp_path, AuditConfig.of(label=(("expression", "mood"),)))

    assert dataset.format == "hf_parquet"
    assert values(dataset, "expression") == ["a", "b", "a"]


@pytest.mark.parametrize("broken", ["a.parquet", "b.parquet"])
def test_a_broken_file_of_a_set_is_named_whichever_it_is(broken: str, tmp_path: Path) -> None:
    for name in ("a.parquet", "b.parquet"):
        write_parquet(tmp_path / name, records([0, 1]), CODE_OF_TWO)
    plant(tmp_path, broken, content=b"PAR1 and nothing else")

    with pytest.raises(DatasetError, match=f"{broken} cannot be read as parquet"):
        load_dataset(tmp_path)


def test_labels_and_images_are_those_of_one_state_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is replaced when its footer has been read."""
    path = write_parquet(tmp_path / "a.parquet", records([0, 1]), CODE_OF_TWO)
    read_labels = parquet_images.Shard.read_labels

    def replaced(*words: Any) -> list[Reject]:  # noqa: ANN401 - passed on
        write_parquet(tmp_path / "new", records([2, 3]), CODE_OF_TWO).replace(path)
        return read_labels(*words)

    monkeypatch.setattr(parquet_images.Shard, "read_labels", replaced)

    with pytest.raises(DatasetError, match=r"a\.parquet cannot be read: changed_during_run"):
        load_dataset(path)
