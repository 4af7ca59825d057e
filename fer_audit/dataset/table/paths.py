"""From the paths in a table to files on the disk; nothing outside the table's folder is ever looked at."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fer_audit.dataset.listing import Listing, plain_file_facts
from fer_audit.dataset.sources.source import NO_FILE
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.types import Reject

MAX_PATH = 4_096
"""Characters; no file system takes a longer path."""

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")


def resolve_paths(rows: TableRows, column: str, *, known: set[str]) -> tuple[TableRows, list[str]]:
    """Return the rows whose path is inside the table's folder, and the file id of each; the others become rejects."""
    kept: list[int] = []
    ids: list[str] = []
    rejects: list[Reject] = []
    for row, path in enumerate(rows.values[column]):
        file_id = resolve_path(path or "", known)
        if not file_id:
            rejects.append(Reject(rows.lines[row], "path_empty"))
        elif file_id not in known and _leaves_root(file_id):
            rejects.append(Reject(rows.lines[row], "path_outside_root"))
        elif "\0" in file_id or len(file_id) > MAX_PATH:
            rejects.append(Reject(rows.lines[row], "path_invalid"))
        else:
            kept.append(row)
            ids.append(file_id)
    values = {name: [cells[row] for row in kept] for name, cells in rows.values.items()}
    lines = [rows.lines[row] for row in kept]
    return TableRows(values, lines, (*rows.rejects, *rejects)), ids


def resolve_path(path: str, known: set[str]) -> str:
    """Return the file id that a path means: without "." and doubled slashes, "" when nothing is left.

    A path that is no known file is tried without the spaces around it, and with backslashes as slashes.
    """
    if path in known:
        return path
    stripped = path.strip()
    for candidate in (path, stripped, stripped.replace("\\", "/")):
        normal = posixpath.normpath(candidate) if candidate else ""
        if normal in known:
            return normal
    normal = posixpath.normpath(stripped) if stripped else ""
    return "" if normal == "." else normal


def find_files(listing: Listing, ids: Sequence[str]) -> Listing:
    """Return the listing of these ids; a file that is not there has size and time -1."""
    row_of = {file_id: row for row, file_id in enumerate(listing.ids)}
    sizes = np.full(len(ids), NO_FILE, dtype=np.int64)
    mtimes = sizes.copy()
    folders: dict[str, bool] = {}
    for i, file_id in enumerate(ids):
        row = row_of.get(file_id)
        if row is None:
            sizes[i], mtimes[i] = plain_file_facts(listing.root, file_id, folders)
        else:
            sizes[i], mtimes[i] = listing.sizes[row], listing.mtimes[row]
    return replace(listing, ids=tuple(ids), sizes=sizes, mtimes=mtimes)


def _leaves_root(file_id: str) -> bool:
    return file_id == ".." or file_id.startswith("../") or _ABSOLUTE.match(file_id) is not None
