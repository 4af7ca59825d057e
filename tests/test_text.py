"""How numbers and names are written: nothing that a stranger named moves a cursor, turns text or hides."""

from __future__ import annotations

import json
import os
import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from fer_audit.report.bars import bar
from fer_audit.text import (
    ascii_text,
    clipped,
    coefficient,
    encodable,
    large,
    p_phrase,
    p_text,
    percent,
    share_text,
    span,
    visible,
    visible_json,
)

OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
ANY_TEXT = st.text(st.characters(exclude_categories=()))


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


@given(ANY_TEXT)
@example("\x1b[31m\x9b1m\r\n\x7f\u202e\u2028\U000e0041\ud800")
def test_no_character_is_left_that_a_terminal_obeys_or_nobody_sees(text: str) -> None:
    shown = visible(text)

    assert {unicodedata.category(char) for char in shown if char not in JOINERS} & OBEYED == set()
    shown.encode()
    assert visible(shown) == shown


@given(ANY_TEXT)
@example("\u200cab\u200dc \u0645\u200c\u200c\u062e\u200d")
def test_a_joiner_stays_between_two_characters_beyond_ascii_only(text: str) -> None:
    shown = f" {visible(text)} "

    for before, char, after in zip(shown, shown[1:], shown[2:], strict=False):
        if char in JOINERS:
            assert not {before, after} & {*string.printable, *JOINERS}


@given(ANY_TEXT)
def test_anything_can_be_encoded_and_settles(text: str) -> None:
    encodable(text).encode()
    assert encodable(encodable(text)) == encodable(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "M", "Zs"))))
@example("漢字 عربي [bold] 😀")
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.dictionaries(ANY_TEXT, ANY_TEXT), st.sampled_from([None, 2]))
def test_a_json_document_stays_the_same_and_becomes_visible(
    document: dict[str, str], indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)

    shown = visible_json(text)

    assert json.loads(shown) == json.loads(text)
    assert {unicodedata.category(char) for char in shown.replace("\n", "")} & OBEYED == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("café", "café"),
        ("a\nb", "a\\x0ab"),
        (os.fsdecode(b"\xff"), "\\xff"),
        ("\u202ejpg", "\\u202ejpg"),
        ("\U000e0041", "\\U000e0041"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("\U0001f468\u200d\U0001f467", "\U0001f468\u200d\U0001f467"),
        ("a\u200db", "a\\u200db"),
    ],
)
def test_an_escape_names_the_character(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(), st.integers(2, 50))
def test_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit


@given(st.text())
def test_ascii_text_is_ascii_and_as_wide(text: str) -> None:
    shown = visible(text)

    assert ascii_text(shown).isascii()
    if all(unicodedata.category(char) not in ("Mn", "Me") for char in shown):
        assert cell_len(ascii_text(shown)) == sum(cell_len(char) for char in shown)


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
