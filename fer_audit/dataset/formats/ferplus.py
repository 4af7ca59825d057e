"""FER+: `fer2013new.csv`, ten votes an image, next to `FER2013Train/`, `FER2013Valid/` and `FER2013Test/`, or to `fer2013.csv`."""

from __future__ import annotations

import re
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats import fer2013
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.sources.files import PixelCells
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.labels import encode_labels
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, SoftLabels
from fer_audit.errors import DatasetError
from fer_audit.text import counted, encodable, whole

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
_BY_ORDER = "the two are joined by the order of their rows"


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a folder with the table of votes."""
    return Match.CERTAIN if given.is_folder and given.listing.named(_TABLE) else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the table; votes are kept, and an image without a majority is not annotated.

    Where no line names an image file, the images are the cells of fer2013.csv, joined by the order of the rows.
    Raises DatasetError when there is no image, or a row of the two tables is not of the same part of the set.
    """
    refuse_columns(settings, given.root)
    table = given.label_files(_TABLE, settings)[0]
    file = open_table(given.root / table)
    if missing := [each for each in (_NAME, _USAGE, *ANSWERS) if each not in file.columns]:
        raise DatasetError(f'{given.root / table} has no column "{missing[0]}", which FER+ has')
    lines = file.read((_NAME, _USAGE, *ANSWERS))
    found = find_images(lines, _NAME, Locator(given.pictures))
    order = bytewise_order(found.ids).tolist()
    first = [
        i for i, row in enumerate(order) if not i or found.ids[row] != found.ids[order[i - 1]]
    ]
    kept = np.array([order[i] for i in first], np.intp)
    again = sorted(set(order) - set(kept.tolist()))
    rows = found.rows.take(kept)
    ids = [found.ids[row] for row in kept.tolist()]
    files = listing_of(given.pictures, ids)
    source: ImageSource = files.source()
    how, joined = found.notes, []
    if not source.there.any():
        if given.images or not fer2013.tables(given):
            raise DatasetError(
                f"None of the {counted(len(ids), 'line')} of {given.root / table} names an image under {files.root}",
                hint="Put fer2013.csv next to it, or the images in FER2013Train, FER2013Valid and FER2013Test, or give --images DIR.",
            )
        name, cells = _cells_in_order(given, table, lines)
        rows, again, joined, files = found.rows, [], [name], files.take(np.zeros(0, np.intp))
        at = np.searchsorted(lines.numbers, rows.numbers)
        source, ids = cells.take(at), [f"{name}#{row}" for row in at.tolist()]
        how = (
            f'The images are the cells of "{encodable(name)}", joined by the order of the rows: in each of the '
            f"{whole(len(lines))} both tables say the same part of the set.",
        )
    votes = _votes(rows)
    split = encode_labels("split", _USAGE, rows.columns[_USAGE], "split")
    return make_dataset(
        given,
        source,
        ids,
        (majority(votes), split.attribute),
        label_source=LABEL_SOURCE,
        soft=(SoftLabels("expression", ANSWERS, votes),),
        rejects=(
            *rows.rejects,
            *(Reject(found.rows.line(row), "duplicate_row") for row in again),
        ),
        notes=(*how, *missing_notes(given.pictures, files.ids, files, encodable(table))),
        read=(table, *given.listing.named(r"label\.csv"), *joined),  # label.csv: the same votes
    )


def _cells_in_order(given: DatasetPath, table: str, lines: TableRows) -> tuple[str, PixelCells]:
    """Return fer2013.csv and its images, of which row i is row i of the table of votes.

    Raises DatasetError when that cannot be: a line of either is no row, or they differ in the column Usage.
    """
    name, cells, pixels = fer2013.read_cells(given)
    torn = [(table, each) for each in lines.rejects]
    torn += [(name, each) for each in pixels.rejects if each.reason == "cells_miscounted"]
    if torn:
        file, each = torn[0]
        raise DatasetError(f"{given.root / file}, {each.item} is no row; {_BY_ORDER}")
    usages = lines.columns[_USAGE].cells()
    pairs = zip_longest(usages, pixels.usages, fillvalue="(no row)")
    for row, (said, drawn) in enumerate(pairs, start=1):
        if (said or "").strip() != (drawn or "").strip():
            raise DatasetError(
                f'Row {row} is "{encodable(said or "")}" in {encodable(table)} and "{encodable(drawn or "")}" in '
                f"{encodable(name)}; {_BY_ORDER}",
                hint="Take both files as their authors published them.",
            )
    return name, cells


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
