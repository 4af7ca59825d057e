"""Files that are there twice: some archives hold the set and, in a folder, the set again."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from fer_audit.dataset.listing import Listing, base_name
from fer_audit.dataset.sources.source import MAX_FILE_BYTES, READ_PLAIN
from fer_audit.text import MAX_NAMED, counted, encodable, listed, name_some, whole


def drop_copies(listing: Listing) -> Listing:
    """Return the listing without files that repeat another one's name and bytes in a different folder, and a note.

    Of each set of copies the one with the shortest path stays, of equally short ones the first.
    Only files that share name and size are read, and none that is too large for a photograph.
    The same bytes under another name stay: those are two labels for one picture, which the audit reports.
    """
    same_name: defaultdict[str, list[int]] = defaultdict(list)
    for row, file_id in enumerate(listing.ids):
        same_name[base_name(file_id)].append(row)
    repeated = {name: rows for name, rows in same_name.items() if len(rows) > 1}
    copies: dict[int, int] = {}
    for rows in repeated.values():
        copies.update(_copies_among(listing, rows))
    differing = [name for name, rows in repeated.items() if sum(r not in copies for r in rows) > 1]
    notes = []
    if copies:
        copy, kept = min(copies.items())
        places = Counter(listing.ids[row].rpartition("/")[0] or "." for row in copies)
        where = [
            f'"{encodable(place)}" ({whole(n)})' for place, n in places.most_common(MAX_NAMED)
        ]
        more = [f"{whole(len(places) - len(where))} more"] if len(places) > len(where) else []
        notes.append(
            f"{counted(len(copies), 'file repeats', 'files repeat')} another one's name and bytes in a "
            f"different folder and {'was' if len(copies) == 1 else 'were'} left out: {listed([*where, *more])}; "
            f'for example "{encodable(listing.ids[copy])}", a copy of "{encodable(listing.ids[kept])}".'
        )
    if differing:
        count = counted(len(differing), "name occurs", "names occur")
        notes.append(
            f"{count} in more than one folder with different bytes; every file is kept: {name_some(differing)}."
        )
    rows_kept = np.array(
        [row for row in range(len(listing.ids)) if row not in copies], dtype=np.intp
    )
    return replace(listing.take(rows_kept), notes=listing.notes + tuple(notes))


def _copies_among(listing: Listing, rows: list[int]) -> dict[int, int]:
    """Return {row of a copy: row of the file that stays} among files of one name."""
    by_size: defaultdict[int, list[int]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _length_and_bytes(listing.ids[row])):
        by_size[int(listing.sizes[row])].append(row)
    copies: dict[int, int] = {}
    for size, candidates in by_size.items():
        if not 0 <= size <= MAX_FILE_BYTES or len(candidates) == 1:
            continue
        first: dict[str, int] = {}
        for row in candidates:
            digest = _digest(listing, row)
            if digest and first.setdefault(digest, row) != row:
                copies[row] = first[digest]
    return copies


def _length_and_bytes(file_id: str) -> tuple[int, bytes]:
    raw = os.fsencode(file_id)
    return len(raw), raw


def _digest(listing: Listing, row: int) -> str:
    """Return the sha256 of a file, "" when it cannot be read: then it is no copy."""
    try:
        with os.fdopen(os.open(listing.root / listing.ids[row], READ_PLAIN), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
