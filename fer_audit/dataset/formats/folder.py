"""Class folders: `happy/1.jpg`, or `train/happy/1.jpg`; the last folder that can be a class is the class."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.names import is_container, is_expression, is_split
from fer_audit.dataset.table.words import Words, encode_attribute
from fer_audit.dataset.types import Attribute, FaceDataset, Kind, Reject
from fer_audit.text import counted, encodable, name_some


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return FALLBACK for a folder: it may have no labels at all."""
    return Match.FALLBACK if given.is_folder else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the folders of the images describe.

    Folders named like a container and those that every image shares say nothing. One named train, test, val or similar
    is the attribute "split". Of the others the last is the class, if there are at least two;
    the first, where it is another one, is the batch attribute "folder".
    """
    listing = given.images_without_columns(settings)
    above = Words.of(file_id.rpartition("/")[0] for file_id in listing.ids)
    paths = [path.split("/") if path else [] for path in above.words]
    splits = [next(filter(is_split, parts), None) for parts in paths]
    folders = [[part for part in parts if not is_container(part)] for parts in paths]
    levels = zip(*folders, strict=False)
    shared = len([*takewhile(lambda names: len(set(names)) == 1, levels)])
    folders = [parts[shared:] for parts in folders]  # without those that all images share
    classes = [parts[-1] if parts else None for parts in folders]
    tops = [parts[0] if len(parts) > 1 else None for parts in folders]
    attributes: list[Attribute] = []
    notes: list[str] = []
    rejects: list[Reject] = []

    def add(attribute_name: str, words: Sequence[str | None], kind: Kind) -> None:
        try:
            shown = Words.of(None if word is None else encodable(word) for word in words)
            attributes.append(encode_attribute(attribute_name, shown.take(above.codes), kind))
        except ValueError as exc:
            notes.append(f"The folders are not read as a {attribute_name}: {exc}.")

    names = {name for name in classes if name is not None}
    if len(names) > 1:
        known = sum(map(is_expression, names))
        add("expression" if 2 * known > len(names) else "class", classes, "label")
        outside = np.array([word is None for word in classes])[above.codes]
        rejects = [
            Reject(listing.ids[row], "no_class_folder") for row in np.flatnonzero(outside).tolist()
        ]
    else:
        only = f" (every class folder is {name_some([*names])})" if names else ""
        notes.append(
            f"The folders do not sort the images into classes{only}, so there are no labels: only clusters can be "
            "shown. Give a table of labels, or put the images into class folders."
        )
    if any(splits):
        add("split", splits, "split")
    if any(tops):
        add("folder", tops, "batch")
    if rejects:
        notes.append(f"{counted(len(rejects), 'image is', 'images are')} in no class folder.")
    source = (
        "The class folders' names; who sorted the images is not stated."
        if any(a.kind == "label" for a in attributes)
        else "There are no labels."
    )
    return make_dataset(
        given,
        listing.source(),
        listing.ids,
        attributes,
        rejects=rejects,
        notes=notes,
        label_source=source,
    )
