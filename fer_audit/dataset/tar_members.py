"""The members of a tar archive by name, place and length; nothing is extracted, and no link followed."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

from fer_audit.dataset.sources.source import FileFacts, SourceError, open_as_listed
from fer_audit.errors import DatasetError

MAX_NAME = 4_096
"""Characters of a member's name; no file system takes a longer path."""

MAX_HEADER = 16_384
"""Bytes of a long name or of an extended header; `tarfile` takes quadratic time for some."""

_PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}


class Member(NamedTuple):
    """One entry of an archive that is no folder."""

    name: str
    """Without a leading "./"; undecodable bytes as surrogate escapes."""
    offset: int
    """First byte of its data in the archive."""
    size: int
    """Bytes."""
    trouble: str
    """Why it cannot be used: link_in_archive, not_a_file, name_invalid, sparse_member; "" = it is a plain file."""


class BrokenArchiveError(Exception):
    """No more members can be found; the message is archive_truncated, archive_damaged or archive_unreadable."""


class _Headers(io.BufferedReader):
    """An archive of which nothing large is read: headers are small, and nothing else is read through this."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes. Raises tarfile.ReadError when those are more than a header has."""
        if size is None or not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError("too large for a header")
        return super().read(size)


def open_archive(facts: FileFacts) -> io.BufferedReader:
    """Return an archive that is open for reading. Raises DatasetError when it cannot be read or is compressed."""
    try:
        file = _Headers(io.FileIO(open_as_listed(facts)))
        start = os.pread(file.fileno(), 8, 0)
    except (SourceError, OSError) as exc:
        raise DatasetError(f"The archive {facts.path} cannot be read: {exc}") from exc
    for magic, name in _PACKED.items():
        if start.startswith(magic):
            file.close()
            raise DatasetError(
                f"{facts.path} is compressed with {name}: its members cannot be read one by one",
                hint="Unpack it first, to a plain .tar or to a folder.",
            )
    return file


def members(file: io.BufferedReader) -> Iterator[Member]:
    """Yield what is in an archive. Raises BrokenArchiveError where it ends without its end mark, or is no archive."""
    size = os.fstat(file.fileno()).st_size
    end = 0
    try:
        with tarfile.open(None, "r:", file, encoding="utf-8", errors="surrogateescape") as archive:
            while (found := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep a million
                if found.size < 0 or archive.offset <= end:
                    raise BrokenArchiveError("archive_damaged")
                end = archive.offset
                name = found.name.removeprefix("./")
                trouble = _trouble(found, name)
                if not trouble and found.offset_data + found.size > size:
                    raise BrokenArchiveError("archive_truncated")
                if not found.isdir():
                    yield Member(name, found.offset_data, found.size, trouble)
    except (tarfile.TarError, ValueError, OverflowError, RecursionError, MemoryError) as exc:
        raise BrokenArchiveError(_how(size - end)) from exc
    except OSError as exc:
        raise BrokenArchiveError("archive_unreadable") from exc
    mark = os.pread(file.fileno(), tarfile.BLOCKSIZE, end)
    if mark != bytes(tarfile.BLOCKSIZE):
        raise BrokenArchiveError(_how(len(mark)))


def _how(left: int) -> str:
    """Return in which way an archive is broken that has so many bytes left."""
    return "archive_truncated" if left < tarfile.BLOCKSIZE else "archive_damaged"


def _trouble(found: tarfile.TarInfo, name: str) -> str:
    if not 0 < len(name) <= MAX_NAME or "\0" in name:
        return "name_invalid"
    if found.issparse():
        return "sparse_member"
    if found.issym() or found.islnk():
        return "link_in_archive"
    return "" if found.isreg() else "not_a_file"
