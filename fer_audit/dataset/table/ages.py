"""The age column of a table: years, or age groups, also those that a spreadsheet turned into dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.ages import MAX_AGE, AgeGroup, parse_age_group, parse_years
from fer_audit.dataset.types import Attribute, Reject
from fer_audit.text import counted


@dataclass(frozen=True, slots=True, eq=False)
class AgeColumn:
    """What the age column says of m lines."""

    codes: NDArray[np.int16]
    """(m,) years, or codes of `attribute` when the column holds groups; -1 = not annotated."""
    attribute: Attribute | None
    """The attribute "age_bin" when the column holds groups, None when it holds years."""
    rejects: tuple[Reject, ...]
    """Cells that are no age (age_unreadable) or no human's (age_out_of_range)."""
    notes: tuple[str, ...]


def read_age_column(
    column: str, words: Sequence[str | None], lines: Sequence[str]
) -> AgeColumn | None:
    """Return the ages in m cells, or None when not one cell is an age or an age group.

    A column that mixes the two is what most of its cells are; the other cells are rejected, not converted.
    """
    counts = Counter(word for word in words if word is not None)
    years = {word: age for word in counts if (age := parse_years(word)) is not None}
    groups = {word: group for word in counts if (group := parse_age_group(word)) is not None}
    if not years and not groups:
        return None
    if sum(counts[word] for word in years) > sum(counts[word] for word in groups):
        return _read_years(words, lines, years)
    return _read_groups(column, words, lines, groups, counts)


def _read_years(
    words: Sequence[str | None], lines: Sequence[str], years: dict[str, int]
) -> AgeColumn:
    codes = np.full(len(words), -1, dtype=np.int16)
    rejects = []
    for i, word in enumerate(words):
        if word is None:
            continue
        age = years.get(word)
        if age is None:
            rejects.append(Reject(lines[i], "age_unreadable"))
        elif age > MAX_AGE:
            rejects.append(Reject(lines[i], "age_out_of_range"))
        else:
            codes[i] = age
    return AgeColumn(codes, None, tuple(rejects), ())


def _read_groups(
    column: str,
    words: Sequence[str | None],
    lines: Sequence[str],
    groups: dict[str, AgeGroup],
    counts: Counter[str],
) -> AgeColumn:
    ordered = sorted({(group.low, group.high, group.name) for group in groups.values()})
    categories = tuple(name for _, _, name in ordered)
    index = {name: code for code, name in enumerate(categories)}
    code_of = {word: index[group.name] for word, group in groups.items()}
    codes = np.array([-1 if w is None else code_of.get(w, -1) for w in words], dtype=np.int16)
    rejects = tuple(
        Reject(lines[i], "age_unreadable")
        for i, word in enumerate(words)
        if word is not None and word not in groups
    )
    attribute = Attribute("age_bin", categories, codes, "demographic")
    return AgeColumn(codes, attribute, rejects, _renaming_notes(column, groups, counts))


def _renaming_notes(
    column: str, groups: dict[str, AgeGroup], counts: Counter[str]
) -> tuple[str, ...]:
    notes = []
    for word, group in sorted(groups.items()):
        rows = counted(counts[word], "row")
        if group.repaired:
            notes.append(
                f'In the column "{column}" a spreadsheet had made the date "{word}" of the age group '
                f"{group.name} ({rows}); it is read as {group.name}."
            )
        elif word != group.name:
            notes.append(
                f'In the column "{column}" the age group "{word}" is called {group.name} here ({rows}).'
            )
    return tuple(notes)
