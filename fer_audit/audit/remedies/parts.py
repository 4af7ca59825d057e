"""A split whose parts share no unit and have nearly the same people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Floats

ROUNDS = 20
"""Times that every unit may move to a better part."""


def connected(n: int, columns: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    """Return the (n,) unit of each row: rows that share a code of a column, -1 = none, are in one, and so on in chains."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components  # 0.2 s that --help would wait for

    ends: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
    starts = list(ends)
    for codes in columns:
        known = np.flatnonzero(codes >= 0)
        _, leader, owner = np.unique(codes[known], return_index=True, return_inverse=True)
        ends.append(known)
        starts.append(known[leader[owner]])
    edges = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(len(edges[0]), np.bool_), edges), (n, n))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def split_units(
    units: NDArray[np.integer],
    columns: Sequence[NDArray[np.integer]],
    shares: Floats,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return the (n,) part of each row, so that no unit is in two, parts have their shares, and every column is as in the whole.

    `columns` are (n,) codes, -1 = not annotated. Units are placed by size, the largest first and equal ones at random, each
    where the squared distances from what the parts should hold grow least, counted in units of the square root of what
    is wanted of a group; then each may move while that brings them down.
    """
    _, unit = np.unique(units, return_inverse=True)
    blocks = [np.ones((len(unit), 1))]
    blocks += [(codes[:, None] == np.arange(int(codes.max(initial=-1)) + 1)) for codes in columns]
    facts = np.concatenate(blocks, axis=1).astype(np.float64)
    have = np.zeros((int(unit.max(initial=-1)) + 1, facts.shape[1]))
    np.add.at(have, unit, facts)
    have /= np.sqrt(np.maximum(have.sum(axis=0), 1))
    have[:, 0] *= np.sqrt(max(len(columns), 1))  # the size counts as much as all columns
    lacking = shares[:, None] * have.sum(axis=0)
    part = np.full(len(have), -1)
    order = rng.permutation(len(have))
    order = order[np.argsort(-np.bincount(unit)[order], kind="stable")]
    for _ in range(ROUNDS):
        moved = False
        for one in order.tolist():
            before = part[one]
            if before >= 0:
                lacking[before] += have[one]
            # placing x adds |lacking - x|^2 - |lacking|^2 = |x|^2 - 2 lacking x: the part that lacks it most
            part[one] = (lacking @ have[one]).argmax()
            lacking[part[one]] -= have[one]
            moved |= bool(part[one] != before)
        if not moved:
            break
    return part[unit]


def torn(photos: NDArray[np.integer], part: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return (n,) which rows to leave out so that no photo is in two parts: those outside the part with most of its rows.

    `photos` is the (n,) photo of each row; of parts with equally many the smallest keeps them.
    """
    counts = np.zeros((int(photos.max(initial=-1)) + 1, int(part.max(initial=-1)) + 1), np.int64)
    np.add.at(counts, (photos, part), 1)
    sizes = counts.sum(axis=0) / (len(part) + 1)  # below 1: they decide ties alone
    return np.asarray((counts - sizes).argmax(axis=1)[photos] != part)
