"""Which label column says what a model should have said, and which of its groups is which class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.models import NamedCount
from fer_audit.classify.types import Predictions
from fer_audit.dataset.maps import MAPS, GroupMap, fold
from fer_audit.dataset.types import Attribute

LEAST_CLASSES = 2
"""Classes that a label column must share with a model to be its truth."""


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """True labels in a model's classes."""

    attribute: str
    codes: NDArray[np.int64]
    """(n,) class of the true label; -1 = not labelled, or a label that is no class."""
    unmapped_labels: tuple[NamedCount, ...]
    unmapped_classes: tuple[str, ...]


def meanings(names: Sequence[str], about: str) -> list[str]:
    """Return what each name means, so that "Happy" of one scheme is "happiness" of another.

    By the widest explicit map of what is predicted; a name that the map does not know, or that shares its meaning with
    another of these, means itself.
    """
    maps = [each for each in MAPS if isinstance(each, GroupMap) and each.attribute == about]
    widest = max(maps, key=lambda each: len(each.groups), default=None)
    found = []
    for name in names:
        try:
            found.append((widest.target(name) if widest else None) or fold(name))
        except KeyError:
            found.append(fold(name))
    return [
        each if found.count(each) == 1 else fold(name)
        for each, name in zip(found, names, strict=True)
    ]


def in_classes(names: Sequence[str], classes: Sequence[str], about: str) -> NDArray[np.int64]:
    """Return the (names,) class of each name, -1 for none."""
    means = meanings(classes, about)
    wanted = meanings(names, about)
    return np.array([means.index(x) if x in means else -1 for x in wanted], np.int64)


def truth_of(said: Predictions, columns: Sequence[Attribute]) -> Truth | None:
    """Return the true labels: of the column named after what is predicted, else of the label column with most of its classes.

    Labels that another model made are none. None where no column shares two classes with the model.
    """
    best: tuple[tuple[bool, int], Attribute, NDArray[np.int64]] | None = None
    for each in columns:
        if (each.kind != "label" and each.name != said.about) or each.source == "predicted":
            continue
        mapped = in_classes(each.categories, said.classes, said.about)
        rank = (each.name == said.about, len(np.unique(mapped[mapped >= 0])))
        if rank[1] >= LEAST_CLASSES and (best is None or rank > best[0]):
            best = rank, each, mapped
    if best is None:
        return None
    _, column, mapped = best
    counts = column.counts()
    codes = np.where(column.codes >= 0, np.append(mapped, -1)[column.codes], -1)
    return Truth(
        attribute=column.name,
        codes=codes,
        unmapped_labels=tuple(
            NamedCount(name, int(count))
            for name, to, count in zip(column.categories, mapped, counts, strict=True)
            if to < 0 and count
        ),
        unmapped_classes=tuple(name for at, name in enumerate(said.classes) if at not in codes),
    )
