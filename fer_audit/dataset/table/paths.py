"""From the paths in a table to the images on the disk; nothing outside the listed folder is ever looked at."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.listing import (
    IMAGE_SUFFIXES,
    Listing,
    base_name,
    names_note,
    plain_file_facts,
    suffix_of,
)
from fer_audit.dataset.names import is_split
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Reject
from fer_audit.errors import ConfigError
from fer_audit.text import counted, encodable

MAX_PATH = 4_096
"""Characters; no file system takes a longer path."""

NO_ROW = -1
WHOLE = 1_000_000
"""More names than a path can have."""

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")


class FoundImages(NamedTuple):
    """The images that the lines of a table name."""

    rows: TableRows
    """The lines that name one, without the column of paths; the others are among its rejects."""
    ids: list[str]
    """One a row: the POSIX path of the image, or of where none is."""
    notes: tuple[str, ...]
    """How they were found, where it was not by the path as it stands."""


class Fit(NamedTuple):
    """An image that a path may mean."""

    row: int
    """Of the listing."""
    run: int
    """Names at the end of the path that the image shares; WHOLE = the path as it stands."""
    how: str
    """In words, "" for the path as it stands."""


class Locator:
    """The images of a listing, by every name that a table may give them."""

    def __init__(self, listing: Listing, *, endings: Sequence[str] = ()) -> None:
        """Name the images; `endings`: what the set puts behind a name before the suffix, e.g. "_aligned"."""
        self.ids = listing.ids
        self._row_of = listing.row_finder()
        self._endings = endings
        self._by_name: dict[str, list[int]] = {}

    def find(self, path: str) -> Fit | None:
        """Return the image that a path means, None when no file fits.

        A path that is none as it stands means the one image that shares the longest end with it, names compared in NFC
        and without case, then without the suffix. Raises ConfigError when several share as much.
        """
        if (row := self._row_of(path)) >= 0:
            return Fit(row, WHOLE, "")
        stripped = path.strip()
        plain = stripped.replace("\\", "/")
        for candidate in (stripped, plain):
            normal = posixpath.normpath(candidate) if candidate else ""
            if (row := self._row_of(normal)) >= 0:
                how = "" if candidate == stripped else "with / for \\ in the path"
                return Fit(row, WHOLE, how)
        parts = _parts(plain)
        if not parts:
            return None
        rows, how = self._named(parts[-1]), "by the end of the path"
        for stem in (_stem(parts[-1]), *(_stem(parts[-1]) + each for each in self._endings)):
            if not rows:
                rows, how = self._named(stem), "without the suffix, or with another one"
        runs = {row: run for row in rows if (run := self._run(row, parts))}
        best = [row for row, run in runs.items() if run == max(runs.values())]
        if len(best) > 1:
            first, second = (encodable(self.ids[row]) for row in best[:2])
            raise ConfigError(
                f'"{encodable(path)}" fits several images: "{first}" and "{second}"',
                hint="Say in which folder the images lie: --images DIR.",
            )
        return Fit(best[0], runs[best[0]], how) if best else None

    def _run(self, row: int, parts: Sequence[str]) -> int:
        """Return how many names at its end a path shares with an image; 0 when one is in train and the other in test."""
        own = _parts(self.ids[row])
        sides = [[part for part in names[:-1] if is_split(part)][-1:] for names in (own, parts)]
        if all(sides) and sides[0] != sides[1]:
            return 0
        run = 1
        while run < min(len(own), len(parts)) and own[-1 - run] == parts[-1 - run]:
            run += 1
        return run

    def _named(self, name: str) -> list[int]:
        """Return the images of that name, or of that name and any suffix."""
        for row, file_id in enumerate(self.ids if not self._by_name else ()):
            key = _key(base_name(file_id))
            for each in {key, _stem(key)}:
                self._by_name.setdefault(each, []).append(row)
        return self._by_name.get(name, [])


def _parts(path: str) -> list[str]:
    return [_key(part) for part in path.split("/") if part not in ("", ".", "..")]


def _key(name: str) -> str:
    """Return a name as names are compared: composed, and without case."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _stem(key: str) -> str:
    """Return a name without an image's suffix."""
    suffix = suffix_of(key)
    return key[: -len(suffix)] if suffix in IMAGE_SUFFIXES else key


def find_images(rows: TableRows, column: str, locator: Locator) -> FoundImages:
    """Return the image of each line; a line that names none that could be is a reject.

    An image that several different paths would mean is that of the path that shares the longest end with it; the
    others name a file that is not there. The column of paths is taken out of `rows`: it is as large as all else. Raises ConfigError for a path that fits several images.
    """
    words = rows.columns.pop(column)
    at = np.full(len(words.words), NO_ROW, np.int32)
    runs = np.zeros(len(words.words), np.int32)
    hows: defaultdict[str, list[int]] = defaultdict(list)
    for i, path in enumerate(words.words):
        if _is_path(path) and (fit := locator.find(path)):
            at[i], runs[i] = fit.row, fit.run
            if fit.how:
                hows[fit.how].append(i)
    _drop_rivals(words.words, at, runs)
    absent: dict[int, str] = {}
    reasons = {-1: "path_empty"}
    for i in np.flatnonzero(at == NO_ROW).tolist():
        path = words.words[i].strip()
        absent[i] = posixpath.normpath(path) if path else ""
        if reason := _reason(absent[i]):
            reasons[i] = reason
    bad = np.zeros(len(at) + 1, np.bool_)
    bad[[*reasons]] = True
    bad_rows = np.flatnonzero(bad[words.codes])
    rejects = [Reject(rows.line(row), reasons[int(words.codes[row])]) for row in bad_rows.tolist()]
    kept = np.flatnonzero(~bad[words.codes])
    ids = [locator.ids[at[i]] if at[i] >= 0 else absent[i] for i in words.codes[kept]]
    return FoundImages(rows.take(kept, rejects), ids, _notes(words, at, hows, locator.ids))


def _is_path(text: str) -> bool:
    """Whether a file may have that path: JSON can hold halves of characters, which no file system takes."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return len(text) <= MAX_PATH and "\0" not in text


def _drop_rivals(paths: Sequence[str], at: NDArray[np.int32], runs: NDArray[np.int32]) -> None:
    """Set `at` to NO_ROW for a path whose image another one means more surely, or as surely."""
    claimed, claims = np.unique(at[at >= 0], return_counts=True)
    contested = np.flatnonzero(np.isin(at, claimed[claims > 1]))
    rivals_of: defaultdict[int, list[int]] = defaultdict(list)
    for i in contested.tolist():
        rivals_of[int(at[i])].append(i)
    for rivals in rivals_of.values():
        most = runs[rivals].max()
        best = [i for i in rivals if runs[i] == most]
        names = {tuple(_parts(paths[i].strip().replace("\\", "/"))) for i in best}
        alone = most == WHOLE or len(names) == 1
        at[[i for i in rivals if i not in best or not alone]] = NO_ROW


def _reason(plain: str) -> str:
    """Return why a path that fits no image can be none, "" when its file is only not there."""
    if plain in ("", "."):
        return "path_empty"
    if not _is_path(plain):
        return "path_invalid"
    outside = plain == ".." or plain.startswith("../") or _ABSOLUTE.match(plain)
    return "path_outside_root" if outside else ""


def _notes(
    words: Words, at: NDArray[np.int32], hows: dict[str, list[int]], ids: Sequence[str]
) -> tuple[str, ...]:
    """Return a sentence for each way in which images were found that is not the path as it stands."""
    counts = np.bincount(words.codes[words.codes >= 0], minlength=len(at))
    notes = []
    for how, fitting in hows.items():
        if found := [i for i in fitting if at[i] >= 0]:
            count = counted(int(counts[found].sum()), "image was", "images were")
            path, file_id = (
                encodable(each) for each in (words.words[found[0]], ids[at[found[0]]])
            )
            notes.append(f'{count} found {how}: "{path}" is "{file_id}".')
    return tuple(notes)


def listing_of(listing: Listing, ids: Sequence[str]) -> Listing:
    """Return the listing of these ids; a file that is not there has size and time -1."""
    rows = np.fromiter(map(listing.row_finder(), ids), np.intp, len(ids))
    sizes, mtimes = (np.append(x, NO_FILE)[rows] for x in (listing.sizes, listing.mtimes))
    folders: dict[str, bool] = {}
    for i in np.flatnonzero(rows < 0).tolist():
        sizes[i], mtimes[i] = plain_file_facts(listing.root, ids[i], folders)
    return replace(listing, ids=tuple(ids), sizes=sizes, mtimes=mtimes)


def missing_notes(listing: Listing, ids: Iterable[str], files: Listing, table: str) -> list[str]:
    """Return notes about rows without a file, and about images that no row names."""
    missing = [files.ids[i] for i in np.flatnonzero(files.sizes < 0).tolist()]
    rows = "row names a file that is", "rows name files that are"
    left = np.ones(len(listing.ids) + 1, np.bool_)
    left[np.fromiter(map(listing.row_finder(), ids), np.intp)] = False
    unnamed = [listing.ids[row] for row in np.flatnonzero(left[:-1]).tolist()]
    images = "image file is", "image files are"
    return [
        *names_note(missing, *rows, "not there"),
        *names_note(unnamed, *images, f"in no row of {table} and left out"),
    ]
