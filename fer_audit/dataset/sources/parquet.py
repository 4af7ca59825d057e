"""Parquet files: how one is opened, what pyarrow raises when it is none or broken, and images that are cells of some."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import (
    MAX_FILE_BYTES,
    FileFacts,
    ImageBytes,
    ImageSource,
    SourceError,
    open_as_listed,
    require_unchanged,
)
from fer_audit.errors import DatasetError

WHOLE_BYTES = 64_000_000


@contextmanager
def opened_parquet(facts: FileFacts) -> Iterator[Any]:
    """Give an open parquet file. Raises DatasetError when it is none, or breaks or changes while it is read."""
    try:
        with (
            os.fdopen(open_as_listed(facts), "rb") as handle,
            _open(handle, facts.size) as file,
        ):
            yield file
            require_unchanged(handle.fileno(), facts)
    except SourceError as exc:
        raise DatasetError(f"{facts.path} cannot be read: {exc}") from exc
    except parquet_failures() as exc:
        raise DatasetError(f"{facts.path} cannot be read as parquet: {str(exc).strip()}") from exc


def facts_of(path: Path) -> FileFacts:
    """Return a file as it is, before anything of it is read. Raises DatasetError when it cannot be looked at."""
    try:
        return FileFacts.now(path)
    except OSError as exc:
        raise DatasetError(f"{path} cannot be read: {exc.strerror}") from exc


def _open(handle: Any, size: int) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return a parquet file of `size` bytes. Raises ValueError when its footer counts other rows than its row groups do.

    With a buffer, pyarrow makes room for whatever the header of a page claims, 2 GB for a file of 6 KB; so a small one is
    read a column of a row group at a time. No memory map: a file that is cut short while it is read would end the process.
    """
    import pyarrow.parquet as pq

    buffer = 1 << 20 if size > WHOLE_BYTES else 0
    file = pq.ParquetFile(handle, pre_buffer=False, buffer_size=buffer)
    counts = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    if min(counts, default=0) < 0 or sum(counts) != file.metadata.num_rows:
        raise ValueError("its footer and its row groups count different rows")
    return file


def parquet_failures() -> tuple[type[Exception], ...]:
    """Return the exceptions of a broken file; ValueError is also a word that is no UTF-8."""
    import pyarrow as pa

    return OSError, ValueError, OverflowError, pa.ArrowException


BATCH_CELLS = 64
"""Cells unpacked at a time: photographs of 100 KB take 6 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class ParquetCells(ImageSource):
    """Some cells of one column of bytes, in some files, as Hugging Face stores images."""

    KIND = "parquet"
    ARRAYS = (("file", "<i4"), ("rows", "<i8"))

    files: tuple[FileFacts, ...]
    column: str
    """Dotted: "image.bytes" is the field `bytes` of the column `image`."""
    file: NDArray[np.int32]
    """(n,) index into `files`."""
    rows: NDArray[np.int64]
    """(n,) row in the file, from 0."""

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
        """Yield each file's name, size and time, the column, and the places in it."""
        yield from (file.state() for file in self.files)
        yield self.column.encode()
        yield self.file.astype("<i4").tobytes()
        yield self.rows.astype("<i8").tobytes()


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
        self._facts, self._column = facts, column
        self._file = os.fdopen(open_as_listed(facts), "rb")
        weakref.finalize(self, self._file.close)
        self._failures: tuple[type[Exception], ...] = (*parquet_failures(), StopIteration)
        try:
            self._parquet = _open(self._file, facts.size)
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
            self._group, self._first, self._batch = group, int(self._starts[group]), ()
            self._batches = self._parquet.iter_batches(
                BATCH_CELLS, row_groups=[group], columns=[self._column], use_threads=False
            )
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

    @staticmethod
    def _bytes(batch: Any) -> Any:  # noqa: ANN401 - pyarrow ships no types
        """Return the column of bytes, out of its struct if it lies in one."""
        column = batch.column(0)
        return column.field(0) if getattr(column.type, "num_fields", 0) else column
