"""The file through which decode processes hand over: a slot a process, with room for one chunk of pixels and rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import StoreError
from fer_audit.pack.types import ROW, PackRows

CHUNK_ROWS = 8
"""Rows a process takes at a time: they take 10 to 20 ms, long beside handing over, short beside a shard."""


def shared_slots(path: Path, workers: int, size: int) -> NDArray[Any]:
    """Make a private file of (workers,) slots and map it. StoreError when the disk has no room.

    Its bytes are allocated now: writing to a hole on a full disk would kill the process.
    """
    need = workers * _layout(size).itemsize
    try:
        with path.open("wb") as file:
            path.chmod(0o600)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, need)
            else:
                file.write(bytes(need))
        return open_slots(path, size)
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise StoreError(
            f"Cannot write {path}: {exc.strerror or exc}",
            hint="Free some disk, or choose another place with --cache-dir.",
        ) from exc


def open_slots(path: Path, size: int) -> NDArray[Any]:
    """Map the slots that another process made: pixels (CHUNK_ROWS, size, size, 3) uint8, rows (CHUNK_ROWS,) ROW."""
    return np.memmap(path, _layout(size), "r+")


def rows_of(slot: NDArray[Any]) -> PackRows:
    """Return a view of a slot's rows."""
    return PackRows(**{name: slot["rows"][name] for name in PackRows.__slots__})


def _layout(size: int) -> np.dtype[Any]:
    return np.dtype([("pixels", "u1", (CHUNK_ROWS, size, size, 3)), ("rows", ROW, (CHUNK_ROWS,))])
