"""Images that are cells of parquet files, as Hugging Face stores them."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.parquet_file import buffer_size, parquet_failures, require_consistent
from fer_audit.dataset.sources.source import (
    MAX_FILE_BYTES,
    FileFacts,
    ImageBytes,
    Rows,
    SourceError,
    open_as_listed,
    require_unchanged,
)

BATCH_CELLS = 64
"""Cells unpacked at a time: photographs of 100 KB take 6 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class ParquetCells:
    """Some cells of one column of bytes, in some files."""

    files: tuple[FileFacts, ...]
    column: str
    """Dotted: "image.bytes" is the field `bytes` of the column `image`."""
    file: NDArray[np.int32]
    """(n,) index into `files`."""
    rows: NDArray[np.int64]
    """(n,) row in the file, from 0."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return (n,) True: whether a cell is empty is known when it is read."""
        return np.ones(len(self), np.bool_)

    def take(self, rows: Rows) -> ParquetCells:
        """Return the cells of those rows, and the files that they lie in."""
        used, file = np.unique(self.file[rows], return_inverse=True)
        files = tuple(self.files[i] for i in used.tolist())
        return ParquetCells(files, self.column, file.astype(np.int32), self.rows[rows])

    def read(self, row: int) -> ImageBytes:
        """Return a cell. Rows that follow each other are read in one go.

        Raises SourceError, also missing for an empty cell and corrupt for a part that cannot be unpacked.
        """
        file = self.files[self.file[row]]
        cells = _cells(file, self.column, _identity(file.path))
        try:
            data = cells.read(int(self.rows[row]))
        except SourceError as exc:
            if str(exc) != "corrupt":  # then it is remembered which part of the file is broken
                _cells.cache_clear()
            raise
        if data is None:
            raise SourceError("missing")
        if len(data) > MAX_FILE_BYTES:
            raise SourceError("too_large")
        return ImageBytes(data, "")

    def state(self) -> Iterator[bytes]:
        """Yield each file's name, size and time, and the places in it."""
        for file in self.files:
            yield file.state()
        yield self.column.encode()
        yield self.file.astype("<i4").tobytes()
        yield self.rows.astype("<i8").tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the folders that the files lie in."""
        return frozenset(Path(file.path).parent for file in self.files)

    def facts(self) -> dict[str, Any]:
        """Return the cells as JSON."""
        return {
            "kind": "parquet",
            "files": self.files,
            "column": self.column,
            "file": self.file.tolist(),
            "rows": self.rows.tolist(),
        }

    @classmethod
    def of(cls, facts: dict[str, Any]) -> ParquetCells:
        """Return the cells that `facts` describes."""
        return cls(
            tuple(FileFacts(*file) for file in facts["files"]),
            facts["column"],
            np.array(facts["file"], np.int32),
            np.array(facts["rows"], np.int64),
        )


@lru_cache(maxsize=1)
def _cells(file: FileFacts, column: str, identity: tuple[int, ...]) -> _Cells:
    """Return the cells of the file that was read last, opened again when another one lies there."""
    return _Cells(file, column)


def _identity(path: str) -> tuple[int, ...]:
    """Return what changes with each write to a path, whatever its size and time say; () when nothing lies there."""
    try:
        facts = Path(path).lstat()
    except OSError:
        return ()
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns


class _Cells:
    """A column of one file, read forwards: memory is one batch, or a row group of a file of at most 64 MB."""

    def __init__(self, facts: FileFacts, column: str) -> None:
        import pyarrow.parquet as pq

        self._facts, self._column = facts, column
        self._file = os.fdopen(open_as_listed(facts), "rb")
        weakref.finalize(self, self._file.close)
        self._failures: tuple[type[Exception], ...] = (*parquet_failures(), StopIteration)
        try:
            # no memory map: a file that is cut short while it is read would end the process
            self._parquet = pq.ParquetFile(
                self._file, pre_buffer=False, buffer_size=buffer_size(facts.size)
            )
            require_consistent(self._parquet.metadata)
        except self._failures as exc:
            self._file.close()
            raise SourceError("corrupt") from exc
        groups = range(self._parquet.num_row_groups)
        counts = [self._parquet.metadata.row_group(group).num_rows for group in groups]
        self._starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        self._group = -1
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = ()
        self._first = 0
        """Row of the batch's first cell."""
        self._broken: dict[int, int] = {}
        """Row group -> the first row that could not be unpacked; no later one of the group can."""

    def read(self, row: int) -> bytes | None:
        """Return the cell in a row, None when it is empty."""
        require_unchanged(self._file.fileno(), self._facts)
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        if not 0 <= group < len(self._starts) - 1 or row >= self._broken.get(group, row + 1):
            raise SourceError("corrupt")
        if group != self._group or row < self._first:
            self._start(group)
        while row >= self._first + len(self._batch):
            self._first += len(self._batch)
            try:
                self._batch = self._bytes(next(self._batches))
            except self._failures as exc:
                self._group = -1
                require_unchanged(self._file.fileno(), self._facts)
                self._broken[group] = self._first
                raise SourceError("corrupt") from exc
            require_unchanged(self._file.fileno(), self._facts)  # while the batch was read
        data: bytes | None = self._batch[row - self._first].as_py()
        return data

    def _start(self, group: int) -> None:
        self._group, self._first, self._batch = group, int(self._starts[group]), ()
        self._batches = self._parquet.iter_batches(
            BATCH_CELLS, row_groups=[group], columns=[self._column], use_threads=False
        )

    @staticmethod
    def _bytes(batch: Any) -> Any:  # noqa: ANN401 - pyarrow ships no types
        """Return the column of bytes, out of its struct if it lies in one."""
        column = batch.column(0)
        return (
            column.field(0)
            if hasattr(column.type, "num_fields") and column.type.num_fields
            else column
        )
