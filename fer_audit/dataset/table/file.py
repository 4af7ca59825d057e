"""Columns of words out of a table file: text, a workbook, JSON lines or parquet, the same from each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.listing import suffix_of
from fer_audit.dataset.sources.parquet import facts_of, opened_parquet
from fer_audit.dataset.table.excel import is_workbook, sheet_as_csv
from fer_audit.dataset.table.text import TextLines, cells_of, read_lines
from fer_audit.dataset.table.words import Words, json_word, words_of
from fer_audit.dataset.types import Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, whole

MAX_TABLE_BYTES = 2_000_000_000
"""A line of 100 bytes for each of 20 million images. Above this a table is refused before it is read."""
MAX_TABLE_ROWS = 20_000_000
"""Parquet packs a billion equal cells into a few kilobytes; its footer says so before they are unpacked."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """Some columns of a table, as text."""

    columns: dict[str, Words]
    """Column -> its n cells."""
    numbers: NDArray[np.int32]
    """(n,) number of each row in the file (a quoted cell with line ends counts as one line)."""
    unit: str
    """What is numbered: "line" or "row"."""
    rejects: tuple[Reject, ...]
    """Lines that could not be cut into the right number of cells."""
    items: tuple[str, ...] = ()
    """(n,) names of the rows for messages, where they have better ones than their number."""

    def __len__(self) -> int:
        return len(self.numbers)

    def line(self, row: int) -> str:
        """Return the name of a row for messages: "line 17"."""
        return self.items[row] if self.items else f"{self.unit} {self.numbers[row]}"

    def take(self, rows: NDArray[np.intp], rejects: Sequence[Reject] = ()) -> TableRows:
        """Return some rows, with further rejects."""
        columns = {name: words.take(rows) for name, words in self.columns.items()}
        items = tuple(self.items[row] for row in rows.tolist()) if self.items else ()
        return TableRows(columns, self.numbers[rows], self.unit, (*self.rejects, *rejects), items)


class TableFile:
    """A table whose header was read."""

    columns: tuple[str, ...]
    """Names without the spaces around them, in file order; positions from 1 when it has no header."""
    has_header: bool = True
    notes: tuple[str, ...] = ()
    """What was repaired, one sentence each."""

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns."""
        raise NotImplementedError


def open_table(
    path: Path,
    *,
    skip: int = 0,
    delimiter: str = "",
    header: bool | None = None,
    at_least: int = 1,
) -> TableFile:
    """Return the table in a file; skip, delimiter and header as in `read_lines`.

    Raises DatasetError when it cannot be read, is none or has not `at_least` so many columns, ConfigError when it names
    a column twice.
    """
    table: TableFile
    if suffix_of(path.name) == ".parquet":
        table = ParquetTable(path)
    elif suffix_of(path.name) == ".jsonl":
        table = JsonLines(path)
    else:
        data = _bytes_of(path)
        name = encodable(path.name)
        notes: tuple[str, ...] = ()
        if is_workbook(data):
            data, notes = sheet_as_csv(data, name)
            delimiter = ","
        table = TextTable(
            read_lines(data, name, skip=skip, delimiter=delimiter, header=header),
            name,
            notes,
        )
    repeated = [name for name, n in Counter(table.columns).items() if n > 1 and name]
    if repeated:
        raise ConfigError(
            f'{encodable(path.name)} has more than one column "{repeated[0]}"',
            hint="Rename or remove one of them.",
        )
    if len(table.columns) < at_least:
        raise DatasetError(
            f"{path} has {counted(len(table.columns), 'column')}, and {at_least} are needed",
            hint="Read it as any other table: --layout table.",
        )
    return table


def _bytes_of(path: Path) -> bytes:
    try:
        _refuse_huge(path, path.stat().st_size, MAX_TABLE_BYTES, "bytes")
        return path.read_bytes()
    except OSError as exc:
        raise DatasetError(f"The table {path} cannot be read: {exc.strerror}") from exc


class TextTable(TableFile):
    """Lines of cells."""

    def __init__(self, text: TextLines, name: str, notes: Sequence[str] = ()) -> None:
        self._text, self._name = text, name
        self.has_header = text.header is not None
        self.notes = (*notes, *text.notes)
        if text.header is not None:
            self.columns = text.header
        else:
            first = text.body[: text.body.find(b"\n") + 1 or None]
            cells = cells_of(first, text.delimiter, f"{name}, line {text.first_line}")
            self.columns = tuple(str(i) for i in range(1, len(cells) + 1))

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns; a line with too few or too many cells becomes a reject."""
        bad: list[int] = []

        def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
            bad.append(row.number)
            return "skip"

        columns = self._parse(names, skip)
        n_records = len(next(iter(columns.values()))) + len(bad)
        before = self._text.first_line - 1
        numbers = np.delete(np.arange(1, n_records + 1, dtype=np.int32), np.array(bad, int) - 1)
        rejects = tuple(Reject(f"line {i + before}", "cells_miscounted") for i in bad)
        return TableRows(columns, numbers + np.int32(before), "line", rejects)

    def _parse(self, names: Sequence[str], on_ragged: Callable[[Any], str]) -> dict[str, Words]:
        import pyarrow as pa
        import pyarrow.csv as pa_csv

        if not self._text.body.strip():
            return {name: Words.of(()) for name in names}
        numbered = [str(i) for i in range(len(self.columns))]  # a header may repeat a name
        wanted = {name: str(self.columns.index(name)) for name in names}
        pool = pa.system_memory_pool()  # the default one keeps what it had
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(self._text.body),
                # One thread, because only then rows are numbered.
                read_options=pa_csv.ReadOptions(
                    column_names=numbered,
                    use_threads=False,
                    block_size=len(self._text.body) + 1,  # no cell is too long for a block
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self._text.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=on_ragged,
                ),
                convert_options=pa_csv.ConvertOptions(
                    column_types=dict.fromkeys(numbered, pa.dictionary(pa.int32(), pa.string())),
                    include_columns=list(wanted.values()),
                ),
                memory_pool=pool,
            )
        except pa.ArrowException as exc:
            raise DatasetError(
                f"The table {self._name} cannot be read: {str(exc).strip()}"
            ) from exc
        columns = {name: words_of(table[number]) for name, number in wanted.items()}
        del table
        pool.release_unused()
        return columns


class JsonLines(TableFile):
    """One JSON object a line, as Hugging Face's metadata.jsonl; a value that is no text or number is no word."""

    def __init__(self, path: Path) -> None:
        self._rejects: list[Reject] = []
        self._numbers: list[int] = []
        self._cells: dict[str, list[str | None]] = {}
        for number, line in enumerate(_bytes_of(path).split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                values = None
            if not isinstance(values, dict):
                self._rejects.append(Reject(f"line {number}", "line_is_no_json_object"))
                continue
            for name in values:
                self._cells.setdefault(name.strip(), [None] * len(self._numbers))
            self._numbers.append(number)
            for name, column in self._cells.items():
                column.append(json_word(values.get(name)))
        self.columns = tuple(self._cells)

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns; a line that is no object is a reject."""
        columns = {name: Words.of(self._cells[name]) for name in names}
        numbers = np.array(self._numbers, np.int32)
        return TableRows(columns, numbers, "line", tuple(self._rejects))


class ParquetTable(TableFile):
    """A parquet file; numbers and truth values are read as the text of their value."""

    def __init__(self, path: Path) -> None:
        self._path, self._facts = path, facts_of(path)
        with opened_parquet(self._facts) as file:
            _refuse_huge(path, file.metadata.num_rows, MAX_TABLE_ROWS, "rows")
            self._raw_names: list[str] = list(file.schema_arrow.names)
        self.columns = tuple(name.strip() for name in self._raw_names)

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the rows of these columns; rows are counted from 1."""
        raw = {name: self._raw_names[self.columns.index(name)] for name in names}
        with opened_parquet(self._facts) as file:
            table = file.read(columns=list(raw.values()))
            columns = {name: self._words(name, table[column]) for name, column in raw.items()}
        numbers = np.arange(1, table.num_rows + 1, dtype=np.int32)
        return TableRows(columns, numbers, "row", ())

    def _words(self, name: str, column: Any) -> Words:  # noqa: ANN401 - pyarrow ships no types
        import pyarrow as pa

        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise ConfigError(
                f'{self._path.name}: the column "{name}" holds {column.type}, not words or numbers',
                hint="Write the images to files and their paths into the table.",
            )
        if pa.types.is_floating(column.type):
            return Words.of(json_word(value) for value in column.to_pylist())
        return words_of(column.cast(pa.string()))


def _refuse_huge(path: Path, size: int, limit: int, unit: str) -> None:
    if size > limit:
        raise DatasetError(
            f"The table {path} has {whole(size)} {unit}, at most {whole(limit)} are read",
            hint="Give a part of it.",
        )
