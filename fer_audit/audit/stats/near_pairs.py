"""Near-identical images: the pairs of vectors that point the same way, where to cut them, and their groups.

No pair above the floor is missed. Vectors are compared in their first `AXES` directions: by Cauchy and Schwarz the rest adds at
most the product of what is left of their lengths, so that one product of short matrices bounds every cosine from above.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask, Places, Singles

FLOOR = 0.9
"""Pairs below it are not looked at."""
MOST_PAIRS = 50_000
"""Pairs kept; where there are more, those with the largest cosines."""
AXES = 127
BLOCK = 2_048
PRECISION = 0.95
"""Share of the pairs at or above the threshold that the pixels must confirm."""
SLACK = 1e-5
"""More than a product of float32 can be off."""
DIGITS = 100_000
"""A floor that rose is a multiple of 1 / DIGITS."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of rows with a large cosine."""

    first: Counts
    """(m,) rows of the set; each is smaller than its `second`."""
    second: Counts
    cosine: Floats
    """(m,) of their vectors, the largest first."""
    floor: float
    """Every pair above it is there."""


def largest_cosines(
    vectors: NDArray[np.floating],
    rows: Places,
    apart: Sequence[Codes] = (),
    *,
    floor: float = FLOOR,
    most: int = MOST_PAIRS,
) -> Pairs:
    """Return the pairs of the ascending `rows` of the (n, d) vectors with a cosine above `floor`, at most `most`.

    Where there are more, the floor rises; to 1 where more pairs than that are equal, and none is left. `apart`: (n,) codes each; rows with one code >= 0 are no pair.
    Memory: 4 x (AXES + 1) bytes a row and a few blocks, however many dimensions there are.
    """
    if len(rows) < 2:
        none = np.empty(0, np.int64)
        return Pairs(none, none, np.empty(0), floor)
    short, lengths = _shortened(vectors, rows)
    found: list[Floats] = []
    lowest, count = floor, 0
    for start, other in _blocks(len(rows)):
        sides = slice(start, start + BLOCK), slice(other, other + BLOCK)
        here = [[codes[rows[side]] for side in sides] for codes in apart]
        near = _allowed(short[sides[0]] @ short[sides[1]].T, here, own=start == other)
        above = near > lowest - SLACK
        whole = np.count_nonzero(above) > near.size // 1_000  # then this costs less
        if whole:
            one, two = (_unit(vectors, rows, lengths, side) for side in sides)
            near = _allowed(one @ two.T, here, own=start == other)
            above = near > lowest - SLACK
        a, b = np.nonzero(above)
        if not len(a):
            continue
        pairs = np.stack([a + start, b + other])
        cosine = near[a, b] if whole else cosines(vectors, *rows[pairs])
        keep = cosine > lowest - SLACK
        found.append(np.stack([cosine, *pairs])[:, keep])
        count += int(keep.sum())
        if count > 2 * most:
            found, lowest = _largest(found, most)
            count = found[0].shape[1]
    if count > most:
        found, lowest = _largest(found, most)
    if lowest > floor:  # rounded up: how float32 was summed does not show
        floor = math.ceil((lowest + SLACK) * DIGITS) / DIGITS
    places = np.concatenate([np.empty((3, 0)), *found], axis=1)[1:].astype(np.intp)
    cosine = cosines(vectors, *rows[places])
    first, second = (rows[each[cosine > floor]].astype(np.int64) for each in places)
    cosine = cosine[cosine > floor]
    order = np.lexsort((second, first, -cosine))
    return Pairs(first[order], second[order], np.minimum(cosine[order], 1.0), min(floor, 1.0))


def threshold(
    cosine: NDArray[np.floating], confirmed: Mask, *, precision: float = PRECISION
) -> float | None:
    """Return the smallest cosine at which `precision` of all pairs at or above it are confirmed; None = there is none."""
    values, where = np.unique(-cosine, return_inverse=True)
    pairs = np.cumsum(np.bincount(where, minlength=len(values)))
    right = np.cumsum(np.bincount(where, weights=confirmed, minlength=len(values)))
    enough = np.flatnonzero(right >= precision * pairs)
    return None if not len(enough) else float(-values[enough[-1]])


def complete_linkage(first: Codes, second: Codes) -> list[tuple[int, ...]]:
    """Return the groups of two and more that complete linkage makes of pairs, the closest pair given first.

    All images of a group are pairs of each other. Groups come by their first images, images in ascending order.
    """
    members: dict[int, list[int]] = {}
    owner: dict[int, int] = {}
    linked: dict[int, Counter[int]] = {}
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        for each in (a, b):
            if each not in owner:
                owner[each], members[each], linked[each] = each, [each], Counter()
        one, two = owner[a], owner[b]
        linked[one][two] += 1
        linked[two][one] += 1
        # the last pair between two groups is their largest distance: here complete linkage merges them
        if linked[one][two] < len(members[one]) * len(members[two]):
            continue
        if len(linked[one]) < len(linked[two]):
            one, two = two, one
        del linked[one][two]
        for third, n in linked.pop(two).items():
            if third != one:
                linked[one][third] += n
                linked[third][one] += n
                del linked[third][two]
        for each in members[two]:
            owner[each] = one
        members[one] += members.pop(two)
    return sorted(tuple(sorted(each)) for each in members.values() if len(each) > 1)


def correlations(images: NDArray[np.uint8], first: Places, second: Places) -> Floats:
    """Return the correlation of the pixels of pairs of (m, pixels) images; 0 where one of them is of one shade."""
    found = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        sides = [
            images[each[start : start + BLOCK]].astype(np.float64) for each in (first, second)
        ]
        one, two = (each - each.mean(axis=1, keepdims=True) for each in sides)
        here = np.arange(len(one))
        found[start : start + BLOCK] = cosines(np.concatenate([one, two]), here, here + len(one))
    return found


def cosines(vectors: NDArray[np.floating], first: Codes, second: Codes) -> Floats:
    """Return the (m,) cosines of pairs of rows of the (n, d) vectors; 0 where one of them is 0."""
    found = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        one, two = (np.asarray(vectors[each[part]], np.float64) for each in (first, second))
        scale = np.sqrt(np.einsum("ij,ij->i", one, one) * np.einsum("ij,ij->i", two, two))
        found[part] = np.einsum("ij,ij->i", one, two) / np.where(scale > 0, scale, 1)
    return found


def _blocks(n: int) -> Iterator[tuple[int, int]]:
    """Yield the starts of every pair of blocks, once."""
    for start in range(0, n, BLOCK):
        for other in range(start, n, BLOCK):
            yield start, other


def _allowed(near: Singles, apart: Sequence[Sequence[Codes]], *, own: bool) -> Singles:
    """Return cosines with 0 where there is no pair: of one code, and in an `own` block, where each would be there twice."""
    near = np.triu(near, 1) if own else near
    for first, second in apart:
        near[(first[:, None] == second) & (first >= 0)[:, None]] = 0
    return near


def _largest(found: list[Floats], most: int) -> tuple[list[Floats], float]:
    """Return the pairs with the largest cosines, fewer than `most`, and the largest cosine left out.

    Where that many are equal, the first of them.
    """
    together = np.concatenate(found, axis=1)
    floor = float(np.partition(together[0], -most)[-most])
    above = together[0] > floor
    if not above.any():
        return [together[:, np.flatnonzero(together[0] == floor)[: most - 1]]], floor
    return [together[:, above]], floor


def _unit(
    vectors: NDArray[np.floating], rows: Places, lengths: Singles, which: slice | Places
) -> Singles:
    """Return vectors of length 1, or 0 where a vector is 0."""
    return vectors[rows[which]].astype(np.float32) / lengths[which, None]


def _shortened(vectors: NDArray[np.floating], rows: Places) -> tuple[Singles, Singles]:
    """Return (m, up to AXES + 1) whose products are no less than the cosines, and the m lengths of the vectors."""
    lengths = np.empty(len(rows), np.float32)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        lengths[part] = np.linalg.norm(vectors[rows[part]].astype(np.float64), axis=1)
    lengths[lengths == 0] = 1
    sample = np.linspace(0, len(rows) - 1, min(len(rows), BLOCK // 2)).astype(np.intp)
    some = _unit(vectors, rows, lengths, sample).astype(np.float64)
    _, sides = np.linalg.eigh(some @ some.T)
    axes = np.linalg.qr(some.T @ sides[:, ::-1][:, :AXES])[0].astype(np.float32)
    short = np.empty((len(rows), axes.shape[1] + 1), np.float32)
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        short[part, :-1] = _unit(vectors, rows, lengths, part) @ axes
    used = np.einsum("ij,ij->i", short[:, :-1], short[:, :-1])
    short[:, -1] = np.sqrt(np.maximum(0, 1 - used) + SLACK)
    return short, lengths
