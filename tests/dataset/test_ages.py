"""Age bins, age groups as tables write them, and the order of names with numbers in them."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.config import AGE_BINS
from fer_audit.dataset.ages import (
    MAX_AGE,
    age_bin_names,
    below_bins_notes,
    bin_ages,
    parse_age_group,
    parse_years,
)
from fer_audit.dataset.table.words import encode_attribute, natural_key
from tests.known import known

bin_ends = st.lists(st.integers(0, 120), min_size=1, max_size=12, unique=True).map(sorted)


def test_bins_are_named_by_their_ages_and_the_default_ones_are_fairfaces() -> None:
    assert age_bin_names((0, 1, 5)) == ("0", "1-4", "5+")
    assert age_bin_names(AGE_BINS) == (
        "0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+",
    )  # fmt: skip


@given(bin_ends, st.lists(st.integers(-1, MAX_AGE), min_size=1))
def test_every_age_is_in_the_bin_whose_name_holds_it(ends: list[int], ages: list[int]) -> None:
    attribute = bin_ages(np.array(ages, dtype=np.int16), ends)

    assert attribute.counts().sum() + (attribute.codes == -1).sum() == len(ages)
    for age, code in zip(ages, attribute.codes.tolist(), strict=True):
        if age < ends[0]:
            assert code == -1
            continue
        low, _, high = attribute.categories[code].rstrip("+").partition("-")
        assert int(low) <= age
        if not attribute.categories[code].endswith("+"):
            assert age <= int(high or low)


def test_ages_below_the_first_bin_are_noted() -> None:
    ages = np.array([-1, 3, 17, 18, 40], dtype=np.int16)

    assert below_bins_notes(ages, (18, 40)) == (
        "2 ages lie below the first age bin (18): not annotated there.",
    )
    assert below_bins_notes(ages, (0, 40)) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0-2", "0-2"), ("3 - 9", "3-9"), ("10\u201319", "10-19"), ("(4, 6)", "4-6"), ("4 to 6", "4-6"),
        ("more than 70", "70+"), ("More than 70", "70+"), ("70+", "70+"), (">70", "70+"), ("5-5", "5"),
        ("9-Mar", "3-9"), ("3-Sep", "3-9"), ("19-Oct", "10-19"), ("Oct-19", "10-19"), ("oct-19", "10-19"),
    ],
)  # fmt: skip
def test_age_groups_are_read_also_where_a_spreadsheet_made_dates_of_them(
    text: str, name: str
) -> None:
    group = known(parse_age_group(text))

    assert group.name == name
    assert group.repaired == any(month in text.lower() for month in ("mar", "sep", "oct"))


@pytest.mark.parametrize(
    "text", ["", "young", "9-3", "20", "-", "9-Foo", "1000-2000", "999+", "3-9-12"]
)
def test_what_is_no_age_group_is_not_guessed(text: str) -> None:
    assert parse_age_group(text) is None


@given(st.integers(0, 128), st.integers(0, 128))
def test_every_age_group_that_we_name_reads_back(one: int, other: int) -> None:
    low, high = sorted((one, other))

    group = known(parse_age_group(f"{low}-{high}"))

    assert (group.low, group.high) == (low, high)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        *(("23", 23), ("23.9", 23), ("0", 0), ("200", 200)),
        *((text, None) for text in ("", "-1", "1e3", "nan", "inf", "23 y", "\u0663")),
    ],
)
def test_years_are_completed_years_and_never_guessed(text: str, years: int | None) -> None:
    assert parse_years(text) == years


def test_numbers_in_names_sort_by_value() -> None:
    names = ["10-19", "more than 70", "3-9", "b", "A", "0-2", "009", "x2y10", "x2y9"]

    assert sorted(names, key=natural_key) == [
        "0-2", "3-9", "009", "10-19", "A", "b", "more than 70", "x2y9", "x2y10",
    ]  # fmt: skip


@given(st.lists(st.text()), st.randoms(use_true_random=False))
def test_any_names_sort_into_one_order(names: list[str], random: Random) -> None:
    shuffled = random.sample(names, len(names))

    assert sorted(shuffled, key=natural_key) == sorted(names, key=natural_key)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3))))
def test_codes_give_the_words_back(values: list[str | None]) -> None:
    attribute = encode_attribute("x", values, "label")

    decoded = [attribute.categories[c] if c >= 0 else None for c in attribute.codes.tolist()]

    assert decoded == values


def test_more_values_than_codes_can_count_are_refused() -> None:
    with pytest.raises(ValueError, match="40,000 values"):
        encode_attribute("person", [str(i) for i in range(40_000)], "batch")
