"""WebDataset: tar archives in which the members of one key are an image and its labels.

Members are found by name, place and length; nothing is extracted, and no link followed.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.sources.files import TarMembers
from fer_audit.dataset.sources.source import FileFacts, SourceError, open_as_listed
from fer_audit.dataset.table.columns import assign_roles
from fer_audit.dataset.table.reading import MAX_WORD, dataset_of_fields
from fer_audit.dataset.table.words import Words, json_word
from fer_audit.dataset.types import FaceDataset, Reject
from fer_audit.errors import DatasetError
from fer_audit.text import counted, name_some, whole

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
    if packed := next((name for magic, name in _PACKED.items() if start.startswith(magic)), None):
        file.close()
        raise DatasetError(
            f"{facts.path} is compressed with {packed}: its members cannot be read one by one",
            hint="Unpack it first, to a plain .tar or to a folder.",
        )
    return file


def members(file: io.BufferedReader) -> Iterator[Member]:
    """Yield what is in an archive. Raises BrokenArchiveError where it ends without its end mark, or is no archive."""
    size = os.fstat(file.fileno()).st_size
    end, how = 0, ("archive_damaged", "archive_truncated")
    try:
        with tarfile.open(None, "r:", file, encoding="utf-8", errors="surrogateescape") as archive:
            while (found := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep a million
                if found.size < 0 or archive.offset <= end:
                    raise BrokenArchiveError("archive_damaged")
                end = archive.offset
                name = found.name.removeprefix("./")
                reasons = {
                    "name_invalid": not 0 < len(name) <= MAX_NAME or "\0" in name,
                    "sparse_member": found.issparse(),
                    "link_in_archive": found.issym() or found.islnk(),
                    "not_a_file": not found.isreg(),
                }
                trouble = next((reason for reason, applies in reasons.items() if applies), "")
                if not trouble and found.offset_data + found.size > size:
                    raise BrokenArchiveError("archive_truncated")
                if not found.isdir():
                    yield Member(name, found.offset_data, found.size, trouble)
    except (tarfile.TarError, ValueError, OverflowError, RecursionError, MemoryError) as exc:
        raise BrokenArchiveError(how[size - end < tarfile.BLOCKSIZE]) from exc
    except OSError as exc:
        raise BrokenArchiveError("archive_unreadable") from exc
    mark = os.pread(file.fileno(), tarfile.BLOCKSIZE, end)
    if mark != bytes(tarfile.BLOCKSIZE):
        raise BrokenArchiveError(how[len(mark) < tarfile.BLOCKSIZE])


IMAGES = frozenset(("jpg", "jpeg", "png", "webp"))
WORDS = frozenset(("cls", "txt"))
"""Members that hold one word, the class."""
MAX_JSON_BYTES = 1_000_000
MAX_FIELDS = 1_000
"""Different fields of all JSON members; the labels of a face are a few dozen."""
_ARCHIVE = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_LABEL = "class"

Labels = dict[str, str | None]


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return CERTAIN for archives, POSSIBLE for a folder that holds archives and no image."""
    if not given.is_folder:
        is_archive = all(file.name.lower().endswith(_ARCHIVE) for file in given.files)
        return Match.CERTAIN if is_archive else Match.NO
    return Match.POSSIBLE if _archives(given) and not given.listing.ids else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset in one archive or several; ids are `x.tar!key.jpg`, in the order of the archives.

    The key of a member is its name up to the first dot of its base name. Fields of a `.json` member are recognised
    as the columns of a table are; a `.cls` or `.txt` member is the class, as it is written.
    Raises DatasetError when there is no image, or an archive is compressed.
    """
    names = _archives(given)
    found = _Samples()
    for name in names:
        found.add_archive(given.root / name, name)
    if not found.ids:
        broken = f"; {name_some(list(found.broken))}: cut, or no archive" if found.broken else ""
        raise DatasetError(
            f"There is no image in {counted(len(names), 'archive')} at {given.path}{broken}",
            hint=f"Images are members named {', '.join('.' + each for each in sorted(IMAGES))}.",
        )
    table = "the archives" if len(names) > 1 else names[0]
    roles = assign_roles(tuple(found.values), settings, table=table, path=None)
    columns = {name: Words.of(found.values[name]) for name in roles.label_columns()}
    return dataset_of_fields(
        given,
        settings,
        found.source(),
        found.ids,
        columns,
        roles,
        table=table,
        rejects=found.rejects,
        notes=found.notes(),
        label_source=f"Members of {table}; who made the labels is not stated.",
        skipped=tuple(sorted(found.skipped.items())),
        read=names,
        is_whole=not found.broken,
    )


def _archives(given: DatasetPath) -> list[str]:
    """Return the POSIX paths of the archives below the root."""
    if not given.is_folder:
        return [file.name for file in given.files]
    return [each for each in given.listing.others if each.lower().endswith(_ARCHIVE)]


class _Archive(NamedTuple):
    """What was met in one archive so far: images and labels by key, and the names of members."""

    images: dict[str, Member]
    labels: dict[str, Labels]
    seen: set[str]


class _Samples:
    """The images of the archives read so far, and the labels of each."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.values: dict[str, list[str | None]] = {}
        """Field -> a word for each image."""
        self.rejects: list[Reject] = []
        self.skipped: Counter[str] = Counter()
        self.broken: dict[str, str] = {}
        """Archive -> why its end could not be read."""
        self._archives: list[FileFacts] = []
        self._archive, self._offsets, self._lengths = array("i"), array("q"), array("q")
        self._same: dict[str, str] = {}
        """Words that were met, so that a million equal ones are one."""
        self._unlabelled = 0
        self._nested: set[str] = set()
        self._fields_left = False

    def add_archive(self, path: Path, name: str) -> None:
        """List an archive and read its labels. Raises DatasetError when it cannot be opened."""
        try:
            facts = FileFacts.now(path)
        except OSError as exc:
            raise DatasetError(f"The archive {path} cannot be read: {exc.strerror}") from exc
        found = _Archive({}, {}, set())
        with open_archive(facts) as file:
            try:
                for member in members(file):
                    if reason := self._add_member(member, found, file.fileno()):
                        self.rejects.append(Reject(f"{name}!{member.name[:MAX_WORD]}", reason))
            except BrokenArchiveError as exc:
                self.broken[name] = str(exc)
                self.rejects.append(Reject(name, str(exc)))
        self._join(name, found.images, found.labels)
        self._archives.append(facts)

    def _add_member(self, member: Member, found: _Archive, file: int) -> str:
        """Take an image or a label; return why it cannot be used, "" when it can."""
        folder, slash, base = member.name.rpartition("/")
        key, _, suffixes = base.partition(".")
        suffix = suffixes.rpartition(".")[2].lower()
        if base.startswith("."):
            self.skipped["hidden member of an archive"] += 1
            return ""
        if suffix not in IMAGES and suffix not in WORDS and suffix != "json":
            self.skipped["member of an archive that is neither image nor label"] += 1
            return ""
        if member.trouble or member.name in found.seen:
            return member.trouble or "duplicate_member"
        found.seen.add(member.name)
        key = folder + slash + key
        if suffix in IMAGES:
            first = found.images.setdefault(key, member)
            return "" if first is member else "second_image_of_key"
        if member.size > (MAX_JSON_BYTES if suffix == "json" else MAX_WORD):
            return "label_too_long"
        try:
            data = os.pread(file, member.size, member.offset)
            said = self._fields(data) if suffix == "json" else {_LABEL: data.decode()}
        except (OSError, ValueError, RecursionError):
            return "label_unreadable"
        found.labels[key] = {**said, **found.labels.get(key, {})}
        return ""

    def _fields(self, data: bytes) -> Labels:
        """Return the fields of a JSON object that are no lists or objects. Raises ValueError for anything else."""
        loaded = json.loads(data)
        if not isinstance(loaded, dict):
            raise ValueError("no object")  # noqa: TRY004 - as json says of a bad text
        nested = {name for name, value in loaded.items() if isinstance(value, (list, dict))}
        if len(self._nested) < MAX_FIELDS:
            self._nested |= nested
        return {name: json_word(value) for name, value in loaded.items() if name not in nested}

    def _join(self, name: str, images: dict[str, Member], labels: dict[str, Labels]) -> None:
        """Append the images of an archive, each with the labels of its key."""
        for key, member in images.items():
            found = labels.pop(key, None)
            self._unlabelled += found is None
            for field, word in (found or {}).items():
                if field not in self.values and len(self.values) >= MAX_FIELDS:
                    self._fields_left = True
                    continue
                words = self.values.setdefault(field, [])
                words += [None] * (len(self.ids) - len(words))
                words.append(None if word is None else self._same.setdefault(word, word))
            self.ids.append(f"{name}!{member.name}")
            self._archive.append(len(self._archives))
            self._offsets.append(member.offset)
            self._lengths.append(member.size)
        for words in self.values.values():
            words += [None] * (len(self.ids) - len(words))
        self.rejects += [Reject(f"{name}!{key}", "label_without_image") for key in labels]

    def source(self) -> TarMembers:
        """Return where the images lie."""
        return TarMembers(
            tuple(self._archives),
            tuple(self.ids),
            np.array(self._archive, np.int32),
            np.array(self._offsets, np.int64),
            np.array(self._lengths, np.int64),
        )

    def notes(self) -> list[str]:
        """Return what is odd about the archives, one sentence a kind."""
        broken, nested = name_some(list(self.broken)), name_some(sorted(self._nested))
        archives = counted(len(self.broken), "archive is", "archives are")
        none = self._unlabelled == len(self.ids)
        unlabelled = counted(self._unlabelled, "image has", "images have")
        notes = {
            f"{archives} cut or damaged, and what lies behind that place is missing: {broken}.": self.broken,
            "No archive holds labels (.json, .cls or .txt), so only clusters can be shown; "
            "unpack them if the names of files or folders are labels.": none,
            f"{unlabelled} no label member.": self._unlabelled and not none,
            f"Fields that hold lists or objects are no labels: {nested}.": self._nested,
            f"Only the first {whole(MAX_FIELDS)} fields were read.": self._fields_left,
        }
        return [note for note, applies in notes.items() if applies]
