"""Parquet tables say what the same CSV would say."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from tests.dataset.trees import plant, read_beside_faces, reasons, words
from tests.known import known


def read_parquet(root: Path, columns: dict[str, list[object]], **config: object) -> FaceDataset:
    """Write labels.parquet beside a.jpg, b.jpg and c.jpg and read it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    plant(root, "a.jpg", "b.jpg", "c.jpg")
    pq.write_table(pa.table(columns), root / "labels.parquet")
    return load_dataset(root / "labels.parquet", AuditConfig.of(**config))


def test_parquet_says_the_same_as_csv(tmp_path: Path) -> None:
    from_csv = read_beside_faces(
        tmp_path / "csv", "file,race,age", "a.jpg,x,30", "b.jpg,,", "c.jpg,y,4"
    )

    from_parquet = read_parquet(
        tmp_path / "parquet",
        {"file": ["a.jpg", "b.jpg", "c.jpg"], "race": ["x", None, "y"], "age": [30, None, 4]},
    )

    assert words(from_parquet, "race") == words(from_csv, "race")
    assert words(from_parquet, "age_bin") == words(from_csv, "age_bin")
    assert known(from_parquet.ages).tolist() == known(from_csv.ages).tolist()


def test_codes_stored_as_floats_are_whole_numbers(tmp_path: Path) -> None:
    dataset = read_parquet(
        tmp_path, {"file": ["a.jpg", "b.jpg", "c.jpg"], "race": [1.0, None, 10.0]}
    )

    assert dataset.attribute("race").categories == ("1", "10")


def test_rejects_of_a_parquet_table_name_the_row(tmp_path: Path) -> None:
    dataset = read_parquet(tmp_path, {"file": ["a.jpg", None, "../x"], "race": ["x", "y", "z"]})

    assert reasons(dataset) == [("row 2", "path_empty"), ("row 3", "path_outside_root")]


def test_a_column_of_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not words or numbers"):
        read_parquet(tmp_path, {"image": [{"path": "a.jpg"}] * 3})


def test_a_broken_parquet_file_is_an_error(tmp_path: Path) -> None:
    plant(tmp_path, "a.jpg", "t.parquet")

    with pytest.raises(DatasetError, match="cannot be read as parquet"):
        load_dataset(tmp_path / "t.parquet")
