"""Text out of a table file: CSV, TSV or parquet, the same lists of words from each."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fer_audit.dataset.listing import suffix_of
from fer_audit.dataset.types import Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import encodable, whole

MISSING_WORDS = frozenset(("", "NA", "N/A", "NaN", "nan", "null", "NULL"))
"""Cells that say nothing. "None" is not among them: AffectNet has an expression of that name."""

MAX_TABLE_BYTES = 2_000_000_000
"""A line of 100 bytes for each of 20 million images. Above this a table is refused before it is read."""
MAX_TABLE_ROWS = 20_000_000
"""Parquet packs a billion equal cells into a few kilobytes; its footer says so before they are unpacked."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class TableRows:
    """Some columns of a table, as text."""

    values: dict[str, list[str | None]]
    """Column -> n words as written; None = empty."""
    lines: list[str]
    """n names of the rows for messages, "line 17" (a quoted cell with line ends counts as one line) or "row 17"."""
    rejects: tuple[Reject, ...]
    """Lines that could not be cut into the right number of cells."""


class TableFile(Protocol):
    """A table whose header was read."""

    columns: tuple[str, ...]
    """Names without the spaces around them, in file order."""

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns."""


def open_table(path: Path) -> TableFile:
    """Return the table in a file, by its suffix.

    Raises DatasetError when it cannot be read, ConfigError when it is not UTF-8 or names a column twice.
    """
    table: TableFile = (
        ParquetTable(path) if suffix_of(path.name) == ".parquet" else TextTable(path)
    )
    repeated = [name for name, n in Counter(table.columns).items() if n > 1 and name]
    if repeated:
        raise ConfigError(
            f'{encodable(path.name)} has more than one column "{repeated[0]}"',
            hint="Rename or remove one of them.",
        )
    return table


def clean_word(word: str | None) -> str | None:
    """Return a cell without the spaces around it, None when it says nothing."""
    word = word and word.strip()
    return None if word is None or word in MISSING_WORDS else word


class TextTable:
    """A CSV or TSV file; the delimiter is the one its first line uses most."""

    def __init__(self, path: Path) -> None:
        self._name = encodable(path.name)
        try:
            _refuse_huge(path, path.stat().st_size, MAX_TABLE_BYTES, "bytes")
            data = path.read_bytes()
        except OSError as exc:
            raise DatasetError(f"The table {path} cannot be read: {exc.strerror}") from exc
        data = data.removeprefix(b"\xef\xbb\xbf")
        _require_utf8(data, self._name)
        if not data.strip():
            raise DatasetError(f"The table {path} is empty")
        header, self._body = _cut_header(data)
        self._delimiter = max(_DELIMITERS, key=header.count)
        try:
            cells = next(csv.reader([header], delimiter=self._delimiter))
        except csv.Error as exc:
            raise ConfigError(
                f"{self._name}, line 1: {exc}",
                hint="The first line of the table must name the columns.",
            ) from exc
        self.columns = tuple(cell.strip() for cell in cells)

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns; a line with too few or too many cells becomes a reject."""
        bad: list[int] = []

        def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
            bad.append(row.number + 1)
            return "skip"

        values = self._parse(names, skip)
        n_records = len(next(iter(values.values()))) + len(bad)
        ragged = set(bad)
        return TableRows(
            values,
            [f"line {i}" for i in range(2, n_records + 2) if i not in ragged],
            tuple(Reject(f"line {i}", "cells_miscounted") for i in bad),
        )

    def _parse(
        self, names: Sequence[str], on_ragged: Callable[[Any], str]
    ) -> dict[str, list[str | None]]:
        import pyarrow as pa
        import pyarrow.csv as pa_csv

        if not self._body.strip():
            return {name: [] for name in names}
        numbered = [str(i) for i in range(len(self.columns))]  # a header may repeat a name
        wanted = {name: str(self.columns.index(name)) for name in names}
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(self._body),
                # One thread, because only then rows are numbered.
                read_options=pa_csv.ReadOptions(
                    column_names=numbered,
                    use_threads=False,
                    block_size=len(self._body) + 1,  # no cell is too long for a block
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self._delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=on_ragged,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(numbered, pa.string()),
                    include_columns=list(wanted.values()),
                ),
            )
        except pa.ArrowException as exc:
            raise DatasetError(
                f"The table {self._name} cannot be read: {str(exc).strip()}"
            ) from exc
        return {name: table[number].to_pylist() for name, number in wanted.items()}


class ParquetTable:
    """A parquet file; numbers and truth values are read as the text of their value."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path = path
        try:
            with pq.ParquetFile(path) as file:
                _refuse_huge(path, file.metadata.num_rows, MAX_TABLE_ROWS, "rows")
                self._raw_names: list[str] = list(file.schema_arrow.names)
        except (OSError, ValueError, pa.ArrowException) as exc:  # a name may be no UTF-8
            raise DatasetError(
                f"The table {path} cannot be read as parquet: {str(exc).strip()}"
            ) from exc
        self.columns = tuple(name.strip() for name in self._raw_names)

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns; rows are counted from 1."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        raw = {name: self._raw_names[self.columns.index(name)] for name in names}
        try:
            with pq.ParquetFile(self._path) as file:
                table = file.read(columns=list(raw.values()))
            values = {name: self._words(name, table[column]) for name, column in raw.items()}
        except (OSError, ValueError, pa.ArrowException) as exc:  # a word may be no UTF-8
            raise DatasetError(
                f"The table {self._path} cannot be read: {str(exc).strip()}"
            ) from exc
        return TableRows(values, [f"row {i}" for i in range(1, table.num_rows + 1)], ())

    def _words(self, name: str, column: Any) -> list[str | None]:  # noqa: ANN401 - pyarrow ships no types
        import pyarrow as pa

        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise ConfigError(
                f'{self._path.name}: the column "{name}" holds {column.type}, not words or numbers',
                hint="Write the images to files and their paths into the table.",
            )
        if pa.types.is_floating(column.type):
            return [_number_word(value) for value in column.to_pylist()]
        words: list[str | None] = column.cast(pa.string()).to_pylist()
        return words


def _refuse_huge(path: Path, size: int, limit: int, unit: str) -> None:
    if size > limit:
        raise DatasetError(
            f"The table {path} has {whole(size)} {unit}, at most {whole(limit)} are read",
            hint="Give a part of it.",
        )


def _number_word(value: float | None) -> str | None:
    """Return 1.0 as "1": a column of codes with a gap is stored as floats."""
    if value is None or math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)


def _cut_header(data: bytes) -> tuple[str, bytes]:
    """Return the first line and the rest."""
    end = _LINE_END.search(data)
    if end is None:
        return data.decode(), b""
    return data[: end.start()].decode(), data[end.end() :]


def _require_utf8(data: bytes, name: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = len(_LINE_END.findall(data, 0, exc.start)) + 1
        raise ConfigError(
            f"{name}, line {line}: byte 0x{data[exc.start]:02x} is not UTF-8",
            hint=f"Save the table as UTF-8, for example: iconv -f latin1 -t utf-8 {name}",
        ) from exc
