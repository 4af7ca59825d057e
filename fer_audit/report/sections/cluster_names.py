"""What a cluster is called: the groups that it holds more of than the set does, the widest gap first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.report.view import View
from fer_audit.text import clipped, display

GAIN = 0.05
"""Share of the cluster beyond the set's from which a group names it."""
N_NAMES = 3
MOST = 0.5
_BIN = re.compile(r"(\d+)(?:-(\d+)|\+)?")
"""A group that is a range of ages: 20-29, 70+, 5."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Groups of one attribute of which a cluster holds more than the set does."""

    attribute: str
    name: str
    in_cluster: float
    in_set: float

    @property
    def words(self) -> str:
        """The name with its share of the cluster and of the set: female 85 % (set 48)."""
        return f"{self.name} {100 * self.in_cluster:.0f} % (set {100 * self.in_set:.0f})"


def telling(view: View, cluster: int) -> list[Telling]:
    """Return what tells a cluster from the set: of each attribute one group, or neighbouring ranges of age together."""
    found = [
        each
        for association in view.result.associations
        if association.kind in ("demographic", "label")
        for each in _of(association, cluster, view.alpha)
    ]
    found.sort(key=lambda each: each.in_set - each.in_cluster)
    return [each for each in found if each.in_cluster - each.in_set >= GAIN][:N_NAMES]


def cluster_name(view: View, cluster: int) -> str:
    """Return a cluster's name, "" where no group stands out: mostly female, age 10-29; more Black.

    Groups that are most of it, or else the first that it holds more of than the set does.
    """
    found = telling(view, cluster)
    most = [each.name for each in found if each.in_cluster > MOST]
    if most:
        return f"mostly {', '.join(most)}"
    return f"more {found[0].name}" if found else ""


def _of(association: Association, cluster: int, alpha: float) -> list[Telling]:
    cells = {each.group: each for each in association.cells if each.cluster == cluster}
    rows = [list(row) for row in association.table]
    if any(count is None for row in rows for count in row):
        return []  # withheld
    sizes = [sum(count or 0 for count in row) for row in rows]
    labelled, size = sum(sizes), sizes[cluster] if cluster < len(sizes) else 0
    if not labelled or not size:
        return []
    totals = [sum(row[at] or 0 for row in rows) for at in range(len(association.groups))]
    above = [
        at for at, group in enumerate(association.groups) if _is_above(cells.get(group), alpha)
    ]
    if not above:
        return []
    bins = [_BIN.fullmatch(group) for group in association.groups]
    runs = [[at] for at in above]
    if all(bins):
        runs = [
            [at for _, at in run] for _, run in groupby(enumerate(above), lambda x: x[1] - x[0])
        ]
    best = max(
        runs,
        key=lambda run: sum((rows[cluster][at] or 0) / size - totals[at] / labelled for at in run),
    )
    name = clipped(association.groups[best[0]], 20)
    if all(bins):
        first, last = bins[best[0]], bins[best[-1]]
        assert first is not None  # noqa: S101  # all are
        assert last is not None  # noqa: S101
        end = (
            last[0]
            if last[0].endswith("+") and len(best) == 1
            else f"{first[1]}+"
            if last[0].endswith("+")
            else f"{first[1]}-{last[2] or last[1]}"
        )
        name = f"{clipped(display(association.attribute), 14).removesuffix(' group')} {end}"
    inside = sum(rows[cluster][at] or 0 for at in best) / size
    return [
        Telling(association.attribute, name, inside, sum(totals[at] for at in best) / labelled)
    ]


def _is_above(cell: AssociationCell | None, alpha: float) -> bool:
    return (
        cell is not None
        and not cell.too_few
        and (cell.residual or 0.0) > 0
        and cell.p_adjusted is not None
        and cell.p_adjusted <= alpha
    )
