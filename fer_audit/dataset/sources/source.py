"""Where the bytes of n images lie: what every kind of source does, and the list of the kinds.

A source opens nothing before it is asked for an image. The decode processes get it as plain JSON, never as a pickle.
A new kind is one class and one row in `KINDS`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, cast

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
    "files": "files.Files",
    "tar": "files.TarMembers",
    "parquet": "parquet.ParquetCells",
    "pixels": "files.PixelCells",
    "cropped": "files.Cropped",
}
"""Kind -> module and class."""

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


def read_small_file(path: str, *, limit: int) -> bytes | None:
    """Return the bytes of a label file; None when it cannot be read, or holds more than `limit` bytes."""
    try:
        handle = os.open(path, READ_PLAIN)
        try:
            data = os.read(handle, limit + 1)
        finally:
            os.close(handle)
    except OSError:
        return None
    return data if len(data) <= limit else None


@dataclass(frozen=True, slots=True, eq=False)
class ImageSource:
    """n images: every array, and `names`, has one value for each."""

    KIND: ClassVar[str]
    ARRAYS: ClassVar[tuple[tuple[str, str], ...]]
    """(array, its type in `state`). Other fields are `files`, of which the array `file` holds the index, or `images`."""

    def __len__(self) -> int:
        return len(getattr(self, self.ARRAYS[0][0]))

    @property
    def there(self) -> NDArray[np.bool_]:
        """Return the (n,) mask of images that were there when the set was listed; of a part of a file, reading says it."""
        return np.ones(len(self), np.bool_)

    def take(self, rows: Rows) -> Self:
        """Return the source of those rows, in that order."""
        cut: dict[str, Any] = {name: getattr(self, name)[rows] for name, _ in self.ARRAYS}
        if names := getattr(self, "names", ()):
            cut["names"] = tuple(names[row] for row in rows.tolist())
        if "file" in cut:
            used, at = np.unique(cut["file"], return_inverse=True)
            files = tuple(self._files()[i] for i in used.tolist())
            cut |= {"files": files, "file": at.astype(np.int32)}
        if images := self._images():
            cut["images"] = images[0].take(rows)
        return replace(self, **cut)

    def read(self, row: int) -> ImageBytes:
        """Return one image. Raises SourceError: missing, unreadable, changed_during_run, too_large, ..."""
        raise NotImplementedError

    def state(self) -> Iterator[bytes]:
        """Yield what the bytes depend on, besides the ids: sizes, times, places."""
        for images in self._images():
            yield from images.state()
        for file in self._files():
            yield file.state()
        for name, kind in self.ARRAYS:
            yield getattr(self, name).astype(kind).tobytes()

    def folders(self) -> frozenset[Path]:
        """Return the absolute folders that hold the files, of which none may be written to."""
        own = frozenset(Path(file.path).parent for file in self._files())
        return own.union(*(images.folders() for images in self._images()))

    def facts(self) -> dict[str, Any]:
        """Return JSON from which `source_of` makes the same source in another process."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, _ in self.ARRAYS:
            values[name] = values[name].tolist()
        for images in self._images():
            values["images"] = images.facts()
        return {"kind": self.KIND, **values}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Self:
        """Return the source that `facts` describes."""
        values = {each.name: facts[each.name] for each in fields(cls)}
        for name, kind in cls.ARRAYS:
            values[name] = np.array(values[name], np.dtype(kind).newbyteorder("="))
        if "files" in values:
            values["files"] = tuple(FileFacts(*file) for file in values["files"])
        if "images" in values:
            values["images"] = source_of(values["images"])
        return cls(**values)

    def _files(self) -> tuple[FileFacts, ...]:
        return getattr(self, "files", ())

    def _images(self) -> tuple[ImageSource, ...]:
        """Return the images that these are parts of, if they are."""
        return (self.images,) if hasattr(self, "images") else ()


def source_of(facts: dict[str, Any]) -> ImageSource:
    """Return the source that `facts` describes."""
    module, _, name = KINDS[facts["kind"]].partition(".")
    kind = getattr(import_module(f"fer_audit.dataset.sources.{module}"), name)
    return cast("ImageSource", kind.of(facts))
