"""From columns of words to attributes: the same for every format that has columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.maps import code_names
from fer_audit.dataset.table.columns import Role, Roles
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.labels import AgeColumn, encode_labels, read_age_column
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, Reject, Source
from fer_audit.errors import ConfigError

MAX_WORD = 1_000
"""Characters of a cell; a longer one names no group, and every report would repeat it in full."""


class EncodedColumns(NamedTuple):
    """What some columns of n rows say."""

    attributes: tuple[Attribute, ...]
    """Without the age."""
    age: AgeColumn | None
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]

    def matrix(self, n: int) -> NDArray[np.int16]:
        """Return the (n, c) codes of all attributes, the age last if there is one."""
        columns = [a.codes for a in self.attributes]
        columns += [] if self.age is None else [self.age.codes]
        return np.stack(columns, axis=1) if columns else np.zeros((n, 0), np.int16)

    def finished(
        self, matrix: NDArray[np.int16], settings: DatasetSettings, source: Source
    ) -> tuple[list[Attribute], NDArray[np.int16] | None, tuple[str, ...]]:
        """Return the attributes of m rows with codes such as `matrix` gives, their ages in years, and notes about them."""
        attributes = [replace(a, codes=matrix[:, i]) for i, a in enumerate(self.attributes)]
        if self.age is None:
            return attributes, None, ()
        codes, ages = matrix[:, -1], None
        if self.age.attribute is None:
            binned, ages = bin_ages(codes, settings.age_bins, source), codes
        else:
            binned = replace(self.age.attribute, codes=codes, source=source)
        attributes.insert(sum(a.kind == "demographic" for a in attributes), binned)
        below = () if ages is None else below_bins_notes(ages, settings.age_bins)
        return attributes, ages, (*self.age.notes, *below)


def encode_columns(
    rows: TableRows, roles: Roles, settings: DatasetSettings, *, table: str, source: Source
) -> EncodedColumns:
    """Return the attributes of a table's columns. Raises ConfigError for a column that was asked for and cannot be one."""
    rows, long_cells = _without_long_cells(rows, roles.label_columns())
    roles, age = _read_age(roles, rows, settings, table)
    attributes: list[Attribute] = []
    notes: list[str] = []
    for role in roles.attributes:
        try:
            labels = encode_labels(
                role.name,
                role.column,
                rows.columns[role.column],
                role.kind,
                source=source,
                names=code_names(role.name, settings.names),
            )
        except ValueError as exc:
            problem = f'the column "{role.column}" cannot be used: {exc}'
            if role.asked:
                raise ConfigError(f"{table}: {problem}", hint="Leave it out.") from exc
            notes.append(f"In {table} {problem}.")
            continue
        attributes.append(labels.attribute)
        notes += labels.notes
    rejects = (*long_cells, *(age.rejects if age else ()))
    return EncodedColumns(tuple(attributes), age, rejects, tuple(notes))


def _without_long_cells(
    rows: TableRows, columns: Sequence[str]
) -> tuple[TableRows, tuple[Reject, ...]]:
    """Return the rows with cells that are too long emptied, and a reject for each."""
    shorter: dict[str, Words] = dict(rows.columns)
    rejects = []
    for column in columns:
        words = rows.columns[column]
        long = np.array([*(len(word) > MAX_WORD for word in words.words), False], np.bool_)
        if long.any():
            rejects += [
                Reject(rows.line(row), "cell_too_long")
                for row in np.flatnonzero(long[words.codes]).tolist()
            ]
            shorter[column] = words.mapped(lambda word: None if len(word) > MAX_WORD else word)
    return replace(rows, columns=shorter), tuple(rejects)


def _read_age(
    roles: Roles, rows: TableRows, settings: DatasetSettings, table: str
) -> tuple[Roles, AgeColumn | None]:
    """Return the ages.

    A column "age" that was recognised may hold words such as "adult": then it is an attribute like any other.
    """
    role = roles.age
    if role is None:
        return roles, None
    age = read_age_column(role.column, rows, settings)
    if age is not None:
        return roles, age
    if role.asked:
        raise ConfigError(
            f'{table}: the column "{role.column}" holds neither ages in years nor age groups',
            hint='Ages look like 23, age groups like "20-29" or "70+".',
        )
    known = any(r.column == role.column for r in roles.attributes)
    plain: tuple[Role, ...] = () if known else (replace(role, name=role.column),)
    return replace(roles, age=None, attributes=(*plain, *roles.attributes)), None
