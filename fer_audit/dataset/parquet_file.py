"""How a parquet file is opened, and all that pyarrow raises when it is none, or a broken one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fer_audit.dataset.sources.source import (
    FileFacts,
    SourceError,
    open_as_listed,
    require_unchanged,
)
from fer_audit.errors import DatasetError

WHOLE_BYTES = 64_000_000


@contextmanager
def opened_parquet(facts: FileFacts) -> Iterator[Any]:
    """Give an open parquet file. Raises DatasetError when it is none, or breaks or changes while it is read."""
    import pyarrow.parquet as pq

    try:
        with (
            os.fdopen(open_as_listed(facts), "rb") as handle,
            pq.ParquetFile(handle, pre_buffer=False, buffer_size=buffer_size(facts.size)) as file,
        ):
            require_consistent(file.metadata)
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


def buffer_size(size: int) -> int:
    """Return how many bytes are read at a time from a file of so many; 0 = a column of a row group at once.

    With a buffer, pyarrow makes room for whatever the header of a page claims, 2 GB for a file of 6 KB.
    """
    return 1 << 20 if size > WHOLE_BYTES else 0


def require_consistent(metadata: Any) -> None:  # noqa: ANN401 - pyarrow ships no types
    """Raise ValueError when a footer counts other rows than its row groups do."""
    counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if min(counts, default=0) < 0 or sum(counts) != metadata.num_rows:
        raise ValueError("its footer and its row groups count different rows")


def parquet_failures() -> tuple[type[Exception], ...]:
    """Return the exceptions of a broken file; ValueError is also a word that is no UTF-8."""
    import pyarrow as pa

    return OSError, ValueError, OverflowError, pa.ArrowException
