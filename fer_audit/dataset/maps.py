"""Explicit maps from the group names of many sets to one scheme; every group is written out, none is guessed.

Races: `race3` is RAF-DB's scheme, `race4` that of FairFace's predict.py, `race5` UTKFace's, which counts Latino and Middle
Eastern people among Others, as its description says. Latino, Middle Eastern and Others have no counterpart in `race3` and
`race4`, nor has Indian in `race3`: RAF-DB and predict.py do not say where they put them. `race3_wide` and `race4_wide` are the
other sensible choice, that of the US census until 2020: Middle Eastern people are White, Indians are Asian where the scheme has
no group of their own. Latino has no counterpart there either: the census does not count it as a race.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fer_audit.dataset.ages import AgeGroup, age_bin_names, parse_age_group, parse_years
from fer_audit.errors import ConfigError

_BETWEEN = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True)
class GroupMap:
    """A scheme of groups, and which group of it a group of another set is."""

    name: str
    attribute: str
    """What its groups are groups of: expression, race, age_bin or gender."""
    sources: Mapping[str, tuple[str, ...]]
    """Group of the scheme, in its order -> the names that mean it, folded."""
    without: tuple[str, ...] = ()
    """Names, folded, of groups that have no counterpart in the scheme."""

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the groups of the scheme."""
        return tuple(self.sources)

    def target(self, group: str) -> str | None:
        """Return the group of the scheme that a set's group is, None when it has no counterpart; KeyError if it is not here."""
        name = fold(group)
        if name in self.without:
            return None
        for target, names in self.sources.items():
            if name in names:
                return target
        raise KeyError(group)


@dataclass(frozen=True, slots=True)
class AgeMap:
    """A scheme of age groups."""

    name: str
    lower_ends: tuple[int, ...]
    """Youngest age of each group in years, ascending from 0."""
    attribute: str = "age_bin"

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the groups of the scheme."""
        return age_bin_names(self.lower_ends)

    def target(self, group: str) -> str | None:
        """Return the group of the scheme in which a whole age group lies, None when it lies in several.

        Raises KeyError for what is no age group.
        """
        years = parse_years(group)
        ages = parse_age_group(group) if years is None else AgeGroup(years, years)
        if ages is None:
            raise KeyError(group)
        low, high = (sum(end <= age for end in self.lower_ends) - 1 for age in ages[:2])
        return self.groups[low] if low == high else None


def fold(group: str) -> str:
    """Return a group's name in lower case without spaces, "_" and "-": names that agree in it are one group."""
    return _BETWEEN.sub("", group).casefold()


_SIX = {
    "anger": ("anger", "angry", "an"),
    "disgust": ("disgust", "disgusted", "di"),
    "fear": ("fear", "fearful", "afraid", "fe"),
    "happiness": ("happiness", "happy", "joy", "ha"),
    "sadness": ("sadness", "sad", "sa"),
    "surprise": ("surprise", "surprised", "su"),
}
_NEUTRAL = ("neutral", "neutrality", "ne")
_CONTEMPT = ("contempt", "contemptuous")
_CALM = ("calm",)
_WHITE, _BLACK = ("white", "caucasian"), ("black", "african", "africanamerican")
_ASIAN, _INDIAN = ("asian", "eastasian", "southeastasian"), ("indian",)
_MIDDLE_EASTERN = ("middleeastern",)
_LATINO = ("latinohispanic", "hispaniclatino", "latino", "hispanic")
_OTHERS = ("others", "other")

MAPS: tuple[GroupMap | AgeMap, ...] = (
    GroupMap("expression6", "expression", _SIX, (*_NEUTRAL, *_CONTEMPT, *_CALM)),
    GroupMap(
        "expression7_neutral", "expression", {**_SIX, "neutral": _NEUTRAL}, (*_CONTEMPT, *_CALM)
    ),
    GroupMap(
        "expression7_contempt", "expression", {**_SIX, "contempt": _CONTEMPT}, (*_NEUTRAL, *_CALM)
    ),
    GroupMap(
        *("expression8", "expression"),
        {**_SIX, "contempt": _CONTEMPT, "neutral": _NEUTRAL},
        _CALM,
    ),
    GroupMap(
        *("race3", "race"),
        {"Caucasian": _WHITE, "African-American": _BLACK, "Asian": _ASIAN},
        (*_INDIAN, *_MIDDLE_EASTERN, *_LATINO, *_OTHERS),
    ),
    GroupMap(
        *("race3_wide", "race"),
        {
            "Caucasian": (*_WHITE, *_MIDDLE_EASTERN),
            "African-American": _BLACK,
            "Asian": (*_ASIAN, *_INDIAN),
        },
        (*_LATINO, *_OTHERS),
    ),
    GroupMap(
        *("race4", "race"),
        {"White": _WHITE, "Black": _BLACK, "Asian": _ASIAN, "Indian": _INDIAN},
        (*_MIDDLE_EASTERN, *_LATINO, *_OTHERS),
    ),
    GroupMap(
        *("race4_wide", "race"),
        {
            "White": (*_WHITE, *_MIDDLE_EASTERN),
            "Black": _BLACK,
            "Asian": _ASIAN,
            "Indian": _INDIAN,
        },
        (*_LATINO, *_OTHERS),
    ),
    GroupMap(
        *("race5", "race"),
        {
            "White": _WHITE,
            "Black": _BLACK,
            "Asian": _ASIAN,
            "Indian": _INDIAN,
            "Others": (*_OTHERS, *_MIDDLE_EASTERN, *_LATINO),
        },
    ),
    AgeMap("age5", (0, 4, 20, 40, 70)),
    AgeMap("age9", (0, 3, 10, 20, 30, 40, 50, 60, 70)),
)
"""Expressions: `expression7_neutral` is FER2013's and RAF-DB's scheme, `expression7_contempt` CK+48's, `expression8` that of
AffectNet and FER+. Ages: `age5` is RAF-DB's, `age9` FairFace's."""

GENDER = GroupMap(
    *("gender2", "gender"),
    {"male": ("male", "man", "m"), "female": ("female", "woman", "f")},
    ("unsure", "unknown"),
)
"""How tables of predictions call it; the sets that are read agree, so --map does not have it."""


def chosen_maps(
    asked: Sequence[Sequence[str]],
) -> tuple[tuple[str, GroupMap | AgeMap], ...]:
    """Return (attribute, map) of each (attribute, name of a map).

    An attribute may have a name that no map is about, e.g. ethnicity. Raises ConfigError for a map that is not known, or that is
    about another attribute.
    """
    by_name = {each.name: each for each in MAPS}
    about = {each.attribute for each in MAPS}
    found = []
    for attribute, name in asked:
        fitting = by_name.get(name)
        if fitting is None or fitting.attribute != attribute in about:
            known = [x.name for x in MAPS if x.attribute == attribute or attribute not in about]
            raise ConfigError(
                f'There is no map "{name}" for {attribute}', hint=f"Known: {', '.join(known)}."
            )
        found.append((attribute, fitting))
    return tuple(found)
