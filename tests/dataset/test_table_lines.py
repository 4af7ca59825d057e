"""Every line of a table is a row or a reject, and so is every file it names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.reading import merge_lines
from fer_audit.dataset.types import Reject
from fer_audit.errors import DatasetError
from tests.dataset.trees import plant, read_beside_faces, reasons, words

LINE_REJECTS = {
    *("path_empty", "path_outside_root", "path_invalid", "duplicate_row", "conflicting_rows"),
    "cells_miscounted",
}


def test_a_row_whose_file_is_missing_stays_a_row(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,race", "a.jpg,x", "gone/d.jpg,y")

    assert dataset.ids == ("a.jpg", "gone/d.jpg")
    assert dataset.source.there.tolist() == [True, False]
    assert words(dataset, "race")["gone/d.jpg"] == "y"
    assert any("1 row names a file that is not there" in note for note in dataset.notes)


def test_images_that_no_row_names_are_counted(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,race", "a.jpg,x")

    assert any("2 image files are in no row" in note for note in dataset.notes)


def test_a_table_whose_files_are_all_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'first path is "0001"') as caught:
        read_beside_faces(tmp_path, "id,race", "0001,x")

    assert "--path-column" in caught.value.hint


@pytest.mark.parametrize(
    "path", ["../a.jpg", "x/../../a.jpg", "/etc/a.jpg", "..", "C:\\a.jpg", "\\a.jpg"]
)
def test_a_path_that_leaves_the_folder_is_rejected(tmp_path: Path, path: str) -> None:
    plant(tmp_path, "a.jpg")

    dataset = read_beside_faces(tmp_path / "inside", "file,race", "a.jpg,x", f"{path},y")

    assert dataset.ids == ("a.jpg",)
    assert reasons(dataset) == [("line 3", "path_outside_root")]


def test_a_row_behind_a_link_has_no_file(tmp_path: Path) -> None:
    plant(tmp_path / "outside", "d.jpg")
    root = plant(tmp_path / "root", "a.jpg")
    (root / "link").symlink_to(tmp_path / "outside")

    dataset = read_beside_faces(root, "file", "a.jpg", "link/d.jpg")

    assert dataset.source.there.tolist() == [True, False]


def test_paths_are_tidied_before_they_are_compared(tmp_path: Path) -> None:
    plant(tmp_path, "x/d.jpg")

    dataset = read_beside_faces(
        tmp_path, "race,file", "r, ./a.jpg", "r,x//d.jpg", "r,x\\d.jpg", "r,x/../b.jpg"
    )

    assert dataset.ids == ("a.jpg", "b.jpg", "x/d.jpg")
    assert reasons(dataset) == [("line 4", "duplicate_row")]


def test_empty_paths_and_blank_lines_are_rejected_by_line(tmp_path: Path) -> None:
    dataset = read_beside_faces(tmp_path, "file,race", "a.jpg,x", "", ",y", " ,z", "b.jpg,x")

    assert dataset.ids == ("a.jpg", "b.jpg")
    assert reasons(dataset) == [(f"line {i}", "path_empty") for i in (3, 4, 5)]


def test_a_line_with_too_many_cells_is_rejected_by_line(tmp_path: Path) -> None:
    filler = [f"f{i}.jpg,x" for i in range(100_000)]  # more than one block of the reader

    dataset = read_beside_faces(
        tmp_path, "file,race", "a.jpg,x", "b.jpg,x,y", *filler, "c.jpg", "d.jpg,,z"
    )

    assert [r for r in reasons(dataset) if r[1] == "cells_miscounted"] == [
        ("line 3", "cells_miscounted"),
        ("line 100004", "cells_miscounted"),
        ("line 100005", "cells_miscounted"),
    ]


def test_duplicates_and_conflicts_are_distinguished(tmp_path: Path) -> None:
    dataset = read_beside_faces(
        tmp_path,
        "file,race,age",
        "a.jpg,x,30",
        "b.jpg,x,30",
        "a.jpg,x,30",
        "b.jpg,x,40",
        "b.jpg,x,30",
    )

    assert reasons(dataset) == [
        ("line 4", "duplicate_row"),
        ("line 5", "conflicting_rows"),
        ("line 6", "duplicate_row"),
    ]
    assert words(dataset, "race")["b.jpg"] == "x"
    assert words(dataset, "age_bin") == {"a.jpg": "30-39", "b.jpg": None}
    assert dataset.ages is not None
    assert dataset.ages.tolist() == [30, -1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.jpg", "b.jpg", "gone.jpg", "../x.jpg", "", "./a.jpg"]),
            st.sampled_from(["", "x", "y", "NA"]),
            st.sampled_from(["", "20", "old", "500"]),
        ),
        max_size=12,
    )
)
def test_every_line_is_a_row_or_a_line_reject(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]]
) -> None:
    lines = ["file,race,age", "c.jpg,x,20", *(",".join(line) for line in table)]

    dataset = read_beside_faces(tmp_path_factory.mktemp("table"), *lines)

    dropped = sum(reason in LINE_REJECTS for _, reason in reasons(dataset))
    assert len(dataset) + dropped == len(lines) - 1
    for attribute in dataset.attributes:
        assert attribute.counts().sum() + (attribute.codes == -1).sum() == len(dataset)


lines_of_a_table = st.lists(
    st.tuples(st.sampled_from(["a", "b", "\u00e9", "Z"]), st.integers(-1, 1), st.integers(-1, 1))
)


def merge(
    table: list[tuple[str, int, int]],
) -> tuple[tuple[str, ...], NDArray[np.int16], tuple[Reject, ...]]:
    """Merge lines of (file, code, code)."""
    codes = np.array([line[1:] for line in table], dtype=np.int16).reshape(-1, 2)
    return merge_lines([line[0] for line in table], codes, numbered(len(table)))


def numbered(n: int) -> TableRows:
    """Return n lines, numbered from 0, without a column."""
    return TableRows({}, np.arange(n, dtype=np.int32), "line", ())


@given(lines_of_a_table)
def test_every_line_is_a_row_or_a_reject(table: list[tuple[str, int, int]]) -> None:
    ids, _, rejects = merge(table)

    assert len(ids) + len(rejects) == len(table)
    assert set(ids) == {line[0] for line in table}


@given(lines_of_a_table)
def test_a_label_is_kept_exactly_when_all_lines_agree_on_it(
    table: list[tuple[str, int, int]],
) -> None:
    ids, codes, _ = merge(table)

    for file_id, row in zip(ids, codes.tolist(), strict=True):
        for column in (0, 1):
            said = {line[column + 1] for line in table if line[0] == file_id}
            assert row[column] == (said.pop() if len(said) == 1 else -1)


@given(lines_of_a_table)
def test_the_order_of_the_lines_decides_nothing(table: list[tuple[str, int, int]]) -> None:
    one, other = merge(table), merge(sorted(table))

    assert one[0] == other[0]
    assert one[1].tolist() == other[1].tolist()


def test_a_table_without_labels_has_only_duplicates() -> None:
    codes = np.zeros((2, 0), dtype=np.int16)
    ids, codes, rejects = merge_lines(["a", "a"], codes, numbered(2))

    assert ids == ("a",)
    assert codes.shape == (1, 0)
    assert [r.reason for r in rejects] == ["duplicate_row"]
