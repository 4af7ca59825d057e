"""Bars of a terminal table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fer_audit.report.bars import bar


@given(
    value=st.floats(0, 2),
    full=st.floats(0, 2),
    cells=st.integers(0, 40),
    target=st.none() | st.floats(0, 2),
)
def test_a_bar_is_as_wide_as_asked(
    value: float, full: float, cells: int, target: float | None
) -> None:
    assert bar(value, full=full, cells=cells, target=target).cell_len == cells


def test_a_bar_shows_what_is_there_and_nothing_else() -> None:
    assert bar(1, full=1, cells=4).plain == "████"
    assert bar(0.5, full=1, cells=4).plain == "██  "
    assert bar(0.0001, full=1, cells=4).plain == "▏   "
    assert bar(0, full=1, cells=4).plain == "    "
    assert bar(0.25, full=1, cells=4, target=0.5).plain == "█ │ "
