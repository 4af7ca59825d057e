"""The tables of a result without the counts that a plan withholds, and without what tells one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from fer_audit.audit.claims.cells import residual_p
from fer_audit.audit.stats.multiple_testing import benjamini_hochberg
from fer_audit.audit.suppression.cells import Plan
from fer_audit.audit.suppression.disclosure import Mask
from fer_audit.audit.suppression.populations import table_counts
from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.composition import (
    Cell,
    GroupShare,
    Indices,
    Intersections,
    Representation,
    SubsetCheck,
    TargetDistance,
)
from fer_audit.audit.types.not_computable import NotComputable

_GROUP = ("count", "share", "low", "high", "ratio", "ratio_low", "ratio_high")
_INDICES = ("ENS", "D", "inverse_D", "H", "SEI", "NSD", "IR", "BP")
_TARGET = ("tv", "ds_r", "ds_e", "jsd", "chi2", "p")
_ASSOCIATION = (
    *("chi2", "df", "p_asymptotic", "expected_min", "v", "null_mean", "null_95"),
    *("v_corrected", "low", "high", "p_permutation", "p_holm", "u_group_from_cluster"),
    *("u_cluster_from_group", "ami", "balance", "u_corrected", "v_corrected_null_95"),
)
_OF_ALL_CELLS = ("beyond_pairs", "expected_pairs", "more_images")
_TALLIES = ("empty", "under_30")
"""Sixty images in sixty combinations that are not empty: one each."""

_LISTS = ("smallest", "largest_gaps")

Record = TypeVar("Record", GroupShare, Indices, TargetDistance, Association, SubsetCheck)


def because(reason: str, *fields: str) -> NotComputable:
    """Return the reason of every field."""
    return tuple((field, reason) for field in fields)


def _and_because(before: NotComputable, reason: str, *fields: str) -> NotComputable:
    """Return the reasons there were, and this one for fields that had none."""
    return tuple({**dict(because(reason, *fields)), **dict(before)}.items())


def without(record: Record, fields: Sequence[str], reason: str) -> Record:
    """Return a record with these fields None and its `not_computable` saying why."""
    values: dict[str, Any] = dict.fromkeys(fields)
    return replace(record, **values, not_computable=because(reason, *fields))


def shared_representation(about: Representation, hidden: Plan, reason: str) -> Representation:
    """Return who is in the set; of an attribute with a withheld group, no index and no distance but how many groups."""
    if not hidden.groups[about.attribute]:
        return about
    groups = tuple(
        group
        if hidden.tells_group(about.attribute, group.name)
        else without(group, _GROUP, reason)
        for group in about.groups
    )
    return replace(
        about,
        groups=groups,
        indices=without(about.indices, _INDICES, reason),
        target=without(about.target, _TARGET, reason),
    )


def shared_association(each: Association, hidden: Plan, reason: str) -> Association:
    """Return the table of clusters and an attribute; with a withheld cell or total, no number that is of the whole table."""
    if not each.table:
        return each
    mask = hidden.tables[each.attribute]
    if mask is None:
        return without(replace(each, table=(), cells=()), _ASSOCIATION, reason)
    if not mask.any():
        return each
    told = replace(each, table=_masked(each, mask), cells=_told_cells(each, mask, hidden))
    return without(told, _ASSOCIATION, reason)


def _masked(each: Association, mask: Mask) -> tuple[tuple[int | None, ...], ...]:
    counts = table_counts(each).tolist()
    return tuple(
        tuple(None if hide else count for count, hide in zip(row, line, strict=True))
        for row, line in zip(counts, mask, strict=True)
    )


def _told_cells(each: Association, mask: Mask, hidden: Plan) -> tuple[AssociationCell, ...]:
    """Return the cells whose count and totals are told, their p corrected anew: the old correction ranked the others too."""
    column = {group: index for index, group in enumerate(each.groups)}
    told = [
        cell
        for cell in each.cells
        if not mask[cell.cluster, column[cell.group]]
        and cell.cluster not in hidden.clusters
        and cell.group not in hidden.columns[each.attribute]
    ]
    tested = [cell.residual for cell in told if cell.residual is not None]
    adjusted = iter(benjamini_hochberg(residual_p(np.array(tested))).tolist() if tested else [])
    return tuple(
        cell if cell.residual is None else replace(cell, p_adjusted=next(adjusted))
        for cell in told
    )


def shared_intersections(
    found: Intersections | None, hidden: Plan, min_cell: int, reason: str
) -> Intersections | None:
    """Return the cross table; its lists keep the combinations that are told, for an order tells as much as a number."""
    if found is None or hidden.gone & set(found.attributes):
        return None
    mask = hidden.joint
    if mask is None and not found.counts:  # too large to be listed: nothing can be subtracted from
        return replace(
            found,
            smallest=_told(found, found.smallest, hidden, None, min_cell),
            largest_gaps=_told(found, found.largest_gaps, hidden, None, min_cell),
            beyond_pairs=(),
            empty=None,
            under_30=None,
            not_computable=_and_because(found.not_computable, reason, *_OF_ALL_CELLS, *_TALLIES),
        )
    if mask is None:
        return replace(
            found,
            smallest=(),
            largest_gaps=(),
            beyond_pairs=(),
            counts=(),
            empty=None,
            under_30=None,
            not_computable=because(reason, *_LISTS, *_TALLIES, "beyond_pairs", "counts"),
        )
    if not mask.any():
        return found
    counts = zip(found.counts, mask.ravel(), strict=True)
    return replace(
        found,
        smallest=_told(found, found.smallest, hidden, mask, min_cell),
        largest_gaps=_told(found, found.largest_gaps, hidden, mask, min_cell),
        beyond_pairs=(),
        counts=tuple(None if hide else count for count, hide in counts),
        empty=None,
        under_30=None,
        not_computable=_and_because(found.not_computable, reason, *_OF_ALL_CELLS, *_TALLIES),
    )


def _told(
    found: Intersections, cells: tuple[Cell, ...], hidden: Plan, mask: Mask | None, min_cell: int
) -> tuple[Cell, ...]:
    """Return the cells that are told and whose groups are, without what rests on all cells (`_OF_ALL_CELLS`)."""
    return tuple(
        replace(
            cell,
            expected_pairs=None,
            residual_pairs=None,
            p_adjusted=None,
            more_images=None,
        )
        for cell in cells
        if not 0 < cell.count < min_cell
        and not any(map(hidden.withholds_total, found.attributes, cell.groups))
        and not (mask is not None and _is_hidden(found, cell, mask))
    )


def _is_hidden(found: Intersections, cell: Cell, mask: Mask) -> bool:
    """Whether the cross table withholds a listed cell; one that it does not have is not told either."""
    known = all(name in names for name, names in zip(cell.groups, found.groups, strict=True))
    at = map(tuple.index, found.groups, cell.groups)
    return not known or bool(mask[tuple(at)])
