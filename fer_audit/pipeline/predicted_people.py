"""What models say of people where nobody annotated it: attributes of the set, each marked and named as predicted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from fer_audit.classify.types import Predictions, Said
from fer_audit.dataset.ages import bin_ages
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.encoders.types import Head
from fer_audit.text import encodable

ABOUT_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "gender": ("gender", "sex"),
    "race": ("race", "race4", "race7", "ethnicity", "ethnic_group"),
    "age": ("age", "age_bin", "age_group"),
}
"""What is predicted of people -> what sets call it."""


def attribute_name(dataset: FaceDataset, about: str, *, is_number: bool) -> str:
    """Return the attribute that predictions become, "" where the set says it itself or they are not about people."""
    has = {each.name for each in dataset.attributes} | {what for what, _ in dataset.facts}
    if dataset.ages is not None:
        has.add("age")
    if about not in ABOUT_PEOPLE or has.intersection(ABOUT_PEOPLE[about]):
        return ""
    name = f"predicted_{about}_bin" if is_number else f"predicted_{about}"
    return "" if name in has else name  # of several models the first


def to_come(dataset: FaceDataset, heads: Iterable[Head]) -> FaceDataset:
    """Return the set with an attribute, still without a label, for each that predictions will become."""
    none = np.full(len(dataset), -1, np.int16)
    for head in heads:
        if name := attribute_name(dataset, head.name, is_number=not head.classes):
            new = Attribute(name, head.classes, none, "demographic", "predicted")
            dataset = replace(dataset, attributes=(*dataset.attributes, new))
    return dataset


def with_predicted(
    dataset: FaceDataset, said: Sequence[Said], age_bins: Sequence[int]
) -> tuple[FaceDataset, tuple[Predictions, ...]]:
    """Return the set with the attributes that were predicted of people, and the predictions that did not become one.

    Its fingerprint stays: that of what the files say. Numbers are ages in years, binned.
    """
    others = []
    for each in said:
        is_number = not isinstance(each, Predictions)
        name = attribute_name(dataset, each.about, is_number=is_number)
        if not name:
            others += [each] if isinstance(each, Predictions) else []
            continue
        if isinstance(each, Predictions):
            new = Attribute(name, each.classes, each.codes, "demographic", "predicted")
        else:
            years = np.where(each.ok, each.values.clip(0, 120), -1).astype(np.int16)
            new = replace(bin_ages(years, age_bins, "predicted"), name=name)
        note = f"{name} is what {encodable(each.by.name)} says of each image; nobody annotated it."
        dataset = replace(
            dataset, attributes=(*dataset.attributes, new), notes=(*dataset.notes, note)
        )
    return dataset, tuple(others)
