"""Records of who and what the parts of a set share, and of the people it names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.ranges import Signed
from fer_audit.dataset.types import Attribute


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """Groups of rows that lie in more than one part of a split, row by row; no part of a result."""

    split: Attribute
    subject: Attribute | None
    """What the groups are: images of one subject; None = copies of one photo."""
    rows: NDArray[np.intp]
    """(m,) rows of the set, group by group in the order of their first rows."""
    owner: NDArray[np.intp]
    """(m,) group of each of them, 0 to g - 1."""
    names: tuple[str, ...]
    """g names: of the subject, the sha256 of the files, or the number of the near-identical group."""
    near_identical: bool = False
    """Whether copies of one photo are near-identical, not byte-identical."""

    @property
    def kind(self) -> str:
        """What the groups share, as a word of the list."""
        if self.subject is not None:
            return "subject"
        return "near-identical" if self.near_identical else "identical"


@dataclass(frozen=True, slots=True)
class PartPair:
    """What two parts of a split share."""

    first: str
    """Name of one part."""
    second: str
    """Name of the other."""
    groups: int
    """Groups (photos or subjects) with an image in both."""
    images: int
    """Images of these groups in the two parts."""


@dataclass(frozen=True, slots=True)
class InPart:
    """Where an image lies."""

    part: str
    """Name of the part."""
    id: str
    """Printable id of the image."""


@dataclass(frozen=True, slots=True)
class SplitLeak:
    """What the parts of a split share: copies of one photo, or images of one subject."""

    attribute: str
    """Name of the split attribute."""
    subject: str | None
    """The subject attribute whose people are looked for; None = copies of one photo."""
    groups: int
    """Groups (photos or subjects) that lie in more than one part."""
    images: int
    """Images of these groups, in all parts."""
    pairs: tuple[PartPair, ...]
    """At most a hundred pairs of parts that share some, the most groups first; empty where counts are withheld."""
    examples: tuple[tuple[InPart, ...], ...]
    """At most five groups: the first image in each of at most five parts. All are in lists/split_leaks.csv."""
    near_identical: bool = False
    """Whether copies of one photo are near-identical, not byte-identical."""


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """How many people a subject attribute names. They are no groups to be compared."""

    attribute: str
    """Name of the subject attribute."""
    subjects: int | None
    """Subjects with an image; None when withheld (--min-cell)."""
    least: int | None
    """Images of the subject with the fewest; None when no image names a subject, or when withheld."""
    median: float | None
    """Median number of images of a subject; None for the same reasons."""
    most: int | None
    """Images of the subject with the most; None for the same reasons."""
    unnamed: int
    """Images that name nobody."""
    not_computable: NotComputable = ()
    ami: Signed | None = None
    """Adjusted mutual information of subjects and clusters: does the space sort people? None without clusters, or when
    withheld."""
