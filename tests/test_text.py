"""How numbers and names are written, and that no name moves a cursor, turns text or hides."""

from __future__ import annotations

import json
import os
import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from fer_audit.report.render.terminal_lines import ascii_text
from fer_audit.text import (
    about,
    at_least_one,
    because,
    clipped,
    coefficient,
    counted,
    difference,
    difference_span,
    display,
    displayed,
    duration,
    encodable,
    large,
    level,
    listed,
    measured,
    name_some,
    number,
    number_span,
    or_dash,
    p_phrase,
    p_text,
    part,
    percent,
    percent_span,
    rounded_percent,
    sentence,
    share_text,
    signed,
    six_figures,
    size_text,
    span,
    unreached,
    visible,
    visible_json,
    whole,
    whole_percent,
)

OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (whole(23_707), "23,707"),
        (whole(None), "[c]"),
        (counted(1, "file"), "1 file"),
        (counted(2, "file is", "files are"), "2 files are"),
        (counted(None, "file"), "[c] files"),
        # shares: what is there is never 0 %
        (percent(0.312), "31.2 %"),
        (percent(0.00004), "< 0.1 %"),
        (percent(0.0), "0.0 %"),
        (percent(0.9999), "> 99.9 %"),
        (percent(None), "not computable"),
        (whole_percent(0.312), "31 %"),
        (level(0.95), "95 %"),
        (level(0.999), "99.9 %"),
        (part(6240, 20_000), "31.2 % (6,240 of 20,000)"),
        (percent_span(0.79, 0.892), "79.0-89.2"),
        (percent_span(-0.1, 0.2), "-10.0 to 20.0"),
        (share_text(0.312, 6240, 0.306, 0.319), "31.2 % (6,240; 30.6-31.9)"),
        (share_text(0.312, 6240, None, None), "31.2 % (6,240)"),
        (share_text(None, 0, None, None), "not computable (0)"),
        (share_text(0.312, None, 0.306, 0.319), "[c]"),
        (difference(0.012), "+1.2"),
        (difference(0.0), "0.0"),
        (difference_span(-0.003, 0.021), "-0.3 to +2.1"),
        # what cannot exceed 1 has no zero
        (coefficient(0.4226), ".423"),
        (coefficient(1.0), "1.000"),
        (coefficient(0.0), ".000"),
        (coefficient(0.0001), "< .001"),
        (coefficient(-0.0001), "> -.001"),
        (coefficient(-0.25), "-.250"),
        (coefficient(0.9996), "> .999"),
        (coefficient(1 - 1e-12), "1.000"),
        (coefficient(0.99999, 4), "> .9999"),
        (span(0.998, 0.9999), ".998-1.000"),
        (coefficient(None), "not computable"),
        (coefficient(0.99977, 4), ".9998"),
        (coefficient(0.00001, 4), "< .0001"),
        (coefficient(10.25), "10.250"),
        (span(0.01, 0.0613), ".010-.061"),
        (span(-0.02, 0.0613), "-.020 to .061"),
        (span(0.0001, 0.0613), ".000-.061"),
        (span(None, 0.1), "not computable"),
        # other numbers
        (number(1234.5), "1,234.50"),
        (number_span(0.79, 1.254), "0.79-1.25"),
        (signed(4.2), "+4.2"),
        (measured(412.3), "412"),
        (measured(4.123), "4.12"),
        (measured(0.4123), "0.412"),
        (six_figures(0.2127), "0.2127"),
        (large(8_409_512.25), "8,409,512"),
        (large(8.4e12), "8.4e+12"),
        (large(0.25), "0.25"),
        (size_text(3_920_000_000), "3.92 GB"),
        (size_text(8_100_000), "8.1 MB"),
        (size_text(34_200), "34 kB"),
        (or_dash(None, percent), "–"),
        (or_dash(0.5, percent), "50.0 %"),
        (because((("v", "too few"), ("p", "too few"))), "not computable (too few)"),
        # names
        (display("age_group"), "age group"),
        (sentence("race is"), "Race is"),
        (listed(["a"]), "a"),
        (listed(["a", "b", "c"], "or"), "a, b or c"),
        (name_some(["a", "b"]), '"a", "b"'),
        (name_some(list("abcde")), '"a", "b", "c" and 2 more'),
        (name_some(["x" * 400]), f'"{"x" * 299}…"'),
    ],
)
def test_every_kind_of_number_and_name_has_one_format(shown: str, text: str) -> None:
    assert shown == text


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


def test_a_p_that_no_shuffle_reached_is_at_most_so_large() -> None:
    assert [unreached(p, 199) for p in (0.005, 0.01, None)] == [True, False, False]
    assert not unreached(0.005, 0)
    shown = [p_phrase(p, at_most=True) for p in (0.015, 0.0003, 1.0)]
    assert shown == ["p ≤ .015", "p < .001", "p > .999"]


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


@given(st.text(st.characters(categories=("L", "N", "P", "S", "M", "Zs"))))
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("café", "café"),
        ("[bold]", "[bold]"),
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


@given(ANY_TEXT)
def test_encodable_text_can_be_written_and_settles(text: str) -> None:
    encodable(text).encode()
    assert encodable(encodable(text)) == encodable(text)


@given(st.dictionaries(ANY_TEXT, ANY_TEXT), st.sampled_from([None, 2]))
def test_a_json_document_stays_the_same_and_becomes_visible(
    document: dict[str, str], indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)

    shown = visible_json(text)

    assert json.loads(shown) == json.loads(text)
    assert {unicodedata.category(char) for char in shown.replace("\n", "")} & OBEYED == set()


@given(st.text(), st.integers(2, 50))
def test_clipped_text_keeps_its_limit(text: str, limit: int) -> None:
    assert len(clipped(text, limit)) <= limit


@given(st.text())
def test_ascii_text_is_ascii_and_as_wide(text: str) -> None:
    shown = visible(text)

    assert ascii_text(shown).isascii()
    if all(unicodedata.category(char) not in ("Mn", "Me") for char in shown):
        assert cell_len(ascii_text(shown)) == sum(cell_len(char) for char in shown)


FRACTIONS = {
    "almost none": 0, "a twentieth": 1 / 20, "a tenth": 1 / 10, "a fifth": 1 / 5, "a quarter": 1 / 4, "a third": 1 / 3,
    "half": 1 / 2, "two thirds": 2 / 3, "three quarters": 3 / 4, "most": 0.86, "nearly all": 0.96, "all": 1,
}  # fmt: skip


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_fraction_in_words_is_near_and_never_falls(one: float, other: float) -> None:
    values = [FRACTIONS[about(each)] for each in sorted((one, other))]

    assert values == sorted(values)
    assert abs(FRACTIONS[about(one)] - one) <= 0.084
    assert (about(one) == "all") == (one == 1)


@pytest.mark.parametrize("words", FRACTIONS)
def test_a_fraction_is_called_by_its_own_name(words: str) -> None:
    assert about(FRACTIONS[words]) == words


@given(st.floats(0, 1))
def test_a_rounded_share_is_within_half_of_its_last_digit_and_never_nothing_or_all(
    share: float,
) -> None:
    text = rounded_percent(share)

    number = float(text.strip("<> %"))
    assert abs(number - 100 * share) <= (0.5 if 0.01 <= share <= 0.99 else 0.1) + 1e-9
    assert (text in ("0.0 %", "0 %")) == (share == 0)
    assert (text in ("100.0 %", "100 %")) == (share == 1)
    assert ("." in text) == (not 0.01 <= share <= 0.99)


@given(st.floats(0, 1))
def test_a_rounded_bound_is_still_a_bound_and_the_next_one(value: float) -> None:
    bound = float(at_least_one(value))

    assert value - 1e-9 <= bound
    assert bound < value + 0.01 or bound == 0.01
    assert bound >= 0.01
    assert at_least_one(None) == "not computable"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((0, "0.0 s"), (1.26, "1.3 s"), (9.4, "9.4 s"), (9.96, "10 s"), (42.4, "42 s")),
        *(
            (59.6, "1 min 0 s"),
            (1_049, "17 min 29 s"),
            (3_599.7, "1 h 0 min"),
            (7_509, "2 h 5 min"),
        ),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@given(st.floats(0, 1e6))
def test_a_duration_says_the_time(seconds: float) -> None:
    parts = duration(seconds).split()

    units = {"s": 1, "min": 60, "h": 3_600}
    told = sum(float(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))
    assert abs(told - seconds) <= (60.5 if "h" in parts else 0.5)


def test_names_in_a_text_are_written_as_one_name_is() -> None:
    assert displayed("cells of age_bin x crawl_hour, luma_mean") == (
        "cells of age group x collection hour, brightness"
    )
    assert displayed("my_age_bin and age_bins") == "my_age_bin and age_bins"
    for name in ("age_bin", "crawl_ten_minutes"):
        assert displayed(name) == display(name)
