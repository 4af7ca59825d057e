"""From the words of a column to codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.types import Attribute, Kind, Source
from fer_audit.text import whole

MAX_CATEGORIES = 32_767
"""Codes are int16."""

_DIGITS = re.compile("([0-9]+)")


def natural_key(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Return a sort key under which "2-9" stands before "10-19" and case does not matter.

    Numbers compare by length, then as text, so a number of any length is fine.
    """
    parts = _DIGITS.split(name.lower())  # text and digits alternate
    key = tuple(
        (len(digits), digits) if i % 2 and (digits := part.lstrip("0")) else (0, part)
        for i, part in enumerate(parts)
    )
    return key, name


def encode_codes(values: Iterable[str | None], categories: Sequence[str]) -> NDArray[np.int16]:
    """Return the (n,) index of each value in `categories`; None and unknown words become -1."""
    index: dict[str | None, int] = {name: code for code, name in enumerate(categories)}
    return np.fromiter((index.get(value, -1) for value in values), np.int16)


def encode_attribute(
    name: str, values: Sequence[str | None], kind: Kind, source: Source = "annotated"
) -> Attribute:
    """Return the attribute of n words; None = not annotated, categories in natural order.

    Raises ValueError when there are more categories than a code can count.
    """
    categories = tuple(sorted({v for v in values if v is not None}, key=natural_key))
    if len(categories) > MAX_CATEGORIES:
        raise ValueError(
            f"{name} has {whole(len(categories))} values, at most {whole(MAX_CATEGORIES)} are possible"
        )
    return Attribute(name, categories, encode_codes(values, categories), kind, source)
