"""FER2013 and FER+: the same pictures, as numbers in the cells of a CSV, with other labels.

FER2013: a CSV with the columns emotion, pixels and Usage; the images are numbers in its cells.
FER+: `fer2013new.csv`, ten votes an image, next to `FER2013Train/`, `FER2013Valid/` and `FER2013Test/`, or to `fer2013.csv`.
"""

from __future__ import annotations

import os
import re
from array import array
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match, Reader, holds
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.files import MAX_CELL_BYTES, PixelCells
from fer_audit.dataset.sources.source import FileFacts, ImageSource, SourceError, open_as_listed
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.labels import encode_labels
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, SoftLabels
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some, whole

EMOTIONS = tuple(CODES["expression", "fer2013"].values())
"""FER2013's, by their code in the column emotion."""
COLUMNS = (b"emotion", b"pixels", b"usage")
MAX_USAGE = 100
"""Characters of the word for a part of the set."""
_MAX_HEADER = 1_000
_MAX_LINE = MAX_CELL_BYTES + 10_000
_CELL = re.compile(rb'[ \t]*+(?:"([^"\r\n]*+)"[ \t]*+|([^",\r\n]*+))(,|\r?\n?\Z)')
_CODES = {str(code).encode(): code for code in range(len(EMOTIONS))} | {b"": -1}

_VOTES_TABLE = r"fer2013new\.csv"
EXPRESSIONS = (
    *("neutral", "happiness", "surprise", "sadness", "anger"),
    *("disgust", "fear", "contempt"),
)
ANSWERS = (*EXPRESSIONS, "unknown", "NF")
"""What an annotator of FER+ could say; the last two are no expressions."""
UNCLEAR = "unclear"
_VOTES = re.compile(r"\s*[0-9]{1,4}\s*", re.ASCII)
_NAME, _USAGE = "Image name", "Usage"
_BY_ORDER = "the two are joined by the order of their rows"


def _sniff_fer2013(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a CSV with the header of FER2013, or a folder with one; POSSIBLE when FER+ lies there too."""
    if not _tables(given):
        return Match.NO
    both = given.is_folder and given.listing.named(_VOTES_TABLE)
    return Match.POSSIBLE if both else Match.CERTAIN


def _read_fer2013(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the images and labels of the file; ids are `fer2013.csv#17`, rows counted from 0.

    A line that has another number of cells is no row. An emotion that is no code of the set is not annotated.
    Raises DatasetError when there is no row, ConfigError when a folder has several such files.
    """
    refuse_columns(settings, given.root)
    name, cells, rows = read_cells(given)
    try:
        split = encode_attribute("split", rows.usages, "split")
    except ValueError as exc:
        raise DatasetError(f"{given.root / name}, column Usage: {exc}") from exc
    notes, shown = [], encodable(name)
    for reason, one, many in (
        ("cells_miscounted", f"line of {shown} is no row", f"lines of {shown} are no rows"),
        (
            "label_unknown",
            f"row of {shown} has an emotion that is no code of FER2013 and is not annotated",
            f"rows of {shown} have an emotion that is no code of FER2013 and are not annotated",
        ),
    ):
        if found := [reject.item for reject in rows.rejects if reject.reason == reason]:
            notes.append(f"{counted(len(found), one, many)}, for example {found[0]}.")
    emotions = np.array(rows.emotions, np.int16)
    return make_dataset(
        given,
        cells,
        [f"{name}#{row}" for row in range(len(cells))],
        (Attribute("expression", EMOTIONS, emotions, "label"), split),
        rejects=rows.rejects,
        notes=notes,
        label_source="Pictures found by searching the web for words of emotions; people then rejected wrong ones "
        "(the set's authors, 2013).",
        read=(name,),
    )


def read_cells(given: DatasetPath) -> tuple[str, PixelCells, Rows]:
    """Return the name of the one file with the header of FER2013, its n images, and what else its rows say.

    Raises DatasetError when it cannot be read or has no row, ConfigError when there is not one such file.
    """
    names = _tables(given) if given.is_folder else [given.path.name]
    if len(names) != 1:
        raise ConfigError(
            f"{given.root} holds {counted(len(names), 'CSV file')} with the header of FER2013"
            + (f": {name_some(names)}" if names else ""),
            hint="Give the path of the one to read; for FER+, leave only that one there.",
        )
    path = given.root / names[0]
    try:
        facts = FileFacts.now(path)
        with os.fdopen(open_as_listed(facts), "rb") as file:
            rows = _read_rows(file, names[0])
    except (OSError, SourceError) as exc:
        raise DatasetError(f"The file {path} cannot be read: {exc}") from exc
    if not rows.emotions:
        raise DatasetError(f"No line of {path} is a row of FER2013")
    places = np.array(rows.offsets, np.int64), np.array(rows.lengths, np.int64)
    return names[0], PixelCells((facts,), *places), rows


def _tables(given: DatasetPath) -> list[str]:
    """Return the CSV files that have the header of FER2013."""
    names = given.listing.named(r".*\.csv") if given.is_folder else (given.path.name,)
    return [name for name in names if _has_header(given.root / name)]


def _has_header(path: Path) -> bool:
    try:
        with os.fdopen(open_as_listed(FileFacts.now(path)), "rb") as file:
            return set(_header(file)) >= {*COLUMNS}
    except (OSError, SourceError):
        return False


def _header(file: BinaryIO) -> list[bytes]:
    """Return the names in the first line, in lower case without spaces and quotes."""
    line = file.readline(_MAX_HEADER).removeprefix(b"\xef\xbb\xbf")
    return [name.strip(b' \t\r\n"').lower() for name in line.split(b",")]


class Rows(NamedTuple):
    """What the lines hold; eight bytes a row and list."""

    emotions: array[int]
    """Index into EMOTIONS, -1 = not annotated."""
    usages: list[str | None]
    offsets: array[int]
    """First byte of the cell with the pixels."""
    lengths: array[int]
    rejects: list[Reject]


def _read_rows(file: BinaryIO, name: str) -> Rows:
    """Read line by line: of each row, only the place of its pixels is kept."""
    header = _header(file)
    file.seek(0)
    place = {column: header.index(column) for column in COLUMNS}
    rows = Rows(array("h"), [], array("q"), array("q"), [])
    usages: dict[bytes, str | None] = {b"": None}
    for number, start, line in _lines(file):
        if number == 1 or not line.strip():
            continue
        cells = _cells(line)
        if len(cells) != len(header):
            rows.rejects.append(Reject(f"line {number}", "cells_miscounted"))
            continue
        item = f"{name}#{len(rows.emotions)}"
        emotion, usage = (line[slice(*cells[place[each]])] for each in (b"emotion", b"usage"))
        if usage not in usages:
            usages[usage] = usage.decode("utf-8", "backslashreplace")
        if len(usage) > MAX_USAGE:
            rows.rejects.append(Reject(item, "cell_too_long"))
            usage = b""
        if emotion not in _CODES:
            rows.rejects.append(Reject(item, "label_unknown"))
        first, end = cells[place[b"pixels"]]
        rows.emotions.append(_CODES.get(emotion, -1))
        rows.usages.append(usages[usage])
        rows.offsets.append(start + first)
        rows.lengths.append(end - first)
    return rows


def _lines(file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Yield number (from 1), first byte and bytes of each line; of one that is too long for a row, only its start."""
    number = start = 0
    while line := file.readline(_MAX_LINE):
        number += 1
        length = len(line)
        yield number, start, line
        while not line.endswith(b"\n") and (line := file.readline(_MAX_LINE)):
            length += len(line)
        start += length


def _cells(line: bytes) -> list[tuple[int, int]]:
    """Return first byte and end of each cell, without quotes and spaces; () when the line is no row of a CSV."""
    cells = []
    at = 0
    while found := _CELL.match(line, at):
        first, end = found.span(1) if found[1] is not None else found.span(2)
        cells.append((first, first + len(line[first:end].rstrip())))
        at = found.end()
        if found[3] != b",":
            return cells
    return []


fer2013 = Reader(_sniff_fer2013, _read_fer2013)


def _read_ferplus(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset of the table; votes are kept, and an image without a majority is not annotated.

    Where no line names an image file, the images are the cells of fer2013.csv, joined by the order of the rows.
    Raises DatasetError when there is no image, or a row of the two tables is not of the same part of the set.
    """
    refuse_columns(settings, given.root)
    table = given.label_files(_VOTES_TABLE, settings)[0]
    file = open_table(given.root / table)
    if missing := [each for each in (_NAME, _USAGE, *ANSWERS) if each not in file.columns]:
        raise DatasetError(f'{given.root / table} has no column "{missing[0]}", which FER+ has')
    lines = file.read((_NAME, _USAGE, *ANSWERS))
    found = find_images(lines, _NAME, Locator(given.pictures))
    first: dict[str, int] = {}
    for row in bytewise_order(found.ids).tolist():
        first.setdefault(found.ids[row], row)
    ids, again = list(first), sorted({*range(len(found.ids))} - {*first.values()})
    rows = found.rows.take(np.array([*first.values()], np.intp))
    files = listing_of(given.pictures, ids)
    source: ImageSource = files.source()
    how, joined = found.notes, []
    if not source.there.any():
        if given.images or not _tables(given):
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
        label_source="Ten annotators voted on each image; the label is what more than half of them said, single votes left out "
        "(Barsoum et al. 2016).",
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
    name, cells, pixels = read_cells(given)
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
    columns = []
    for words in (rows.columns[name] for name in ANSWERS):
        values = [float(word) if _VOTES.fullmatch(word) else 0.0 for word in words.words]
        columns.append(np.array([*values, 0.0], np.float32)[words.codes])
    return np.stack(columns, axis=1)


def majority(votes: NDArray[np.float32]) -> Attribute:
    """Return the attribute of (n, 10) votes: single votes are left out, then more than half of the rest decide."""
    votes = np.where(votes > 1, votes, 0)
    winner = np.where(2 * votes.max(axis=1) > votes.sum(axis=1), votes.argmax(axis=1), -1)
    codes = np.where(winner < len(EXPRESSIONS), winner, -1).astype(np.int16)
    words = {UNCLEAR: -1} | {word: ANSWERS.index(word) for word in ANSWERS[len(EXPRESSIONS) :]}
    unsaid = ((word, int((winner == code).sum())) for word, code in words.items())
    found = tuple((word, n) for word, n in unsaid if n)
    return Attribute("expression", EXPRESSIONS, codes, "label", unsaid=found)


ferplus = Reader(holds(_VOTES_TABLE), _read_ferplus)
