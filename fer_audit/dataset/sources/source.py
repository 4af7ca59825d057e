"""What every kind of image source offers, and the list of the kinds.

A source knows where the bytes of n images lie, and opens nothing before it is asked for one. The decode processes get
it as plain JSON, never as a pickle. A new kind is one module here and one row in `KINDS`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self, cast

import numpy as np
from numpy.typing import NDArray

MAX_FILE_BYTES = 200_000_000
"""No face photograph is larger; an image above this is refused before it is read."""

NO_FILE = -1
"""Size and time of a row that has no plain file."""

Rows = NDArray[np.intp]
Box = tuple[int, int, int, int]
"""left, top, right, bottom in pixels of the upright image; right and bottom lie outside."""

KINDS = {
    "files": "Files",
    "tar": "TarMembers",
    "parquet": "ParquetCells",
    "pixels": "PixelCells",
    "cropped": "Cropped",
}
"""Kind -> its class, in the module of the kind's name."""


READ_PLAIN = os.O_RDONLY | getattr(os, "O_BINARY", 0)
READ_PLAIN |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""How a listed file is opened: it may have become a link or a pipe since."""


class SourceError(Exception):
    """The bytes of an image cannot be had; the message is the word that becomes its row's reason."""


class ImageBytes(NamedTuple):
    """One image as it is stored."""

    data: bytes
    """An image file, whole."""
    name: str
    """The name it has there, for its suffix; "" when it has none."""
    box: Box | None = None
    """The part that is the item; None = all of it."""


class ImageSource(Protocol):
    """Where the bytes of n images lie."""

    def __len__(self) -> int:
        """Return n."""

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of images that were there when the set was listed."""

    def take(self, rows: Rows) -> Self:
        """Return the source of those rows, in that order."""

    def read(self, row: int) -> ImageBytes:
        """Return one image. Raises SourceError: missing, unreadable, changed_during_run, too_large, ..."""

    def state(self) -> Iterator[bytes]:
        """Yield what the bytes depend on, besides the ids: sizes, times, places."""

    def folders(self) -> frozenset[Path]:
        """Return the absolute folders that hold the files, of which none may be written to."""

    def facts(self) -> dict[str, Any]:
        """Return JSON from which `source_of` makes the same source in another process."""


def source_of(facts: dict[str, Any]) -> ImageSource:
    """Return the source that `facts` describes."""
    module = import_module(f"fer_audit.dataset.sources.{facts['kind']}")
    return cast("ImageSource", getattr(module, KINDS[facts["kind"]]).of(facts))


class FileFacts(NamedTuple):
    """A file as it was when the set was listed."""

    path: str
    """Absolute."""
    size: int
    """Bytes; -1 = there was no plain file of that name."""
    mtime: int
    """Nanoseconds."""

    @classmethod
    def now(cls, path: Path) -> FileFacts:
        """Return the facts of a file as it is. OSError when it cannot be looked at."""
        facts = path.stat()
        return cls(os.path.realpath(path), facts.st_size, facts.st_mtime_ns)

    def state(self) -> bytes:
        """Return what its bytes depend on; the folder it lies in does not matter."""
        return os.fsencode(Path(self.path).name) + b"\0%d\0%d" % (self.size, self.mtime)


def open_as_listed(facts: FileFacts) -> int:
    """Return a descriptor of a plain file that is still as it was listed.

    Raises SourceError: missing, unreadable, not_a_file, changed_during_run.
    """
    if facts.size < 0:
        raise SourceError("missing")
    try:
        handle = os.open(facts.path, READ_PLAIN)
    except FileNotFoundError:
        raise SourceError("changed_during_run") from None
    except OSError as exc:
        raise SourceError("unreadable") from exc
    try:
        require_unchanged(handle, facts)
    except SourceError:
        os.close(handle)
        raise
    return handle


def require_unchanged(handle: int, facts: FileFacts) -> None:
    """Raise SourceError when an open file is no longer as it was listed: not_a_file, changed_during_run."""
    now = os.fstat(handle)
    if not stat.S_ISREG(now.st_mode):
        raise SourceError("not_a_file")
    if now.st_size != facts.size or now.st_mtime_ns != facts.mtime:
        raise SourceError("changed_during_run")


def read_part(facts: FileFacts, offset: int, length: int) -> bytes:
    """Return `length` bytes of a file from `offset` on.

    Raises SourceError as `open_as_listed` does, and too_large, out_of_memory.
    """
    with os.fdopen(open_as_listed(facts), "rb", buffering=0) as file:
        if length > MAX_FILE_BYTES:
            raise SourceError("too_large")
        try:
            file.seek(offset)
            data = file.read(length)
        except OSError as exc:
            raise SourceError("unreadable") from exc
        except MemoryError as exc:
            raise SourceError("out_of_memory") from exc
        require_unchanged(file.fileno(), facts)  # while it was read
    if len(data) != length:
        raise SourceError("changed_during_run")
    return data
