"""Sets whose labels lie in lists of their own making: RAF-DB, ExpW, CelebA, FER+."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_audit.config import AuditConfig
from fer_audit.dataset.formats.fer import ANSWERS, EXPRESSIONS, majority
from fer_audit.dataset.load import load_dataset
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.pack.rows import decode_images, empty_rows
from tests.dataset.cells import fer2013_lines
from tests.dataset.trees import plant, plant_table, reasons, words


def test_raf_db_finds_aligned_images_and_their_attributes(tmp_path: Path) -> None:
    root = tmp_path / "basic"
    names = [f"train_0000{i}" for i in (1, 2)] + ["test_0001"]
    plant(root / "Image" / "aligned", *(f"{name}_aligned.jpg" for name in names))
    (root / "EmoLabel").mkdir()
    lines = [f"{name}.jpg {code}" for name, code in zip(names, (5, 1, 9), strict=True)]
    plant_table(root / "EmoLabel", "list_patition_label.txt", lines)
    manual = root / "Annotation" / "manual"
    manual.mkdir(parents=True)
    points = ["1.5\t2.5"] * 5
    plant_table(manual, "train_00001_manu_attri.txt", [*points, "0", "2", "4"])
    plant_table(manual, "train_00002_manu_attri.txt", [*points, "2", "1", "0"])
    plant_table(manual, "test_0001_manu_attri.txt", ["broken"])

    dataset = load_dataset(tmp_path)

    ids = [f"basic/Image/aligned/{name}_aligned.jpg" for name in names]
    assert dataset.format == "rafdb"
    assert words(dataset, "expression") == dict(
        zip(ids, ("Sadness", "Surprise", "9"), strict=True)
    )
    assert words(dataset, "gender") == dict(zip(ids, ("Male", None, None), strict=True))
    assert dataset.attribute("gender").unsaid == (("unsure", 1),)
    assert words(dataset, "race") == dict(
        zip(ids, ("Asian", "African-American", None), strict=True)
    )
    assert words(dataset, "age_bin") == dict(zip(ids, ("70+", "0-3", None), strict=True))
    assert words(dataset, "split") == dict(zip(ids, ("train", "train", "test"), strict=True))


def test_a_row_of_expw_is_a_face_cut_out_by_its_box(tmp_path: Path) -> None:
    """The left half of the picture is red, the right half blue: each face has its own colour."""
    pixels = np.zeros((40, 80, 3), np.uint8)
    pixels[:, :40, 0] = pixels[:, 40:, 2] = 255
    (tmp_path / "Images").mkdir()
    Image.fromarray(pixels).save(tmp_path / "Images" / "a.png")
    lines = ["a.png 0 0 0 40 40 20.5 3", "a.png 1 0 40 80 40 20.5 0", "a.png 2 9 9 9 9 1.0 0"]
    plant_table(
        tmp_path, "label.lst", [*lines, "a.png 3 0 900 990 40 1.0 6", "gone.png 0 0 0 9 9 1 1"]
    )

    dataset = load_dataset(tmp_path)
    drawn, rows = np.zeros((4, 8, 8, 3), np.uint8), empty_rows(4)
    decode_images(dataset.source, drawn, rows)

    gone = "gone.png#0"
    ids = ["Images/a.png#0", "Images/a.png#1", "Images/a.png#3", gone]
    labels = ("happy", "angry", "neutral", "disgust")
    assert words(dataset, "expression") == dict(zip(ids, labels, strict=True))
    assert reasons(dataset) == [("line 3", "box_unreadable")]
    assert rows.reasons.tolist() == ["", "", "box_outside", "missing"]
    assert drawn[0, 4, 4].tolist() == [255, 0, 0]
    assert drawn[1, 4, 4].tolist() == [0, 0, 255]
    assert (rows.widths[0], rows.heights[0]) == (40, 40)
    assert rows.sha256[0] != rows.sha256[1]


@pytest.mark.parametrize("kaggle", [False, True])
def test_celeba_is_read_from_the_authors_lists_and_from_kaggles(
    tmp_path: Path, kaggle: bool
) -> None:
    plant(tmp_path, "img_align_celeba/1.jpg", "img_align_celeba/2.jpg")
    if kaggle:
        lines = ["image_id,Male,Smiling,Young,Bald", "1.jpg,1,-1,1,-1", "2.jpg,-1,1,-1,1"]
        plant_table(tmp_path, "list_attr_celeba.csv", lines)
        parts = ["image_id,partition", "1.jpg,0", "2.jpg,2"]
        plant_table(tmp_path, "list_eval_partition.csv", parts)
    else:
        lines = [
            "202599\r",
            "Male Smiling Young Bald \r",
            "1.jpg  1 -1  1 -1\r",
            "2.jpg -1  1 -1  1\r",
        ]
        plant_table(tmp_path, "list_attr_celeba.txt", lines)
        plant_table(tmp_path, "list_eval_partition.txt", ["1.jpg 0", "2.jpg 2"])
        plant_table(tmp_path, "identity_CelebA.txt", ["1.jpg 7", "2.jpg 7"])

    dataset = load_dataset(tmp_path, AuditConfig.of(label=(("hair", "Bald"),)))

    assert list(words(dataset, "hair").values()) == ["not bald", "bald"]
    assert dataset.attribute("hair").kind == "label"
    with pytest.raises(ConfigError, match='no attribute "Hat"'):
        load_dataset(tmp_path, AuditConfig.of(label=(("hat", "Hat"),)))
    assert list(words(dataset, "gender").values()) == ["male", "female"]
    assert list(words(dataset, "age").values()) == ["young", "not young"]
    assert list(words(dataset, "smiling").values()) == ["not smiling", "smiling"]
    assert list(words(dataset, "split").values()) == ["train", "test"]
    assert any("202,599 images" in note for note in dataset.notes) is not kaggle
    if not kaggle:
        assert list(words(dataset, "subject").values()) == ["7", "7"]
        assert dataset.attribute("subject").kind == "subject"


def test_a_list_of_celeba_without_its_columns_is_refused(tmp_path: Path) -> None:
    plant(tmp_path, "1.jpg")
    plant_table(tmp_path, "list_attr_celeba.csv", ["image_id,Bald", "1.jpg,1"])

    with pytest.raises(DatasetError, match='no column "Male"'):
        load_dataset(tmp_path)


def test_fer_plus_keeps_the_votes_and_takes_the_majority(tmp_path: Path) -> None:
    header = ",".join(("Usage", "Image name", *ANSWERS))
    votes = ["8,2,0,0,0,0,0,0,0,0", "0,5,0,5,0,0,0,0,0,0", "2,0,0,0,0,0,0,0,8,0"]
    folders = ("FER2013Train", "FER2013Valid", "FER2013Test")
    usages = ("Training", "PublicTest", "PrivateTest")
    lines = [
        f"{usage},fer000000{i}.png,{v}"
        for i, (usage, v) in enumerate(zip(usages, votes, strict=True))
    ]
    plant(tmp_path, *(f"data/{folder}/fer000000{i}.png" for i, folder in enumerate(folders)))
    plant(tmp_path, "data/FER2013Train/label.csv")
    plant_table(tmp_path, "fer2013new.csv", [header, *lines, "Training,,0,0,0,0,0,0,0,0,0,10"])

    dataset = load_dataset(tmp_path)

    assert dataset.format == "ferplus"
    expression = words(dataset, "expression")
    assert expression["data/FER2013Train/fer0000000.png"] == "neutral"
    assert list(expression.values()).count(None) == 2
    assert dataset.attribute("expression").unsaid == (("unclear", 1), ("unknown", 1))
    assert reasons(dataset) == [("line 5", "path_empty")]
    (soft,) = dataset.soft
    row = dataset.ids.index("data/FER2013Train/fer0000000.png")
    assert soft.votes[row].tolist() == [8, 2, 0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("winner", range(len(EXPRESSIONS)))
def test_single_votes_never_decide(winner: int) -> None:
    """Two votes for one answer win against one for each other; two against two do not."""
    votes = np.ones((2, len(ANSWERS)), np.float32)
    votes[:, winner] = 2
    votes[1, (winner + 1) % len(ANSWERS)] = 2

    assert majority(votes).codes.tolist() == [winner, -1]


USAGES = ("Training", "PublicTest", "PrivateTest")
"""As `fer2013_lines` writes them, by turns."""


def plant_votes(root: Path, usages: Sequence[str], *, unnamed: int = -1) -> None:
    """Write `fer2013new.csv`: in row i everybody votes for answer i; the row `unnamed` names no image."""
    lines = [
        ",".join((usage, "" if i == unnamed else f"fer{i:07d}.png", *votes.astype(str)))
        for i, (usage, votes) in enumerate(
            zip(usages, 10 * np.eye(len(usages), len(ANSWERS), dtype=int), strict=True)
        )
    ]
    plant_table(root, "fer2013new.csv", [",".join(("Usage", "Image name", *ANSWERS)), *lines])


def test_fer_plus_without_images_takes_the_pixels_of_fer2013_row_by_row(tmp_path: Path) -> None:
    """A row without a name is left out of both, so each vote stays with its own picture."""
    plant_table(tmp_path, "fer2013.csv", fer2013_lines(range(9)))
    plant_votes(tmp_path, 3 * USAGES, unnamed=4)

    dataset = load_dataset(tmp_path)

    there = [0, 1, 2, 3, 5, 6, 7, 8]
    assert dataset.format == "ferplus"
    assert dataset.ids == tuple(f"fer2013.csv#{i}" for i in there)
    assert reasons(dataset) == [("line 6", "path_empty")]
    said = [EXPRESSIONS[i] if i < len(EXPRESSIONS) else None for i in there]
    assert list(words(dataset, "expression").values()) == said
    assert list(words(dataset, "split").values()) == [USAGES[i % 3] for i in there]
    assert dataset.soft[0].votes.argmax(axis=1).tolist() == there
    alone = load_dataset(tmp_path / "fer2013.csv").source
    for row, i in enumerate(there):
        assert dataset.source.read(row) == alone.read(i)
    (note,) = dataset.notes
    assert "in each of the 9 both tables say the same part" in note


@pytest.mark.parametrize("row", range(6))
def test_fer_plus_is_not_joined_to_rows_of_another_part(row: int, tmp_path: Path) -> None:
    plant_table(tmp_path, "fer2013.csv", fer2013_lines(range(6)))
    usages = list(2 * USAGES)
    usages[row] = USAGES[(row + 1) % 3]
    plant_votes(tmp_path, usages)

    with pytest.raises(DatasetError, match=f'Row {row + 1} is "{usages[row]}" in fer2013new.csv'):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("votes", "pixels", "torn", "message"),
    [
        (6, 5, None, r'Row 6 is "PrivateTest" in fer2013new.csv and "\(no row\)" in fer2013.csv'),
        (5, 6, None, r'Row 6 is "\(no row\)"'),
        (6, 6, "x", "fer2013.csv, line 3 is no row"),
    ],
)
def test_fer_plus_is_not_joined_to_a_table_with_more_or_fewer_rows(
    votes: int, pixels: int, torn: str | None, message: str, tmp_path: Path
) -> None:
    lines = fer2013_lines(range(pixels))
    plant_table(tmp_path, "fer2013.csv", [*lines[:2], *([torn] if torn else []), *lines[2:]])
    plant_votes(tmp_path, (2 * USAGES)[:votes])

    with pytest.raises(DatasetError, match=message):
        load_dataset(tmp_path)
