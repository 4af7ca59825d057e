"""Labels that come with the images themselves: the fields of a JSON member, the columns of a parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.table.columns import Roles, assign_roles
from fer_audit.dataset.table.encode import encode_columns
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, Reject
from fer_audit.text import name_some


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
