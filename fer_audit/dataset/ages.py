"""Ages in years, and age groups as tables write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.types import Attribute, Source
from fer_audit.text import counted

MAX_AGE = 130
"""Years. The oldest person on record was 122; above this an age is a typing error."""

_MONTHS = {  # the first letters of a month in English, German and French
    name: number
    for number, names in enumerate(
        (
            *("jan", "feb fév fev", "mar mär mae mrz", "apr avr", "may mai", "jun juin"),
            *("jul juil", "aug aoû aou", "sep", "oct okt", "nov", "dec dez déc"),
        ),
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_RANGE = re.compile(r"[(\[]?\s*([0-9]{1,3})\s*(?:-|–|to|,)\s*([0-9]{1,3})\s*[)\]]?")
_OPEN = re.compile(r"(?:more than|over|>=?)\s*([0-9]{1,3})|([0-9]{1,3})\s*\+")
_DATE = re.compile(
    rf"([0-9]{{1,2}})[-. ]+({_MONTH})[a-zéû]*\.?|({_MONTH})[a-zéû]*[-. ]+([0-9]{{1,2}})"
)
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[ t]00:00:00)?")
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


class AgeGroup(NamedTuple):
    """One age group as a table writes it."""

    low: int
    """Youngest age in years."""
    high: int
    """Oldest age in years; MAX_AGE when the group is open."""
    repaired: bool = False
    """Whether a spreadsheet had made a date of it."""

    @property
    def name(self) -> str:
        """Return the name of the group: "3-9", "70+"."""
        if self.high == MAX_AGE:
            return f"{self.low}+"
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


def age_bin_names(lower_ends: Sequence[int]) -> tuple[str, ...]:
    """Return ("0-2", "3-9", ..., "70+") for the ascending lower ends (0, 3, ..., 70)."""
    ends = (*(end - 1 for end in lower_ends[1:]), MAX_AGE)
    return tuple(AgeGroup(*each).name for each in zip(lower_ends, ends, strict=True))


def bin_ages(
    ages: NDArray[np.int16], lower_ends: Sequence[int], source: Source = "annotated"
) -> Attribute:
    """Return the attribute "age_bin" of (n,) ages in years.

    Ages that are not annotated (-1) or lie below the first lower end get code -1.
    """
    codes = np.searchsorted(np.asarray(lower_ends), ages, side="right") - 1
    codes[ages < 0] = -1
    names = age_bin_names(lower_ends)
    return Attribute("age_bin", names, codes.astype(np.int16), "demographic", source)


def below_bins_notes(ages: NDArray[np.int16], lower_ends: Sequence[int]) -> tuple[str, ...]:
    """Return the sentence about images that are too young for the first bin, if there are any."""
    below = int(np.count_nonzero((ages >= 0) & (ages < lower_ends[0])))
    count = counted(below, "age lies", "ages lie")
    note = f"{count} below the first age bin ({lower_ends[0]}): not annotated there."
    return (note,) if below else ()


def parse_years(text: str) -> int | None:
    """Return completed years from "23" or "23.7", None when the text is no number.

    The number may be out of range; 0 to MAX_AGE is what a caller should accept.
    """
    return int(float(text)) if _NUMBER.fullmatch(text) else None


def parse_age_group(text: str) -> AgeGroup | None:
    """Return the age group behind "3-9", "(4, 6)", "more than 70", "70+", or None when it is none.

    A spreadsheet turns 3-9 into the date 9-Mar (or 3-Sep, "03. Sep", 2024-09-03) and 10-19 into 19-Oct (or Oct-19,
    "Okt 19", 2019-10-01), in English, German and French; day and month are the two ends, the smaller one first.
    """
    text = text.lower()
    if found := _DATE.fullmatch(text):
        day = int(found[1] or found[4])
        month = _MONTHS[found[2] or found[3]]
        return AgeGroup(min(day, month), max(day, month), repaired=True)
    if found := _ISO_DATE.fullmatch(text):
        year, month, day = int(found[1]) % 100, int(found[2]), int(found[3])
        if day == 1 and year > month:  # the first of October 2019 is what is left of 10-19
            day = year
        return AgeGroup(min(day, month), max(day, month), repaired=True)
    if found := _OPEN.fullmatch(text):
        low = int(found[1] or found[2])
        return AgeGroup(low, MAX_AGE) if low < MAX_AGE else None
    if found := _RANGE.fullmatch(text):
        low, high = int(found[1]), int(found[2])
        return AgeGroup(low, high) if low <= high < MAX_AGE else None
    return None
