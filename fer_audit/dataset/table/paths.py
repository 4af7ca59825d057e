"""From the paths in a table to the images on the disk; nothing outside the listed folder is ever looked at."""

from __future__ import annotations

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
    plain_file_facts,
    suffix_of,
)
from fer_audit.dataset.names import is_split
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Reject
from fer_audit.errors import ConfigError
from fer_audit.text import counted, encodable, name_some

MAX_PATH = 4_096
"""Characters; no file system takes a longer path."""

WHOLE = 1_000_000
"""More names than a path can have."""

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")


class FoundImages(NamedTuple):
    """The images that the lines of a table name."""

    rows: TableRows
    """The lines that name one; the others are among its rejects."""
    ids: list[str]
    """One a row: the POSIX path of the image, or of where none is."""
    notes: tuple[str, ...]
    """How they were found, where it was not by the path as it stands."""


class Fit(NamedTuple):
    """An image that a path may mean."""

    file_id: str
    run: int
    """Names at the end of the path that the image shares; WHOLE = the path as it stands."""
    how: str
    """In words, "" for the path as it stands."""


class Locator:
    """The images of a listing, by every name that a table may give them."""

    def __init__(self, listing: Listing, *, endings: Sequence[str] = ()) -> None:
        """Name the images; `endings`: what the set puts behind a name before the suffix, e.g. "_aligned"."""
        self._ids = listing.ids
        self._known = frozenset(listing.ids)
        self._endings = endings
        self._by_name: dict[str, list[int]] = {}

    def find(self, path: str) -> Fit | None:
        """Return the image that a path means, None when no file fits.

        A path that is none as it stands means the one image that shares the longest end with it, names compared in NFC
        and without case, then without the suffix. Raises ConfigError when several share as much.
        """
        if path in self._known:
            return Fit(path, WHOLE, "")
        stripped = path.strip()
        plain = stripped.replace("\\", "/")
        for candidate in (stripped, plain):
            normal = posixpath.normpath(candidate) if candidate else ""
            if normal in self._known:
                how = "" if candidate == stripped else "with / for \\ in the path"
                return Fit(normal, WHOLE, how)
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
            first, second = (encodable(self._ids[row]) for row in best[:2])
            raise ConfigError(
                f'"{encodable(path)}" fits several images: "{first}" and "{second}"',
                hint="Say in which folder the images lie: --images DIR.",
            )
        return Fit(self._ids[best[0]], runs[best[0]], how) if best else None

    def _run(self, row: int, parts: Sequence[str]) -> int:
        """Return how many names at its end a path shares with an image; 0 when one is in train and the other in test."""
        own = _parts(self._ids[row])
        sides = [[part for part in names[:-1] if is_split(part)][-1:] for names in (own, parts)]
        if all(sides) and sides[0] != sides[1]:
            return 0
        run = 1
        while run < min(len(own), len(parts)) and own[-1 - run] == parts[-1 - run]:
            run += 1
        return run

    def _named(self, name: str) -> list[int]:
        """Return the images of that name, or of that name and any suffix."""
        if not self._by_name:
            by_name: defaultdict[str, list[int]] = defaultdict(list)
            for row, file_id in enumerate(self._ids):
                key = _key(base_name(file_id))
                for each in {key, _stem(key)}:
                    by_name[each].append(row)
            self._by_name = dict(by_name)
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
    others name a file that is not there. Raises ConfigError for a path that fits several images.
    """
    words = rows.columns[column]
    fits = [
        None if "\0" in path or len(path) > MAX_PATH else locator.find(path)
        for path in words.words
    ]
    fits = _without_rivals(words.words, fits)
    plain = [posixpath.normpath(path.strip()) if path.strip() else "" for path in words.words]
    reasons = ["" if fit else _reason(path) for path, fit in zip(plain, fits, strict=True)]
    why = np.array([*reasons, "path_empty"])[words.codes]
    rejects = [Reject(rows.line(row), str(why[row])) for row in np.flatnonzero(why != "").tolist()]
    kept = np.flatnonzero(why == "")
    names = [fit.file_id if fit else path for fit, path in zip(fits, plain, strict=True)]
    ids = [names[code] for code in words.codes[kept].tolist()]
    return FoundImages(rows.take(kept, rejects), ids, _notes(words, fits))


def _without_rivals(paths: Sequence[str], fits: Sequence[Fit | None]) -> list[Fit | None]:
    """Return the fits without those whose image another path means more surely, or as surely."""
    claims: defaultdict[str, list[int]] = defaultdict(list)
    for i, fit in enumerate(fits):
        if fit is not None:
            claims[fit.file_id].append(i)
    kept = list(fits)
    for rivals in claims.values():
        if len(rivals) == 1:
            continue
        runs = {i: fit.run for i in rivals if (fit := fits[i]) is not None}
        best = [i for i in rivals if runs[i] == max(runs.values())]
        names = {tuple(_parts(paths[i].strip().replace("\\", "/"))) for i in best}
        alone = max(runs.values()) == WHOLE or len(names) == 1
        for i in rivals:
            if i not in best or not alone:
                kept[i] = None
    return kept


def _reason(plain: str) -> str:
    """Return why a path that fits no image can be none, "" when its file is only not there."""
    if plain in ("", "."):
        return "path_empty"
    if "\0" in plain or len(plain) > MAX_PATH:
        return "path_invalid"
    outside = plain == ".." or plain.startswith("../") or _ABSOLUTE.match(plain)
    return "path_outside_root" if outside else ""


def _notes(words: Words, fits: Sequence[Fit | None]) -> tuple[str, ...]:
    """Return a sentence for each way in which images were found that is not the path as it stands."""
    counts = words.counts()
    found: defaultdict[str, list[tuple[str, Fit]]] = defaultdict(list)
    for path, fit in zip(words.words, fits, strict=True):
        if fit is not None and fit.how:
            found[fit.how].append((path, fit))
    return tuple(
        f"{counted(sum(counts.get(path, 0) for path, _ in fitting), 'image was', 'images were')} found {how}: "
        f'"{encodable(fitting[0][0])}" is "{encodable(fitting[0][1].file_id)}".'
        for how, fitting in found.items()
    )


def listing_of(listing: Listing, ids: Sequence[str]) -> Listing:
    """Return the listing of these ids; a file that is not there has size and time -1."""
    wanted = set(ids)
    row_of = {file_id: row for row, file_id in enumerate(listing.ids) if file_id in wanted}
    rows = np.array([row_of.get(file_id, -1) for file_id in ids], np.intp)
    sizes, mtimes = _at(listing.sizes, rows), _at(listing.mtimes, rows)
    folders: dict[str, bool] = {}
    for i in np.flatnonzero(rows < 0).tolist():
        sizes[i], mtimes[i] = plain_file_facts(listing.root, ids[i], folders)
    return replace(listing, ids=tuple(ids), sizes=sizes, mtimes=mtimes)


def _at(values: NDArray[np.int64], rows: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the values of those rows, NO_FILE for row -1."""
    return np.append(values, NO_FILE)[rows]


def missing_notes(listing: Listing, ids: Iterable[str], files: Listing, table: str) -> list[str]:
    """Return notes about rows without a file, and about images that no row names."""
    notes = []
    if missing := [files.ids[i] for i in np.flatnonzero(files.sizes < 0).tolist()]:
        count = counted(len(missing), "row names a file that is", "rows name files that are")
        notes.append(f"{count} not there: {name_some(missing)}.")
    named = set(ids)
    if unnamed := [file_id for file_id in listing.ids if file_id not in named]:
        count = counted(len(unnamed), "image file is", "image files are")
        notes.append(f"{count} in no row of {table} and left out: {name_some(unnamed)}.")
    return notes
