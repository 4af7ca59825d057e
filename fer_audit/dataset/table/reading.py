"""From the rows of tables to a dataset: images found, labels encoded, lines about one image merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import Listing, base_name, bytewise_order
from fer_audit.dataset.table.columns import Role, Roles, assign_roles
from fer_audit.dataset.table.encode import encode_columns
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, Source
from fer_audit.errors import DatasetError
from fer_audit.text import counted, encodable, name_some


class MergedRows(NamedTuple):
    """One row for each file."""

    ids: tuple[str, ...]
    """n file ids, sorted bytewise, each once."""
    codes: NDArray[np.int16]
    """(n, c) labels; -1 = not annotated, or the lines about this file disagree."""
    rejects: tuple[Reject, ...]
    """One for each line beyond a file's first: duplicate_row when it says the same, else conflicting_rows."""


def merge_lines(ids: Sequence[str], codes: NDArray[np.int16], rows: TableRows) -> MergedRows:
    """Return one row for each file that m lines name.

    ids: m file ids; codes: (m, c) labels; rows: the m lines, for their numbers.
    A label on which the lines of a file differ becomes -1, whichever line came first.
    """
    order = bytewise_order(ids)
    new_file = np.array(
        [i == 0 or ids[order[i]] != ids[order[i - 1]] for i in range(len(ids))], np.bool_
    )
    starts = np.flatnonzero(new_file)
    if not len(starts):
        return MergedRows((), codes, ())
    by_file = codes[order]
    first = by_file[starts]
    lowest = np.minimum.reduceat(by_file, starts, axis=0)
    highest = np.maximum.reduceat(by_file, starts, axis=0)
    same = (by_file == first[np.cumsum(new_file) - 1]).all(axis=1)
    extra = sorted(
        (int(order[i]), "duplicate_row" if same[i] else "conflicting_rows")
        for i in np.flatnonzero(~new_file).tolist()
    )
    return MergedRows(
        ids=tuple(ids[line] for line in order[starts].tolist()),
        codes=np.where(lowest == highest, first, np.int16(-1)),
        rejects=tuple(Reject(rows.line(line), reason) for line, reason in extra),
    )


def dataset_of_rows(
    given: DatasetPath,
    settings: DatasetSettings,
    rows: TableRows,
    roles: Roles,
    *,
    table: str,
    label_source: str,
    source: Source = "annotated",
    endings: Sequence[str] = (),
    notes: Iterable[str] = (),
    read: Iterable[str] = (),
) -> FaceDataset:
    """Return the dataset that the rows of one or several tables describe; `table` names them in messages.

    A row whose file is missing stays. endings: what the set puts behind a name before the suffix; read: the paths of
    the tables, for `make_dataset`. Raises ConfigError for a path that fits several images, DatasetError when no row
    names an image.
    """
    listing = given.pictures
    n_lines = len(rows) + len(rows.rejects)
    assert roles.path is not None  # noqa: S101 - the caller found it
    found = find_images(rows, roles.path, Locator(listing, endings=endings))
    columns = encode_columns(found.rows, roles, settings, table=table, source=source)
    merged = merge_lines(found.ids, columns.matrix(len(found.ids)), found.rows)
    files = listing_of(listing, merged.ids)
    _require_files(files, n_lines=n_lines, table=table)
    attributes, ages, age_notes = columns.finished(merged.codes, settings, source)
    return make_dataset(
        given,
        files.source(),
        files.ids,
        attributes,
        ages=ages,
        rejects=(*found.rows.rejects, *columns.rejects, *merged.rejects),
        notes=(
            *found.notes,
            *notes,
            *columns.notes,
            *age_notes,
            *missing_notes(listing, merged.ids, files, table),
        ),
        label_source=label_source,
        read=read,
    )


def _require_files(files: Listing, *, n_lines: int, table: str) -> None:
    if (files.sizes >= 0).any():
        return
    example = f'; the first path is "{encodable(files.ids[0])}"' if files.ids else ""
    raise DatasetError(
        f"None of the {counted(n_lines, 'line')} of {table} names an image under {files.root}{example}",
        hint="Say where the images lie with --images DIR, or which column holds their paths with --path-column.",
    )


IMAGE, SPLIT = "image of the row", "split of the table"
"""Columns that are made here; no set has such names."""


class Part(NamedTuple):
    """One of the tables."""

    table: str
    """POSIX path below the root."""
    split: str | None = None
    """The part of the benchmark that all of its rows belong to."""
    folder: str = ""
    """The folder that its paths are relative to, with a slash at its end; "" = the table says it all."""

    @classmethod
    def named_by_split(cls, table: str) -> Part:
        """Return a table whose name, without its suffix, is the split of its rows."""
        return cls(table, base_name(table).rpartition(".")[0])


def read_together(
    given: DatasetPath,
    settings: DatasetSettings,
    parts: Sequence[Part],
    *,
    label_source: str,
    path: Sequence[str],
    path_of: Callable[..., str] | None = None,
    columns: Sequence[str] = (),
    subject: str | None = None,
    codes: Mapping[str, str] | None = None,
) -> FaceDataset:
    """Return the dataset of all the tables' rows.

    path: the columns from which `path_of` makes the path of an image, or the one that is it; columns: the names of a
    table's columns where it may lack a header; subject: the column that says who is on an image; codes: attribute ->
    the list of `taxonomy.CODES` that names its codes, where --names says nothing else.
    Raises ConfigError when the tables' columns cannot be used, DatasetError when a table is none or lacks one.
    """
    title = parts[0].table if len(parts) == 1 else f"{len(parts)} tables"
    tables = [open_table(given.root / part.table) for part in parts]
    headers = [
        table.columns if table.has_header else tuple(columns)[: len(table.columns)]
        for table in tables
    ]
    needed = [path if table.has_header else (*path, *columns) for table in tables]
    pairs = zip(needed, headers, strict=True)
    lacking = (name for names, header in pairs for name in names if name not in header)
    if missing := next(lacking, None):
        raise DatasetError(
            f'A table of {given.root} has no column "{missing}", which {settings.layout} has',
            hint="Read it as any other table: --layout table.",
        )
    shared = [name for name in headers[0] if all(name in names for names in headers)]
    labels = (name for name in shared if name not in path or name == subject)
    known = (*labels, *((SPLIT,) if parts[0].split else ()))
    asked = replace(settings, names=(*settings.names, *(codes or {}).items()))
    if subject is not None:
        asked = replace(asked, subject=settings.subject or subject)
    roles = assign_roles(known, asked, table=title, path=IMAGE)
    if parts[0].split and settings.split is None:
        others = tuple(each for each in roles.attributes if each.kind != "split")
        split = Role("split", SPLIT, "split", asked=False)
        roles = replace(roles, attributes=(*others, split))
    make = path_of or (lambda name: name)
    rows = []
    for part, table, names in zip(parts, tables, headers, strict=True):
        wanted = [name for name in (*path, *roles.label_columns()) if name in names]
        position = {name: table.columns[names.index(name)] for name in wanted}
        read = table.read(list(dict.fromkeys(position.values())))
        found = {name: read.columns[column] for name, column in position.items()}
        cells = zip(*(found[name].cells() for name in path), strict=True)
        found[IMAGE] = Words.of(part.folder + make(*each) if all(each) else None for each in cells)
        if part.split:
            found[SPLIT] = Words.of([part.split] * len(read))
        items = tuple(f"{part.table} {read.line(row)}" for row in range(len(read)))
        rows.append(replace(read, columns=found, items=items if len(parts) > 1 else ()))
    return dataset_of_rows(
        given,
        asked,
        concatenated(rows, roles.columns()),
        roles,
        table=title,
        label_source=label_source,
        notes=[note for table in tables for note in table.notes],
        read=[part.table for part in parts],
    )


def concatenated(parts: Sequence[TableRows], columns: Sequence[str]) -> TableRows:
    """Return the rows of several tables as one; the columns that are named."""
    return TableRows(
        {
            name: Words.of(chain.from_iterable(part.columns[name].cells() for part in parts))
            for name in columns
        },
        np.concatenate([part.numbers for part in parts]),
        parts[0].unit,
        tuple(reject for part in parts for reject in part.rejects),
        tuple(chain.from_iterable(part.items for part in parts)),
    )


class Fields(NamedTuple):
    """What some fields say of n images."""

    attributes: tuple[Attribute, ...]
    ages: NDArray[np.int16] | None
    """(n,) years, -1 = not annotated; None when no field holds years."""
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


def field_roles(names: Sequence[str], settings: DatasetSettings, *, table: str) -> Roles:
    """Return the use of each field, which are recognised as the columns of a table are.

    Raises ConfigError for a field that is asked for and not there.
    """
    return assign_roles(tuple(names), settings, table=table, path=None)


def read_fields(
    columns: Mapping[str, Words],
    roles: Roles,
    items: Sequence[str],
    settings: DatasetSettings,
    *,
    table: str,
) -> Fields:
    """Return the attributes of n images. columns: field -> n words; items: n names for rejects.

    Raises ConfigError for a field that was asked for and cannot be used.
    """
    rows = TableRows(dict(columns), np.arange(len(items), dtype=np.int32), "row", (), tuple(items))
    encoded = encode_columns(rows, roles, settings, table=table, source="annotated")
    matrix = encoded.matrix(len(items))
    attributes, ages, age_notes = encoded.finished(matrix, settings, "annotated")
    unused = (
        (f"Fields of {table} that are not used: {name_some(roles.unused, limit=20)}.",)
        if roles.unused
        else ()
    )
    notes = (*unused, *encoded.notes, *age_notes)
    return Fields(tuple(attributes), ages, encoded.rejects, notes)
