"""From the words of a column to groups and ages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import AGE_BINS, DatasetSettings
from fer_audit.dataset.ages import MAX_AGE, AgeGroup, age_bin_names, parse_age_group, parse_years
from fer_audit.dataset.table.columns import YEARS
from fer_audit.dataset.table.file import TableRows
from fer_audit.dataset.table.words import Words, encode_attribute, natural_key
from fer_audit.dataset.types import Attribute, Kind, Reject, Source
from fer_audit.errors import ConfigError
from fer_audit.text import counted, encodable, name_some

MISSING = frozenset(
    (
        *("na", "n/a", "nan", "none", "null", "unknown", "unsure", "-1", "?"),
        *("prefer not to say", "not annotated", "missing", "undefined", "uncertain", "no-face"),
    )
)
"""Words that say that nothing is known, in lower case; in a subject column they are names."""
MISSING_PEOPLE = MISSING | {"u"}
"""The same for groups of people: an unknown gender is often a u."""

_MEN, _WOMEN = frozenset(("m", "male", "man")), frozenset(("f", "female", "woman"))
_GENDER = frozenset(("gender", "sex"))
_CODE = re.compile(r"-?[0-9]+")
_BETWEEN = re.compile(r"[\s_-]+")


class Labels(NamedTuple):
    """An attribute out of a column, and what is to be said of it."""

    attribute: Attribute
    notes: tuple[str, ...]


def clean(words: Words, *, missing: frozenset[str] = MISSING) -> tuple[Words, dict[str, int]]:
    """Return a column without the spaces around its words and without words for missing, and the counts of those."""
    stripped = words.mapped(lambda word: word.strip() or None)
    unsaid = {word: count for word, count in stripped.counts().items() if word.lower() in missing}
    return stripped.mapped(lambda word: None if word.lower() in missing else word), unsaid


def missing_notes(column: str, unsaid: Mapping[str, int]) -> list[str]:
    """Return the sentence about words for missing, {word: rows}, if there are any."""
    said = ", ".join(f'"{encodable(word)}" {counted(n, "time")}' for word, n in unsaid.items())
    return [f'In the column "{encodable(column)}" not annotated: {said}.'] if said else []


def encode_labels(
    name: str,
    column: str,
    words: Words,
    kind: Kind,
    *,
    source: Source = "annotated",
    names: Mapping[str, str] | None = None,
) -> Labels:
    """Return the attribute of a column.

    Groups that differ only in case, spaces, "_" or "-" are one, as are m, male and man in a column of genders; a note
    lists what was brought together. `names`: what its codes mean; a code without a name stays a code.
    Raises ValueError when no cell holds a label, or there are more groups than a code can count.
    """
    missing = frozenset() if kind in ("subject", "split") else MISSING
    if names:
        words = words.mapped(lambda word: names.get(word.strip(), word))
    cells, unsaid = clean(words, missing=MISSING_PEOPLE if kind == "demographic" else missing)
    counts = cells.counts()
    if not counts:
        raise ValueError("every cell is empty" if not unsaid else "no cell names a group")
    notes = []
    if kind not in ("subject", "split", "batch"):
        group_of, folded = _spellings(counts, is_gender=name.lower() in _GENDER)
        cells = cells.mapped(lambda word: group_of.get(word, word))
        if folded:
            notes.append(f'In the column "{encodable(column)}" {"; ".join(folded)}.')
    attribute = encode_attribute(name, cells, kind, source, tuple(unsaid.items()))
    groups = attribute.categories
    if kind in ("demographic", "label") and all(_CODE.fullmatch(group) for group in groups):
        notes.append(
            f'The groups of "{encodable(column)}" are codes ({name_some(groups)}), and nothing here says what they '
            f"mean; name them: --names {encodable(name)}={groups[0]}:NAME,..."
        )
    return Labels(attribute, (*notes, *missing_notes(column, unsaid)))


def _spellings(counts: Mapping[str, int], *, is_gender: bool) -> tuple[dict[str, str], list[str]]:
    """Return {word: name of its group} of the words that change, and a phrase for each group with several spellings."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for word in counts:
        key = word if _CODE.fullmatch(word) else _BETWEEN.sub(" ", word).strip().casefold()
        if is_gender and key in _MEN | _WOMEN:
            key = "male" if key in _MEN else "female"
        found[key].append(word)
    group_of: dict[str, str] = {}
    phrases = []
    for key, words in found.items():
        best = min(words, key=lambda word: (-counts[word], word.isupper(), natural_key(word)))
        if is_gender and key in ("male", "female") and best.lower() != key:
            whole_words = [word for word in words if word.lower() == key]
            best = min(whole_words, key=lambda word: (-counts[word], word.isupper()), default=key)
        others = sorted((word for word in words if word != best), key=natural_key)
        if others:
            rows = counted(sum(counts[word] for word in others), "row")
            phrases.append(
                f'{name_some(others)} {"is" if len(others) == 1 else "are"} read as "{encodable(best)}" ({rows})'
            )
        group_of |= dict.fromkeys(others, best)
    return group_of, phrases


AGE_CODES = {"fairface": age_bin_names(AGE_BINS)}
"""Lists of age groups by the name of the set that numbers them from 0."""
HIGHEST_CODE = 8
"""Where no age is above this, they are taken for codes."""


class AgeColumn(NamedTuple):
    """What the age column says of n rows."""

    attribute: Attribute
    """The attribute "age_bin"; its codes are years, and it has no groups, where `has_years`."""
    has_years: bool
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
        if settings.age_codes not in AGE_CODES:
            raise ConfigError(
                f'There are no age codes "{settings.age_codes}"',
                hint=f"Known: {', '.join(AGE_CODES)}.",
            )
        names = AGE_CODES[settings.age_codes]
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
        ends = sorted({group[:2] for group in groups.values()})
        names = tuple(AgeGroup(*each).name for each in ends)
        code_of = {word: names.index(group.name) for word, group in groups.items()}
        codes = _coded(words, code_of)
        bad = _rejects(rows, (codes < 0) & (words.codes >= 0), "age_unreadable")
        binned = Attribute("age_bin", names, codes, "demographic", unsaid=tuple(unsaid.items()))
        return AgeColumn(binned, False, bad, (*notes, *_renaming_notes(column, groups, counts)))
    asked = (settings.age_column or "").startswith(YEARS)
    if max(years.values()) <= HIGHEST_CODE and len(set(years.values())) > 1 and not asked:
        raise ConfigError(
            f'Every age in the column "{encodable(column)}" is a number from 0 to {HIGHEST_CODE}: '
            "these may be codes of age groups, or years of small children",
            hint=f"Say which: --age-codes fairface, or --age-column {YEARS}{column}.",
        )
    code_of = {word: min(age, MAX_AGE + 1) for word, age in years.items()}
    codes = _coded(words, code_of)
    too_old = codes > MAX_AGE
    codes[too_old] = -1
    unreadable = (codes < 0) & ~too_old & (words.codes >= 0)
    bad = _rejects(rows, unreadable, "age_unreadable")
    bad += _rejects(rows, too_old, "age_out_of_range")
    return AgeColumn(Attribute("age_bin", (), codes, "demographic"), True, bad, tuple(notes))


def _coded(words: Words, code_of: dict[str, int]) -> NDArray[np.int16]:
    """Return the (n,) codes of the cells, -1 for words without one and for empty cells."""
    table = [*(code_of.get(word, -1) for word in words.words), -1]
    return np.array(table, np.int16)[words.codes]


def _rejects(rows: TableRows, where: NDArray[np.bool_], reason: str) -> tuple[Reject, ...]:
    return tuple(Reject(rows.line(row), reason) for row in np.flatnonzero(where).tolist())


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
