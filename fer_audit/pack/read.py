"""The bytes of a file, if it is still the plain file that was listed."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.types import MAX_FILE_BYTES as MAX_FILE_BYTES
from fer_audit.pack.decode import DecodeError


@dataclass(frozen=True, slots=True, eq=False)
class ListedFiles:
    """Some files of a dataset, as they were when it was listed."""

    root: Path
    ids: tuple[str, ...]
    """Paths below `root`."""
    sizes: NDArray[np.int64]
    """(n,) bytes; -1 = there never was a plain file."""
    mtimes: NDArray[np.int64]
    """(n,) nanoseconds"""

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, start: int, stop: int) -> ListedFiles:
        """Return the files start <= i < stop."""
        return ListedFiles(
            self.root, self.ids[start:stop], self.sizes[start:stop], self.mtimes[start:stop]
        )

    def take(self, indices: Sequence[int]) -> ListedFiles:
        """Return the files of those indices, in that order."""
        chosen = list(indices)
        ids = tuple(self.ids[i] for i in chosen)
        return ListedFiles(self.root, ids, self.sizes[chosen], self.mtimes[chosen])

    def read(self, index: int) -> bytes:
        """Return the bytes of one; see `read_file`."""
        return read_file(
            self.root / self.ids[index], int(self.sizes[index]), int(self.mtimes[index])
        )


def read_file(path: Path, size: int, mtime: int) -> bytes:
    """Return the bytes of a plain file that is still as it was listed.

    Raises DecodeError: missing, unreadable, not_a_file, too_large, changed_during_run, out_of_memory.
    """
    if size < 0:
        raise DecodeError("missing")
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
    except FileNotFoundError:
        raise DecodeError("changed_during_run") from None
    except OSError as exc:
        raise DecodeError("unreadable") from exc
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        os.close(handle)
        raise DecodeError("not_a_file")
    with os.fdopen(handle, "rb") as file:
        if facts.st_size != size or facts.st_mtime_ns != mtime:
            raise DecodeError("changed_during_run")
        if facts.st_size > MAX_FILE_BYTES:
            raise DecodeError("too_large")
        try:
            data = file.read(size + 1)
        except OSError as exc:
            raise DecodeError("unreadable") from exc
        except MemoryError as exc:
            raise DecodeError("out_of_memory") from exc
        if len(data) != size or os.fstat(file.fileno()).st_mtime_ns != mtime:
            raise DecodeError("changed_during_run")  # while it was read
        return data
