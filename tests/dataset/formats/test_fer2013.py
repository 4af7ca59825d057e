"""FER2013: recognised by its header, read line by line."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_audit.config import AuditConfig
from fer_audit.dataset.formats.fer import EMOTIONS as EXPRESSIONS
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.cells import fer2013_lines, grey, grey_words
from tests.dataset.trees import plant, plant_table, reasons, words


def pictures(dataset: FaceDataset) -> list[list[int]]:
    found = []
    for row in range(len(dataset)):
        with Image.open(io.BytesIO(dataset.source.read(row).data)) as image:
            found.append(np.asarray(image.convert("L")).ravel().tolist())
    return found


PICTURES = [grey(n).ravel().tolist() for n in range(9)]
LINES = fer2013_lines(range(9))


def reordered(line: str) -> str:
    emotion, pixels, usage = line.split(",")
    return f"{usage}, {emotion} ,  {pixels}"


def quoted(line: str) -> str:
    return ",".join(f'"{cell}"' for cell in line.split(","))


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        "\r\n".join(LINES) + "\r\n",
        "\ufeff" + "\n".join(LINES) + "\n\n",
        "\n".join(map(reordered, LINES)),
        "\n".join(map(quoted, LINES)),
        "\n".join(line + ",x" for line in LINES),
    ],
    ids=["plain", "crlf", "bom", "reordered", "quoted", "further column"],
)
def test_every_way_to_write_the_table_says_the_same(text: str, tmp_path: Path) -> None:
    (tmp_path / "icml_face_data.csv").write_bytes(text.encode())

    dataset = load_dataset(tmp_path)

    assert dataset.format == "fer2013"
    assert dataset.ids == tuple(f"icml_face_data.csv#{row}" for row in range(9))
    assert [*words(dataset, "expression").values()] == [EXPRESSIONS[n % 7] for n in range(9)]
    assert [*words(dataset, "split").values()][:4] == [
        *("Training", "PublicTest", "PrivateTest", "Training"),
    ]
    assert (dataset.attribute("expression").kind, dataset.attribute("split").kind) == (
        "label",
        "split",
    )
    assert pictures(dataset) == PICTURES
    assert (dataset.rejects, dataset.notes) == ((), ())


def test_junk_lines_are_no_rows_and_bad_cells_are_rows_that_say_less(tmp_path: Path) -> None:
    lines = [
        *LINES[:3],
        *("x", "3,70 80,,,,", '3,"70,Training'),
        *(f"9,{grey_words(grey(2))},Training", f",{grey_words(grey(3))},"),
        *(f"4,1 2 3,{'u' * 200}", f"12,{grey_words(grey(5))},Training"),
    ]
    dataset = load_dataset(plant_table(tmp_path, "f.csv", lines))

    expressions = [*words(dataset, "expression").values()]
    assert expressions == ["Angry", "Disgust", None, None, "Sad", None]
    splits = [*words(dataset, "split").values()]
    assert splits == ["Training", "PublicTest", "Training", None, None, "Training"]
    assert reasons(dataset) == [
        *((f"line {n}", "cells_miscounted") for n in (4, 5, 6)),
        ("f.csv#2", "label_unknown"),
        ("f.csv#4", "cell_too_long"),
        ("f.csv#5", "label_unknown"),
    ]
    assert len(dataset.notes) == 2
    assert dataset.notes[0] == "3 lines of f.csv are no rows, for example line 4."


@pytest.mark.parametrize("header", ["emotion,pixels", "label,pixels,Usage", "", "emotion"])
def test_another_header_is_another_table(header: str, tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg")
    path = plant_table(tmp_path, "f.csv", [header, *LINES[1:]])

    with pytest.raises((ConfigError, DatasetError)):
        load_dataset(path, AuditConfig.of(layout="fer2013"))


def test_several_tables_with_the_header_need_a_decision(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        plant_table(tmp_path, name, LINES)

    with pytest.raises(ConfigError, match=r'2 CSV files.*"a.csv", "b.csv"'):
        load_dataset(tmp_path)
    assert len(load_dataset(tmp_path / "a.csv")) == 9


def test_columns_cannot_be_chosen(tmp_path: Path) -> None:
    path = plant_table(tmp_path, "f.csv", LINES)

    with pytest.raises(ConfigError, match="has no columns"):
        load_dataset(path, AuditConfig.of(label=(("emotion", "emotion"),)))


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No line"):
        load_dataset(plant_table(tmp_path, "f.csv", LINES[:1]))
