"""From the rows of tables to a dataset: images found, labels encoded, lines about one image merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.listing import bytewise_order
from fer_audit.dataset.maps import code_names
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.dataset.table.columns import Roles
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.labels import encode_labels, read_age_column
from fer_audit.dataset.table.paths import Locator, find_images, listing_of, missing_notes
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, FaceDataset, Reject, Source
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.text import counted, encodable, name_some

MAX_WORD = 1_000
"""Characters of a cell; a longer one names no group, and every report would repeat it in full."""


class Fields(NamedTuple):
    """What some columns say of n images."""

    attributes: tuple[Attribute, ...]
    """Demographic ones first, the ages last of them; their codes are years until `finished`, where `has_years`."""
    has_years: bool
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]

    def finished(
        self, codes: Sequence[NDArray[np.int16]], settings: DatasetSettings
    ) -> tuple[tuple[Attribute, ...], NDArray[np.int16] | None, tuple[str, ...]]:
        """Return the attributes of m rows with these codes, their ages in years if they are known, and all notes."""
        pairs = zip(self.attributes, codes, strict=True)
        found = [replace(attribute, codes=own) for attribute, own in pairs]
        if not self.has_years:
            return tuple(found), None, self.notes
        at = [each.name for each in found].index("age_bin")
        ages = found[at].codes
        found[at] = bin_ages(ages, settings.age_bins, found[at].source)
        return tuple(found), ages, (*self.notes, *below_bins_notes(ages, settings.age_bins))


def encode_columns(
    rows: TableRows, roles: Roles, settings: DatasetSettings, *, table: str, source: Source
) -> Fields:
    """Return the attributes of a table's columns: the same for every format that has columns.

    A column "age" that was recognised may hold words such as "adult": then it is an attribute like any other.
    Raises ConfigError for a column that was asked for and cannot be one.
    """
    columns, rejects = dict(rows.columns), []
    for column in roles.label_columns():
        words = columns[column]
        long = np.array([*(len(word) > MAX_WORD for word in words.words), False], np.bool_)
        for row in np.flatnonzero(long[words.codes]).tolist():
            rejects.append(Reject(rows.line(row), "cell_too_long"))
        if long.any():
            columns[column] = words.mapped(lambda word: None if len(word) > MAX_WORD else word)
    rows, role, age = replace(rows, columns=columns), roles.age, None
    wanted = [*roles.attributes]
    if role is not None and (age := read_age_column(role.column, rows, settings)) is None:
        if role.asked:
            raise ConfigError(
                f'{table}: the column "{role.column}" holds neither ages in years nor age groups',
                hint='Ages look like 23, age groups like "20-29" or "70+".',
            )
        if all(each.column != role.column for each in wanted):
            wanted.insert(0, replace(role, name=role.column))
    attributes: list[Attribute] = []
    notes: list[str] = []
    for role in wanted:
        names = code_names(role.name, settings.names)
        words = columns[role.column]
        try:
            labels = encode_labels(
                role.name, role.column, words, role.kind, source=source, names=names
            )
        except ValueError as exc:
            problem = f'the column "{role.column}" cannot be used: {exc}'
            if role.asked:
                raise ConfigError(f"{table}: {problem}", hint="Leave it out.") from exc
            notes.append(f"In {table} {problem}.")
            continue
        attributes.append(labels.attribute)
        notes += labels.notes
    if age is not None:
        at = sum(each.kind == "demographic" for each in attributes)
        attributes.insert(at, replace(age.attribute, source=source))
        rejects += age.rejects
        notes += age.notes
    has_years = age is not None and age.has_years
    return Fields(tuple(attributes), has_years, tuple(rejects), tuple(notes))


def merge_lines(
    ids: Sequence[str], codes: NDArray[np.int16], rows: TableRows
) -> tuple[tuple[str, ...], NDArray[np.int16], tuple[Reject, ...]]:
    """Return one row for each file that m lines name, sorted bytewise: ids, (n, c) labels, and rejects.

    ids: m file ids; codes: (m, c) labels; rows: the m lines, for their numbers.
    A label on which the lines of a file differ becomes -1, whichever line came first. Each line beyond a file's first is a
    reject: duplicate_row when it says the same, else conflicting_rows.
    """
    order = bytewise_order(ids)
    is_new = np.array([not i or ids[order[i]] != ids[order[i - 1]] for i in range(len(ids))], bool)
    starts = np.flatnonzero(is_new)
    if not len(starts):
        return (), codes, ()
    by_file = codes[order]
    first = by_file[starts]
    lowest = np.minimum.reduceat(by_file, starts, axis=0)
    highest = np.maximum.reduceat(by_file, starts, axis=0)
    same = (by_file == first[np.cumsum(is_new) - 1]).all(axis=1)
    extra = sorted(
        (int(order[i]), "duplicate_row" if same[i] else "conflicting_rows")
        for i in np.flatnonzero(~is_new).tolist()
    )
    return (
        tuple(ids[line] for line in order[starts].tolist()),
        np.where(lowest == highest, first, np.int16(-1)),
        tuple(Reject(rows.line(line), reason) for line, reason in extra),
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
    fields = encode_columns(found.rows, roles, settings, table=table, source=source)
    codes = np.array([each.codes for each in fields.attributes], np.int16)
    matrix = codes.reshape(len(codes), len(found.ids)).T
    ids, matrix, merged = merge_lines(found.ids, matrix, found.rows)
    files = listing_of(listing, ids)
    if not (files.sizes >= 0).any():
        example = f'; the first path is "{encodable(ids[0])}"' if ids else ""
        raise DatasetError(
            f"None of the {counted(n_lines, 'line')} of {table} names an image under {files.root}{example}",
            hint="Say where the images lie with --images DIR, or which column holds their paths with --path-column.",
        )
    attributes, ages, field_notes = fields.finished([*matrix.T], settings)
    missing = missing_notes(listing, ids, files, table)
    return make_dataset(
        given,
        files.source(),
        ids,
        attributes,
        ages=ages,
        rejects=(*found.rows.rejects, *fields.rejects, *merged),
        notes=(*found.notes, *notes, *field_notes, *missing),
        label_source=label_source,
        read=read,
    )


def dataset_of_fields(
    given: DatasetPath,
    settings: DatasetSettings,
    source: ImageSource,
    ids: Sequence[str],
    columns: Mapping[str, Words],
    roles: Roles,
    *,
    table: str,
    more: Sequence[Attribute] = (),
    rejects: Sequence[Reject] = (),
    notes: Sequence[str] = (),
    **about: Any,  # noqa: ANN401 - as make_dataset has them
) -> FaceDataset:
    """Return the dataset of n images that come with their labels, column -> n words; `more`: attributes behind those.

    Raises ConfigError for a field that was asked for and cannot be used.
    """
    rows = TableRows(dict(columns), np.arange(len(ids), dtype=np.int32), "row", (), tuple(ids))
    fields = encode_columns(rows, roles, settings, table=table, source="annotated")
    attributes, ages, said = fields.finished([a.codes for a in fields.attributes], settings)
    unused = f"Fields of {table} that are not used: {name_some(roles.unused, limit=20)}."
    have = {each.name for each in attributes}
    return make_dataset(
        given,
        source,
        ids,
        (*attributes, *(each for each in more if each.name not in have)),
        ages=ages,
        rejects=(*rejects, *fields.rejects),
        notes=(*notes, *((unused,) if roles.unused else ()), *said),
        **about,
    )
