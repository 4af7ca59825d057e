"""Records of near-identical images, and what they are found from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.ranges import Unit


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
