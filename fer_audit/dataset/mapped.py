"""Attributes of a dataset in the groups of another scheme: added to the set, with a sentence on what was lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fer_audit.dataset.ages import bin_ages
from fer_audit.dataset.build import seal
from fer_audit.dataset.maps import AgeMap, GroupMap, fold
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.errors import ConfigError
from fer_audit.text import counted, display, encodable, listed, name_some

_NAMED = 8
"""Groups that a note names."""


def with_maps(dataset: FaceDataset, maps: Sequence[tuple[str, GroupMap | AgeMap]]) -> FaceDataset:
    """Return the dataset with one more attribute for each (attribute, map), named as the map; the originals stay.

    Raises ConfigError when the set has no such attribute, already has one of the map's name, or none of its groups is in the map.
    """
    found = list(dataset.attributes)
    notes = []
    for name, scheme in maps:
        names = [each.name for each in found]
        if name not in [each.name for each in dataset.attributes]:
            raise ConfigError(
                f"--map names {name!r}, which is no attribute of {dataset.name}",
                hint=f"It has {', '.join(map(encodable, names)) or 'none'}.",
            )
        if scheme.name in names:
            raise ConfigError(
                f"{dataset.name} already has an attribute called {scheme.name}",
                hint="Give each --map once, or call the column otherwise: --group NAME=COLUMN.",
            )
        attribute, note = _mapped(dataset, dataset.attribute(name), scheme)
        found.append(attribute)
        notes.append(note)
    if not maps:
        return dataset
    return seal(replace(dataset, attributes=tuple(found), notes=(*dataset.notes, *notes)))


def _mapped(
    dataset: FaceDataset, attribute: Attribute, scheme: GroupMap | AgeMap
) -> tuple[Attribute, str]:
    """Return the attribute in the groups of a scheme, and the note about it."""
    about = f"{scheme.name} is {encodable(display(attribute.name))} under the map of that name"
    if (
        isinstance(scheme, AgeMap)
        and dataset.ages is not None
        and attribute.name == scheme.attribute
    ):
        codes = bin_ages(dataset.ages, scheme.lower_ends).codes
        new = replace(attribute, name=scheme.name, categories=scheme.groups, codes=codes)
        return replace(new, mapped_from=attribute.name), f"{about}, made from the ages in years."
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
    return (
        replace(
            attribute,
            name=scheme.name,
            categories=groups,
            codes=np.array([*table, -1], np.int16)[attribute.codes],
            mapped_from=attribute.name,
        ),
        f"{about}: {'; '.join(_losses(attribute, scheme, targets)) or 'no group is lost in it'}.",
    )


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
            phrases.append(f"{name_some(names, limit=_NAMED)} are one group, {target}")
        elif names and fold(names[0]) != fold(target):
            phrases.append(f"{name_some(names)} is {target}")
    fate = (
        "in no single group of it" if isinstance(scheme, AgeMap) else "without a counterpart in it"
    )
    for names, why in (
        ([group for group in there if group in targets and targets[group] is None], fate),
        ([group for group in there if group not in targets], "not in the map"),
    ):
        if names:
            n = counted(sum(counts[group] for group in names), "image")
            verb = "is" if len(names) == 1 else "are"
            phrases.append(
                f"{name_some(names, limit=_NAMED)} ({n}) {verb} {why}, and not annotated"
            )
    if empty := [group for group in scheme.groups if group not in targets.values()]:
        phrases.append(f"no group of this set is {listed(empty, 'or')}")
    return phrases
