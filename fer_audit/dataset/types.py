"""The records of a dataset: its images and labels, row by row, and what could not be read."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import ImageSource

Kind = Literal["demographic", "label", "batch", "split", "subject", "style"]
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
    unsaid: tuple[tuple[str, int], ...] = ()
    """Words of the set that say that nothing is known, "unsure" or "No-Face", and how often each stood there."""
    mapped_from: str = ""
    """The attribute whose groups these are under a map (--map), else "": one follows from the other."""

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


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """What several annotators said of each image."""

    attribute: str
    """The label attribute that was made from these votes."""
    answers: tuple[str, ...]
    """What could be voted for; the attribute's groups are among them."""
    votes: NDArray[np.float32]
    """(n, len(answers)) votes, or shares of them; 0 everywhere = nobody was asked."""


@dataclass(frozen=True, slots=True)
class ReferenceCounts:
    """Counts of a larger set that this one claims to be drawn from."""

    name: str
    counts: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    """(attribute, ((group, count), ...))"""


@dataclass(frozen=True, slots=True, eq=False)
class FaceDataset:
    """A set of labelled faces. Row i is item i (an image, or a face in one) in every array, for life."""

    name: str
    root: Path
    """The absolute folder that was given, or that holds the file that was given."""
    source: ImageSource
    """Where the bytes of row i lie."""
    ids: tuple[str, ...]
    """n names: POSIX paths sorted bytewise (undecodable bytes as surrogate escapes), "a.jpg#1" for a face of a file;
    "x.tar!key.jpg", "x.parquet#17" and "fer2013.csv#17" in the order of their file, rows counted from 0."""
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
    """sha256 over ids, labels, and what the bytes of the images depend on."""
    whole: bool = True
    """False when a folder or a part of an archive could not be read; how many images are missing is unknown."""
    format: str = ""
    """The format it was read as, by the name in the registry; "" = none of them."""
    terms: str = ""
    """Where a set of this format is had, and under which licence or terms; "" = any set may have this format."""
    soft: tuple[SoftLabels, ...] = ()
    """The votes behind a label attribute, where the set has them."""
    facts: tuple[tuple[str, str], ...] = ()
    """(what, value) that is true of every image by the set's own description, e.g. ("gender", "female")."""
    taken: NDArray[np.int64] | None = None
    """(n,) numbers that grow with the time at which an image was collected; None = not known."""
    weights: NDArray[np.float64] | None = None
    """(n,) weight of each image, 0 or more; None = all weigh the same."""
    drawn_from: tuple[FaceDataset, NDArray[np.intp]] | None = None
    """The set that --only took these images from, and the (n,) rows there; what is known of it need not be made again."""
    skipped: tuple[tuple[str, int], ...] = ()
    """(why, files) that are no item of the set, e.g. ("earlier frame of a sequence", 24); not among the rows."""

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name; KeyError if there is none."""
        for attribute in self.attributes:
            if attribute.name == name:
                return attribute
        raise KeyError(name)

    def images_digest(self) -> str:
        """Return the sha256 over the ids and all that the bytes of the images depend on; labels do not matter."""
        listing = hashlib.sha256()
        for (
            file_id
        ) in self.ids:  # no name holds a NUL, and raw bytes cannot collide as escaped text could
            listing.update(os.fsencode(file_id) + b"\0")
        for part in self.source.state():
            listing.update(part)
        return listing.hexdigest()

    def __len__(self) -> int:
        return len(self.ids)
