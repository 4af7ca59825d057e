"""A dataset from a listing and its labels: read-only arrays, and a fingerprint of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import DatasetSettings
from fer_audit.dataset.listing import Listing
from fer_audit.dataset.types import Attribute, FaceDataset, ReferenceCounts, Reject
from fer_audit.rng import stage_rng
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.text import counted, whole

_Scalar = TypeVar("_Scalar", bound=np.generic)


def make_dataset(
    name: str,
    listing: Listing,
    attributes: Sequence[Attribute],
    *,
    ages: NDArray[np.int16] | None = None,
    rejects: Iterable[Reject] = (),
    notes: Iterable[str] = (),
    label_source: str,
    form: str,
) -> FaceDataset:
    """Return the dataset of a listing and its labels; row i of everything is `listing.ids[i]`."""
    dataset = FaceDataset(
        name=name,
        root=listing.root,
        ids=listing.ids,
        sizes=listing.sizes,
        mtimes=listing.mtimes,
        attributes=tuple(attributes),
        ages=ages,
        rejects=tuple(rejects),
        notes=(*listing.notes, *notes),
        label_source=label_source,
        parent=None,
        fingerprint="",
        whole=listing.whole,
        format=form,
    )
    return _seal(dataset)


def take_subset(dataset: FaceDataset, settings: DatasetSettings, *, seed: int) -> FaceDataset:
    """Return the images that --first or --sample ask for, or the dataset itself when neither does.

    The subset remembers the demographic counts of the whole set as its parent.
    """
    n = len(dataset)
    wanted = settings.first or settings.sample or n
    if wanted >= n:
        return dataset
    if settings.first:
        rows = np.arange(wanted)
        how = "the first in file order"
    else:
        rng = stage_rng(seed, "dataset", "sample")
        rows = np.sort(rng.choice(n, size=wanted, replace=False))
        how = f"a uniform sample drawn with seed {seed}"
    note = (
        f"These are {whole(wanted)} of {counted(n, 'image')}, {how}; "
        "the notes on file names are about the whole set."
    )
    return _seal(_take_rows(dataset, rows, note))


def _take_rows(dataset: FaceDataset, rows: NDArray[np.intp], note: str) -> FaceDataset:
    ids = tuple(dataset.ids[i] for i in rows.tolist())
    left_out = set(dataset.ids).difference(ids)
    return replace(
        dataset,
        ids=ids,
        sizes=dataset.sizes[rows],
        mtimes=dataset.mtimes[rows],
        attributes=tuple(replace(a, codes=a.codes[rows]) for a in dataset.attributes),
        ages=None if dataset.ages is None else dataset.ages[rows],
        rejects=tuple(r for r in dataset.rejects if r.item not in left_out),
        notes=(note, *dataset.notes),
        parent=_demographic_counts(dataset),
    )


def _demographic_counts(dataset: FaceDataset) -> ReferenceCounts:
    counts = tuple(
        (a.name, tuple(zip(a.categories, a.counts().tolist(), strict=True)))
        for a in dataset.attributes
        if a.kind == "demographic"
    )
    return ReferenceCounts(dataset.name, counts)


def _seal(dataset: FaceDataset) -> FaceDataset:
    """Return the dataset with read-only arrays and its fingerprint."""
    sealed = replace(
        dataset,
        sizes=_frozen(dataset.sizes),
        mtimes=_frozen(dataset.mtimes),
        attributes=tuple(replace(a, codes=_frozen(a.codes)) for a in dataset.attributes),
        ages=None if dataset.ages is None else _frozen(dataset.ages),
    )
    return replace(sealed, fingerprint=_fingerprint(sealed))


def _frozen(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


def _fingerprint(dataset: FaceDataset) -> str:
    """Return the sha256 over files and labels; the place of the folder does not matter."""
    # No name holds a NUL, and raw bytes cannot collide as escaped text could.
    ids = b"\0".join(os.fsencode(file_id) for file_id in dataset.ids)
    return stage_fingerprint(
        "dataset",
        {
            "ids": hashlib.sha256(ids).hexdigest(),
            "sizes": _hash(dataset.sizes),
            "mtimes": _hash(dataset.mtimes),
            "ages": None if dataset.ages is None else _hash(dataset.ages),
            "attributes": [
                [a.name, a.categories, a.kind, a.source, _hash(a.codes)]
                for a in dataset.attributes
            ],
            "parent": None if dataset.parent is None else dataset.parent.counts,
            "whole": dataset.whole,
        },
    )


def _hash(array: NDArray[np.int16] | NDArray[np.int64]) -> str:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(little.tobytes()).hexdigest()
