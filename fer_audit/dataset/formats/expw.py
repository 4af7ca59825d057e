"""ExpW: `label.lst`, whose rows are faces: an image, a box in it, and an expression."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.files import Cropped
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.labels import encode_labels
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.table.text import SPACES, first_line
from fer_audit.dataset.types import FaceDataset, Reject
from fer_audit.errors import DatasetError
from fer_audit.text import encodable

LABEL_SOURCE = "Expressions were labelled by annotators on faces that a detector had found (Zhang et al. 2018)."
COLUMNS = ("name", "face", "top", "left", "right", "bottom", "confidence", "label")
_LIST = r"label\.lst"
_PLACE = re.compile(r"-?[0-9]{1,9}")
_SIDES = ("left", "top", "right", "bottom")
MAX_PLACE = 10_000_000
"""Pixels; no image that is read is as wide."""


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with a list of eight columns."""
    fits = given.is_folder and any(
        len(first_line(given.root / table).split()) == len(COLUMNS)
        for table in given.listing.named(_LIST)
    )
    return Match.CERTAIN if fits else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of all faces; a row without a box that could be one, or about a face that had one, is a reject."""
    refuse_columns(settings, given.root)
    table = given.label_files(_LIST, settings)[0]
    file = open_table(given.root / table, delimiter=SPACES, header=False)
    if len(file.columns) != len(COLUMNS):
        raise DatasetError(
            f"{given.root / table} has {len(file.columns)} columns, ExpW's list has {len(COLUMNS)}",
            hint="Read it as any other table: --layout table.",
        )
    numbered = file.read(file.columns)
    columns = dict(zip(COLUMNS, numbered.columns.values(), strict=True))
    rows = TableRows(columns, numbered.numbers, numbered.unit, numbered.rejects)
    found = find_images(rows, "name", Locator(given.pictures))
    boxes, good = _boxes(found.rows)
    bad = [
        Reject(found.rows.line(row), "box_unreadable") for row in np.flatnonzero(~good).tolist()
    ]
    faces = found.rows.columns["face"].cells()
    ids = [f"{file_id}#{face}" for file_id, face in zip(found.ids, faces, strict=True)]
    order = bytewise_order(ids)
    kept = order[good[order]]
    again = np.array([i > 0 and ids[kept[i]] == ids[kept[i - 1]] for i in range(len(kept))], bool)
    bad += [Reject(found.rows.line(row), "duplicate_row") for row in kept[again].tolist()]
    kept = kept[~again]
    if not len(kept):
        raise DatasetError(f"No line of {given.root / table} names a face")
    images = [found.ids[row] for row in kept.tolist()]
    files = listing_of(given.pictures, images)
    labels = encode_labels(
        *("expression", "label"),
        found.rows.columns["label"].take(kept),
        "label",
        names=CODES["expression", "expw"],
    )
    return make_dataset(
        given,
        Cropped(files.source(), boxes[kept]),
        [ids[row] for row in kept.tolist()],
        (labels.attribute,),
        label_source=LABEL_SOURCE,
        rejects=(*found.rows.rejects, *bad),
        notes=(
            *found.notes,
            *labels.notes,
            *missing_notes(given.pictures, images, files, encodable(table)),
        ),
        read=(table,),
    )


def _boxes(rows: TableRows) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the (n, 4) boxes left, top, right, bottom, and the (n,) mask of those that have an area."""

    def places(name: str) -> NDArray[np.int32]:
        words = rows.columns[name]
        values = [int(word) if _PLACE.fullmatch(word) else MAX_PLACE for word in words.words]
        return np.clip([*values, MAX_PLACE], -MAX_PLACE, MAX_PLACE).astype(np.int32)[words.codes]

    boxes = np.stack([places(side) for side in _SIDES], axis=1)
    good = (
        (boxes < MAX_PLACE).all(axis=1) & (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    )
    return boxes, good
