"""One column of labels: every different word once, and a number for each row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of n cells as text."""

    codes: NDArray[np.int32]
    """(n,) index into `words`; -1 = an empty cell."""
    words: tuple[str, ...]
    """Every different word of the column as it is written; some may be in no row."""

    @classmethod
    def of(cls, cells: Iterable[str | None]) -> Words:
        """Return the column of these cells; None = empty."""
        index: dict[str, int] = {}
        codes = (-1 if cell is None else index.setdefault(cell, len(index)) for cell in cells)
        return cls(np.fromiter(codes, np.int32), tuple(index))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.intp | np.int32]) -> Words:
        """Return the cells of those rows."""
        return Words(self.codes[rows], self.words)

    def cells(self) -> list[str | None]:
        """Return the n cells; None = empty."""
        table = (*self.words, None)
        return [table[code] for code in self.codes.tolist()]

    def counts(self) -> dict[str, int]:
        """Return {word: rows} of the words that are in a row, in the order of `words`."""
        n = np.bincount(self.codes[self.codes >= 0], minlength=len(self.words)).tolist()
        return {word: count for word, count in zip(self.words, n, strict=True) if count}

    def mapped(self, change: Callable[[str], str | None]) -> Words:
        """Return the column with every word changed once; None empties its cells."""
        index: dict[str, int] = {}
        new = [
            -1 if after is None else index.setdefault(after, len(index))
            for after in map(change, self.words)
        ]
        return Words(np.array([*new, -1], np.int32)[self.codes], tuple(index))


class JoinedWords:
    """A column that comes in parts."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._codes = [np.zeros(0, np.int32)]

    def add(self, part: Words) -> None:
        """Append the cells of a part."""
        new = [self._index.setdefault(word, len(self._index)) for word in part.words]
        self._codes.append(np.array([*new, -1], np.int32)[part.codes])

    def words(self) -> Words:
        """Return all cells so far."""
        return Words(np.concatenate(self._codes), tuple(self._index))


def words_of(column: Any) -> Words:  # noqa: ANN401 - pyarrow ships no types
    """Return a column of pyarrow as words; of numbers, `words` are the numbers. Raises pyarrow's errors for text that is no UTF-8."""
    encoded = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if not hasattr(encoded, "dictionary"):
        encoded = encoded.dictionary_encode()
    if hasattr(encoded, "combine_chunks"):
        encoded = encoded.combine_chunks()
    return Words(_codes(encoded.indices), tuple(encoded.dictionary.to_pylist()))


def _codes(indices: Any) -> NDArray[np.int32]:  # noqa: ANN401 - as above
    """Return int32 of pyarrow, -1 where there is none; `to_numpy` would import pandas where that is installed."""
    if not len(indices):
        return np.zeros(0, np.int32)
    there, values = indices.buffers()
    part = slice(indices.offset, indices.offset + len(indices))
    codes = np.frombuffer(values, np.int32)[part].copy()
    if indices.null_count:
        bits = np.unpackbits(np.frombuffer(there, np.uint8), bitorder="little")
        codes[bits[part] == 0] = -1
    return codes


def json_word(value: object) -> str | None:
    """Return a number or text as a cell has it, None for anything else.

    1.0 is "1": a column of codes with a gap is stored as floats.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    return str(value) if isinstance(value, (str, int)) else None


def encode_attribute(
    name: str,
    values: Words | Iterable[str | None],
    kind: Kind,
    source: Source = "annotated",
    unsaid: tuple[tuple[str, int], ...] = (),
) -> Attribute:
    """Return the attribute of n words; None = not annotated, categories in natural order.

    Raises ValueError when there are more categories than a code can count.
    """
    words = values if isinstance(values, Words) else Words.of(values)
    groups = tuple(sorted(words.counts(), key=natural_key))
    if len(groups) > MAX_CATEGORIES:
        raise ValueError(
            f"{name} has {whole(len(groups))} values, at most {whole(MAX_CATEGORIES)} are possible"
        )
    index = {group: code for code, group in enumerate(groups)}
    table = np.array([*(index.get(word, -1) for word in words.words), -1], np.int16)
    return Attribute(name, groups, table[words.codes], kind, source, unsaid)
