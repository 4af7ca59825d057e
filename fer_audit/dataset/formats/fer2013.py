"""FER2013: a CSV with the columns emotion, pixels and Usage; the images are numbers in its cells."""

from __future__ import annotations

import os
import re
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath, refuse_columns
from fer_audit.dataset.maps import CODES
from fer_audit.dataset.sources.files import MAX_CELL_BYTES, PixelCells
from fer_audit.dataset.sources.source import FileFacts, SourceError, open_as_listed
from fer_audit.dataset.table.words import encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some

EXPRESSIONS = tuple(CODES["expression", "fer2013"].values())
"""By their code in the column emotion."""
COLUMNS = frozenset((b"emotion", b"pixels", b"usage"))
LABEL_SOURCE = (
    "Pictures found by searching the web for words of emotions; people then rejected wrong ones "
    "(the set's authors, 2013)."
)
MAX_USAGE = 100
"""Characters of the word for a part of the set."""
_MAX_HEADER = 1_000
_MAX_LINE = MAX_CELL_BYTES + 10_000
_FERPLUS = r"fer2013new\.csv"
"""FER+ has other labels for the same pictures, and a format of its own."""

_CELL = re.compile(rb'[ \t]*+(?:"([^"\r\n]*+)"[ \t]*+|([^",\r\n]*+))(,|\r?\n?\Z)')


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for a CSV with the header of FER2013, or a folder with one; POSSIBLE when FER+ lies there too."""
    if not given.is_folder:
        return Match.CERTAIN if _has_header(given.path) else Match.NO
    if not tables(given):
        return Match.NO
    return Match.POSSIBLE if given.listing.named(_FERPLUS) else Match.CERTAIN


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
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
    return make_dataset(
        given,
        cells,
        [f"{name}#{row}" for row in range(len(cells))],
        (
            Attribute("expression", EXPRESSIONS, np.array(rows.emotions, np.int16), "label"),
            split,
        ),
        rejects=rows.rejects,
        notes=_notes(encodable(name), rows.rejects),
        label_source=LABEL_SOURCE,
        read=(name,),
    )


def read_cells(given: DatasetPath) -> tuple[str, PixelCells, Rows]:
    """Return the name of the one file with the header of FER2013, its n images, and what else its rows say.

    Raises DatasetError when it cannot be read or has no row, ConfigError when there is not one such file.
    """
    names = tables(given) if given.is_folder else [given.path.name]
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


def tables(given: DatasetPath) -> list[str]:
    """Return the CSV files of a folder that have the header of FER2013."""
    names = given.listing.named(r".*\.csv")
    return [name for name in names if _has_header(given.root / name)]


def _has_header(path: Path) -> bool:
    try:
        with os.fdopen(open_as_listed(FileFacts.now(path)), "rb") as file:
            return set(_header(file)) >= COLUMNS
    except (OSError, SourceError):
        return False


def _header(file: BinaryIO) -> list[bytes]:
    """Return the names in the first line, in lower case without spaces and quotes."""
    line = file.readline(_MAX_HEADER).removeprefix(b"\xef\xbb\xbf")
    return [name.strip(b' \t\r\n"').lower() for name in line.split(b",")]


class Rows(NamedTuple):
    """What the lines hold; eight bytes a row and list."""

    emotions: array[int]
    """Index into EXPRESSIONS, -1 = not annotated."""
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
        code = int(emotion) if emotion.isdigit() and len(emotion) == 1 else len(EXPRESSIONS)
        if code >= len(EXPRESSIONS) and emotion:
            rows.rejects.append(Reject(item, "label_unknown"))
        first, end = cells[place[b"pixels"]]
        rows.emotions.append(code if code < len(EXPRESSIONS) else -1)
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


def _notes(name: str, rejects: list[Reject]) -> list[str]:
    """Return what is irregular about the file, one sentence a kind."""
    counts = Counter(reject.reason for reject in rejects)
    first = {reject.reason: reject.item for reject in reversed(rejects)}
    meanings = {
        "cells_miscounted": ("line of {} is no row", "lines of {} are no rows"),
        "label_unknown": (
            "row of {} has an emotion that is no code of FER2013 and is not annotated",
            "rows of {} have an emotion that is no code of FER2013 and are not annotated",
        ),
    }
    return [
        f"{counted(counts[reason], one.format(name), many.format(name))}, for example {first[reason]}."
        for reason, (one, many) in meanings.items()
        if counts[reason]
    ]
