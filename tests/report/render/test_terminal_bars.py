"""Bars and intervals of a terminal: as wide as asked, and they show what is there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fer_audit.report.render.terminal_lines import bar, interval


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


@given(
    value=st.floats(-1, 2),
    below=st.floats(0, 1),
    above=st.floats(0, 1),
    mark=st.none() | st.floats(-1, 2),
    cells=st.integers(1, 40),
)
def test_an_interval_fills_its_cells_exactly_and_shows_its_dot(
    value: float, below: float, above: float, mark: float | None, cells: int
) -> None:
    drawn = interval(value, value - below, value + above, full=1.0, cells=cells, mark=mark)

    assert drawn.cell_len == cells
    assert drawn.plain.count("●") == 1


def test_intervals_are_drawn_in_the_cells_they_are_given() -> None:
    assert interval(0.5, 0.25, 0.75, full=1.0, cells=9, mark=1.0).plain == "  ━━●━━ │"
    assert interval(0.5, 0.25, 0.75, full=0.0, cells=3).plain == "●  "
    assert interval(0.5, 0.25, 0.75, full=1.0, cells=0).plain == ""
