"""Which files are there: one walk over the tree, nothing opened, nothing followed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.card import CARD
from fer_audit.errors import DatasetError
from fer_audit.store.locks import LOCK
from fer_audit.text import counted, encodable, name_some

IMAGE_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
"""What the decoder may be asked to open; compared in lower case."""
TABLE_SUFFIXES = frozenset((".csv", ".tsv", ".parquet"))

SYSTEM_FOLDERS = frozenset(("lost+found", "System Volume Information", "$RECYCLE.BIN"))
"""Of a disk's root: nobody's images, and nobody but the system may read them."""

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
    """(n,) modification time in ns, -1 likewise."""
    tables: tuple[str, ...]
    """Names of the tables on the top level, sorted."""
    notes: tuple[str, ...]
    whole: bool
    """False when a folder could not be read: nobody knows what is in it."""

    def take(self, rows: NDArray[np.intp]) -> Listing:
        """Return the listing of some rows, in the order given."""
        ids = tuple(self.ids[i] for i in rows.tolist())
        return replace(self, ids=ids, sizes=self.sizes[rows], mtimes=self.mtimes[rows])


@dataclass(slots=True)
class _Walk:
    """What one walk has met so far."""

    images: list[tuple[str, int, int]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=lambda: [""])
    ignored: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    special: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def meet(self, entry: os.DirEntry[str], file_id: str) -> None:
        """Sort one entry of a folder into its place."""
        suffix = suffix_of(entry.name)
        if entry.is_dir(follow_symlinks=False):
            self.pending.append(file_id)
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
    """Return every image file under `root`, whatever its depth.

    Symbolic links are never followed and pipes never opened: one that has an image's name keeps its row,
    without a file. Hidden files and folders are left out, and so are a disk's own folders and our run directories.
    Raises DatasetError when `root` itself cannot be read.
    """
    walk = _Walk()
    while walk.pending:
        folder = walk.pending.pop()
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(root / folder) as scan:
                entries = list(scan)
            if any(entry.name == LOCK for entry in entries):
                continue  # a run directory or a cache of ours, not part of the set
            for entry in entries:
                if not entry.name.startswith(".") and entry.name not in SYSTEM_FOLDERS:
                    walk.meet(entry, prefix + entry.name)
        except OSError as exc:
            if not folder:
                raise DatasetError(
                    f"The folder {root} cannot be read: {exc.strerror}",
                    hint="Check its permissions.",
                ) from exc
            walk.unreadable.append(folder)
    walk.images.sort(key=lambda image: os.fsencode(image[0]))
    return Listing(
        root=root,
        ids=tuple(image[0] for image in walk.images),
        sizes=np.array([image[1] for image in walk.images], dtype=np.int64),
        mtimes=np.array([image[2] for image in walk.images], dtype=np.int64),
        tables=tuple(sorted(walk.tables, key=os.fsencode)),
        notes=_walk_notes(walk),
        whole=not walk.unreadable,
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
            f"None of the {len(listing.ids):,} image names under {listing.root} is a plain file",
            hint="Symbolic links are never followed: copy the images there.",
        )


def plain_file_facts(root: Path, file_id: str, folders: dict[str, bool]) -> tuple[int, int]:
    """Return (size, mtime_ns) of a file that the walk did not list, (-1, -1) when it is no plain file.

    `folders` remembers which folders are real ones, so that no link is followed on the way.
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


def _walk_notes(walk: _Walk) -> tuple[str, ...]:
    notes = []
    if walk.ignored:
        kinds = ", ".join(
            f"{n:,} {encodable(suffix) or 'without a suffix'}"
            for suffix, n in sorted(walk.ignored.items(), key=lambda item: (-item[1], item[0]))
        )
        total = counted(
            walk.ignored.total(), "file that is no image was", "files that are no images were"
        )
        notes.append(f"{total} ignored: {kinds}.")
    if walk.special:
        count = counted(
            len(walk.special),
            "image name is a link, a pipe or gone",
            "image names are links, pipes or gone",
        )
        notes.append(f"{count}, and never opened: {name_some(sorted(walk.special))}.")
    if walk.links:
        count = counted(len(walk.links), "symbolic link was", "symbolic links were")
        notes.append(f"{count} not followed: {name_some(sorted(walk.links))}.")
    if walk.unreadable:
        count = counted(len(walk.unreadable), "folder")
        notes.append(f"{count} could not be read: {name_some(sorted(walk.unreadable))}.")
    return tuple(notes)
