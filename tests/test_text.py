"""How numbers and names are written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fer_audit.text import (
    ascii_text,
    clipped,
    coefficient,
    encodable,
    large,
    measured,
    p_phrase,
    p_text,
    percent,
    percent_span,
    share_text,
    six_figures,
    span,
    visible,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4226, ".423"),
        (1.0, "1.000"),
        (0.0, ".000"),
        (0.0001, "< .001"),
        (-0.25, "-.250"),
        (0.99999, "1.000"),
        (None, "not computable"),
    ],
)
def test_what_cannot_exceed_one_has_no_zero(value: float | None, text: str) -> None:
    assert coefficient(value) == text


@pytest.mark.parametrize(
    ("p", "text", "phrase"),
    [
        (0.4226, ".423", "p = .423"),
        (0.001, ".001", "p = .001"),
        (1e-20, "< .001", "p < .001"),
        (1.0, "> .999", "p > .999"),
        (None, "not computable", "p not computable"),
    ],
)
def test_p_is_written_as_journals_do(p: float | None, text: str, phrase: str) -> None:
    assert p_text(p) == text
    assert p_phrase(p) == phrase


def test_a_share_comes_with_its_count_and_its_interval() -> None:
    assert share_text(0.312, 6240, 0.306, 0.319) == "31.2 % (6,240; 30.6-31.9)"
    assert share_text(None, 0, None, None) == "not computable (0)"


def test_what_is_there_is_never_zero_percent() -> None:
    assert percent(0.00004) == "< 0.1 %"
    assert percent(0.0) == "0.0 %"


def test_intervals_below_zero_are_no_riddle() -> None:
    assert span(0.01, 0.0613) == ".010-.061"
    assert span(-0.02, 0.0613) == "-.020 to .061"


def test_inertias_are_written_with_separators_until_these_no_longer_help() -> None:
    assert large(8_409_512.25) == "8,409,512"
    assert large(8.4e12) == "8.4e+12"
    assert large(0.25) == "0.25"


@given(st.text())
def test_visible_text_controls_no_terminal_and_can_be_encoded(text: str) -> None:
    shown = visible(text)

    shown.encode("utf-8")
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text())
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@pytest.mark.parametrize("text", ["Érzsébet", "漢字", "عربي", "a b", "[bold]", "😀"])
def test_harmless_names_are_not_touched(text: str) -> None:
    assert visible(text) == text


@given(st.text())
def test_encodable_text_can_be_written_and_settles(text: str) -> None:
    encodable(text).encode("utf-8")
    assert encodable(encodable(text)) == encodable(text)


@given(st.text(), st.integers(2, 50))
def test_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit


@given(st.text())
def test_ascii_text_is_ascii_and_as_wide(text: str) -> None:
    shown = visible(text)

    assert ascii_text(shown).isascii()
    if all(unicodedata.category(char) not in ("Mn", "Me") for char in shown):
        assert cell_len(ascii_text(shown)) == sum(cell_len(char) for char in shown)


def test_quantities_of_any_unit_have_about_three_figures() -> None:
    assert [measured(value) for value in (1412.4, 41.23, 4.123, 0.4123, None)] == [
        "1,412",
        "41.2",
        "4.12",
        "0.412",
        "not computable",
    ]
    assert percent_span(0.79, 0.892) == "79.0-89.2"
    assert percent_span(-0.02, 0.05) == "-2.0 to 5.0"
    assert percent_span(None, 0.05) == "not computable"


def test_what_is_compared_with_a_threshold_has_up_to_six_figures() -> None:
    assert [six_figures(value) for value in (0.21270001, 23_707.0, 0.5)] == [
        "0.2127",
        "23,707",
        "0.5",
    ]
