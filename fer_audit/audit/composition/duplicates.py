"""Byte-identical files: what they disagree on, and which copy the tests use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.composition import Count, Duplicates
from fer_audit.dataset.types import FaceDataset
from fer_audit.text import encodable

SHOWN_GROUPS = 5


def first_copies(sha256: NDArray[np.bytes_], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the (n,) mask of rows in `among` that are the first there with their bytes.

    A row whose file could not be read (b"") is nobody's copy.
    """
    first = among.copy()
    candidates = np.flatnonzero(among & (sha256 != b""))
    _, where = np.unique(sha256[candidates], return_index=True)
    later = np.ones(len(candidates), dtype=np.bool_)
    later[where] = False
    first[candidates[later]] = False
    return first


def find_duplicates(
    dataset: FaceDataset,
    sha256: NDArray[np.bytes_],
    ok: NDArray[np.bool_],
    *,
    left_out: int,
) -> Duplicates:
    """Return the groups of byte-identical files among the rows that could be decoded."""
    rows, owner = _group_members(sha256, ok)
    n_groups = int(owner[-1]) + 1 if len(owner) else 0
    columns = [
        (attribute.name, attribute.codes)
        for attribute in dataset.attributes
        if attribute.kind in ("demographic", "label")
        and not _is_binned_age(dataset, attribute.name)
    ]
    if dataset.ages is not None:
        columns.append(("age", dataset.ages))
    starts = np.searchsorted(owner, np.arange(min(n_groups, SHOWN_GROUPS) + 1))
    return Duplicates(
        groups=n_groups,
        files=len(rows),
        left_out=left_out,
        conflicts=tuple(
            Count(name, _count_conflicts(values[rows], owner, n_groups))
            for name, values in columns
        ),
        examples=tuple(
            tuple(encodable(dataset.ids[row]) for row in rows[start:stop].tolist())
            for start, stop in pairwise(starts.tolist())
        ),
    )


def conflicting_names(duplicates: Duplicates) -> Sequence[Count]:
    """Return the attributes that copies disagree on, most conflicts first."""
    found = [each for each in duplicates.conflicts if each.count > 0]
    return sorted(found, key=lambda each: -each.count)


def _is_binned_age(dataset: FaceDataset, name: str) -> bool:
    """Tell whether an attribute only repeats the ages, coarser."""
    return dataset.ages is not None and name in ("age", "age_bin")


def _group_members(
    sha256: NDArray[np.bytes_], ok: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that share their bytes with another, group by group, and the group of each.

    Groups come in the order of their first row, rows in file order.
    """
    candidates = np.flatnonzero(ok & (sha256 != b""))
    _, first, owner, sizes = np.unique(
        sha256[candidates], return_index=True, return_inverse=True, return_counts=True
    )
    shared = sizes[owner] > 1
    rows, leader = candidates[shared], first[owner[shared]]
    order = np.argsort(leader, kind="stable")
    _, compact = np.unique(leader[order], return_inverse=True)
    return rows[order], compact


def _count_conflicts(values: NDArray[np.int16], owner: NDArray[np.intp], n_groups: int) -> int:
    """Return in how many groups two annotated values differ; a missing value contradicts nobody."""
    known = values >= 0
    low = np.full(n_groups, np.iinfo(np.int16).max, dtype=np.int16)
    high = np.full(n_groups, -1, dtype=np.int16)
    np.minimum.at(low, owner[known], values[known])
    np.maximum.at(high, owner[known], values[known])
    return int(np.count_nonzero(high > low))
