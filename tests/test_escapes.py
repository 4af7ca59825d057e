"""Nothing that a stranger named moves a cursor, turns text or hides, and JSON stays the same document."""

from __future__ import annotations

import json
import os
import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fer_audit.text import encodable, visible, visible_json

OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
@example("\x1b[31m\x9b1m\r\n\x7f\u202e\u2028\U000e0041\ud800")
def test_no_character_is_left_that_a_terminal_obeys_or_nobody_sees(text: str) -> None:
    shown = visible(text)

    assert {unicodedata.category(char) for char in shown if char not in JOINERS} & OBEYED == set()
    shown.encode()


@given(ANY_TEXT)
@example("\u200cab\u200dc \u0645\u200c\u200c\u062e\u200d")
def test_a_joiner_stays_between_two_characters_beyond_ascii_only(text: str) -> None:
    shown = f" {visible(text)} "

    for before, char, after in zip(shown, shown[1:], shown[2:], strict=False):
        if char in JOINERS:
            assert not {before, after} & {*string.printable, *JOINERS}


@given(ANY_TEXT)
def test_anything_can_be_encoded(text: str) -> None:
    encodable(text).encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "M", "Zs"))))
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
