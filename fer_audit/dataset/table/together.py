"""Several tables of one set, read as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import base_name
from fer_audit.dataset.table.columns import Role, assign_roles
from fer_audit.dataset.table.file import TableRows, open_table
from fer_audit.dataset.table.reading import dataset_of_rows
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import DatasetError

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
    form: str,
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
            f'A table of {given.root} has no column "{missing}", which {form} has',
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
        form=form,
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
