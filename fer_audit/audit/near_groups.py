"""Which images are one photo in other bytes: pairs by their vectors and pixels, and groups of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.near_pairs import complete_linkage, threshold
from fer_audit.audit.types.near import NearPairs
from fer_audit.pack.types import PackRows

CONFIRMED = 0.9
"""Correlation of the pixels above which a pair is confirmed."""
SAME_PIXELS = 0.97
"""Correlation of the pixels above which a pair counts, whatever its cosine."""
FALLBACK = 0.97
"""Cosine where fewer than `FEWEST` pairs are confirmed; the pixels must then confirm each pair."""
FEWEST = 50


@dataclass(frozen=True, slots=True, eq=False)
class NearGroups:
    """The pairs of a set, cut."""

    pairs: NearPairs
    threshold: float | None
    method: str
    groups: NDArray[np.int64]
    """(n,) group of each image, numbered by first images, -1 for none."""
    within: NDArray[np.bool_]
    """(m,) pairs of one group."""
    confirmed: NDArray[np.bool_]
    """(m,)"""


def choose_pairs(pairs: NearPairs) -> tuple[NDArray[np.bool_], float | None, str]:
    """Return the (m,) pairs that count, the cosine from which they do, and how it was chosen."""
    confirmed, same = pairs.correlation > CONFIRMED, pairs.correlation > SAME_PIXELS
    if confirmed.sum() < FEWEST:
        counts = same | confirmed & (pairs.cosine >= FALLBACK)
        return (
            counts,
            FALLBACK,
            f"fixed, fewer than {FEWEST} pairs are confirmed: each one must be",
        )
    known = pairs.cosine > pairs.floor
    cut = threshold(pairs.cosine[known], confirmed[known])
    if cut is None:
        return same, None, "no cosine is precise enough: by pixels alone"
    return (
        same | (pairs.cosine >= cut),
        cut,
        "the smallest at which pixels confirm 95 % of all pairs",
    )


def near_groups(pairs: NearPairs | None, rows: PackRows) -> NearGroups | None:
    """Return the groups of near-identical images of a set; None = nothing was compared.

    All images of a group are near-identical to each other. Later byte-identical copies are in the group of the first one.
    """
    if pairs is None:
        return None
    counts, cut, method = choose_pairs(pairs)
    groups = np.full(len(rows.ok), -1, np.int64)
    for number, members in enumerate(complete_linkage(pairs.first[counts], pairs.second[counts])):
        groups[list(members)] = number
    within = counts & (groups[pairs.first] >= 0) & (groups[pairs.first] == groups[pairs.second])
    known = np.flatnonzero(rows.ok & (rows.sha256 != b""))
    _, photo = np.unique(rows.sha256[known], return_inverse=True)
    of_photo = np.full(len(known), -1, np.int64)
    np.maximum.at(of_photo, photo, groups[known])
    groups[known] = of_photo[photo]
    return NearGroups(pairs, cut, method, groups, within, pairs.correlation > CONFIRMED)
