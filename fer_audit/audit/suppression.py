"""--min-cell N: a result without any count of 1 to N - 1 people, and without every number that would reveal one.

A table is shown or hidden as a whole. It is hidden where
    a count or sum of it is small, or its attribute or its clusters have a small one elsewhere
    its sums differ, by few images or in some groups only, from a table that is shown (first come, in `_hidden_tables`): copies,
    failures and images without another label are in one of the two
    it is the cross table, and two of its attributes are shown by cluster: three tables of pairs can fix a cell of all three

A number is shown only if every table it is computed from is shown: with all its digits a statistic can be tried against the few
tables that are left, and one fits. Strata (rungs 4 to 6), other partitions (7 and 8), small studies, batches and ages in years
are tables that no report shows. Of them only verdicts stay: whether a rung holds or a rule is crossed.

Counts of files stay (listed, failed, not annotated, copies, n of a test): they are about the set, not about a group of people.
Names of files, which can hold an age, do not. This is no differential privacy: two versions of a set tell by their difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any, TypeVar, cast

from fer_audit.audit.composition.subset import WITHOUT_REPLACEMENT
from fer_audit.audit.findings import find
from fer_audit.audit.gate import OPERATORS, check_rules, parse_rule
from fer_audit.audit.ledger import collect_ledger
from fer_audit.audit.types.claims import Association, Ladder
from fer_audit.audit.types.composition import Intersections, Representation, SubsetCheck
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, MIN_CELL
from fer_audit.audit.types.result import AuditResult, Finding, GateRule
from fer_audit.audit.types.space import LatentOverlap
from fer_audit.config import refuse_min_cell
from fer_audit.errors import ConfigError
from fer_audit.text import WITHHELD, display, listed

ALL, GROUPS = "all of {}", "the groups of {}"
TABLE, SIZES = "the whole table of clusters and {}", "the sizes of the clusters"
STYLES, LATENT = "how clusters were photographed", "the latent overlap of {}"
SUBSET, JOINT = "{} compared with a set", "all combinations of groups"
COPIES = "how many copies have other labels"
HEAD = ("schema", "complete", "model", "config", "versions", "not_computable")
ONE_COUNT = ("min_count", "smallest")
STATISTICS = ("v", "v_corrected", "low", "high", "p", "p_holm", "u", "homophily_gain")
"""Fields of --fail-on rules whose threshold pins down no count."""
UNSHOWN = f"{BECAUSE_WITHHELD}it rests on tables that no shared report shows"
Counts = Mapping[Any, int]
"""What is counted -> how many: (attribute, group), the number of a cluster, or a cell that is in one table alone."""
Hidden = set[tuple[str, str]]  # (which table, attribute or "")
Record = TypeVar("Record")


def withhold(result: AuditResult, min_cell: int) -> AuditResult:
    """Return the result without any count of 1 to min_cell - 1 people and without what reveals one; the same for 0.

    A withheld number is None; its record's `not_computable` says so. Findings and ledger are made again from what is left, and
    the first finding says what was withheld. The same result gives the same.
    Raises ConfigError for a min_cell of 1 or below 0, and for a result that was made to be shared already.
    """
    refuse_min_cell(min_cell)
    if not min_cell:
        return result
    if result.min_cell:
        raise ConfigError(
            "This result was made to be shared already: counts are withheld in it",
            hint="Use the run that it came from.",
        )
    reason = f"{BECAUSE_WITHHELD}it would reveal a count below {min_cell}"
    hidden = _hidden_tables(result, min_cell)
    left = _without(result, hidden, reason).having(min_cell=min_cell)
    gate = tuple(_gate(result, left, reason))
    shared = left.having(ledger=collect_ledger(left), gate=gate)
    findings = find(shared)
    return shared.having(findings=(_sentence(hidden, min_cell), *findings))


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


def _hidden_tables(result: AuditResult, least: int) -> Hidden:
    """Return what is hidden: the whole set comes first, then clusters, then parts, then combinations."""
    tables = _Tables(least)
    for about in result.representation:
        name = about.attribute
        tables.ask(GROUPS, name, {(name, x.name): x.count or 0 for x in about.groups})
        few = about.indices.R < 2 or about.annotated < 2 * about.indices.R
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


def _without(result: AuditResult, hidden: Hidden, reason: str) -> AuditResult:
    """Return what may be shown of a result. A part that is not named here is left out."""

    def shown(words: str, records: tuple[Any, ...]) -> tuple[Any, ...]:
        hides = (words,) if words == ALL else (words, GROUPS)
        return tuple(x for x in records if hidden.isdisjoint((y, x.attribute) for y in hides))

    def blanked(words: str, records: tuple[Any, ...], **empty: tuple[()]) -> tuple[Any, ...]:
        return tuple(
            _hide(replace(x, **empty), reason) if (words, x.attribute) in hidden else x
            for x in shown(ALL, records)
        )

    head: dict[str, Any] = {name: getattr(result, name) for name in HEAD}
    facts: dict[str, Any] = {"notes": tuple(x for x in result.dataset.notes if '"' not in x)}
    for name in ("failures", "flags", "rejects"):
        facts[name] = tuple(replace(x, examples=()) for x in getattr(result.dataset, name))
    clusters, joint, copies = result.clustering, result.intersections, result.duplicates
    if (COPIES, "") in hidden:
        copies = replace(copies, conflicts=())
    if clusters is not None and (SIZES, "") in hidden:
        n, k = sum(size or 0 for size in clusters.sizes), len(clusters.sizes)
        clusters = None if n < 2 * k else replace(clusters, sizes=(None,) * k)
    if joint is not None and any((ALL, name) in hidden for name in joint.attributes):
        joint = None
    elif joint is not None and (JOINT, "") in hidden:
        joint = replace(joint, smallest=(), largest_gaps=(), beyond_pairs=(), counts=())
        joint = _hide(joint, reason)
    associations = blanked(TABLE, result.associations, table=(), cells=())
    corrected = [each.attribute for each in result.associations if each.kind == "demographic"]
    whole = hidden.isdisjoint((TABLE, name) for name in corrected)
    if not whole:  # Holm's p of one attribute can be another's p
        associations = tuple(
            _hide(each, reason, "p_holm") if each.attribute in corrected else each
            for each in associations
        )
    return AuditResult.of(
        **head,
        dataset=replace(result.dataset, **facts),  # a note may quote the name of a file
        planted=tuple(replace(each, found=UNSHOWN) for each in result.planted),
        representation=tuple(
            _representation(each, (GROUPS, each.attribute) in hidden, reason)
            for each in shown(ALL, result.representation)
        ),
        intersections=joint,
        duplicates=replace(copies, examples=()),
        subset_checks=blanked(SUBSET, result.subset_checks, groups=()),
        clustering=clusters,
        cluster_styles=() if (STYLES, "") in hidden else result.cluster_styles,
        associations=associations,
        ladders=tuple(_verdicts(x, 4 if whole else 3) for x in shown(TABLE, result.ladders)),
        stability=result.stability and replace(result.stability, attributes=()),
        style_tests=shown(GROUPS, result.style_tests),
        latent=shown(LATENT, result.latent),
        principal_axes=result.principal_axes,
        published=result.published,
    )


def _hide(record: Record, reason: str, *names: str) -> Record:
    """Return a record with these fields None, or with all that can be, and its `not_computable` saying why."""
    old: Any = record
    names = names or tuple(x.name for x in fields(old) if str(x.type).endswith("None"))
    reasons = {**dict(old.not_computable), **dict.fromkeys(names, reason)}
    new = replace(old, **dict.fromkeys(names), not_computable=tuple(reasons.items()))
    return cast("Record", new)


def _representation(about: Representation, is_hidden: bool, reason: str) -> Representation:
    """Return who is in the set; of hidden groups only how many they are, and of how many images."""
    if is_hidden:
        groups = tuple(_hide(group, reason) for group in about.groups)
        indices, target = _hide(about.indices, reason), _hide(about.target, reason)
        return replace(about, groups=groups, indices=indices, target=target)
    if about.target.n != about.annotated:  # one copy of each image, whose groups no table shows
        return replace(about, target=_hide(about.target, reason, "chi2", "p"))
    return about


def _verdicts(ladder: Ladder, first: int) -> Ladder:
    """Return a ladder whose rungs from `first` on say whether they hold, and nothing else."""
    nothing: dict[str, Any] = dict.fromkeys(("value", "low", "high", "p"))
    rungs = tuple(
        each
        if each.number < first or each.skipped
        else replace(each, **nothing, n_effective=0, reading=UNSHOWN)
        for each in ladder.rungs
    )
    stops = (f"rung {x.number}: {x.reading}" for x in rungs if not x.holds and not x.skipped)
    return replace(ladder, rungs=rungs, conditionals=(), lost=(), stopped=next(stops, ""))


def _gate(result: AuditResult, shared: AuditResult, reason: str) -> Iterator[GateRule]:
    """Yield the rules as they were judged, without values that the shared result does not have.

    A rule is left out where its verdict tells one small count from another: `min_count<3` that is crossed is a 1 or a 2.
    """
    for each in result.gate:
        with suppress(ConfigError):  # a result that no run of ours wrote
            rule = parse_rule(each.rule)
            verdicts = {OPERATORS[rule.symbol](n, rule.number) for n in range(1, shared.min_cell)}
            if check_rules([each.rule], shared) == (each,):
                yield each
            elif rule.field in STATISTICS or (rule.field in ONE_COUNT and len(verdicts) == 1):
                yield GateRule(each.rule, None, each.crossed, reason)


def _sentence(hidden: Hidden, least: int) -> Finding:
    """Return what was withheld, as the first thing to be read."""
    found = sorted(
        words.format(display(name))
        for words, name in hidden
        if words in (ALL, GROUPS) or (GROUPS, name) not in hidden
    )
    text = (
        f"Made to be shared: counts of fewer than {least} people are hidden and shown as {WITHHELD}, with the whole table that "
        f"holds or would reveal one and every number computed from it ({listed(found) or 'no table'}), and with statistics of "
        f"images alike in something else, other partitions, small studies, batches and ages in years. No file is named."
    )
    return Finding(code=MIN_CELL, severity="notice", text=text, effect=1.0)
