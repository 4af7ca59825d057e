"""Tables: one row an image, its path in one column and its labels in others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.categories import encode_attribute
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import TABLE_SUFFIXES, Listing, suffix_of
from fer_audit.dataset.table.ages import AgeColumn, read_age_column
from fer_audit.dataset.table.columns import Role, Roles, assign_roles
from fer_audit.dataset.table.file import clean_word, open_table
from fer_audit.dataset.table.merge import merge_lines
from fer_audit.dataset.table.paths import find_files, resolve_paths
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, Source
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some

MAX_WORD = 1_000
"""Characters of a cell; a longer one names no group, and every report would repeat it in full."""
_PREDICTED_COLUMNS = {"face_name_align", "race_scores_fair"}
"""Columns that only the output of FairFace's predict.py has."""


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return POSSIBLE for a table file and for a folder with a table in it, REQUIRED when columns are asked for."""
    if not given.is_folder:
        is_table = given.path.is_file() and suffix_of(given.path.name) in TABLE_SUFFIXES
        return Match.POSSIBLE if is_table else Match.NO
    if not given.listing.tables:
        return Match.NO
    return Match.REQUIRED if settings.names_columns else Match.POSSIBLE


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that a table file, or the only table of a folder, describes.

    A row whose file is missing stays. Raises ConfigError for columns that are not there,
    DatasetError when no row names a file, or a folder has several tables or none.
    """
    path = given.root / _only_table(given.listing) if given.is_folder else given.path
    listing = given.pictures
    table = encodable(path.name)
    file = open_table(path)
    roles = assign_roles(file.columns, settings, table=table)
    all_rows = file.read(roles.columns())
    rows, ids = resolve_paths(all_rows, roles.path, known=set(listing.ids))
    cells, long_cells = _clean_cells(rows.values, rows.lines, roles.label_columns())
    source: Source = "predicted" if set(file.columns) >= _PREDICTED_COLUMNS else "annotated"

    roles, age = _read_age(roles, cells, rows.lines, table)
    attributes, notes = _encode_roles(roles, cells, source, table)
    merged = merge_lines(ids, _code_matrix(attributes, age, len(ids)), rows.lines)
    files = find_files(listing, merged.ids)
    _require_files(files, n_lines=len(all_rows.lines), table=table)

    attributes = [replace(a, codes=merged.codes[:, i]) for i, a in enumerate(attributes)]
    ages = None
    if age is not None:
        binned, ages = _age_attribute(age, merged.codes[:, -1], settings, source)
        attributes.insert(sum(a.kind == "demographic" for a in attributes), binned)
        below = () if ages is None else below_bins_notes(ages, settings.age_bins)
        notes += (*age.notes, *below)
    return make_dataset(
        given,
        files.source(),
        files.ids,
        attributes,
        ages=ages,
        rejects=(*(*rows.rejects, *long_cells, *(age.rejects if age else ()), *merged.rejects),),
        notes=(*notes, *_table_notes(table, roles, files, listing)),
        label_source=(
            f"Predicted by FairFace's predict.py, as {table} has it."
            if source == "predicted"
            else f"Column values of {table}; who made them is not stated."
        ),
        form="table",
        read=(path.relative_to(given.root).as_posix(),) if given.is_folder else (),
    )


def _only_table(listing: Listing) -> str:
    if len(listing.tables) == 1:
        return listing.tables[0]
    if not listing.tables:
        raise DatasetError(
            f"There is no table on the top level of {listing.root}",
            hint=f"Tables are files named {', '.join(sorted(TABLE_SUFFIXES))}.",
        )
    raise DatasetError(
        f"{listing.root} holds several tables: {name_some(listing.tables, limit=10)}",
        hint="Give the path of one of them, or --layout folder to read none.",
    )


def _clean_cells(
    values: dict[str, list[str | None]], lines: Sequence[str], columns: Sequence[str]
) -> tuple[dict[str, list[str | None]], list[Reject]]:
    """Return the words of these columns; a cell that is too long counts as empty and is rejected."""
    cells = {column: [clean_word(word) for word in values[column]] for column in columns}
    rejects = []
    for words in cells.values():
        for i, word in enumerate(words):
            if word is not None and len(word) > MAX_WORD:
                rejects.append(Reject(lines[i], "cell_too_long"))
                words[i] = None
    return cells, rejects


def _read_age(
    roles: Roles, cells: dict[str, list[str | None]], lines: Sequence[str], table: str
) -> tuple[Roles, AgeColumn | None]:
    """Return the ages.

    A column "age" that was recognised may hold words such as "adult": then it is an attribute like any other.
    """
    role = roles.age
    if role is None:
        return roles, None
    age = read_age_column(role.column, cells[role.column], lines)
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


def _encode_roles(
    roles: Roles, cells: dict[str, list[str | None]], source: Source, table: str
) -> tuple[list[Attribute], list[str]]:
    """Return the attributes, and notes about recognised columns that cannot be one."""
    attributes: list[Attribute] = []
    notes: list[str] = []
    for role in roles.attributes:
        try:
            attributes.append(_encode_filled(role, cells[role.column], source))
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


def _age_attribute(
    age: AgeColumn, codes: NDArray[np.int16], settings: DatasetSettings, source: Source
) -> tuple[Attribute, NDArray[np.int16] | None]:
    """Return the attribute "age_bin" of the merged rows, and their ages if the column holds years."""
    if age.attribute is None:
        return bin_ages(codes, settings.age_bins, source), codes
    return replace(age.attribute, codes=codes, source=source), None


def _code_matrix(
    attributes: Sequence[Attribute], age: AgeColumn | None, n_lines: int
) -> NDArray[np.int16]:
    """Return the (n_lines, c) codes of all attributes, the age last if there is one."""
    columns = [a.codes for a in attributes] + ([] if age is None else [age.codes])
    if not columns:
        return np.zeros((n_lines, 0), dtype=np.int16)
    return np.stack(columns, axis=1)


def _require_files(files: Listing, *, n_lines: int, table: str) -> None:
    if (files.sizes >= 0).any():
        return
    example = f'; the first path is "{encodable(files.ids[0])}"' if files.ids else ""
    raise DatasetError(
        f"None of the {counted(n_lines, 'line')} of {table} names an image under {files.root}{example}",
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
    if missing := [files.ids[i] for i in np.flatnonzero(files.sizes < 0).tolist()]:
        count = counted(len(missing), "row names a file that is", "rows name files that are")
        notes.append(f"{count} not there: {name_some(missing)}.")
    named = set(files.ids)
    if unnamed := [file_id for file_id in listing.ids if file_id not in named]:
        count = counted(len(unnamed), "image file is", "image files are")
        notes.append(f"{count} in no row of {table} and left out: {name_some(unnamed)}.")
    return notes
