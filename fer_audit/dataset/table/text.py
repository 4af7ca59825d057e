"""From the bytes of a text table to UTF-8 lines and how they are cut: by content, never by the name of the file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_audit.dataset.listing import IMAGE_SUFFIXES, suffix_of
from fer_audit.errors import ConfigError, DatasetError

LOOKED_AT = 65_536
"""Bytes of a table from which it is decided how it is cut."""
LINES_LOOKED_AT = 50

SPACES = " "
"""The delimiter that stands for runs of spaces and tabs."""
_DELIMITERS = (",", ";", "\t")
_BLANK = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"(?m)^[ \t]+|[ \t]+$")
_SEP = re.compile(r"\s*sep=([\t -~])\s*", re.IGNORECASE)
_PATH = re.compile(r"[/~a-z][^\s,;]*/[^\s,;]*\.(csv|tsv|txt|parquet)")
_CODE = re.compile(r"\s*(import|from|def|class|#!|//|<\?php|#include)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TextLines:
    """A text table, ready to be parsed."""

    body: bytes
    """UTF-8, without byte-order mark, `sep=` line and header; lines end in \\n or \\r\\n."""
    delimiter: str
    """One character; `body` has no runs of spaces any more where those were the delimiter."""
    header: tuple[str, ...] | None
    """Cells of the first line when it names the columns, else None."""
    first_line: int
    """Number of the body's first line in the file, from 1."""
    notes: tuple[str, ...]
    """What was repaired."""


def first_line(path: Path) -> bytes:
    """Return the first line of a file, cut at `LOOKED_AT` bytes; b"" when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.readline(LOOKED_AT)
    except OSError:
        return b""


def read_lines(
    data: bytes, name: str, *, skip: int = 0, delimiter: str = "", header: bool | None = None
) -> TextLines:
    """Return the lines of a table and their dialect.

    skip: lines before the header; delimiter: "" = found; header: whether there is one, None = found.
    Raises DatasetError for what is no table: nothing, a web page, JSON, code, a Git-LFS pointer, an old Excel file, a zip archive.
    """
    refuse_strangers(data, name)
    data, notes = _as_utf8(data, name)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    for _ in range(skip):
        _, _, data = data.partition(b"\n")
    line, below = skip + 1, data.lstrip(b"\r\n")
    line, data = line + data.count(b"\n", 0, len(data) - len(below)), below
    first, _, rest = data.partition(b"\n")
    if found := _SEP.fullmatch(first.decode()):
        delimiter, data, line = found[1], rest, line + 1
    sample = _sample_lines(data)
    if not sample:
        raise DatasetError(f"The table {name} is empty", hint="It needs a line for each image.")
    delimiter = delimiter or _delimiter(sample)
    if delimiter == SPACES:
        data = _BLANK.sub(b"\t", _ENDS.sub(b"", data.replace(b"\r\n", b"\n")))
        sample, delimiter = _sample_lines(data), "\t"
    end = _first_record(data)
    cells = cells_of(data[:end], delimiter, f"{name}, line {line}")
    if header is None:
        header = _names_columns(cells, _cut(sample[1:], delimiter))
    if not header:
        return TextLines(data, delimiter, None, line, notes)
    widths = Counter(len(row) for row in _cut(sample[1:], delimiter))
    if widths and widths.most_common(1)[0][0] == len(cells) + 1:
        cells = ["", *cells]  # as pandas writes an index: a column without a name
    return TextLines(data[end:], delimiter, tuple(cells), line + data[:end].count(b"\n"), notes)


def refuse_strangers(data: bytes, name: str) -> None:
    """Raise DatasetError that says what a file is when it is not text with lines of cells."""
    head = data[:2_000].removeprefix(b"\xef\xbb\xbf").lstrip()
    text = head.decode("utf-8", "replace").lower()
    other = "Give a table with one line for each image."
    is_code = _CODE.match(text) is not None and "," not in text.partition("\n")[0]
    kinds = {
        ("an HTML page", "Download the file itself, not the page that shows it."): text.startswith(
            ("<!doctype", "<html", "<?xml", "<svg")
        ),
        ("a Git-LFS pointer", "Fetch the file that it stands for: git lfs pull."): text.startswith(
            "version https://git-lfs"
        ),
        ("JSON", other): text.startswith(("{", "[")),
        ("an Excel file", "Save it as CSV, or as .xlsx."): head.startswith(b"\xd0\xcf\x11\xe0"),
        ("a zip archive", "Unpack it first."): head.startswith(b"PK\x03\x04"),
        ("a program's code", other): is_code,
        ("a drawn folder tree", other): "├──" in text or "└──" in text,
        ("a single path", other): _PATH.fullmatch(text.strip()) is not None,
        ("an image", other): head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8")),
    }
    for (kind, hint), is_one in kinds.items():
        if is_one:
            raise DatasetError(f"{name} is {kind}, not a table", hint=hint)


def _as_utf8(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the same text in UTF-8, and a note when another encoding was guessed."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _recoded(data, "utf-16", name), ()
    start = data[:LOOKED_AT]
    for encoding, nulls in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(start) > 3 and nulls.count(0) * 10 > len(nulls) * 8:
            return _recoded(data, encoding, name), ()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if start.count(0) * 100 > len(start):
        raise DatasetError(f"{name} is no text, so it is no table", hint="Save it as CSV.")
    try:
        data.decode()
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        note = f"{name} is no UTF-8 (byte 0x{data[exc.start]:02x} in line {line}): it is read as Latin-1."
        return data.decode("cp1252", "replace").encode(), (note,)
    return data, ()


def _recoded(data: bytes, encoding: str, name: str) -> bytes:
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode("utf-8", "replace")
    except UnicodeDecodeError as exc:
        raise DatasetError(
            f"{name} begins like {encoding.upper()} text and is not: {exc.reason}",
            hint="Save it as UTF-8.",
        ) from exc


def _sample_lines(data: bytes) -> list[str]:
    """Return the first lines, none of them cut short unless it is the only one."""
    text = data[:LOOKED_AT].decode("utf-8", "replace")
    lines = text.splitlines()
    if len(data) > LOOKED_AT and len(lines) > 1:
        lines = lines[:-1]
    return [line for line in lines[:LINES_LOOKED_AT] if line.strip()]


def _cut(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the cells of each record."""
    csv.field_size_limit(2 * LOOKED_AT)
    return list(csv.reader([line + "\n" for line in lines], delimiter=delimiter))


def cells_of(record: bytes, delimiter: str, place: str) -> list[str]:
    """Return the cells of the first record without the spaces around them; ConfigError when it cannot be cut."""
    try:
        (cells,) = csv.reader([record.decode().strip("\r\n")], delimiter=delimiter)
    except csv.Error as exc:
        raise ConfigError(
            f"{place}: {exc}", hint="The first line of the table must name the columns."
        ) from exc
    return [cell.strip() for cell in cells]


def _delimiter(lines: Sequence[str]) -> str:
    """Return the delimiter by which most lines have the same number of cells, of several the one that cuts most."""

    def fit(widths: list[int]) -> tuple[bool, float, int]:
        width, times = Counter(widths).most_common(1)[0]
        return width > 1, round(times / len(widths), 1), width

    body = lines[1:] or lines  # a header may miss the name of an index
    fits = {each: fit([len(row) for row in _cut(body, each)]) for each in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda each: fits[each])
    if fits[best][0]:
        return best
    return SPACES if fit([len(line.split()) for line in body])[:2] >= (True, 0.9) else ","


def _names_columns(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line names columns: not when a cell of it is a path to an image, or looks like those below."""
    if any(suffix_of(cell) in IMAGE_SUFFIXES for cell in cells):
        return False
    is_number = re.compile(r"\s*[-+]?[0-9]+(\.[0-9]*)?\s*").fullmatch
    numbers = [is_number(cell) is not None for cell in cells]
    same = [[is_number(cell) is not None for cell in row] == numbers for row in rows]
    return not (any(numbers) and rows and all(same))


def _first_record(data: bytes) -> int:
    """Return where the second record begins: a quoted name of a column may hold a line break."""
    end = 0
    while (stop := data.find(b"\n", end)) >= 0:
        end = stop + 1
        if data[:end].count(b'"') % 2 == 0 or end > LOOKED_AT:
            return end
    return len(data)
