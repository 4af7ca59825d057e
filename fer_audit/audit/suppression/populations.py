"""The counts of the same groups over other images, as a result tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_audit.audit.stats.tables import Counts
from fer_audit.audit.suppression.differences import Population
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import Intersections
from fer_audit.audit.types.result import AuditResult


def names_of(result: AuditResult) -> list[str]:
    """Return every attribute, also those, as a shuffled control, that are only in a table."""
    names = [each.attribute for each in result.representation]
    names += [each.attribute for each in result.associations]
    names += [each.attribute for each in result.subset_checks]
    names += () if result.intersections is None else result.intersections.attributes
    return list(dict.fromkeys(names))


def known(counts: Sequence[int | None]) -> Counts:
    """Return counts as an array; ValueError when some are withheld already."""
    if None in counts:
        raise ValueError("some of these counts are withheld already")
    return np.array(counts, dtype=np.int64)


def table_counts(association: Association) -> Counts:
    """Return the (k, groups) counts of a table."""
    flat = [count for row in association.table for count in row]
    return known(flat).reshape(len(association.table), len(association.groups))


def joint_counts(found: Intersections) -> Counts:
    """Return the cross table of all demographic attributes, one axis each; not for one that is not listed."""
    return known(found.counts).reshape([len(names) for names in found.groups])


def populations(result: AuditResult, name: str) -> Iterator[Population]:
    """Yield the groups of an attribute as often as they are counted over other images."""
    for counted in (shares_of, columns_of, totals_of, parts_of):
        yield from counted(result, name)


def shares_of(result: AuditResult, name: str) -> Iterator[Population]:
    """Yield the groups of an attribute over all images that have it: how the set is composed."""
    for about in result.representation:
        if about.attribute == name:
            counts = known([group.count for group in about.groups]).tolist()
            yield {group.name: count for group, count in zip(about.groups, counts, strict=True)}


def columns_of(result: AuditResult, name: str) -> Iterator[Population]:
    """Yield the groups of an attribute over the images that were clustered."""
    for each in result.associations:
        if each.attribute == name and each.table:
            yield dict(zip(each.groups, table_counts(each).sum(axis=0).tolist(), strict=True))


def totals_of(result: AuditResult, name: str) -> Iterator[Population]:
    """Yield the groups of an attribute over the images that are annotated in every attribute."""
    joint = result.intersections
    if joint is not None and joint.counts and name in joint.attributes:
        axis = joint.attributes.index(name)
        table = np.moveaxis(joint_counts(joint), axis, 0)
        totals = table.reshape(len(table), -1).sum(axis=1)
        yield dict(zip(joint.groups[axis], totals.tolist(), strict=True))


def parts_of(result: AuditResult, name: str) -> Iterator[Population]:
    """Yield the groups of an attribute over the part that is checked against a set."""
    for check in result.subset_checks:
        if check.attribute == name and check.groups:
            yield {group.name: group.count for group in check.groups}


def cluster_populations(result: AuditResult) -> Iterator[Population]:
    """Yield the sizes of the clusters, and as often as they are counted in a table."""
    if result.clustering is not None:
        yield numbered(known(result.clustering.sizes))
    for each in result.associations:
        if each.table:
            yield numbered(table_counts(each).sum(axis=1))


def numbered(counts: Counts) -> Population:
    """Return counts of clusters by their number."""
    return {str(index): count for index, count in enumerate(counts.tolist())}
