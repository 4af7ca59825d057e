"""Tables: one line an image, its path in one column and its labels in others."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import AuditConfig
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.categories import encode_attribute
from fer_audit.dataset.listing import NO_FILE, Listing, plain_file_facts
from fer_audit.dataset.table.ages import AgeColumn, read_age_column
from fer_audit.dataset.table.columns import Role, Roles, assign_roles
from fer_audit.dataset.table.file import TableRows, clean_word, open_table
from fer_audit.dataset.table.merge import MergedRows, merge_lines
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, Source
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[/\\]")
MAX_PATH = 4_096
"""Characters; no file system takes a longer path."""
MAX_WORD = 1_000
"""Characters of a cell; a longer one names no group. It would stand in every report in full."""
_PREDICTED_COLUMNS = {"face_name_align", "race_scores_fair"}
"""Columns that only the output of FairFace's predict.py has."""


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a table that name a file inside the root."""

    rows: list[int]
    """Index of each into the table's rows."""
    ids: list[str]
    rejects: list[Reject]
    """The other lines."""


def read_table(table: Path, listing: Listing, config: AuditConfig, *, name: str) -> FaceDataset:
    """Return the dataset that a table describes; `listing` holds the images under the table's folder.

    A line whose file is missing keeps its row. Raises ConfigError for columns that are not there,
    DatasetError when no line names a file.
    """
    shown = encodable(table.name)
    file = open_table(table)
    roles = assign_roles(file.columns, config, table=shown)
    rows = file.read(roles.columns())
    lines = _resolve_paths(rows, roles.path, known=set(listing.ids))
    predicted = set(file.columns) >= _PREDICTED_COLUMNS
    source: Source = "predicted" if predicted else "annotated"

    roles, age = _read_age(roles, rows, lines, shown)
    attributes, notes = _encode_roles(roles, rows, lines, source, shown)
    merged = merge_lines(
        lines.ids, _code_matrix(attributes, age, len(lines.ids)), _names(rows, lines)
    )
    files = _find_files(listing, merged)
    _require_files(files, listing.root, n_lines=len(rows.lines), table=shown)

    attributes = [replace(a, codes=merged.codes[:, i]) for i, a in enumerate(attributes)]
    ages = None
    if age is not None:
        binned, ages = _age_attribute(age, merged.codes[:, -1], config, source)
        attributes.insert(sum(a.kind == "demographic" for a in attributes), binned)
        below = () if ages is None else below_bins_notes(ages, config.dataset.age_bins)
        notes += (*age.notes, *below)
    return make_dataset(
        name,
        files,
        attributes,
        ages=ages,
        rejects=(
            *(*rows.rejects, *lines.rejects),
            *_long_cells(rows, lines, [each for each in roles.columns() if each != roles.path]),
            *(age.rejects if age else ()),
            *merged.rejects,
        ),
        notes=(*notes, *_table_notes(shown, roles, files, listing)),
        label_source=(
            f"Predicted by FairFace's predict.py, as {shown} has it."
            if predicted
            else f"Column values of {shown}; who made them is not stated."
        ),
        format="table",
    )


def resolve_path(path: str, known: set[str]) -> str:
    """Return the file id that a table's path means: "." and doubled slashes gone, "" when nothing is left.

    A path that is no known file is tried without the spaces around it and with backslashes as slashes.
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


def leaves_root(file_id: str) -> bool:
    """Whether a path points outside the table's folder."""
    return file_id == ".." or file_id.startswith("../") or _ABSOLUTE.match(file_id) is not None


def _resolve_paths(rows: TableRows, column: str, *, known: set[str]) -> _Lines:
    lines = _Lines([], [], [])
    for row, path in enumerate(rows.values[column]):
        file_id = resolve_path(path or "", known)
        if not file_id:
            lines.rejects.append(Reject(rows.lines[row], "path_empty"))
        elif file_id not in known and leaves_root(file_id):
            lines.rejects.append(Reject(rows.lines[row], "path_outside_root"))
        elif "\0" in file_id or len(file_id) > MAX_PATH:
            lines.rejects.append(Reject(rows.lines[row], "path_invalid"))
        else:
            lines.rows.append(row)
            lines.ids.append(file_id)
    return lines


def _words(rows: TableRows, lines: _Lines, column: str) -> list[str | None]:
    """Return the cells of the accepted lines; one that is too long says nothing, see `_long_cells`."""
    values = rows.values[column]
    words = [clean_word(values[row]) for row in lines.rows]
    return [None if word is not None and len(word) > MAX_WORD else word for word in words]


def _long_cells(rows: TableRows, lines: _Lines, columns: Sequence[str]) -> list[Reject]:
    return [
        Reject(rows.lines[row], "cell_too_long")
        for column in columns
        for row in lines.rows
        if len(clean_word(rows.values[column][row]) or "") > MAX_WORD
    ]


def _names(rows: TableRows, lines: _Lines) -> list[str]:
    return [rows.lines[row] for row in lines.rows]


def _encode_roles(
    roles: Roles, rows: TableRows, lines: _Lines, source: Source, table: str
) -> tuple[list[Attribute], list[str]]:
    """Return the attributes of the accepted lines, and notes about columns that cannot be one."""
    attributes: list[Attribute] = []
    notes: list[str] = []
    for role in roles.attributes:
        words = _words(rows, lines, role.column)
        try:
            attributes.append(_encode_filled(role, words, source))
        except ValueError as exc:
            problem = f'the column "{role.column}" cannot be used: {exc}'
            if role.asked:
                raise ConfigError(f"{table}: {problem}", hint="Leave it out.") from exc
            notes.append(f"In {table} {problem}.")
    return attributes, notes


def _encode_filled(role: Role, words: Sequence[str | None], source: Source) -> Attribute:
    if not any(words):
        raise ValueError("every cell is empty")
    return encode_attribute(role.name, words, role.kind, source)


def _read_age(
    roles: Roles, rows: TableRows, lines: _Lines, table: str
) -> tuple[Roles, AgeColumn | None]:
    """Return the ages of the accepted lines.

    A column "age" nobody asked for may hold words such as "adult": then it is an attribute like any other.
    """
    role = roles.age
    if role is None:
        return roles, None
    age = read_age_column(role.column, _words(rows, lines, role.column), _names(rows, lines))
    if age is not None:
        return roles, age
    if role.asked:
        raise ConfigError(
            f'{table}: the column "{role.column}" holds neither ages in years nor age groups',
            hint='Ages look like 23, age groups like "20-29" or "70+".',
        )
    plain = (
        ()
        if any(r.column == role.column for r in roles.attributes)
        else (replace(role, name=role.column),)
    )
    return replace(roles, age=None, attributes=(*plain, *roles.attributes)), None


def _age_attribute(
    age: AgeColumn, codes: NDArray[np.int16], config: AuditConfig, source: Source
) -> tuple[Attribute, NDArray[np.int16] | None]:
    """Return the attribute "age_bin" of the merged rows, and their ages if the column holds years."""
    if age.attribute is None:
        return bin_ages(codes, config.dataset.age_bins, source), codes
    return replace(age.attribute, codes=codes, source=source), None


def _code_matrix(
    attributes: Sequence[Attribute], age: AgeColumn | None, n_lines: int
) -> NDArray[np.int16]:
    """Return the (m, c) codes of all attributes, the age last if there is one."""
    columns = [a.codes for a in attributes] + ([] if age is None else [age.codes])
    if not columns:
        return np.zeros((n_lines, 0), dtype=np.int16)
    return np.stack(columns, axis=1)


def _find_files(listing: Listing, merged: MergedRows) -> Listing:
    """Return the listing of the merged rows; a file that is not there has size and time -1."""
    row_of = {file_id: row for row, file_id in enumerate(listing.ids)}
    sizes = np.full(len(merged.ids), NO_FILE, dtype=np.int64)
    mtimes = sizes.copy()
    folders: dict[str, bool] = {}
    for i, file_id in enumerate(merged.ids):
        row = row_of.get(file_id)
        if row is None:
            sizes[i], mtimes[i] = plain_file_facts(listing.root, file_id, folders)
        else:
            sizes[i], mtimes[i] = listing.sizes[row], listing.mtimes[row]
    return replace(listing, ids=merged.ids, sizes=sizes, mtimes=mtimes)


def _require_files(files: Listing, root: Path, *, n_lines: int, table: str) -> None:
    if (files.sizes >= 0).any():
        return
    example = f'; the first path is "{encodable(files.ids[0])}"' if files.ids else ""
    raise DatasetError(
        f"None of the {counted(n_lines, 'line')} of {table} names an image under {root}{example}",
        hint="Paths are relative to the table's folder; name another column with --path-column.",
    )


def _table_notes(table: str, roles: Roles, files: Listing, listing: Listing) -> list[str]:
    notes = []
    if roles.unused:
        notes.append(f"Columns of {table} that are not used: {name_some(roles.unused, limit=20)}.")
    if not roles.attributes and roles.age is None:
        notes.append(
            f"No column of {table} is named like a group, a label or a batch, so only clusters can be shown; "
            "name columns with --group, --label and --batch."
        )
    counts = Counter(size < 0 for size in files.sizes.tolist())
    if counts[True]:
        names = [i for i, size in zip(files.ids, files.sizes.tolist(), strict=True) if size < 0]
        count = counted(len(names), "row names a file that is", "rows name files that are")
        notes.append(f"{count} not there: {name_some(names)}.")
    named = set(files.ids)
    if unnamed := [file_id for file_id in listing.ids if file_id not in named]:
        count = counted(len(unnamed), "image file is", "image files are")
        notes.append(f"{count} in no row of {table} and left out: {name_some(unnamed)}.")
    return notes
