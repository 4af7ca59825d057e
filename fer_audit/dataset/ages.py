"""Ages in years, and age groups as tables write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.types import Attribute, Source
from fer_audit.text import counted

MAX_AGE = 130
"""Years. The oldest person on record was 122; above this an age is a typing error."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(_MONTHS)
_RANGE = re.compile(r"[(\[]?\s*([0-9]{1,3})\s*(?:-|–|to|,)\s*([0-9]{1,3})\s*[)\]]?")
_OPEN = re.compile(r"(?:more than|over|>=?)\s*([0-9]{1,3})|([0-9]{1,3})\s*\+")
_DATE = re.compile(rf"([0-9]{{1,2}})-({_MONTH})|({_MONTH})-([0-9]{{1,2}})")
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
    closed = pairwise(lower_ends)
    names = [str(low) if nxt == low + 1 else f"{low}-{nxt - 1}" for low, nxt in closed]
    return (*names, f"{lower_ends[-1]}+")


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
    if not below:
        return ()
    count = counted(below, "age lies", "ages lie")
    return (f"{count} below the first age bin ({lower_ends[0]}): not annotated there.",)


def parse_years(text: str) -> int | None:
    """Return completed years from "23" or "23.7", None when the text is no number.

    The number may be out of range; 0 to MAX_AGE is what a caller should accept.
    """
    return int(float(text)) if _NUMBER.fullmatch(text) else None


def parse_age_group(text: str) -> AgeGroup | None:
    """Return the age group behind "3-9", "(4, 6)", "more than 70", "70+", or None when it is none.

    A spreadsheet turns 3-9 into the date 9-Mar (or 3-Sep) and 10-19 into 19-Oct (or Oct-19); day and month
    are the two ends, the smaller one first.
    """
    text = text.lower()
    if found := _DATE.fullmatch(text):
        day = int(found[1] or found[4])
        month = _MONTHS.index(found[2] or found[3]) + 1
        return AgeGroup(min(day, month), max(day, month), repaired=True)
    if found := _OPEN.fullmatch(text):
        low = int(found[1] or found[2])
        return AgeGroup(low, MAX_AGE) if low < MAX_AGE else None
    if found := _RANGE.fullmatch(text):
        low, high = int(found[1]), int(found[2])
        return AgeGroup(low, high) if low <= high < MAX_AGE else None
    return None
