"""Which tables of a result are hidden where counts of few people are withheld; see `suppression` for the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any

from fer_audit.audit.composition.subset import WITHOUT_REPLACEMENT
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import Intersections, SubsetCheck
from fer_audit.audit.types.copies import SplitLeak
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.space import LatentOverlap

ALL, GROUPS = "all of {}", "the groups of {}"
TABLE, SIZES = "the whole table of clusters and {}", "the sizes of the clusters"
STYLES, LATENT = "how clusters were photographed", "the latent overlap of {}"
SUBSET, JOINT = "{} compared with a set", "all combinations of groups"
COPIES, NEAR = (
    "how many copies have other labels",
    "how many near-identical photos have other labels",
)
SUBJECTS, LEAKS = "how many images show each {}", "what the parts of {} share"
Counts = Mapping[Any, int]
"""What is counted -> how many: (attribute, group), the number of a cluster, or a cell that is in one table alone."""
Hidden = set[tuple[str, str]]  # (which table, attribute or "")


@dataclass(slots=True, eq=False)
class _Tables:
    """The sums that are shown, of whatever images, and the tables that are not."""

    least: int
    shown: list[Counts] = field(default_factory=list)
    hidden: Hidden = field(default_factory=set)

    def ask(self, words: str, name: str, *counts: Counts, hide: bool = False) -> None:
        """Show a table with these counts and sums, unless they reveal a small one."""
        hide = hide or (GROUPS, name) in self.hidden
        for index, each in enumerate(counts):
            hide = hide or self._reveals(each, [*self.shown, *counts[:index]])
        if hide:
            self.hidden.add((words, name))
        else:
            self.shown += counts

    def _reveals(self, counts: Counts, others: Sequence[Counts]) -> bool:
        """Whether one is small, or some differ from others of the same and one by few, not at all or by everybody."""
        for other in others:
            both = [(n, other[x]) for x, n in counts.items() if x in other and (n or other[x])]
            apart = [abs(n - m) if n and m else 0 for n, m in both]
            if any(n != m for n, m in both) and min(apart) < self.least:
                return True
        return any(0 < n < self.least for n in counts.values())


def hidden_tables(result: AuditResult, least: int) -> Hidden:
    """Return what is hidden: the whole set comes first, then clusters, then parts, then combinations."""
    tables = _Tables(least)
    mapped = {scheme for _, scheme in result.config.dataset.map}
    for about in result.representation:
        name = about.attribute
        counts = {(name, x.name): x.count or 0 for x in about.groups}
        tables.ask(GROUPS, name, counts, hide=name in mapped)
        few = about.indices.R < 2 or about.annotated < 2 * about.indices.R or name in mapped
        if few and (GROUPS, name) in tables.hidden:  # their total can leave a group one size only
            tables.hidden.add((ALL, name))
    clusters = result.clustering.sizes if result.clustering else ()
    sizes = {cluster: size or 0 for cluster, size in enumerate(clusters)}
    small = any(0 < size < least for size in sizes.values())
    for each in sorted(result.associations, key=lambda each: -each.n):
        tables.ask(TABLE, each.attribute, *_of_table(each), hide=small)
    tables.ask(SIZES, "", sizes)
    styles: dict[str, dict[int, int]] = {}
    for style in result.cluster_styles:
        styles.setdefault(style.measure, {})[style.cluster] = style.n
    tables.ask(STYLES, "", *styles.values(), hide=small)
    for check in result.subset_checks:
        tables.ask(SUBSET, check.attribute, *_of_subset(check))
    for overlap in result.latent:
        tables.ask(LATENT, overlap.attribute, *_of_latent(overlap))
    if (joint := result.intersections) is not None:
        small = any((GROUPS, name) in tables.hidden for name in joint.attributes)
        names = {x.attribute for x in result.associations}.intersection(joint.attributes)
        by_cluster = sum((TABLE, name) not in tables.hidden for name in names)
        hide = small or by_cluster > 1 or (joint.n > 0 and not joint.counts)
        tables.ask(JOINT, "", *_of_joint(joint), hide=hide)
    conflicts = result.duplicates.conflicts
    tables.ask(COPIES, "", {("copies", each.name, None): each.count for each in conflicts})
    differ = result.near_duplicates.disagreements if result.near_duplicates else ()
    tables.ask(
        NEAR,
        "",
        {("near", each.attribute, "pairs"): each.differ for each in differ},
        {("near", each.attribute, "groups"): each.groups for each in differ},
    )
    for facts in result.subjects:
        people = {("people", facts.attribute): facts.subjects or 0}
        tables.ask(
            SUBJECTS, facts.attribute, people, {("least", facts.attribute): facts.least or 0}
        )
    for split in dict.fromkeys(each.attribute for each in result.split_leaks):
        tables.ask(LEAKS, split, *_of_leaks(split, result.split_leaks))
    return tables.hidden


def _of_table(each: Association) -> Iterator[Counts]:
    """Yield the cells of a table of clusters and groups, and its sums."""
    name, rows = each.attribute, [[count or 0 for count in row] for row in each.table]
    yield {(name, i, j): count for i, row in enumerate(rows) for j, count in enumerate(row)}
    yield {cluster: sum(row) for cluster, row in enumerate(rows)}
    columns = zip(each.groups, zip(*rows, strict=True), strict=False)
    yield {(name, group): sum(column) for group, column in columns}


def _of_subset(check: SubsetCheck) -> Iterator[Counts]:
    """Yield the groups of a sample, and those of a set that holds it, as its shares tell them."""
    names = [(check.attribute, group.name) for group in check.groups]
    yield {name: group.count for name, group in zip(names, check.groups, strict=True)}
    if check.method == WITHOUT_REPLACEMENT:
        shares = [Fraction(x.reference_share).limit_denominator(10**7) for x in check.groups]
        whole = lcm(*(share.denominator for share in shares))
        yield {name: int(share * whole) for name, share in zip(names, shares, strict=True)}


def _of_latent(overlap: LatentOverlap) -> Iterator[Counts]:
    """Yield the images of the subsample, of its groups, and of the groups in each pair."""
    name = overlap.attribute
    yield {("latent", name, None): overlap.n}
    yield {(name, group.group): group.n for group in overlap.groups}
    yield from ({(name, x.first): x.n_first, (name, x.second): x.n_second} for x in overlap.pairs)


def _of_joint(found: Intersections) -> Iterator[Counts]:
    """Yield the cells of the cross table, and its sums over all attributes but one."""
    cells = dict(zip(product(*found.groups), (n or 0 for n in found.counts), strict=False))
    yield {("combination", groups): count for groups, count in cells.items()}
    for axis, name in enumerate(found.attributes):
        sums = Counter[tuple[str, str]]()
        for groups, count in cells.items():
            sums[name, groups[axis]] += count
        yield sums


def _of_leaks(split: str, leaks: Sequence[SplitLeak]) -> Iterator[Counts]:
    """Yield how many photos and people lie in several parts: none is no small count of them."""
    for each in leaks:
        if each.attribute == split and each.groups:
            copies = ("near" if each.near_identical else "copies", split, "parts")
            yield {copies if each.subject is None else ("people", each.subject): each.groups}
