"""What the codes of well-known sets mean, and explicit maps from the group names of many sets to one scheme.

Every group is written out, none is guessed, and a note says what was lost.

Races: `race3` is RAF-DB's scheme, `race4` that of FairFace's predict.py, `race5` UTKFace's, which counts Latino and Middle
Eastern people among Others, as its description says. Latino, Middle Eastern and Others have no counterpart in `race3` and
`race4`, nor has Indian in `race3`: RAF-DB and predict.py do not say where they put them. `race3_wide` and `race4_wide` are the
other sensible choice, that of the US census until 2020: Middle Eastern people are White, Indians are Asian where the scheme has
no group of their own. Latino has no counterpart there either: the census does not count it as a race.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_audit.dataset.ages import (
    AgeGroup,
    age_bin_names,
    bin_ages,
    parse_age_group,
    parse_years,
)
from fer_audit.dataset.build import seal
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.text import counted, display, encodable, listed, name_some


def _numbered(names: str, *, first: int = 0) -> dict[str, str]:
    return {str(code): name for code, name in enumerate(names.split(", "), start=first)}


CODES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("race", "utkface"): _numbered("White, Black, Asian, Indian, Others"),
    ("gender", "utkface"): _numbered("male, female"),
    ("race", "hf-fairface"): _numbered(
        "East Asian, Indian, Black, White, Middle Eastern, Latino_Hispanic, Southeast Asian"
    ),
    ("gender", "hf-fairface"): _numbered("Male, Female"),
    ("race", "fairface"): _numbered(
        "White, Black, Latino_Hispanic, East Asian, Southeast Asian, Indian, Middle Eastern"
    ),
    ("gender", "fairface"): _numbered("Male, Female"),
    ("race", "raf-db"): _numbered("Caucasian, African-American, Asian"),
    ("gender", "raf-db"): _numbered("Male, Female, unsure"),
    ("expression", "raf-db"): _numbered(
        "Surprise, Fear, Disgust, Happiness, Sadness, Anger, Neutral", first=1
    ),
    ("expression", "fer2013"): _numbered("Angry, Disgust, Fear, Happy, Sad, Surprise, Neutral"),
    ("expression", "affectnet"): _numbered(
        "Neutral, Happiness, Sadness, Surprise, Fear, Disgust, Anger, Contempt, None, Uncertain, No-Face"
    ),
    ("expression", "expw"): _numbered("angry, disgust, fear, happy, sad, surprise, neutral"),
}
"""(attribute, list) -> {code: name}, as the sets themselves number their groups; `fairface` is the order of predict.py."""


def code_names(attribute: str, names: Sequence[tuple[str, str]]) -> Mapping[str, str] | None:
    """Return what --names says of an attribute: {code: name}, from a known list or from "0:White,1:Black".

    Raises ConfigError for a list that is not known.
    """
    text = next((text for name, text in names if name == attribute), None)
    if text is None or (attribute, text) in CODES:
        return None if text is None else CODES[attribute, text]
    if ":" in text:
        pairs = (each.partition(":") for each in text.split(","))
        return {code.strip(): group.strip() for code, _, group in pairs}
    known = ", ".join(each for about, each in CODES if about == attribute) or "none"
    raise ConfigError(
        f'There is no list "{text}" of codes for {attribute}',
        hint=f"Known: {known}; or write --names {attribute}=0:NAME,1:NAME.",
    )


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
        targets = {name: target for target, names in self.sources.items() for name in names}
        return {**targets, **dict.fromkeys(self.without)}[fold(group)]


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
    return re.sub(r"[\s_-]+", "", group).casefold()


_SIX = {
    "anger": ("anger", "angry", "an"),
    "disgust": ("disgust", "disgusted", "di"),
    "fear": ("fear", "fearful", "afraid", "fe"),
    "happiness": ("happiness", "happy", "joy", "ha"),
    "sadness": ("sadness", "sad", "sa"),
    "surprise": ("surprise", "surprised", "su"),
}
_NEUTRAL = {"neutral": ("neutral", "neutrality", "ne")}
_CONTEMPT = {"contempt": ("contempt", "contemptuous")}
_WHITE, _BLACK = ("white", "caucasian"), ("black", "african", "africanamerican")
_ASIAN, _INDIAN = ("asian", "eastasian", "southeastasian"), ("indian",)
_MIDDLE_EASTERN, _OTHERS = ("middleeastern",), ("others", "other")
_LATINO = ("latinohispanic", "hispaniclatino", "latino", "hispanic")
_FOUR = {"White": _WHITE, "Black": _BLACK, "Asian": _ASIAN, "Indian": _INDIAN}
_THREE = {"Caucasian": _WHITE, "African-American": _BLACK, "Asian": _ASIAN}
_WIDE_WHITE = (*_WHITE, *_MIDDLE_EASTERN)


def _expressions(name: str, more: Mapping[str, tuple[str, ...]]) -> GroupMap:
    """Return the scheme of the six expressions and `more`; what it lacks of contempt, neutral and calm has no counterpart."""
    left = [
        word
        for each in (_NEUTRAL, _CONTEMPT)
        for to in each
        if to not in more
        for word in each[to]
    ]
    return GroupMap(name, "expression", {**_SIX, **more}, (*left, "calm"))


MAPS: tuple[GroupMap | AgeMap, ...] = (
    _expressions("expression6", {}),
    _expressions("expression7_neutral", _NEUTRAL),
    _expressions("expression7_contempt", _CONTEMPT),
    _expressions("expression8", {**_CONTEMPT, **_NEUTRAL}),
    GroupMap("race3", "race", _THREE, (*_INDIAN, *_MIDDLE_EASTERN, *_LATINO, *_OTHERS)),
    GroupMap(
        *("race3_wide", "race"),
        {**_THREE, "Caucasian": _WIDE_WHITE, "Asian": (*_ASIAN, *_INDIAN)},
        (*_LATINO, *_OTHERS),
    ),
    GroupMap("race4", "race", _FOUR, (*_MIDDLE_EASTERN, *_LATINO, *_OTHERS)),
    GroupMap("race4_wide", "race", {**_FOUR, "White": _WIDE_WHITE}, (*_LATINO, *_OTHERS)),
    GroupMap("race5", "race", {**_FOUR, "Others": (*_OTHERS, *_MIDDLE_EASTERN, *_LATINO)}),
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
    about = {each.attribute for each in MAPS}
    found = []
    for attribute, name in asked:
        known = {x.name: x for x in MAPS if x.attribute == attribute or attribute not in about}
        if name not in known:
            raise ConfigError(
                f'There is no map "{name}" for {attribute}', hint=f"Known: {', '.join(known)}."
            )
        found.append((attribute, known[name]))
    return tuple(found)


def with_maps(dataset: FaceDataset, maps: Sequence[tuple[str, GroupMap | AgeMap]]) -> FaceDataset:
    """Return the dataset with one more attribute for each (attribute, map), named as the map; the originals stay.

    Raises ConfigError when the set has no such attribute, already has one of the map's name, or none of its groups is in the map.
    """
    if not maps:
        return dataset
    found = {each.name: each for each in dataset.attributes}
    notes = []
    for name, scheme in maps:
        if name not in [each.name for each in dataset.attributes]:
            raise ConfigError(
                f"--map names {name!r}, which is no attribute of {dataset.name}",
                hint=f"It has {', '.join(map(encodable, found)) or 'none'}.",
            )
        if scheme.name in found:
            raise ConfigError(
                f"{dataset.name} already has an attribute called {scheme.name}",
                hint="Give each --map once, or call the column otherwise: --group NAME=COLUMN.",
            )
        found[scheme.name], note = _mapped(dataset, found[name], scheme)
        notes.append(
            f"{scheme.name} is {encodable(display(name))} under the map of that name{note}."
        )
    attributes = tuple(found.values())
    return seal(replace(dataset, attributes=attributes, notes=(*dataset.notes, *notes)))


def _mapped(
    dataset: FaceDataset, attribute: Attribute, scheme: GroupMap | AgeMap
) -> tuple[Attribute, str]:
    """Return the attribute in the groups of a scheme, and how the note about it goes on."""
    new = replace(attribute, name=scheme.name, mapped_from=attribute.name)
    years = dataset.ages if attribute.name == scheme.attribute else None
    if isinstance(scheme, AgeMap) and years is not None:
        codes = bin_ages(years, scheme.lower_ends).codes
        return replace(new, categories=scheme.groups, codes=codes), ", made from the ages in years"
    targets = {}
    for group in attribute.categories:
        try:
            targets[group] = scheme.target(group)
        except KeyError:
            continue
    if not targets:
        raise ConfigError(
            f"No group of {encodable(attribute.name)} is in the map {scheme.name}: "
            f"{name_some(attribute.categories)}",
            hint=f"Codes are named first: --names {encodable(attribute.name)}=0:NAME,1:NAME.",
        )
    groups = tuple(group for group in scheme.groups if group in targets.values())
    table = [groups.index(to) if (to := targets.get(x)) else -1 for x in attribute.categories]
    codes = np.array([*table, -1], np.int16)[attribute.codes]
    losses = "; ".join(_losses(attribute, scheme, targets)) or "no group is lost in it"
    return replace(new, categories=groups, codes=codes), f": {losses}"


def _losses(
    attribute: Attribute, scheme: GroupMap | AgeMap, targets: Mapping[str, str | None]
) -> list[str]:
    """Return phrases: groups that became one, that are called otherwise, that are left out; only of those with images."""
    counts = dict(zip(attribute.categories, attribute.counts().tolist(), strict=True))
    there = [group for group in attribute.categories if counts[group]]
    phrases = []
    for target in scheme.groups:
        names = [group for group in there if targets.get(group) == target]
        if len(names) > 1:
            phrases.append(f"{name_some(names, limit=8)} are one group, {target}")
        elif names and fold(names[0]) != fold(target):
            phrases.append(f"{name_some(names)} is {target}")
    no_single = isinstance(scheme, AgeMap)
    fate = "in no single group of it" if no_single else "without a counterpart in it"
    for names, why in (
        ([group for group in there if group in targets and targets[group] is None], fate),
        ([group for group in there if group not in targets], "not in the map"),
    ):
        if names:
            n = counted(sum(counts[group] for group in names), "image")
            verb = "is" if len(names) == 1 else "are"
            phrases.append(f"{name_some(names, limit=8)} ({n}) {verb} {why}, and not annotated")
    if empty := [group for group in scheme.groups if group not in targets.values()]:
        phrases.append(f"no group of this set is {listed(empty, 'or')}")
    return phrases
