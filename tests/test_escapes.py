"""Nothing that a stranger named moves a cursor, turns text or hides, and JSON stays the same document."""

from __future__ import annotations

import json
import os
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fer_audit.escapes import encodable, visible, visible_json

OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
@example("\x1b[31m\x9b1m\r\n\x7f\u202e\u2028\U000e0041\ud800")
def test_no_character_is_left_that_a_terminal_obeys_or_nobody_sees(text: str) -> None:
    shown = visible(text)

    assert {unicodedata.category(char) for char in shown} & OBEYED == set()
    shown.encode()


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
    ],
)
def test_an_escape_names_the_character(text: str, shown: str) -> None:
    assert visible(text) == shown
