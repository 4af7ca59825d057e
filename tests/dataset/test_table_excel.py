"""Workbooks: what a sheet says, where its table begins, and what is no workbook."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.table import excel
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, plant_table, reasons, words

Rows = Sequence[Sequence[object]]
TABLE: Rows = [
    ("file", "gender", "age", "smile"),
    ("a.jpg", "male", 23, True),
    ("b.jpg", "female", 31.0, False),
    ("c.jpg", None, 40, None),
]


def write_book(root: Path, sheets: Mapping[str, Rows], name: str = "labels.xlsx") -> Path:
    """Write a workbook next to a.jpg, b.jpg and c.jpg."""
    openpyxl = pytest.importorskip("openpyxl")
    plant(root, "a.jpg", "b.jpg", "c.jpg")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(root / name)
    return root / name


def labels(dataset: FaceDataset) -> list[tuple[object, ...]]:
    return [(a.name, a.kind, a.categories, a.codes.tolist(), a.unsaid) for a in dataset.attributes]


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.csv"])
@pytest.mark.parametrize(
    "above",
    [(), ((), ("Our faces, 2024",), ("by", "A. Nobody"), ())],
    ids=["table alone", "rows above it"],
)
def test_a_sheet_says_what_the_same_table_says_as_csv(
    above: Rows, name: str, tmp_path: Path
) -> None:
    lines = ["" if cell is None else str(cell).lower() for row in TABLE for cell in row]
    text = [",".join(lines[i : i + 4]) for i in range(0, len(lines), 4)]
    plain = load_dataset(
        plant_table(plant(tmp_path / "csv", "a.jpg", "b.jpg", "c.jpg"), "l.csv", text)
    )

    dataset = load_dataset(
        write_book(tmp_path / "book", {"Sheet": (), "Labels": (*above, *TABLE)}, name)
    )

    assert dataset.ids == plain.ids
    assert labels(dataset) == labels(plain)
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [23, 31, 40]
    assert any('only the sheet "Labels" is read, not "Sheet"' in note for note in dataset.notes)
    assert any("2 rows above the table" in note for note in dataset.notes) == bool(above)


def test_messages_name_the_row_of_the_sheet(tmp_path: Path) -> None:
    rows = [("Our faces",), (), *TABLE[:2], ("", "male"), *TABLE[2:]]

    assert reasons(load_dataset(write_book(tmp_path, {"s": rows}))) == [("line 5", "path_empty")]


def test_an_index_that_pandas_wrote_and_a_stray_remark_are_no_columns(tmp_path: Path) -> None:
    rows = [(None, *TABLE[0]), *((i, *row) for i, row in enumerate(TABLE[1:]))]
    rows[2] = (*rows[2], None, "blurred?")

    dataset = load_dataset(write_book(tmp_path, {"s": rows}))

    assert list(words(dataset, "gender").values()) == ["male", "female", None]
    assert reasons(dataset) == []


def test_an_age_group_that_became_a_day_is_repaired(tmp_path: Path) -> None:
    ages = ("3-9", datetime(2024, 9, 3), "20-29")
    files = ("a.jpg", "b.jpg", "c.jpg")
    rows = [("file", "age"), *zip(files, ages, strict=True)]

    assert list(words(load_dataset(write_book(tmp_path, {"s": rows})), "age_bin").values()) == [
        *("3-9", "3-9", "20-29"),
    ]


def test_without_openpyxl_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)  # what an import of a missing module meets
    with zipfile.ZipFile(tmp_path / "labels.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "")

    with pytest.raises(ConfigError, match="openpyxl is not installed") as refused:
        load_dataset(tmp_path / "labels.xlsx")

    assert "pip install 'fer-audit[excel]'" in refused.value.hint


def test_a_zip_archive_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "faces.xlsx", "w") as archive:
        archive.writestr("a.jpg", "x")

    with pytest.raises(DatasetError, match="is a zip archive") as refused:
        load_dataset(tmp_path / "faces.xlsx")

    assert refused.value.hint == "Unpack it first."


def changed(path: Path, member: str, old: bytes, new: bytes) -> None:
    """Put other bytes into a member of a workbook."""
    with zipfile.ZipFile(path) as book:
        parts = {each: book.read(each) for each in book.namelist()}
    assert old in parts[member]
    parts[member] = parts[member].replace(old, new)
    with zipfile.ZipFile(path, "w") as book:
        for name, data in parts.items():
            book.writestr(name, data)


@pytest.mark.parametrize(
    ("member", "old", "new"),
    [
        ("xl/worksheets/sheet1.xml", b"</row>", b"</r"),
        ("xl/worksheets/sheet1.xml", b'r="A2"', b'r="??"'),
        ("xl/worksheets/sheet1.xml", b'<row r="4"', b'<row r="99999999999"'),
        ("xl/worksheets/sheet1.xml", b't="n"><v>23', b't="s"><v>999'),
        ("xl/workbook.xml", b"<sheets>", b"<sheets"),
        ("[Content_Types].xml", b"spreadsheetml.sheet.main", b"nothing"),
    ],
)
def test_a_broken_workbook_is_refused(
    member: str, old: bytes, new: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "MAX_CELLS", 10_000)
    path = write_book(tmp_path, {"s": TABLE})
    changed(path, member, old, new)

    with pytest.raises(DatasetError, match=r"labels\.xlsx"):
        load_dataset(path)


def test_every_cut_workbook_is_refused(tmp_path: Path) -> None:
    path = write_book(tmp_path, {"s": TABLE})
    data = path.read_bytes()
    for length in range(0, len(data), 211):
        path.write_bytes(data[:length])
        with pytest.raises(DatasetError):
            load_dataset(path)


def test_what_a_workbook_unpacks_to_is_asked_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "MAX_UNPACKED_BYTES", 1_000)
    pytest.importorskip("openpyxl")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/workbook.xml", bytes(1_001))

    with pytest.raises(DatasetError, match="unpacks to 1,001 bytes"):
        excel.sheet_as_csv(packed.getvalue(), "bomb.xlsx")


@pytest.mark.parametrize("rows", [[], [()], [(None, "")]])
def test_an_empty_workbook_is_refused(rows: Rows, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is empty"):
        load_dataset(write_book(tmp_path, {"s": rows}))
