"""A dataset from a listing and its labels: read-only arrays, and a fingerprint of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.given import DatasetPath
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.dataset.types import (
    Attribute,
    FaceDataset,
    ReferenceCounts,
    Reject,
    SoftLabels,
)
from fer_audit.errors import ConfigError, DatasetError
from fer_audit.rng import stage_rng
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.text import counted, name_some, visible, whole

_Scalar = TypeVar("_Scalar", bound=np.generic)


def make_dataset(
    given: DatasetPath,
    source: ImageSource,
    ids: Sequence[str],
    attributes: Sequence[Attribute],
    *,
    label_source: str,
    ages: NDArray[np.int16] | None = None,
    soft: Sequence[SoftLabels] = (),
    rejects: Iterable[Reject] = (),
    notes: Iterable[str] = (),
    facts: Sequence[tuple[str, str]] = (),
    skipped: Sequence[tuple[str, int]] = (),
    taken: NDArray[np.int64] | None = None,
    read: Iterable[str] = (),
    is_whole: bool = True,
) -> FaceDataset:
    """Return the dataset of n images and their labels; row i of everything is `ids[i]`.

    `read`: POSIX paths, below the root, of the label files that were read; the notes begin with those that were not.
    `is_whole`: False when a part of a file could not be read, as `FaceDataset.whole` says of folders.
    """
    unread, listing_notes = given.notes(read)
    dataset = FaceDataset(
        name=given.name,
        root=given.root,
        source=source,
        ids=tuple(ids),
        attributes=tuple(attributes),
        ages=ages,
        rejects=tuple(rejects),
        notes=(*unread, *notes, *listing_notes),
        label_source=label_source,
        parent=None,
        fingerprint="",
        whole=is_whole and given.is_whole,
        soft=tuple(soft),
        facts=tuple(facts),
        skipped=tuple((why, n) for why, n in skipped if n),
        taken=taken,
    )
    return seal(dataset)


def take_only(dataset: FaceDataset, settings: DatasetSettings) -> FaceDataset:
    """Return the images whose ids the file of --only names, as they are or as a list writes them; all where there is none.

    Raises ConfigError when the file cannot be read, DatasetError when it names no image of the set.
    """
    if settings.only is None:
        return dataset
    try:
        lines = Path(settings.only).read_bytes().splitlines()
    except OSError as exc:
        raise ConfigError(f"Cannot read --only {settings.only}: {exc.strerror}") from exc
    wanted = {visible(os.fsdecode(line)) for line in lines if line}
    names = [visible(file_id) for file_id in dataset.ids]
    rows = np.flatnonzero([name in wanted for name in names])
    if not len(rows):
        raise DatasetError(
            f"--only {settings.only} names no image of {dataset.name}",
            hint=f"One id a line, such as {name_some(names[:1])}.",
        )
    unknown = sorted(wanted.difference(names))
    note = (
        f"These are the {whole(len(rows))} of {counted(len(dataset), 'image')} that a list names."
    )
    if unknown:
        note += f" {counted(len(unknown), 'name')} of it {'is' if len(unknown) == 1 else 'are'} of no image: {name_some(unknown)}."
    chosen = seal(replace(_take_rows(dataset, rows, note), parent=None))
    return replace(chosen, drawn_from=(dataset, rows))


def take_subset(dataset: FaceDataset, settings: DatasetSettings, *, seed: int) -> FaceDataset:
    """Return the images that --first or --sample ask for, or the dataset itself when neither does.

    The subset remembers the demographic counts of the whole set as its parent.
    """
    n = len(dataset)
    wanted = settings.first or settings.sample or n
    if wanted >= n:
        return dataset
    rows, how = np.arange(wanted), "the first in file order"
    if not settings.first:
        rng = stage_rng(seed, "dataset", "sample")
        rows = np.sort(rng.choice(n, size=wanted, replace=False))
        how = f"a uniform sample drawn with seed {seed}"
    note = (
        f"These are {whole(wanted)} of {counted(n, 'image')}, {how}; "
        "the notes on file names are about the whole set."
    )
    return seal(_take_rows(dataset, rows, note))


def _take_rows(dataset: FaceDataset, rows: NDArray[np.intp], note: str) -> FaceDataset:
    """Return some rows; the subset remembers the demographic counts of the whole set as its parent."""
    ids = tuple(dataset.ids[i] for i in rows.tolist())
    left_out = set(dataset.ids).difference(ids)
    counts = tuple(
        (a.name, tuple(zip(a.categories, a.counts().tolist(), strict=True)))
        for a in dataset.attributes
        if a.kind == "demographic"
    )
    return replace(
        dataset,
        ids=ids,
        source=dataset.source.take(rows),
        attributes=tuple(replace(a, codes=a.codes[rows]) for a in dataset.attributes),
        soft=tuple(replace(each, votes=each.votes[rows]) for each in dataset.soft),
        ages=None if dataset.ages is None else dataset.ages[rows],
        taken=None if dataset.taken is None else dataset.taken[rows],
        weights=None if dataset.weights is None else dataset.weights[rows],
        rejects=tuple(r for r in dataset.rejects if r.item not in left_out),
        notes=(note, *dataset.notes),
        parent=ReferenceCounts(dataset.name, counts),
        drawn_from=None,
    )


def seal(dataset: FaceDataset) -> FaceDataset:
    """Return the dataset with read-only arrays and its fingerprint."""
    sealed = replace(
        dataset,
        attributes=tuple(replace(a, codes=_frozen(a.codes)) for a in dataset.attributes),
        ages=None if dataset.ages is None else _frozen(dataset.ages),
        taken=None if dataset.taken is None else _frozen(dataset.taken),
        weights=None if dataset.weights is None else _frozen(dataset.weights),
        soft=tuple(replace(each, votes=_frozen(each.votes)) for each in dataset.soft),
    )
    return replace(sealed, fingerprint=_fingerprint(sealed))


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


def _fingerprint(dataset: FaceDataset) -> str:
    """Return the sha256 over files and labels; the place of the folder does not matter."""
    return stage_fingerprint(
        "dataset",
        {
            "images": dataset.images_digest(),
            "ages": None if dataset.ages is None else _hash(dataset.ages),
            "taken": None if dataset.taken is None else _hash(dataset.taken),
            "attributes": [
                [a.name, a.categories, a.kind, a.source, a.unsaid, a.mapped_from, _hash(a.codes)]
                for a in dataset.attributes
            ],
            "soft": [[each.attribute, each.answers, _hash(each.votes)] for each in dataset.soft],
            "facts": dataset.facts,
            "skipped": dataset.skipped,
            "parent": None if dataset.parent is None else dataset.parent.counts,
            "whole": dataset.whole,
            **({} if dataset.weights is None else {"weights": _hash(dataset.weights)}),
        },
    )


def _hash(array: NDArray[np.number]) -> str:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(little.tobytes()).hexdigest()
