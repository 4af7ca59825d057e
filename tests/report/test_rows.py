"""rows.parquet and rows.csv: one row a file, nothing dropped, nothing a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_audit.cluster.types import Clustering
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.errors import StoreError
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.report.files.document import write_rows_csv, write_rows_parquet

IDS = ("=cmd()|x.jpg", 'a,b\n"c".jpg', "bytes\udcff.jpg", "plain.jpg")
HASH = b"ab" * 32


@pytest.fixture
def dataset() -> FaceDataset:
    race = Attribute("race", ("White", "+Black"), np.array([0, 1, -1, 1], np.int16), "demographic")
    age = Attribute("age", ("0-2", "3-9"), np.array([0, 1, 1, -1], np.int16), "demographic")
    return FaceDataset(
        name="four",
        root=Path("/nowhere"),
        ids=IDS,
        sizes=np.full(4, 9, np.int64),
        mtimes=np.zeros(4, np.int64),
        attributes=(race, age),
        ages=np.array([1, 5, 4, -1], np.int16),
        rejects=(),
        notes=(),
        label_source="",
        parent=None,
        fingerprint="",
    )


@pytest.fixture
def rows() -> PackRows:
    style = np.arange(40, dtype=np.float32).reshape(4, 10) - 5
    return PackRows(
        ok=np.array([True, True, True, False]),
        reasons=np.array(["", "", "", "truncated"]),
        flags=np.array(["", "png_named_jpg", "", ""]),
        sha256=np.array([HASH, HASH, HASH, b""], "S64"),
        style=style,
        widths=np.array([200, 100, 50, 0], np.int32),
        heights=np.array([200, 100, 50, 0], np.int32),
    )


@pytest.fixture
def embeddings() -> Embeddings:
    return Embeddings(
        vectors=np.zeros((4, 2), np.float32),
        ok=np.array([True, True, False, False]),
        reasons=np.array(["", "", "nonfinite_embedding", "truncated"]),
        model=ModelFacts("m", "", "CPUExecutionProvider", "fp32", 2),
        fingerprint="",
    )


@pytest.fixture
def clustering() -> Clustering:
    return Clustering(
        labels=np.array([1, 0, -1, -1], np.int32),
        centers=np.zeros((2, 2), np.float32),
        distances=np.array([0.5, 0.25, 0, 0], np.float32),
        inertia=0.3,
        start_inertias=(0.3,),
        sweep=(),
        fingerprint="",
    )


def test_parquet_has_one_row_a_file(
    tmp_path: Path,
    dataset: FaceDataset,
    rows: PackRows,
    embeddings: Embeddings,
    clustering: Clustering,
) -> None:
    path = tmp_path / "rows.parquet"

    write_rows_parquet(path, dataset, rows, embeddings=embeddings, clustering=clustering)

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


def test_the_same_rows_give_the_same_bytes(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows
) -> None:
    for name in ("one", "two"):
        write_rows_parquet(tmp_path / f"{name}.parquet", dataset, rows)
        write_rows_csv(tmp_path / f"{name}.csv", dataset, rows)

    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_without_a_model_the_rows_are_those_of_decoding(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows
) -> None:
    path = tmp_path / "rows.parquet"

    write_rows_parquet(path, dataset, rows)

    read = pq.read_table(path).to_pydict()
    assert read["ok"] == [True, True, True, False]
    assert read["reason"] == [None, None, None, "truncated"]
    assert "cluster" not in read


def test_csv_reads_back_and_is_guarded(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows, clustering: Clustering
) -> None:
    path = tmp_path / "rows.csv"

    write_rows_csv(path, dataset, rows, clustering=clustering)

    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["id"] for row in read] == [
        "'=cmd()|x.jpg",
        'a,b\n"c".jpg',
        "bytes\\xff.jpg",
        "plain.jpg",
    ]
    assert [row["race"] for row in read] == ["White", "'+Black", "", "'+Black"]
    assert [row["luma_mean"] for row in read] == ["-5", "5", "15", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "\uff1d"])
def test_no_text_cell_and_no_column_name_starts_a_formula(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows, start: str
) -> None:
    from dataclasses import replace

    bad = f"{start}1+1"
    label = Attribute(bad, (bad,), np.zeros(4, np.int16), "label")
    path = tmp_path / "rows.csv"

    write_rows_csv(path, replace(dataset, ids=(bad, *IDS[1:]), attributes=(label,)), rows)

    with path.open(encoding="utf-8", newline="") as file:
        header, first, *_ = csv.reader(file)
    assert first[0] == f"'{bad}"
    assert header[4] == f"'{bad}"
    assert first[4] == f"'{bad}"


def test_attributes_never_take_the_name_of_another_column(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows
) -> None:
    from dataclasses import replace

    names = ("id", "ok", "cluster", "sha256", "race", "race", "age_group", "age")
    attributes = tuple(
        Attribute(name, (f"{name} {index}",), np.zeros(4, np.int16), "label")
        for index, name in enumerate(names)
    )
    path = tmp_path / "rows.parquet"

    write_rows_parquet(path, replace(dataset, attributes=attributes), rows)

    read = pq.read_table(path).to_pydict()
    assert read["id"][3] == "plain.jpg"
    assert read["id_group"][0] == "id 0"
    assert read["race"][0] == "race 4"
    assert read["race_group"][0] == "race 5"
    assert read["age_group_group"][0] == "age 7"


def test_a_set_without_images_has_no_rows(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows
) -> None:
    from dataclasses import replace

    none = np.zeros(0, np.int64)
    empty = replace(dataset, ids=(), sizes=none, mtimes=none, attributes=(), ages=None)
    no_rows = PackRows(
        rows.ok[:0],
        rows.reasons[:0],
        rows.flags[:0],
        rows.sha256[:0],
        rows.style[:0],
        rows.widths[:0],
        rows.heights[:0],
    )

    write_rows_parquet(tmp_path / "rows.parquet", empty, no_rows)
    write_rows_csv(tmp_path / "rows.csv", empty, no_rows)

    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 0


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, dataset: FaceDataset, rows: PackRows
) -> None:
    with pytest.raises(StoreError, match="Cannot write"):
        write_rows_parquet(tmp_path / "no" / "rows.parquet", dataset, rows)
    with pytest.raises(StoreError, match="Cannot write"):
        write_rows_csv(tmp_path / "no" / "rows.csv", dataset, rows)
