"""The image files under a folder: one walk over the tree, no file opened, no link followed."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.errors import DatasetError
from fer_audit.store.locks import LOCK
from fer_audit.text import counted, name_some, whole

CARD = "dataset.json"
"""What the owner of a set says about its labels, see `load.with_owner_card`."""
IMAGE_SUFFIXES = frozenset(  # words read better as words
    [".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"]
)
"""What the decoder may be asked to open; compared in lower case."""
TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".txt", ".lst", ".parquet", ".xlsx"))
"""What may be given as a table; what it is, its first bytes say."""
LABEL_SUFFIXES = frozenset((".csv", ".tsv", ".lst", ".parquet", ".jsonl", ".xlsx", ".xls"))
"""A file that is named so and is not read is mentioned first."""
_LABEL_TEXT = re.compile(r"label|list|attr|annot|fold|emotion|identity|partition", re.IGNORECASE)
"""A .txt of such a name is mentioned, too; readme.txt is not."""

SYSTEM_FOLDERS = frozenset(("lost+found", "System Volume Information", "$RECYCLE.BIN"))
"""In a disk's root; only the system may read them."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The files under a folder, in the order every later array keeps."""

    root: Path
    """Absolute."""
    ids: tuple[str, ...]
    """n POSIX paths of image files relative to root, sorted bytewise."""
    sizes: NDArray[np.int64]
    """(n,) bytes; -1 = a link, a pipe or another thing that is never opened."""
    mtimes: NDArray[np.int64]
    """(n,) modification time in ns, -1 where the size is."""
    others: tuple[str, ...]
    """POSIX paths of every other file, sorted bytewise: label files, archives, readmes."""
    notes: tuple[str, ...]
    whole: bool
    """False when a folder could not be read."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Return the paths of the tables on the top level; where there is none, of those below it."""
        labels = filter(is_label_file, self.others)
        tables = tuple(each for each in labels if suffix_of(each) in TABLE_SUFFIXES)
        return tuple(each for each in tables if "/" not in each) or tables

    def named(self, pattern: str) -> tuple[str, ...]:
        """Return the other files whose name (without folders) matches a regular expression, case aside."""
        wanted = re.compile(pattern, re.IGNORECASE)
        return tuple(each for each in self.others if wanted.fullmatch(base_name(each)))

    def names(self) -> list[str]:
        """Return the names of the n images without their folders."""
        return [base_name(each) for each in self.ids]

    def share_named(self, pattern: re.Pattern[str]) -> float:
        """Return the share of images whose name (without folders) fits a pattern; 0 where there is no image."""
        fitting = sum(pattern.fullmatch(base_name(each)) is not None for each in self.ids)
        return fitting / max(len(self.ids), 1)

    def row_finder(self) -> Callable[[str], int]:
        """Return what gives the row of a POSIX path, -1 when it is not listed; for ids in bytewise order."""
        ids, key = self.ids, _bytewise(self.ids)

        def row_of(file_id: str) -> int:
            wanted: Any = key(file_id) if key else file_id
            row = bisect_left(ids, wanted, key=key)
            return row if row < len(ids) and ids[row] == file_id else -1

        return row_of

    def source(self) -> Files:
        """Return the images as a source."""
        return Files(str(self.root), self.ids, self.sizes, self.mtimes)

    def take(self, rows: NDArray[np.intp]) -> Listing:
        """Return the listing of some rows, in the order given."""
        ids = tuple(self.ids[i] for i in rows.tolist())
        return replace(self, ids=ids, sizes=self.sizes[rows], mtimes=self.mtimes[rows])


class _Entries:
    """What the walk over a tree has met so far, by kind."""

    def __init__(self) -> None:
        self.images: list[str] = []
        self.sizes, self.mtimes = array("q"), array("q")
        self.others: list[str] = []
        self.folders = [""]
        """Still to be read."""
        self.links: list[str] = []
        self.special: list[str] = []
        self.unreadable: list[str] = []

    def add(self, entry: os.DirEntry[str], file_id: str) -> None:
        suffix = suffix_of(entry.name)
        if entry.is_dir(follow_symlinks=False):
            self.folders.append(file_id)
        elif suffix in IMAGE_SUFFIXES:
            size = mtime = NO_FILE
            with contextlib.suppress(OSError):
                if entry.is_file(follow_symlinks=False):
                    facts = entry.stat(follow_symlinks=False)
                    size, mtime = facts.st_size, facts.st_mtime_ns
            if size == NO_FILE:
                self.special.append(file_id)
            self.images.append(file_id)
            self.sizes.append(size)
            self.mtimes.append(mtime)
        elif entry.is_symlink():
            self.links.append(file_id)
        elif file_id != CARD and entry.is_file(follow_symlinks=False):
            self.others.append(file_id)


def list_images(root: Path) -> Listing:
    """Return every image file under `root`, at any depth.

    Symbolic links are never followed and pipes never opened: one that has an image's name keeps its row,
    without a file. Hidden files and folders are left out, and so are a disk's own folders and our run directories.
    Raises DatasetError when `root` itself cannot be read.
    """
    found = _Entries()
    while found.folders:
        folder = found.folders.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            if os.path.lexists(root / folder / LOCK):
                continue  # a run directory or a cache of ours, not part of the set
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.name not in SYSTEM_FOLDERS:
                        found.add(entry, prefix + entry.name)
        except OSError as exc:
            if not folder:
                raise DatasetError(
                    f"The folder {root} cannot be read: {exc.strerror}",
                    hint="Check its permissions.",
                ) from exc
            found.unreadable.append(folder)
    order = bytewise_order(found.images)
    return Listing(
        root=root,
        ids=tuple(map(found.images.__getitem__, order)),
        sizes=np.array(found.sizes, np.int64)[order],
        mtimes=np.array(found.mtimes, np.int64)[order],
        others=tuple(sorted(found.others, key=os.fsencode)),
        notes=_listing_notes(found),
        whole=not found.unreadable,
    )


def bytewise_order(ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the (n,) rows in the bytewise order of their paths; equal ones stay in theirs."""
    key = _bytewise(ids)
    keys = np.empty(len(ids), object)
    keys[:] = [*map(key, ids)] if key else ids
    return keys.argsort(kind="stable")


def _bytewise(ids: Sequence[str]) -> Callable[[str], bytes] | None:
    """Return the key of bytewise order, None where the texts themselves have that order."""
    return None if all(map(str.isascii, ids)) else os.fsencode


def require_images(listing: Listing) -> None:
    """Raise DatasetError when there is no image file to audit."""
    if not listing.ids:
        raise DatasetError(
            f"There is no image under {listing.root}",
            hint=f"Images are files named {', '.join(sorted(IMAGE_SUFFIXES))}; hidden folders are not read.",
        )
    if not (listing.sizes >= 0).any():
        raise DatasetError(
            f"None of the {whole(len(listing.ids))} image names under {listing.root} is a plain file",
            hint="Symbolic links are never followed: copy the images there.",
        )


def plain_file_facts(root: Path, file_id: str, folders: dict[str, bool]) -> tuple[int, int]:
    """Return (size, mtime_ns) of a file that the walk did not list, (-1, -1) when it is no plain file.

    `folders` caches which folders are no links, so that none is followed.
    """
    parts = file_id.split("/")
    try:
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                folders[folder] = stat.S_ISDIR((root / folder).lstat().st_mode)
            if not folders[folder]:
                return NO_FILE, NO_FILE
        facts = (root / file_id).lstat()
    except (OSError, ValueError):  # ValueError: a name no file system can hold
        return NO_FILE, NO_FILE
    is_plain = stat.S_ISREG(facts.st_mode)
    return (facts.st_size, facts.st_mtime_ns) if is_plain else (NO_FILE, NO_FILE)


def base_name(file_id: str) -> str:
    """Return the last part of a POSIX path."""
    return file_id[file_id.rfind("/") + 1 :]


def suffix_of(name: str) -> str:
    """Return the lower-case suffix of a file name with its dot, "" when there is none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def is_label_file(file_id: str) -> bool:
    """Whether a file is named like one that holds labels."""
    suffix = suffix_of(file_id)
    return suffix in LABEL_SUFFIXES or (
        suffix == ".txt" and _LABEL_TEXT.search(base_name(file_id)) is not None
    )


def names_note(names: Sequence[str], one: str, many: str, rest: str) -> list[str]:
    """Return the sentence about some files, "3 links were not followed: a, b and c."; [] where there is none."""
    return [f"{counted(len(names), one, many)} {rest}: {name_some(names)}."] if names else []


def _listing_notes(found: _Entries) -> tuple[str, ...]:
    links = "symbolic link was", "symbolic links were"
    gone = "image name is a link, a pipe or gone,", "image names are links, pipes or gone,"
    return (
        *names_note(sorted(found.special), *gone, "and never opened"),
        *names_note(sorted(found.links), *links, "not followed"),
        *names_note(sorted(found.unreadable), "folder", "folders", "could not be read"),
    )
