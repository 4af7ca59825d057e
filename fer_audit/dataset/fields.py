"""Labels that come with the images themselves: the fields of a JSON member, the columns of a parquet file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.ages import below_bins_notes, bin_ages
from fer_audit.dataset.categories import encode_attribute
from fer_audit.dataset.table.ages import read_age_column
from fer_audit.dataset.table.columns import Role, Roles, assign_roles
from fer_audit.dataset.table.file import clean_word
from fer_audit.dataset.types import Attribute, Reject
from fer_audit.errors import ConfigError
from fer_audit.text import name_some

MAX_WORD = 1_000
"""Characters of a value; a longer one names no group."""

Cells = Sequence[str | None]


class Fields(NamedTuple):
    """What some fields say of n images."""

    attributes: tuple[Attribute, ...]
    ages: NDArray[np.int16] | None
    """(n,) years, -1 = not annotated; None when no field holds years."""
    rejects: tuple[Reject, ...]
    notes: tuple[str, ...]


def word_of(value: object) -> str | None:
    """Return a value as a table would write it: 1.0 is "1", True is "true"; None is None."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return None if value is None else str(value)


def field_roles(names: Sequence[str], settings: DatasetSettings, *, table: str) -> Roles:
    """Return the use of each field, which are recognised as the columns of a table are.

    Raises ConfigError for a field that is asked for and not there.
    """
    no_path = ""  # the image is at hand: no field has to name it
    return assign_roles((no_path, *names), replace(settings, path_column=no_path), table=table)


def read_fields(
    values: Mapping[str, Cells],
    roles: Roles,
    items: Sequence[str],
    settings: DatasetSettings,
    *,
    table: str,
) -> Fields:
    """Return the attributes of n images. values: field -> n words; items: n names for rejects.

    Raises ConfigError for a field that was asked for and cannot be used.
    """
    rejects: list[Reject] = []
    cells = {name: _clean(values[name], items, rejects) for name in roles.label_columns()}
    attributes: list[Attribute] = []
    notes: list[str] = []
    if roles.unused:
        notes.append(f"Fields of {table} that are not used: {name_some(roles.unused, limit=20)}.")

    def add(role: Role) -> None:
        try:
            attributes.append(_encoded(role, cells[role.column]))
        except ValueError as exc:
            problem = f'the field "{role.column}" cannot be used: {exc}'
            if role.asked:
                raise ConfigError(f"{table}: {problem}", hint="Leave it out.") from exc
            notes.append(f"In {table} {problem}.")

    ages = None
    if roles.age is not None:
        age = read_age_column(roles.age.column, cells[roles.age.column], items)
        if age is None:
            add(replace(roles.age, name=roles.age.column))
        else:
            ages = age.codes if age.attribute is None else None
            attributes.append(age.attribute or bin_ages(age.codes, settings.age_bins))
            rejects += age.rejects
            notes += age.notes
            notes += () if ages is None else below_bins_notes(ages, settings.age_bins)
    for role in roles.attributes:
        add(role)
    return Fields(tuple(attributes), ages, tuple(rejects), tuple(notes))


def _encoded(role: Role, words: Cells) -> Attribute:
    if not any(words):
        raise ValueError("every cell is empty")
    return encode_attribute(role.name, words, role.kind)


def _clean(words: Cells, items: Sequence[str], rejects: list[Reject]) -> list[str | None]:
    """Return the words without the spaces around them; one that is too long counts as empty and is rejected."""
    cleaned = [clean_word(word) for word in words]
    for row, word in enumerate(cleaned):
        if word is not None and len(word) > MAX_WORD:
            rejects.append(Reject(items[row], "cell_too_long"))
            cleaned[row] = None
    return cleaned
