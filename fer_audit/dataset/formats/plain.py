"""Sets without a name of their own: tables (one row an image, its path in one column and its labels in others), and class folders.

Class folders: `happy/1.jpg`, or `train/happy/1.jpg`; the last folder that can be a class is the class.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match, Reader
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import TABLE_SUFFIXES, Listing, suffix_of
from fer_audit.dataset.names import is_container, is_expression, is_split
from fer_audit.dataset.table.columns import Roles, assign_roles, path_column
from fer_audit.dataset.table.file import open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.words import Words, encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Kind, Reject
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some

_PREDICTED_COLUMNS = {"face_name_align", "race_scores_fair"}
"""Columns that only the output of FairFace's predict.py has."""


def _sniff_table(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return POSSIBLE for a table file and for a folder with a table in it, REQUIRED when columns are asked for."""
    if not given.is_folder:
        is_table = given.path.is_file() and suffix_of(given.path.name) in TABLE_SUFFIXES
        return Match.POSSIBLE if is_table else Match.NO
    if not given.listing.tables:
        return Match.NO
    return Match.REQUIRED if settings.names_columns else Match.POSSIBLE


def _read_table(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that a table file, or the only table of a folder, describes.

    A row whose file is missing stays. Raises ConfigError for columns that are not there and for several tables,
    DatasetError when no row names a file, or there is no table.
    """
    path = given.root / _only_table(given.listing) if given.is_folder else given.path
    title = encodable(path.name)
    file = open_table(path)
    roles = assign_roles(
        file.columns, settings, table=title, path=path_column(file, settings, table=title)
    )
    predicted = set(file.columns) >= _PREDICTED_COLUMNS
    rows = file.read(roles.columns())
    notes = (*file.notes, *_column_notes(title, roles, has_header=file.has_header))
    del file  # with all of its text
    return dataset_of_rows(
        given,
        settings,
        rows,
        roles,
        table=title,
        source="predicted" if predicted else "annotated",
        label_source=(
            f"Predicted by FairFace's predict.py, as {title} has it."
            if predicted
            else f"Column values of {title}; who made them is not stated."
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


def _column_notes(title: str, roles: Roles, *, has_header: bool) -> list[str]:
    notes = {
        f'{title} has no line of column names: its columns are "1", "2", "3" and so on; name them as in '
        "--group race=4.": not has_header,
        f"Columns of {title} that are not used: {name_some(roles.unused, limit=20)}.": roles.unused,
        f"No column of {title} is named like a group, a label or a batch, so only clusters can be shown; "
        "name columns with --group, --label and --batch.": not roles.attributes
        and roles.age is None,
    }
    return [note for note, applies in notes.items() if applies]


table = Reader(_sniff_table, _read_table)


def _sniff_folder(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return FALLBACK for a folder: it may have no labels at all."""
    return Match.FALLBACK if given.is_folder else Match.NO


def _read_folder(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the folders of the images describe.

    Folders named like a container and those that every image shares say nothing. One named train, test, val or similar
    is the attribute "split". Of the others the last is the class, if there are at least two;
    the first, where it is another one, is the batch attribute "folder".
    """
    listing = given.images_without_columns(settings)
    above = Words.of(file_id.rpartition("/")[0] for file_id in listing.ids)
    paths = [path.split("/") if path else [] for path in above.words]
    splits = [next(filter(is_split, parts), None) for parts in paths]
    folders = [[part for part in parts if not is_container(part)] for parts in paths]
    levels = zip(*folders, strict=False)
    shared = len([*takewhile(lambda names: len(set(names)) == 1, levels)])
    folders = [parts[shared:] for parts in folders]  # without those that all images share
    classes = [parts[-1] if parts else None for parts in folders]
    tops = [parts[0] if len(parts) > 1 else None for parts in folders]
    attributes: list[Attribute] = []
    notes: list[str] = []
    rejects: list[Reject] = []

    def add(attribute_name: str, words: Sequence[str | None], kind: Kind) -> None:
        try:
            shown = Words.of(None if word is None else encodable(word) for word in words)
            attributes.append(encode_attribute(attribute_name, shown.take(above.codes), kind))
        except ValueError as exc:
            notes.append(f"The folders are not read as a {attribute_name}: {exc}.")

    names = {name for name in classes if name is not None}
    if len(names) > 1:
        known = sum(map(is_expression, names))
        add("expression" if 2 * known > len(names) else "class", classes, "label")
        outside = np.array([word is None for word in classes])[above.codes]
        rejects = [
            Reject(listing.ids[row], "no_class_folder") for row in np.flatnonzero(outside).tolist()
        ]
    else:
        only = f" (every class folder is {name_some([*names])})" if names else ""
        notes.append(
            f"The folders do not sort the images into classes{only}, so there are no labels: only clusters can be "
            "shown. Give a table of labels, or put the images into class folders."
        )
    if any(splits):
        add("split", splits, "split")
    if any(tops):
        add("folder", tops, "batch")
    if rejects:
        notes.append(f"{counted(len(rejects), 'image is', 'images are')} in no class folder.")
    source = (
        "The class folders' names; who sorted the images is not stated."
        if any(a.kind == "label" for a in attributes)
        else "There are no labels."
    )
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        attributes,
        rejects=rejects,
        notes=notes,
        label_source=source,
    )


folder = Reader(_sniff_folder, _read_folder)
