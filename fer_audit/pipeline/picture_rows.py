"""Which images a mean face is made of, and which are on a contact sheet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.types import Clustering
from fer_audit.dataset.types import Attribute
from fer_audit.pack.faces import LEAST_IN_MEAN
from fer_audit.report.files.pictures import SheetKind
from fer_audit.rng import stage_rng
from fer_audit.text import encodable

MAX_DRAWN = 256
"""Images a mean is of: a pixel's standard error is then a sixteenth of its spread, 3 to 4 of 255 grey levels."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """The images of a cluster, or of one group in it."""

    cluster: int
    attribute: str | None
    group: str | None
    n: int
    """Images in the cell."""
    drawn: NDArray[np.int64]
    """Row numbers, ascending: all of the cell, or a uniform draw of `MAX_DRAWN`."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetRows:
    """The images of one contact sheet."""

    cluster: int
    kind: SheetKind
    rows: NDArray[np.int64]
    """Row numbers in the order they are shown in."""


def cluster_cells(
    clustering: Clustering,
    attributes: list[Attribute],
    once: NDArray[np.bool_],
    *,
    seed: int,
) -> list[Cell]:
    """Return the cells that have a mean face: each cluster, then its groups by attribute.

    `once` (n,) is the mask of the images that count. A cell has at least `LEAST_IN_MEAN` images, and so has what the
    shown groups of an attribute leave of their cluster: the mean of the cluster minus theirs is the mean of the rest.
    A draw depends on the seed and on the names of its cell alone.
    """
    cells = []
    for cluster in range(clustering.k):
        inside = once & (clustering.labels == cluster)
        whole = _cell(inside, cluster, None, None, seed)
        if whole.n < LEAST_IN_MEAN:
            continue
        cells.append(whole)
        for attribute in attributes:
            codes = np.where(inside, attribute.codes, -1)
            groups = [
                _cell(codes == code, cluster, attribute.name, group, seed)
                for code, group in enumerate(attribute.categories)
            ]
            cells += _without_a_small_rest(groups, whole.n)
    return cells


def _without_a_small_rest(groups: list[Cell], whole: int) -> list[Cell]:
    """Return the groups that can be shown next to a cluster of `whole` images, the smallest left out first."""
    shown = [cell for cell in groups if cell.n >= LEAST_IN_MEAN]
    while 0 < whole - sum(cell.n for cell in shown) < LEAST_IN_MEAN:
        smallest = min(shown, key=lambda cell: cell.n)
        shown = [cell for cell in shown if cell is not smallest]
    return shown


def sheet_rows(clustering: Clustering, once: NDArray[np.bool_], *, faces: int) -> list[SheetRows]:
    """Return the `faces` images of each cluster that lie nearest, around the median distance, and farthest first.

    In a cluster of fewer than 3 x `faces` images a face can stand on two of them. An empty cluster has no sheets.
    """
    sheets = []
    for cluster in range(clustering.k) if faces else ():
        members = np.flatnonzero(once & (clustering.labels == cluster))
        if len(members) == 0:
            continue
        ordered = members[np.argsort(clustering.distances[members], kind="stable")]
        middle = max(0, (len(ordered) - faces) // 2)
        sheets += [
            SheetRows(cluster, "nearest", ordered[:faces]),
            SheetRows(cluster, "median", ordered[middle : middle + faces]),
            SheetRows(cluster, "farthest", ordered[::-1][:faces]),
        ]
    return sheets


def _cell(
    inside: NDArray[np.bool_], cluster: int, attribute: str | None, group: str | None, seed: int
) -> Cell:
    members = np.flatnonzero(inside)
    name, part = (None if text is None else encodable(text) for text in (attribute, group))
    drawn = members
    if len(members) > MAX_DRAWN:
        rng = stage_rng(seed, "pictures", "mean", str(cluster), name or "", part or "")
        drawn = np.sort(rng.choice(members, MAX_DRAWN, replace=False))
    return Cell(cluster, name, part, len(members), drawn)
