"""Class folders: `happy/1.jpg`, or `train/happy/1.jpg`; the last folder is the class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from fer_audit.config import DatasetSettings
from fer_audit.dataset.build import make_dataset
from fer_audit.dataset.categories import encode_attribute
from fer_audit.dataset.formats.registry import Match
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.types import Attribute, FaceDataset, Kind, Reject
from fer_audit.text import counted, encodable

_EXPRESSIONS = (  # noqa: SIM905 - words read better as words
    "anger angry contempt contemptuous disgust disgusted fear fearful happiness happy joy calm "
    "neutral neutrality sad sadness surprise surprised an di fe ha ne sa su"
).split()
_SPLITS = (  # noqa: SIM905 - words read better as words
    "train training trainset val valid validation dev test testing testset publictest privatetest"
).split()

_NUMBERING = re.compile("^[0-9]+[ ._-]*|[ ._-]*[0-9]+$")


def sniff(given: DatasetPath, settings: DatasetSettings) -> Match:
    """Return FALLBACK for a folder: it may have no labels at all."""
    return Match.FALLBACK if given.is_folder else Match.NO


def read(given: DatasetPath, settings: DatasetSettings) -> FaceDataset:
    """Return the dataset that the folders of the images describe.

    The last folder is the class. Folders above it become the batch attribute "split" when all of the top-level
    ones are called train, test, val or similar, else "folder". Folders that every image shares say nothing.
    """
    listing = given.images_without_columns(settings, form="folder")
    folders = drop_shared_folders([file_id.split("/")[:-1] for file_id in listing.ids])
    depth = max(map(len, folders), default=0)
    tops = {parts[0] for parts in folders if parts}
    by_split = bool(tops) and all(is_split(top) for top in tops)
    levels_above = 1 if by_split or depth > 1 else 0
    attributes: list[Attribute] = []
    notes: list[str] = []
    rejects: list[Reject] = []

    def add(attribute_name: str, words: Sequence[str | None], kind: Kind) -> None:
        try:
            attributes.append(encode_attribute(attribute_name, words, kind))
        except ValueError as exc:
            notes.append(f"The folders are not read as a {attribute_name}: {exc}.")

    if depth > (1 if by_split else 0):
        classes = [_class_of(parts, above_is_split=by_split) for parts in folders]
        add(_class_attribute_name({c for c in classes if c is not None}), classes, "label")
        rejects = [
            Reject(file_id, "no_class_folder")
            for file_id, word in zip(listing.ids, classes, strict=True)
            if word is None
        ]
    else:
        notes.append(
            "No folder names a class, so there are no labels: only clusters can be shown. "
            "Give a table of labels, or put the images into class folders."
        )
    if levels_above:
        top_words = [encodable(parts[0]) if parts else None for parts in folders]
        add("split" if by_split else "folder", top_words, "batch")
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
        form="folder",
    )


def drop_shared_folders(folders: Sequence[list[str]]) -> list[list[str]]:
    """Return the folder parts of each image without the leading ones that all images share.

    The last folder stays, it may be the only class, and so does a split: `train/` alone is still a split.
    """
    kept = list(folders)
    while (
        kept
        and min(map(len, kept)) > 1
        and len({parts[0] for parts in kept}) == 1
        and not is_split(kept[0][0])
    ):
        kept = [parts[1:] for parts in kept]
    return kept


def is_split(folder: str) -> bool:
    """Whether a folder is called like a part of a benchmark: train, val, test, ..."""
    return re.sub("[^a-z]", "", folder.lower()) in _SPLITS


def is_expression(folder: str) -> bool:
    """Whether a folder is called like a facial expression; numbering such as "0_angry" does not matter."""
    return _NUMBERING.sub("", folder.lower()) in _EXPRESSIONS


def _class_of(parts: Sequence[str], *, above_is_split: bool) -> str | None:
    """Return the class folder of one image, None when it is in none."""
    if len(parts) <= (1 if above_is_split else 0):
        return None
    return encodable(parts[-1])


def _class_attribute_name(classes: Iterable[str]) -> str:
    """Return "expression" when most of the class names are words for expressions, else "class"."""
    known = [is_expression(word) for word in classes]
    return "expression" if 2 * sum(known) > len(known) else "class"
