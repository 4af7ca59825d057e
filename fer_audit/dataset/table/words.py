"""One column of a table: every different word once, and a number for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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

    def take(self, rows: NDArray[np.intp]) -> Words:
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
