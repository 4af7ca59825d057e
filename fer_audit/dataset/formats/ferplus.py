"""FER+: `fer2013new.csv`, ten votes an image, next to `FER2013Train/`, `FER2013Valid/` and `FER2013Test/`."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.labels import encode_labels
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, SoftLabels
from fer_audit.errors import DatasetError
from fer_audit.text import counted, encodable

EXPRESSIONS = (
    *("neutral", "happiness", "surprise", "sadness", "anger"),
    *("disgust", "fear", "contempt"),
)
ANSWERS = (*EXPRESSIONS, "unknown", "NF")
"""What an annotator could say; the last two are no expressions."""
UNCLEAR = "unclear"
LABEL_SOURCE = (
    "Ten annotators voted on each image; the label is what more than half of them said, single votes left out "
    "(Barsoum et al. 2016)."
)
_TABLE = r"fer2013new\.csv"
_VOTES = re.compile(r"\s*[0-9]{1,4}\s*", re.ASCII)
_NAME, _USAGE = "Image name", "Usage"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with the table of votes."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_TABLE) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the table; votes are kept, and an image without a majority is not annotated."""
    refuse_columns(settings, given.root, form="ferplus")
    table = given.label_files(_TABLE, form="ferplus")[0]
    file = open_table(given.root / table)
    if missing := [each for each in (_NAME, _USAGE, *ANSWERS) if each not in file.columns]:
        raise DatasetError(f'{given.root / table} has no column "{missing[0]}", which FER+ has')
    found = find_images(file.read((_NAME, _USAGE, *ANSWERS)), _NAME, Locator(given.pictures))
    order = bytewise_order(found.ids).tolist()
    first = [
        i for i, row in enumerate(order) if not i or found.ids[row] != found.ids[order[i - 1]]
    ]
    kept = np.array([order[i] for i in first], np.intp)
    again = sorted(set(order) - set(kept.tolist()))
    rows = found.rows.take(kept)
    ids = [found.ids[row] for row in kept.tolist()]
    files = listing_of(given.pictures, ids)
    if not files.source().there.any():
        raise DatasetError(
            f"None of the {counted(len(ids), 'line')} of {given.root / table} names an image under {files.root}",
            hint="Write the images of fer2013.csv to FER2013Train, FER2013Valid and FER2013Test, as FER+ says, or give --images DIR.",
        )
    votes = _votes(rows)
    split = encode_labels("split", _USAGE, rows.columns[_USAGE], "split")
    return make_dataset(
        given,
        files.source(),
        ids,
        (majority(votes), split.attribute),
        form="ferplus",
        label_source=LABEL_SOURCE,
        soft=(SoftLabels("expression", ANSWERS, votes),),
        rejects=(
            *found.rows.rejects,
            *(Reject(found.rows.line(row), "duplicate_row") for row in again),
        ),
        notes=(*found.notes, *missing_notes(given.pictures, ids, files, encodable(table))),
        read=(table, *given.listing.named(r"label\.csv")),  # the same votes, once for each folder
    )


def _votes(rows: TableRows) -> NDArray[np.float32]:
    """Return the (n, 10) votes; a cell that is no number counts as none."""

    def column(name: str) -> NDArray[np.float32]:
        words = rows.columns[name]
        values = [float(word) if _VOTES.fullmatch(word) else 0.0 for word in words.words]
        return np.array([*values, 0.0], np.float32)[words.codes]

    return np.stack([column(name) for name in ANSWERS], axis=1)


def majority(votes: NDArray[np.float32]) -> Attribute:
    """Return the attribute of (n, 10) votes: single votes are left out, then more than half of the rest decide."""
    counted_votes = np.where(votes > 1, votes, 0)
    winner = counted_votes.argmax(axis=1)
    most, total = counted_votes.max(axis=1), counted_votes.sum(axis=1)
    clear = 2 * most > total
    codes = np.where(clear & (winner < len(EXPRESSIONS)), winner, -1).astype(np.int16)
    unsaid = [(UNCLEAR, int((~clear).sum()))]
    unsaid += [
        (answer, int((clear & (winner == code)).sum()))
        for code, answer in enumerate(ANSWERS)
        if code >= len(EXPRESSIONS)
    ]
    found = tuple((word, n) for word, n in unsaid if n)
    return Attribute("expression", EXPRESSIONS, codes, "label", unsaid=found)
