"""From the words of a column to groups: words for missing left out, spellings of one group brought together."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fer_audit.dataset.categories import MAX_CATEGORIES, natural_key
from fer_audit.dataset.table.words import Words
from fer_audit.dataset.types import Attribute, Kind, Source
from fer_audit.text import counted, encodable, name_some, whole

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
    groups = tuple(sorted(cells.counts(), key=natural_key))
    if len(groups) > MAX_CATEGORIES:
        raise ValueError(
            f"{name} has {whole(len(groups))} values, at most {whole(MAX_CATEGORIES)} are possible"
        )
    if kind in ("demographic", "label") and all(_CODE.fullmatch(group) for group in groups):
        notes.append(
            f'The groups of "{encodable(column)}" are codes ({name_some(groups)}), and nothing here says what they '
            f"mean; name them: --names {encodable(name)}={groups[0]}:NAME,..."
        )
    notes += missing_notes(column, unsaid)
    index = {group: code for code, group in enumerate(groups)}
    table = np.array([*(index.get(word, -1) for word in cells.words), -1], np.int16)
    codes = table[cells.codes]
    return Labels(
        Attribute(name, groups, codes, kind, source, tuple(unsaid.items())), tuple(notes)
    )


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
