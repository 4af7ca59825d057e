"""rows.parquet and rows.csv: one row a file, nothing dropped, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fer_audit.dataset.types import Attribute, FaceDataset, SoftLabels
from fer_audit.errors import StoreError
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.report.files.rows import (
    attribute_columns,
    rows_table,
    write_list,
    write_rows_csv,
    write_rows_parquet,
)
from tests.audit.inputs import attribute, clustering_of, dataset_of, embeddings_of

IDS = ("=cmd()|x.jpg", 'a,b\n"c".jpg', "bytes\udcff.jpg", "plain.jpg")
HASH = b"ab" * 32

DATASET = replace(
    dataset_of(
        attribute("race", [0, 1, -1, 1], ("White", "+Black")),
        attribute("age", [0, 1, 1, -1], ("0-2", "3-9")),
        ages=[1, 5, 4, -1],
    ),
    ids=IDS,
)
ROWS = PackRows(
    ok=np.array([True, True, True, False]),
    reasons=np.array(["", "", "", "truncated"]),
    flags=np.array(["", "png_named_jpg", "", ""]),
    sha256=np.array([HASH, HASH, HASH, b""], "S64"),
    style=np.arange(40, dtype=np.float32).reshape(4, 10) - 5,
    widths=np.array([200, 100, 50, 0], np.int32),
    heights=np.array([200, 100, 50, 0], np.int32),
)
EMBEDDINGS = replace(
    embeddings_of(ROWS),
    ok=np.array([True, True, False, False]),
    reasons=np.array(["", "", "nonfinite_embedding", "truncated"]),
)
CLUSTERING = replace(
    clustering_of([1, 0, -1, -1], k=2), distances=np.array([0.5, 0.25, 0, 0], np.float32)
)


def table_of(dataset: FaceDataset = DATASET) -> pa.Table:
    return rows_table(dataset, ROWS, EMBEDDINGS, CLUSTERING)


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_parquet_has_one_row_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"

    write_rows_parquet(path, table_of())

    read = pq.read_table(path).to_pydict()
    assert read["id"] == ["=cmd()|x.jpg", 'a,b\n"c".jpg', "bytes\\xff.jpg", "plain.jpg"]
    assert read["ok"] == [True, True, False, False]
    assert read["reason"] == [None, None, "nonfinite_embedding", "truncated"]
    assert read["flags"] == [None, "png_named_jpg", None, None]
    assert read["race"] == ["White", "+Black", None, "+Black"]
    assert read["age_group"] == ["0-2", "3-9", "3-9", None]
    assert read["age"] == [1, 5, 4, None]
    assert read["cluster"] == [1, 0, None, None]
    assert read["distance"] == [0.5, 0.25, None, None]
    assert read["luma_mean"] == [-5, 5, 15, None]
    assert read["sha256"] == [HASH.decode()] * 3 + [None]
    assert read["width"] == [200, 100, 50, None]
    assert set(STYLE_NAMES) <= set(read)
    assert not {"cluster", "distance"} & set(
        rows_table(DATASET, ROWS, EMBEDDINGS, None).column_names
    )


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for write in (write_rows_parquet, write_rows_csv):
        for name in ("one", "two"):
            write(tmp_path / name, table_of())

        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_csv_reads_back_and_is_guarded(tmp_path: Path) -> None:
    write_rows_csv(tmp_path / "rows.csv", table_of())

    header, *lines = read_csv(tmp_path / "rows.csv")
    read = [dict(zip(header, line, strict=True)) for line in lines]
    ids = ["'=cmd()|x.jpg", 'a,b\n"c".jpg', "bytes\\xff.jpg", "plain.jpg"]
    assert [row["id"] for row in read] == ids
    assert [row["race"] for row in read] == ["White", "'+Black", "", "'+Black"]
    assert [row["luma_mean"] for row in read] == ["-5", "5", "15", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
def test_no_text_cell_and_no_column_name_starts_a_formula(tmp_path: Path, start: str) -> None:
    bad = f"{start}1+1"
    label = Attribute(bad, (bad,), np.zeros(4, np.int16), "label")
    dataset = replace(DATASET, ids=(bad, *IDS[1:]), attributes=(label,))

    write_rows_csv(tmp_path / "rows.csv", table_of(dataset))

    header, first, *_ = read_csv(tmp_path / "rows.csv")
    assert [first[0], header[4], first[4]] == [f"'{bad}"] * 3


def test_attributes_never_take_the_name_of_another_column() -> None:
    names = ("id", "ok", "cluster", "sha256", "race", "race", "age_group", "age")
    attributes = tuple(
        Attribute(name, (f"{name} {index}",), np.zeros(4, np.int16), "label")
        for index, name in enumerate(names)
    )

    read = table_of(replace(DATASET, attributes=attributes)).to_pydict()

    assert read["id"][3] == "plain.jpg"
    assert read["id_group"][0] == "id 0"
    assert read["race"][0] == "race 4"
    assert read["race_group"][0] == "race 5"
    assert read["age_group_group"][0] == "age 7"


def test_a_subject_takes_no_column_from_an_attribute_that_another_run_is_compared_in() -> None:
    person = Attribute("id", ("anna",), np.zeros(4, np.int16), "subject")
    label = Attribute("id_group", ("happy",), np.zeros(4, np.int16), "label")

    read = table_of(replace(DATASET, attributes=(person, label))).to_pydict()

    assert read[attribute_columns(["id_group"])[0]][0] == "happy"
    assert read["id_group_group"][0] == "anna"


def test_votes_are_a_list_a_row_and_in_no_spreadsheet(tmp_path: Path) -> None:
    votes = np.array([[7, 3], [0, 0], [0.25, 0.75], [1, 0]], np.float32)
    soft = SoftLabels("race", ("White", "+Black"), votes)

    table = table_of(replace(DATASET, soft=(soft,)))
    write_rows_csv(tmp_path / "rows.csv", table)

    assert table.to_pydict()["race_votes"] == [[7, 3], None, [0.25, 0.75], [1, 0]]
    assert table.schema.field("race_votes").type == pa.list_(pa.float32())
    assert read_csv(tmp_path / "rows.csv")[0] == [
        name for name in table.column_names if name != "race_votes"
    ]


def test_a_set_without_images_has_no_rows(tmp_path: Path) -> None:
    none = DATASET.source.take(np.arange(0))
    empty = replace(DATASET, ids=(), source=none, attributes=(), ages=None)
    rows = PackRows(**{name: getattr(ROWS, name)[:0] for name in PackRows.__slots__})
    embeddings = replace(
        EMBEDDINGS,
        **{name: getattr(EMBEDDINGS, name)[:0] for name in ("vectors", "ok", "reasons")},
    )
    table = rows_table(empty, rows, embeddings, None)

    write_rows_parquet(tmp_path / "rows.parquet", table)
    write_rows_csv(tmp_path / "rows.csv", table)

    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 0
    assert len(read_csv(tmp_path / "rows.csv")) == 1


@pytest.mark.parametrize("write", [write_rows_parquet, write_rows_csv])
def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(StoreError, match="Cannot write"):
        write(tmp_path / "no" / "rows", table_of())


def test_a_label_that_is_called_as_a_column_of_the_list_keeps_its_own(tmp_path: Path) -> None:
    write_list(tmp_path / "conflicts.csv", ("group", "id", "group"), [("0", "a.jpg", "B")])

    header, row = (tmp_path / "conflicts.csv").read_text().splitlines()
    assert header.replace('"', "") == "group,id,group_label"
    assert row.replace('"', "") == "0,a.jpg,B"
