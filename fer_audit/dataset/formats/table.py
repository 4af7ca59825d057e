"""Tables: one row an image, its path in one column and its labels in others."""

from __future__ import annotations

from fer_audit.config import DatasetSettings
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import TABLE_SUFFIXES, Listing, suffix_of
from fer_audit.dataset.table.columns import Roles, assign_roles, path_column
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import encodable, name_some

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

    A row whose file is missing stays. Raises ConfigError for columns that are not there and for several tables,
    DatasetError when no row names a file, or there is no table.
    """
    path = given.root / _only_table(given.listing) if given.is_folder else given.path
    table = encodable(path.name)
    file = open_table(path)
    roles = assign_roles(
        file.columns, settings, table=table, path=path_column(file, settings, table=table)
    )
    predicted = set(file.columns) >= _PREDICTED_COLUMNS
    rows = file.read(roles.columns())
    notes = (*file.notes, *_column_notes(table, roles, has_header=file.has_header))
    del file  # with all of its text
    return dataset_of_rows(
        given,
        settings,
        rows,
        roles,
        table=table,
        source="predicted" if predicted else "annotated",
        label_source=(
            f"Predicted by FairFace's predict.py, as {table} has it."
            if predicted
            else f"Column values of {table}; who made them is not stated."
        ),
        notes=notes,
        read=(path.relative_to(given.root).as_posix(),) if given.is_folder else (),
    )


def _only_table(listing: Listing) -> str:
    if len(listing.tables) == 1:
        return listing.tables[0]
    if not listing.tables:
        raise DatasetError(
            f"There is no table in {listing.root}",
            hint=f"Tables are files named {', '.join(sorted(TABLE_SUFFIXES))}.",
        )
    raise ConfigError(
        f"{listing.root} holds several tables: {name_some(listing.tables, limit=10)}",
        hint="Give the path of one of them, or --layout folder to read none.",
    )


def _column_notes(table: str, roles: Roles, *, has_header: bool) -> list[str]:
    notes = {
        f'{table} has no line of column names: its columns are "1", "2", "3" and so on; name them as in '
        "--group race=4.": not has_header,
        f"Columns of {table} that are not used: {name_some(roles.unused, limit=20)}.": roles.unused,
        f"No column of {table} is named like a group, a label or a batch, so only clusters can be shown; "
        "name columns with --group, --label and --batch.": not roles.attributes
        and roles.age is None,
    }
    return [note for note, applies in notes.items() if applies]
