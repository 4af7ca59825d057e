"""The age column of a table: years, or age groups, also those that a spreadsheet turned into dates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import AGE_BINS, DatasetSettings
from fer_audit.dataset.ages import MAX_AGE, AgeGroup, age_bin_names, parse_age_group, parse_years
from fer_audit.dataset.table.columns import YEARS
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.labels import clean, missing_notes
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, Reject
from fer_audit.errors import ConfigError
from fer_audit.text import counted, encodable

AGE_CODES = {"fairface": age_bin_names(AGE_BINS)}
"""Lists of age groups by the name of the set that numbers them from 0."""
HIGHEST_CODE = 8
"""Where no age is above this, they are taken for codes."""


@dataclass(frozen=True, slots=True, eq=False)
class AgeColumn:
    """What the age column says of n rows."""

    codes: NDArray[np.int16]
    """(n,) years, or codes of `attribute` when the column holds groups; -1 = not annotated."""
    attribute: Attribute | None
    """The attribute "age_bin" when the column holds groups, None when it holds years."""
    rejects: tuple[Reject, ...]
    """Cells that are no age (age_unreadable) or no human's (age_out_of_range)."""
    notes: tuple[str, ...]


def read_age_column(column: str, rows: TableRows, settings: DatasetSettings) -> AgeColumn | None:
    """Return the ages in n cells, or None when not one cell is an age or an age group.

    A column that mixes the two is what most of its cells are; the other cells are rejected, not converted.
    Raises ConfigError when every age is 0 to 8 and nobody said whether these are codes or years.
    """
    words, unsaid = clean(rows.columns[column])
    counts = words.counts()
    years = {word: age for word in counts if (age := parse_years(word)) is not None}
    groups = {word: group for word in counts if (group := parse_age_group(word)) is not None}
    notes = missing_notes(column, unsaid)
    if settings.age_codes is not None:
        names = _code_names(settings.age_codes)
        known = {str(code): parse_age_group(name) for code, name in enumerate(names)}
        groups |= {word: group for word in counts if (group := known.get(word)) is not None}
        years = {}
        notes.append(
            f'In the column "{encodable(column)}" the codes 0 to {len(names) - 1} are read as '
            f"{settings.age_codes}'s age groups, {names[0]} to {names[-1]}."
        )
    if not years and not groups:
        return None
    if sum(counts[word] for word in years) <= sum(counts[word] for word in groups):
        named = _named_groups(words, rows, groups, unsaid)
        return replace(named, notes=(*notes, *_renaming_notes(column, groups, counts)))
    asked = (settings.age_column or "").startswith(YEARS)
    if max(years.values()) <= HIGHEST_CODE and len(set(years.values())) > 1 and not asked:
        raise ConfigError(
            f'Every age in the column "{encodable(column)}" is a number from 0 to {HIGHEST_CODE}: '
            "these may be codes of age groups, or years of small children",
            hint=f"Say which: --age-codes fairface, or --age-column {YEARS}{column}.",
        )
    code_of = {word: min(age, MAX_AGE + 1) for word, age in years.items()}
    codes = _coded(words.words, code_of)[words.codes]
    too_old = codes > MAX_AGE
    codes[too_old] = -1
    unreadable = (codes < 0) & ~too_old & (words.codes >= 0)
    rejects = (
        *_rejects(rows, unreadable, "age_unreadable"),
        *_rejects(rows, too_old, "age_out_of_range"),
    )
    return AgeColumn(codes, None, rejects, tuple(notes))


def _code_names(name: str) -> tuple[str, ...]:
    if name not in AGE_CODES:
        raise ConfigError(
            f'There are no age codes "{name}"', hint=f"Known: {', '.join(AGE_CODES)}."
        )
    return AGE_CODES[name]


def _coded(words: tuple[str, ...], code_of: dict[str, int]) -> NDArray[np.int16]:
    """Return the code of each word, and -1 behind them for empty cells."""
    return np.array([*(code_of.get(word, -1) for word in words), -1], np.int16)


def _rejects(rows: TableRows, where: NDArray[np.bool_], reason: str) -> tuple[Reject, ...]:
    return tuple(Reject(rows.line(row), reason) for row in np.flatnonzero(where).tolist())


def _named_groups(
    words: Words, rows: TableRows, groups: dict[str, AgeGroup], unsaid: dict[str, int]
) -> AgeColumn:
    """Return the groups of a column that was cleaned, without notes."""
    ordered = sorted({(group.low, group.high, group.name) for group in groups.values()})
    categories = tuple(name for _, _, name in ordered)
    index = {name: code for code, name in enumerate(categories)}
    code_of = {word: index[group.name] for word, group in groups.items()}
    codes = _coded(words.words, code_of)[words.codes]
    rejects = _rejects(rows, (codes < 0) & (words.codes >= 0), "age_unreadable")
    attribute = Attribute(
        "age_bin", categories, codes, "demographic", unsaid=tuple(unsaid.items())
    )
    return AgeColumn(codes, attribute, rejects, ())


def _renaming_notes(
    column: str, groups: dict[str, AgeGroup], counts: dict[str, int]
) -> tuple[str, ...]:
    notes = []
    for word, group in sorted(groups.items()):
        rows = counted(counts[word], "row")
        if group.repaired:
            notes.append(
                f'In the column "{column}" a spreadsheet had made the date "{word}" of the age group '
                f"{group.name} ({rows}); it is read as {group.name}."
            )
        elif word != group.name and not word.isdigit():
            notes.append(
                f'In the column "{column}" the age group "{word}" is called {group.name} here ({rows}).'
            )
    return tuple(notes)
