"""An Excel workbook as the text of a table: its first sheet that holds anything. Needs the extra `excel`."""

from __future__ import annotations

import csv
import io
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from fer_audit.dataset.table.words import json_word
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some, whole

MAX_UNPACKED_BYTES = 1_000_000_000
"""A workbook is a zip file: a small one can hold any number of bytes, and says how many before they are unpacked."""
MAX_CELLS = 10_000_000
"""A cell far to the right, or far below, stands for all that lie before it."""
ROWS_LOOKED_AT = 100

_FAILURES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, SyntaxError, LookupError),
    *(ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError),
)
"""What zipfile and openpyxl raise for a broken file; SyntaxError is XML's."""


def is_workbook(data: bytes) -> bool:
    """Whether the bytes of a file are a workbook of Excel 2007 or later."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        return "xl/workbook.xml" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    except _FAILURES:
        return False


def sheet_as_csv(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the first sheet that holds anything as CSV in UTF-8, and notes. Line i of it is row i of the sheet.

    Rows above the table are empty lines: those above the first that reaches as far to the right as most rows do. What
    stands to the right of that one is left out.
    Raises ConfigError when openpyxl is not installed, DatasetError when the workbook cannot be read or is empty.
    """
    try:
        import openpyxl
    except ImportError as exc:
        raise ConfigError(
            f"{name} is an Excel file, and openpyxl is not installed",
            hint="Install it: pip install 'fer-audit[excel]'. Or save the table as CSV.",
        ) from exc
    try:
        size = sum(each.file_size for each in zipfile.ZipFile(io.BytesIO(data)).infolist())
        if size > MAX_UNPACKED_BYTES:
            raise ValueError(f"it unpacks to {whole(size)} bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and validation
            sheets = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            for sheet in sheets.worksheets:
                if any(rows := list(_rows(sheet))):
                    break
            else:
                raise DatasetError(f"{name} is empty", hint="It needs a row for each image.")
    except _FAILURES as exc:
        raise DatasetError(f"{name} cannot be read: {exc}", hint="Save it as CSV.") from exc
    while not rows[-1]:
        rows.pop()
    # the first row that reaches as far to the right as most of those that have two columns or more
    widths = [len(row) for row in rows if row][:ROWS_LOOKED_AT]
    wide = Counter(width for width in widths if width > 1)
    usual = max(wide, key=lambda width: (wide[width], width), default=1)
    start = next(i for i, row in enumerate(rows) if len(row) >= usual)
    width = len(rows[start])
    if width * len(rows) > MAX_CELLS:
        raise DatasetError(f"{name} is too large for a workbook", hint="Save it as CSV.")
    text = io.StringIO("\n" * start)
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\n").writerows(
        [*row, *[""] * (width - len(row))][:width] for row in rows[start:]
    )
    notes = []
    if others := [encodable(each.title) for each in sheets.worksheets if each is not sheet]:
        notes.append(
            f'Of {name} only the sheet "{encodable(sheet.title)}" is read, not {name_some(others)}.'
        )
    if above := [" ".join(filter(None, row)) for row in rows[:start] if row]:
        count = counted(len(above), "row above the table is", "rows above the table are")
        notes.append(f"In {name} {count} not read: {name_some(above)}.")
    return text.getvalue().encode("utf-8", "replace"), tuple(notes)


def _rows(sheet: Any) -> Iterator[list[str]]:  # noqa: ANN401 - openpyxl ships no types
    """Yield the cells of each row up to the last that is not empty. Raises ValueError when there are too many."""
    sheet.reset_dimensions()  # what a file claims of its size is not always so
    cells = 0
    for row in sheet.iter_rows(values_only=True):
        cells += len(row) + 1
        if cells > MAX_CELLS:
            raise ValueError(f"it has more than {whole(MAX_CELLS)} cells")
        words = [_word(value) for value in row]
        while words and not words[-1]:
            words.pop()
        yield words


def _word(value: object) -> str:
    """Return what a cell holds as text; a day without an hour is 2024-09-03."""
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    word = json_word(value)
    return "" if value is None else str(value) if word is None else word.strip()
