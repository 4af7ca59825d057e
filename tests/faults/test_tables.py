"""Tables as people and programs break them: counted by kind, nothing dropped in silence, and errors name the line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.document import read_result
from tests.drawings import draw_face
from tests.faults.conftest import QUICK
from tests.faults.crowd import Crowd, Ended

N = 12
HEADER = "path,race,age"
LINES = tuple(f"{i:02d}.jpg,{'ab'[i % 2]},{20 + i}" for i in range(N))
PLAIN = "\n".join((HEADER, *LINES)) + "\n"

MESSY = (
    ("not-there.jpg,a,30", ""),
    ("sub/neither.jpg,b,31", ""),
    ("00.jpg,a,20", "duplicate_row"),
    ("./01.jpg,b,21", "duplicate_row"),
    ("02.jpg,b,22", "conflicting_rows"),
    ("/etc/passwd,a,30", "path_outside_root"),
    ("../outside.jpg,a,30", "path_outside_root"),
    ("sub/../../outside.jpg,a,30", "path_outside_root"),
    ("C:\\faces\\x.jpg,a,30", "path_outside_root"),
    ("\\\\host\\share\\x.jpg,a,30", "path_outside_root"),
    (",a,30", "path_empty"),
    (" . ,a,30", "path_empty"),
    ("\0.jpg,a,30", "path_invalid"),
    (f"{'p/' * 3000}x.jpg,a,30", "path_invalid"),
    ("http://example.invalid/x.jpg,a,30", ""),
    ("file:///etc/passwd,a,30", ""),
    ("only-a-path.jpg", "cells_miscounted"),
    ("too.jpg,many,30,cells", "cells_miscounted"),
    ('"' * 100_001 + "deep.jpg,a,30", "cells_miscounted"),
    ('"a ""quoted"" ""name"", with a comma\nand a line.jpg",a,30', ""),
    (f"long.jpg,{'y' * 10_000_000},23", "cell_too_long"),
    ("typed.jpg,a,abc", "age_unreadable"),
    ("old.jpg,a,200", "age_out_of_range"),
    ("nobody.jpg,NA,", ""),
    ("word.jpg,unheard-of,30", ""),
    ("zero.jpg,a\0b,30", ""),
)
"""Lines, and the reason each is rejected with; no reason = the line is a row, and its label is used."""

UNNAMED = ("98.jpg", "99.jpg")
PACKED = "packed.parquet"


def text_tables() -> dict[str, bytes]:
    """Return the same table as different programs write it; dataset/test_table.py has the usual ones."""
    return {
        "plain.csv": PLAIN.encode(),
        "bom-semicolon.csv": b"\xef\xbb\xbf" + PLAIN.replace(",", " ; ").encode(),
        "cr.tsv": PLAIN.replace("\n", "\r").replace(",", "\t").encode(),
        "utf16.csv": PLAIN.encode("utf-16"),
        "no-last-end.csv": PLAIN.removesuffix("\n").replace("\n", "\r\n").encode(),
        "wide.csv": b"".join(
            line + b"," + b",".join(cells) + b"\n"
            for number, line in enumerate(PLAIN.encode().splitlines())
            for cells in [[b"c%d" % i if number == 0 else b"1" for i in range(100_000)]]
        ),
    }


def parquet_table() -> pa.Table:
    """Return the same table in types that mean the same."""
    paths, races, ages = (list(c) for c in zip(*(line.split(",") for line in LINES), strict=True))
    return pa.table(
        {
            "path": pa.array(paths, pa.large_string()),
            "race": pa.array(races).dictionary_encode(),
            "age": pa.array(map(float, ages), pa.float64()),
        }
    )


def nested_tables() -> dict[str, pa.Table]:
    """Return tables whose cells are no words."""
    paths = [f"{i:02d}.jpg" for i in range(N)]
    return {
        "list.parquet": pa.table({"path": paths, "race": [["a"]] * N}),
        "struct.parquet": pa.table({"path": [{"where": "x", "what": 1}] * N}),
        "map.parquet": pa.table(
            {"path": paths, "race": pa.array([[("a", 1)]] * N, pa.map_(pa.string(), pa.int8()))}
        ),
        "bytes.parquet": pa.table({"path": paths, "race": [b"\xff"] * N}),
    }


def refused() -> dict[str, tuple[bytes, int, str]]:
    """Return tables that are refused: the bytes, the exit code, and what the message names."""
    few = pa.BufferOutputStream()
    parquet.write_table(parquet_table(), few)
    whole = few.getvalue().to_pybytes()
    return {
        "utf16-cut.csv": (PLAIN.encode("utf-16")[:-1], 3, "begins like UTF-16"),
        "page.csv": (b"<!DOCTYPE html>\n<p>Sign in", 3, "is an HTML page"),
        "pointer.csv": (b"version https://git-lfs.github.com/spec/v1\n", 3, "a Git-LFS pointer"),
        "no-paths.csv": (b"1,2\n3,4\n", 2, "no column is named like a path"),
        "twice.csv": (b"path,race,race\n00.jpg,a,b\n", 2, 'more than one column "race"'),
        "columns.csv": (",".join(f"c{i}" for i in range(100_000)).encode(), 2, "and 99,960 more"),
        "header.csv": (b"path," + b"z" * 10_000_000 + b"\n00.jpg,1\n", 2, "line 1: field larger"),
        "empty.csv": (b"", 3, "is empty"),
        "only-header.csv": (HEADER.encode(), 3, "None of the 0 lines"),
        "elsewhere.csv": (b"path,race\n../0.jpg,a\n/1.jpg,b\n", 3, "None of the 2 lines"),
        "cut.parquet": (whole[:-30], 3, "cannot be read as parquet"),
        "text.parquet": (PLAIN.encode(), 3, "cannot be read as parquet"),
    }


@dataclass(frozen=True)
class Read:
    """What became of every table."""

    home: Path
    said: dict[str, Ended]

    def rows(self, name: str) -> list[dict[str, object]]:
        table = parquet.read_table(self.home / "runs" / name / "rows.parquet")
        rows: list[dict[str, object]] = table.select(["id", "ok", "race", "age"]).to_pylist()
        return rows


@pytest.fixture(scope="module")
def read(
    tmp_path_factory: pytest.TempPathFactory, tiny_model: ExportedModel, crowd: Crowd
) -> Read:
    """Put all tables beside the same faces and read one after another; the messy one is audited."""
    home = tmp_path_factory.mktemp("tables")
    root = home / "set"
    root.mkdir()
    for number in range(N):
        draw_face(number).save(root / f"{number:02d}.jpg")
    for name in UNNAMED:
        draw_face(int(name[:2])).save(root / name)
    messy = "\n".join((HEADER, *LINES, *(line for line, _ in MESSY))) + "\n"
    (root / "messy.csv").write_bytes(messy.encode())
    for name, data in text_tables().items():
        (root / name).write_bytes(data)
    for name, table in {PACKED: parquet_table(), **nested_tables()}.items():
        parquet.write_table(table, root / name)
    for name, (data, _, _) in refused().items():
        (root / name).write_bytes(data)
    options = ("--model", tiny_model.path, "--cache-dir", home / "cache")
    names = [*text_tables(), PACKED, *nested_tables(), *refused()]
    said = {
        name: crowd.run("embed", root / name, "--out", home / "runs" / name, *options)
        for name in names
    }
    audit = ("run", root / "messy.csv", "--out", home / "runs" / "messy.csv", *options, *QUICK)
    return Read(home, {**said, "messy.csv": crowd.run(*audit)})


def test_every_way_to_write_a_table_gives_the_same_rows(read: Read) -> None:
    names = [*text_tables(), PACKED]

    assert {name: read.said[name].err for name in names if read.said[name].code} == {}
    first, *others = [read.rows(name) for name in names]
    assert [(row["id"], row["race"], row["age"]) for row in first] == [
        (path, race, int(age)) for path, race, age in (line.split(",") for line in LINES)
    ]
    assert [name for name, rows in zip(names[1:], others, strict=True) if rows != first] == []


def test_what_is_wrong_with_lines_is_counted_by_kind(read: Read) -> None:
    facts = read_result(read.home / "runs" / "messy.csv" / "result.json").dataset
    reasons = [reason for _, reason in MESSY if reason]

    found = {each.reason: each.count for each in facts.rejects}

    assert found == {reason: reasons.count(reason) for reason in set(reasons)}


def test_a_line_is_a_row_or_a_reject_and_never_both_nor_neither(read: Read) -> None:
    """Lines whose cells alone are rejected stay rows; a file's second line is a reject."""
    of_cells = {"cell_too_long", "age_unreadable", "age_out_of_range"}
    again = {"duplicate_row", "conflicting_rows"}
    kept = [line for line, reason in MESSY if not reason or reason in of_cells]
    facts = read_result(read.home / "runs" / "messy.csv" / "result.json").dataset

    rows = read.rows("messy.csv")

    assert facts.listed == len(rows) == N + len(kept)
    assert facts.failed == len(kept)
    assert not again & {str(row["id"]) for row in rows}
    assert read.said["messy.csv"].code == 4


def test_lines_that_disagree_leave_a_label_open_whichever_comes_first(read: Read) -> None:
    rows = {row["id"]: row for row in read.rows("messy.csv")}

    assert rows["00.jpg"]["race"] == "a"
    assert rows["02.jpg"]["race"] is None
    assert rows["word.jpg"]["race"] == "unheard-of"
    assert rows["nobody.jpg"]["race"] is None
    assert rows["zero.jpg"]["race"] == "a\0b"


@pytest.mark.parametrize("name", refused())
def test_a_table_that_cannot_be_read_says_where_and_ends_with_its_code(
    name: str, read: Read
) -> None:
    _, code, words = refused()[name]

    said = read.said[name]

    assert (said.code, said.out) == (code, "")
    assert words in said.text
    assert len(said.text) < 1_000


def test_cells_that_are_no_words_are_refused_by_their_type(read: Read) -> None:
    for name in nested_tables():
        assert read.said[name].code == 2, name
        assert "not words or numbers" in read.said[name].text
