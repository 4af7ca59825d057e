"""The image files under a folder: one walk over the tree, no file opened, no link followed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.owner_card import CARD
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.store.locks import LOCK
from fer_audit.text import counted, encodable, name_some, whole

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
"""What the decoder may be asked to open; compared in lower case."""
TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".parquet"))

SYSTEM_FOLDERS = frozenset(("lost+found", "System Volume Information", "$RECYCLE.BIN"))
"""In a disk's root; only the system may read them."""

NO_FILE = -1
"""Size and time of a row that has no plain file."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The image files under a folder, in the order every later array keeps."""

    root: Path
    ids: tuple[str, ...]
    """n POSIX paths relative to root, sorted bytewise."""
    sizes: NDArray[np.int64]
    """(n,) bytes; -1 = a link, a pipe or another thing that is never opened."""
    mtimes: NDArray[np.int64]
    """(n,) modification time in ns, -1 where the size is."""
    tables: tuple[str, ...]
    """Names of the tables on the top level, sorted."""
    notes: tuple[str, ...]
    whole: bool
    """False when a folder could not be read."""

    def take(self, rows: NDArray[np.intp]) -> Listing:
        """Return the listing of some rows, in the order given."""
        ids = tuple(self.ids[i] for i in rows.tolist())
        return replace(self, ids=ids, sizes=self.sizes[rows], mtimes=self.mtimes[rows])

    def with_unread_tables(self, *, but: str) -> Listing:
        """Return the listing with a note about the tables that are not read; `but` is the one that is, "" = none."""
        unread = [table for table in self.tables if table != but]
        if not unread:
            return self
        note = (
            f"Tables that were not read: {name_some(unread, limit=10)}; --format table reads one."
        )
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True)  # no slots: cached_property needs a dictionary
class DatasetPath:
    """The path a user gave, and the images there, listed once when a format asks for them."""

    path: Path
    """As it was given."""
    is_folder: bool
    """False = a file: a table, say."""

    @property
    def root(self) -> Path:
        """Return the absolute path of the folder, or of the one that the file is in."""
        return (self.path if self.is_folder else self.path.parent).resolve()

    @property
    def name(self) -> str:
        """Return the name of the dataset."""
        return encodable(self.root.name if self.is_folder else self.path.stem)

    @cached_property
    def listing(self) -> Listing:
        """Every image file under `root`."""
        return list_images(self.root)

    def images_without_columns(self, settings: DatasetSettings, *, form: str) -> Listing:
        """Return the listing for a format that has no columns and reads no table.

        Raises DatasetError when there is no image, ConfigError when the settings name columns.
        """
        require_images(self.listing)
        if settings.names_columns:
            raise ConfigError(
                f"Columns are asked for, but {self.root} is read as {form} and has no columns",
                hint="Give the path of a table, or leave out --group, --label, --batch, --age-column and --path-column.",
            )
        return self.listing.with_unread_tables(but="")


@dataclass(slots=True)
class _Entries:
    """What the walk over a tree has met so far, by kind."""

    images: list[tuple[str, int, int]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=lambda: [""])
    """Still to be read."""
    ignored: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def add(self, entry: os.DirEntry[str], file_id: str) -> None:
        suffix = suffix_of(entry.name)
        if entry.is_dir(follow_symlinks=False):
            self.folders.append(file_id)
        elif suffix in IMAGE_SUFFIXES:
            facts = _plain_facts(entry)
            if facts == (NO_FILE, NO_FILE):
                self.special.append(file_id)
            self.images.append((file_id, *facts))
        elif entry.is_symlink():
            self.links.append(file_id)
        elif "/" not in file_id and suffix in TABLE_SUFFIXES and _plain_facts(entry)[0] >= 0:
            self.tables.append(entry.name)
        elif file_id != CARD:
            self.ignored[suffix] += 1


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
            with os.scandir(root / folder) as scan:
                entries = list(scan)
            if any(entry.name == LOCK for entry in entries):
                continue  # a run directory or a cache of ours, not part of the set
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
    found.images.sort(key=lambda image: os.fsencode(image[0]))
    return Listing(
        root=root,
        ids=tuple(image[0] for image in found.images),
        sizes=np.array([image[1] for image in found.images], dtype=np.int64),
        mtimes=np.array([image[2] for image in found.images], dtype=np.int64),
        tables=tuple(sorted(found.tables, key=os.fsencode)),
        notes=_listing_notes(found),
        whole=not found.unreadable,
    )


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
    if not stat.S_ISREG(facts.st_mode):
        return NO_FILE, NO_FILE
    return facts.st_size, facts.st_mtime_ns


def suffix_of(name: str) -> str:
    """Return the lower-case suffix of a file name with its dot, "" when there is none."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _plain_facts(entry: os.DirEntry[str]) -> tuple[int, int]:
    """Return (size, mtime_ns) of a plain file, (-1, -1) of anything else."""
    try:
        if not entry.is_file(follow_symlinks=False):
            return NO_FILE, NO_FILE
        facts = entry.stat(follow_symlinks=False)
    except OSError:
        return NO_FILE, NO_FILE
    return facts.st_size, facts.st_mtime_ns


def _listing_notes(found: _Entries) -> tuple[str, ...]:
    notes = []
    if found.ignored:
        kinds = ", ".join(
            f"{whole(n)} {encodable(suffix) or 'without a suffix'}"
            for suffix, n in sorted(found.ignored.items(), key=lambda item: (-item[1], item[0]))
        )
        total = counted(
            found.ignored.total(), "file that is no image was", "files that are no images were"
        )
        notes.append(f"{total} ignored: {kinds}.")
    if found.special:
        count = counted(
            len(found.special),
            "image name is a link, a pipe or gone",
            "image names are links, pipes or gone",
        )
        notes.append(f"{count}, and never opened: {name_some(sorted(found.special))}.")
    if found.links:
        count = counted(len(found.links), "symbolic link was", "symbolic links were")
        notes.append(f"{count} not followed: {name_some(sorted(found.links))}.")
    if found.unreadable:
        count = counted(len(found.unreadable), "folder")
        notes.append(f"{count} could not be read: {name_some(sorted(found.unreadable))}.")
    return tuple(notes)
