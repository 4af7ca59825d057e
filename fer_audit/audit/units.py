"""What is drawn when a set is drawn: people or images, and what another collection would draw.

Two questions, two units. *What may be exchanged* (shuffles, folds, the interval "these images"): people where the set says
who is on an image, else images, near-identical ones once. *What another collection would draw* (the second interval, the
held-out half): the parts of the coarsest batch column that has at least 30, else people, else it is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.near_pairs import complete_linkage, threshold
from fer_audit.audit.stats.tables import Counts, Mask
from fer_audit.audit.types.copies import NearPairs
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.types import PackRows

LEAST_UNITS = 30
"""Fewer say nothing of how the next ones would be."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The units of a set; names are those of columns."""

    person: Attribute | None
    """Who is on each image; None = every image counts as another person's."""
    collection: Attribute | None
    """What another collection would draw; None = not known."""

    @property
    def exchanged(self) -> str:
        """What may be exchanged, as a column's name, or "image"."""
        return "image" if self.person is None else self.person.name

    @property
    def drawn(self) -> str:
        """What another collection would draw, as a column's name; "" = not known."""
        return "" if self.collection is None else self.collection.name

    def people(self, n: int) -> Counts:
        """Return the (n,) number of the person on each image; one of whom nothing is said is a person of its own."""
        alone = np.arange(n, dtype=np.int64)
        if self.person is None:
            return alone
        codes = self.person.codes.astype(np.int64)
        return np.where(codes >= 0, codes, len(self.person.categories) + alone)


def units_of(dataset: FaceDataset) -> Units:
    """Return the units of a set."""
    return Units(person_of(dataset), collection_of(dataset))


def person_of(dataset: FaceDataset) -> Attribute | None:
    """Return the column that says who is on an image, where there is one that names anybody."""
    named = (each for each in dataset.attributes if each.kind == "subject" and _parts(each))
    return next(named, None)


def collection_of(dataset: FaceDataset) -> Attribute | None:
    """Return the coarsest batch column of at least 30 parts, else the column of people if it has as many, else None."""
    person = person_of(dataset)
    batches = [each for each in dataset.attributes if each.kind == "batch"]
    enough = [each for each in batches if _parts(each) >= LEAST_UNITS]
    if enough:
        return min(enough, key=_parts)
    return person if person is not None and _parts(person) >= LEAST_UNITS else None


def half_codes(dataset: FaceDataset) -> NDArray[np.int16] | None:
    """Return the (n,) units that the held-out half is made of, -1 = not said; None = images.

    Those of another collection, else people, however few: an image of a person who was clustered is not held out.
    """
    found = collection_of(dataset) or person_of(dataset)
    return None if found is None else found.codes


def _parts(attribute: Attribute) -> int:
    return int(np.count_nonzero(attribute.counts()))


CONFIRMED = 0.9
"""Correlation of the pixels above which a pair is confirmed."""
SAME_PIXELS = 0.97
"""Correlation of the pixels above which a pair counts, whatever its cosine."""
FALLBACK = 0.97
"""Cosine where fewer than `FEWEST` pairs are confirmed; the pixels must then confirm each pair."""
FEWEST = 50


@dataclass(frozen=True, slots=True, eq=False)
class NearGroups:
    """The pairs of a set, cut."""

    pairs: NearPairs
    threshold: float | None
    method: str
    groups: Counts
    """(n,) group of each image, numbered by first images, -1 for none."""
    within: Mask
    """(m,) pairs of one group."""
    confirmed: Mask
    """(m,)"""


def choose_pairs(pairs: NearPairs) -> tuple[Mask, float | None, str]:
    """Return the (m,) pairs that count, the cosine from which they do, and how it was chosen."""
    confirmed, same = pairs.correlation > CONFIRMED, pairs.correlation > SAME_PIXELS
    if confirmed.sum() < FEWEST:
        counts = same | confirmed & (pairs.cosine >= FALLBACK)
        return (
            counts,
            FALLBACK,
            f"fixed, fewer than {FEWEST} pairs are confirmed: each one must be",
        )
    known = pairs.cosine > pairs.floor
    cut = threshold(pairs.cosine[known], confirmed[known])
    if cut is None:
        return same, None, "no cosine is precise enough: by pixels alone"
    return (
        same | (pairs.cosine >= cut),
        cut,
        "the smallest at which pixels confirm 95 % of all pairs",
    )


def near_groups(pairs: NearPairs | None, rows: PackRows) -> NearGroups | None:
    """Return the groups of near-identical images of a set; None = nothing was compared.

    All images of a group are near-identical to each other. Later byte-identical copies are in the group of the first one.
    """
    if pairs is None:
        return None
    counts, cut, method = choose_pairs(pairs)
    groups = np.full(len(rows.ok), -1, np.int64)
    for number, members in enumerate(complete_linkage(pairs.first[counts], pairs.second[counts])):
        groups[list(members)] = number
    within = counts & (groups[pairs.first] >= 0) & (groups[pairs.first] == groups[pairs.second])
    known = np.flatnonzero(rows.ok & (rows.sha256 != b""))
    _, photo = np.unique(rows.sha256[known], return_inverse=True)
    of_photo = np.full(len(known), -1, np.int64)
    np.maximum.at(of_photo, photo, groups[known])
    groups[known] = of_photo[photo]
    return NearGroups(pairs, cut, method, groups, within, pairs.correlation > CONFIRMED)
