"""Which counts of a result are withheld: the small ones, and those that would give them away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from fer_audit.audit.stats.tables import Counts
from fer_audit.audit.suppression.differences import Population, telling
from fer_audit.audit.suppression.disclosure import Mask, Sums, protect
from fer_audit.audit.suppression.populations import (
    cluster_populations,
    columns_of,
    joint_counts,
    known,
    names_of,
    numbered,
    parts_of,
    populations,
    shares_of,
    table_counts,
    totals_of,
)
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import Intersections
from fer_audit.audit.types.result import AuditResult


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What must not be told. The same groups and clusters are withheld in every table: one table would tell the other's."""

    gone: frozenset[str]
    """Attributes that cannot be shown at all."""
    groups: Mapping[str, frozenset[str]]
    """Groups of every attribute that is shown."""
    clusters: frozenset[int]
    columns: Mapping[str, frozenset[str]]
    """Groups whose total is withheld in the table of the clusters and an attribute, `groups` among them."""
    totals: Mapping[str, frozenset[str]]
    """Groups whose total is withheld in the cross table, `groups` among them."""
    sizes: frozenset[int]
    """Clusters whose size is withheld, `clusters` among them: beside the rows of a table it would tell who is not in it."""
    subsets: frozenset[str]
    """Attributes whose groups are not told in the check of a part of the set."""
    tables: Mapping[str, Mask | None]
    """(k, groups) cells of the clusters and an attribute; None = the whole table."""
    joint: Mask | None
    """The cross table of all demographic attributes, its own shape; None = the whole table."""

    def tells_group(self, attribute: str, group: str) -> bool:
        """Whether the count of a group is told."""
        return attribute not in self.gone and group not in self.groups.get(attribute, ())

    def withholds_total(self, attribute: str, group: str) -> bool:
        """Whether the total of a group is withheld in the cross table."""
        return group in self.totals.get(attribute, ())

    def touches(self, attribute: str) -> bool:
        """Whether anything in the table of the clusters and an attribute, or one of its groups, is withheld."""
        table = self.tables.get(attribute)
        hidden = attribute in self.tables and (table is None or bool(table.any()))
        return hidden or attribute in self.gone or bool(self.groups.get(attribute))


def plan(result: AuditResult, min_cell: int) -> Plan:
    """Return what a result must not tell if no count of 1 to min_cell - 1 people may be known."""
    found = {
        each.attribute: _close(list(populations(result, each.attribute)), min_cell)
        for each in result.representation
    }
    gone = frozenset(name for name, groups in found.items() if groups is None)
    groups = {name: each for name, each in found.items() if each is not None}
    clusters = _close(list(cluster_populations(result)), min_cell)
    apart = {
        name: _apart(result, name, groups.get(name, frozenset()), min_cell)
        for name in names_of(result)
        if name not in gone
    }
    tables = {
        each.attribute: None
        if clusters is None
        or each.attribute in gone
        or (columns := apart[each.attribute].columns) is None
        else _of_table(each, columns, clusters, min_cell)
        for each in result.associations
        if each.table
    }
    k = 0 if result.clustering is None else result.clustering.k
    return Plan(
        gone=gone,
        groups=groups,
        clusters=frozenset(range(k) if clusters is None else map(int, clusters)),
        columns={name: each.columns or frozenset() for name, each in apart.items()},
        totals={name: each.totals or frozenset() for name, each in apart.items()},
        sizes=frozenset(range(k))
        if (sizes := _sizes(result, clusters, tables, min_cell)) is None
        else frozenset(map(int, sizes)),
        subsets=frozenset(name for name, each in apart.items() if each.subset),
        tables=tables,
        joint=_joint(result.intersections, apart, min_cell),
    )


@dataclass(frozen=True, slots=True)
class _Apart:
    """Groups of one attribute whose totals are withheld in a narrower population; None = every number of it."""

    columns: frozenset[str] | None
    totals: frozenset[str] | None
    subset: bool


def _apart(result: AuditResult, name: str, groups: frozenset[str], min_cell: int) -> _Apart:
    """Compare each population of an attribute with the wider ones that are told."""
    wide = next(iter(shares_of(result, name)), {})
    table = next(iter(columns_of(result, name)), {})
    columns = telling(wide, table, groups, min_cell)
    totals: frozenset[str] | None = groups
    for joint in totals_of(result, name):
        for other in (wide, table):
            totals = None if totals is None else telling(other, joint, totals, min_cell)
    subset = any(
        telling(other, part, groups, min_cell) != groups
        for part in parts_of(result, name)
        for other in (wide, table)
    )
    return _Apart(columns, totals, subset or bool(groups))


def _sizes(
    result: AuditResult,
    clusters: frozenset[str] | None,
    tables: Mapping[str, Mask | None],
    min_cell: int,
) -> frozenset[str] | None:
    """Return the clusters whose size would tell, beside the rows of a table, who is in them and not in the table."""
    if result.clustering is None:
        return clusters
    found = clusters
    wide = numbered(known(result.clustering.sizes))
    for each in result.associations:
        if found is not None and each.table and tables[each.attribute] is not None:
            rows = numbered(table_counts(each).sum(axis=1))
            found = telling(wide, rows, found, min_cell)
    return found


def _close(counted: Sequence[Population], min_cell: int) -> frozenset[str] | None:
    """Return the names to withhold in all populations, each of which has a known total; None = it cannot be done."""
    withheld = {
        name
        for population in counted
        for name, count in population.items()
        if 0 < count < min_cell
    }
    before = -1
    while withheld and len(withheld) != before:
        before = len(withheld)
        for population in counted:
            names = list(population)
            counts = np.array(list(population.values()), dtype=np.int64)
            mask = np.array([name in withheld for name in names], dtype=np.bool_) & (counts > 0)
            line = Sums(counts, csr_matrix(np.ones((1, len(names)), dtype=np.int64)))
            more = protect(line, mask, np.ones(len(names), dtype=np.bool_))
            if more is None:
                return None
            withheld |= {name for name, hidden in zip(names, more, strict=True) if hidden}
    return frozenset(withheld)


def _of_table(
    each: Association, groups: frozenset[str], clusters: frozenset[str], min_cell: int
) -> Mask | None:
    hidden = (
        np.array([str(row) in clusters for row in range(len(each.table))], dtype=np.bool_),
        np.array([name in groups for name in each.groups], dtype=np.bool_),
    )
    return _hide(table_counts(each), hidden, min_cell)


def _joint(found: Intersections | None, apart: Mapping[str, _Apart], min_cell: int) -> Mask | None:
    if found is None or not found.counts or not apart.keys() >= set(found.attributes):
        return None
    hidden = []
    for name, names in zip(found.attributes, found.groups, strict=True):
        totals = apart[name].totals
        if totals is None:
            return None
        hidden.append(np.array([group in totals for group in names], dtype=np.bool_))
    return _hide(joint_counts(found), hidden, min_cell)


def _hide(table: Counts, hidden_totals: Sequence[Mask], min_cell: int) -> Mask | None:
    """Return the cells to withhold of a table of any shape, given which totals of each axis are; None = all of them.

    Every total of every axis is a cell of its own, told unless it is in `hidden_totals`; so is none that is 0, which its
    cells tell. The number of images in the table is told.
    """
    small = (table > 0) & (table < min_cell)
    if table.ndim == 2:
        small |= _corners(table, small, *hidden_totals)
    totals = [
        table.sum(axis=tuple(other for other in range(table.ndim) if other != axis))
        for axis in range(table.ndim)
    ]
    counts = np.concatenate([table.ravel(), *totals])
    mask = np.concatenate(
        [
            small.ravel(),
            *(hidden & (total > 0) for hidden, total in zip(hidden_totals, totals, strict=True)),
        ]
    )
    may_add = np.arange(len(counts)) < table.size
    two_way = table.ndim == 2
    signs = np.repeat([1, -1, 1, -1], [*table.shape, 1, 1]) if two_way else None
    found = protect(Sums(counts, _sums_of(table.shape), signs), mask, may_add)
    return None if found is None else found[: table.size].reshape(table.shape)


def _corners(table: Counts, small: Mask, hidden_rows: Mask, hidden_columns: Mask) -> Mask:
    """Return the other corners of the lightest rectangle around each small cell whose two totals are told.

    Where one image moves along a rectangle no total changes, and four cells are the fewest that can be withheld. The next
    smallest cell of a line, taken alone, asks for one in its other line, and so on through the table.
    """
    mask = small.copy()
    heavy = int(table.sum()) + 1
    weight = np.where(table > 0, table, heavy).astype(np.int64)
    for row, column in np.argwhere(small & ~hidden_rows[:, None] & ~hidden_columns):
        free = np.where(mask, 0, weight)
        cost = free[[row], :] + free[:, [column]] + free
        cost[row], cost[:, column] = 4 * heavy, 4 * heavy
        if min(table.shape) > 1:
            other, across = np.unravel_index(int(cost.argmin()), table.shape)
            if cost[other, across] < heavy:  # no corner is empty
                mask[[row, other, other], [across, column, across]] = True
    return mask


def _sums_of(shape: tuple[int, ...]) -> csr_matrix:
    """Return what ties the cells of a table and its totals, axis by axis: a line is its total, the totals are n."""
    size, ends = int(np.prod(shape)), sum(shape)
    places = np.indices(shape).reshape(len(shape), -1)
    starts = np.concatenate([[0], np.cumsum(shape)[:-1]])
    lines = np.concatenate([*(starts[:, None] + places), np.arange(ends)], axis=None)
    cells = np.concatenate([np.tile(np.arange(size), len(shape)), size + np.arange(ends)])
    signs = np.concatenate([np.ones(size * len(shape)), -np.ones(ends)])
    whole = np.repeat(ends + np.arange(len(shape)), shape)
    rows = np.concatenate([lines, whole])
    columns = np.concatenate([cells, size + np.arange(ends)])
    values = np.concatenate([signs, np.ones(ends)]).astype(np.int64)
    return coo_matrix((values, (rows, columns)), shape=(ends + len(shape), size + ends)).tocsr()
