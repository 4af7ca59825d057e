"""The records of a dataset: its images and labels, row by row, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

MAX_FILE_BYTES = 200_000_000
"""No face photograph is larger; a file above this is refused before it is read."""

Kind = Literal["demographic", "label", "batch", "style"]
Source = Literal["annotated", "predicted"]


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """One categorical column of a dataset."""

    name: str
    categories: tuple[str, ...]
    """Every group that could occur, also those with no image."""
    codes: NDArray[np.int16]
    """(n,) index into categories; -1 = not annotated."""
    kind: Kind
    source: Source = "annotated"

    def counts(self) -> NDArray[np.int64]:
        """Return the (len(categories),) number of rows in each group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.categories))


@dataclass(frozen=True, slots=True)
class Reject:
    """A label, or a whole line of a table, that could not be used."""

    item: str
    """File id, or "line 17" of a table."""
    reason: str
    """snake_case word, the same for every reject of its kind, e.g. "race_missing"."""


@dataclass(frozen=True, slots=True)
class ReferenceCounts:
    """Counts of a larger set that this one claims to be drawn from."""

    name: str
    counts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """(attribute, ((group, count), ...))"""


@dataclass(frozen=True, slots=True, eq=False)
class FaceDataset:
    """A set of labelled face images. Row i is image i in every array, for life."""

    name: str
    root: Path
    ids: tuple[str, ...]
    """n POSIX paths relative to root, sorted bytewise; undecodable bytes as surrogate escapes."""
    sizes: NDArray[np.int64]
    """(n,) bytes of each file when it was listed; -1 = no plain file of that name (missing, a link, a pipe)."""
    mtimes: NDArray[np.int64]
    """(n,) modification time in ns when it was listed; -1 where the size is."""
    attributes: tuple[Attribute, ...]
    ages: NDArray[np.int16] | None
    """(n,) age in years, -1 = not annotated; None when the set has no ages."""
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]
    """Sentences: known defects of this dataset, and what the reader repaired."""
    label_source: str
    """One sentence: who made the labels."""
    parent: ReferenceCounts | None
    """The set this one is a subset of (--first, --sample), else None."""
    fingerprint: str
    """sha256 over ids, sizes, mtimes and labels."""
    whole: bool = True
    """False when a folder of the set could not be read; how many images are missing is unknown."""
    format: str = ""
    """The format it was read as, by the name in the registry; "" = none of them."""

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name; KeyError if there is none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)

    def __len__(self) -> int:
        return len(self.ids)
