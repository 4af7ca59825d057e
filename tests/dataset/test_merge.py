"""Several lines about one file."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.dataset.table.merge import MergedRows, merge_lines

lines_of_a_table = st.lists(
    st.tuples(st.sampled_from(["a", "b", "\u00e9", "Z"]), st.integers(-1, 1), st.integers(-1, 1))
)


def merge(table: list[tuple[str, int, int]]) -> MergedRows:
    """Merge lines of (file, code, code)."""
    codes = np.array([line[1:] for line in table], dtype=np.int16).reshape(-1, 2)
    return merge_lines(
        [line[0] for line in table], codes, [f"line {i}" for i in range(len(table))]
    )


@given(lines_of_a_table)
def test_every_line_is_a_row_or_a_reject(table: list[tuple[str, int, int]]) -> None:
    merged = merge(table)

    assert len(merged.ids) + len(merged.rejects) == len(table)
    assert set(merged.ids) == {line[0] for line in table}


@given(lines_of_a_table)
def test_a_label_is_kept_exactly_when_all_lines_agree_on_it(
    table: list[tuple[str, int, int]],
) -> None:
    merged = merge(table)

    for file_id, row in zip(merged.ids, merged.codes.tolist(), strict=True):
        for column in (0, 1):
            said = {line[column + 1] for line in table if line[0] == file_id}
            assert row[column] == (said.pop() if len(said) == 1 else -1)


@given(lines_of_a_table)
def test_the_order_of_the_lines_decides_nothing(table: list[tuple[str, int, int]]) -> None:
    one, other = merge(table), merge(sorted(table))

    assert one.ids == other.ids
    assert one.codes.tolist() == other.codes.tolist()


def test_lines_that_say_the_same_are_duplicates_and_others_conflict() -> None:
    merged = merge([("a", 0, 1), ("b", 0, 0), ("a", 0, 1), ("a", 0, 0)])

    assert [(r.item, r.reason) for r in merged.rejects] == [
        ("line 2", "duplicate_row"),
        ("line 3", "conflicting_rows"),
    ]
    assert merged.codes.tolist() == [[0, -1], [0, 0]]


def test_a_table_without_labels_has_only_duplicates() -> None:
    merged = merge_lines(["a", "a"], np.zeros((2, 0), dtype=np.int16), ["line 2", "line 3"])

    assert merged.ids == ("a",)
    assert merged.codes.shape == (1, 0)
    assert [r.reason for r in merged.rejects] == ["duplicate_row"]
