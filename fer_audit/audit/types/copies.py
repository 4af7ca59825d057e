"""Records of near-identical images, of what the parts of a set share, and of the people it names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.not_computable import NotComputable, Signed, Unit
from fer_audit.dataset.types import Attribute


@dataclass(frozen=True, slots=True, eq=False)
class NearPairs:
    """Pairs of images that may be one photo; no part of a result."""

    first: NDArray[np.int64]
    """(m,) rows of the set; each is smaller than its `second`. Pairs with the largest cosine come first."""
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    """(m,) of their vectors."""
    correlation: NDArray[np.float64]
    """(m,) of the grey values of their 32 x 32 pixels."""
    floor: float
    """Every pair with a cosine above it is there."""
    all_pixels: bool
    """Whether all pairs below the floor whose pixels are alike are there too."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often the labels of near-identical images differ."""

    attribute: str
    """Name of the attribute; "age" is the age in years."""
    pairs: int
    """Pairs confirmed by their pixels, within groups, of which both images are annotated."""
    differ: int
    """How many of them have different labels."""
    share: Unit | None
    """Their share; None when there is no such pair."""
    groups: int
    """Groups with such a pair."""
    years: int = 0
    """Years by which ages must differ to count; 0 for labels."""

    @property
    def by_years(self) -> str:
        """What counts as another age, to be put after the attribute's name; nothing for labels."""
        return f" (by {self.years} years or more)" if self.years else ""


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Groups of images that are the same photo but not the same bytes. Of byte-identical copies one is compared."""

    compared: int
    """Images compared."""
    groups: int
    """Groups of near-identical images; all images of a group are near-identical to each other."""
    images: int
    """Images in those groups, one of each copy."""
    pairs: int
    """Pairs of images within the groups."""
    confirmed: int
    """How many of them have pixels that correlate above .9."""
    threshold: float | None
    """Cosine from which a pair counts; None when no cosine is precise enough, and only pixels count."""
    precision: Unit | None
    """Share of all pairs with a cosine at or above the threshold that their pixels confirm; None without such a pair."""
    method: str
    """How the threshold was chosen."""
    floor: Unit
    """Pairs with a cosine at or below it count only by their pixels."""
    all_pixels: bool
    """Whether the pixels of all images were compared, not only those of pairs with a cosine above `floor`."""
    disagreements: tuple[Disagreement, ...]
    """Labels of confirmed pairs, by attribute; empty where counts are withheld."""
    examples: tuple[tuple[str, ...], ...]
    """At most five groups of at most five images, as lists of printable ids. All are in lists/near_duplicates.csv."""
    cut: str = ""
    """Which pairs were not looked at, as there were too many; empty = none."""


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
    subjects: int | None = None
    """Subjects with an image; None when withheld (--min-cell)."""
    least: int | None = None
    """Images of the subject with the fewest; None when no image names a subject, or when withheld."""
    median: float | None = None
    """Median number of images of a subject; None for the same reasons."""
    most: int | None = None
    """Images of the subject with the most; None for the same reasons."""
    unnamed: int = 0
    """Images that name nobody."""
    not_computable: NotComputable = ()
    ami: Signed | None = None
    """Adjusted mutual information of subjects and clusters: does the space sort people? None without clusters, or when
    withheld."""
