"""--min-cell N: a result without any count of 1 to N - 1 people, and without every number that would reveal one.

A table is shown or hidden as a whole. It is hidden where
    one of its counts or sums is small, or its attribute or its clusters have a small count elsewhere
    one of its sums is 1 to N - 1 away from one of the same group or cluster in a table that is shown: copies, failures and
    images without another label are in one of the two only. The order of `_hidden_tables` decides which is shown
    it is the cross table, and two of its attributes are shown by cluster: three tables of pairs can fix a cell of all three

A number is shown only if every table it is computed from is shown: with all its digits a statistic can be tried against the few
tables that are left, and one fits. So nothing is shown of tables that are in no report: strata (rungs 4 to 6), other partitions
(rungs 7 and 8), small studies, batches, ages in years. Of them only verdicts stay: whether a rung holds or a rule is crossed.

Counts of files stay (listed, failed, not annotated, copies, n of a test): they are about the set, not about a group of people.
Names of files do not: they can hold an age and a gender.
This is no differential privacy: who knows all but one person of the set, or has two versions of it, can learn more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any, TypeVar

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

ONE_COUNT = ("min_count", "smallest")
STATISTICS = ("v", "v_corrected", "low", "high", "p", "p_holm", "u", "homophily_gain")
"""Fields of --fail-on rules whose threshold pins down no count."""
UNSHOWN = f"{BECAUSE_WITHHELD}it rests on tables that no shared report shows"

Counts = Mapping[Hashable, int]
"""What is counted -> how many: (attribute, group), the number of a cluster, or a cell that is in one table alone."""
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
    left = replace(_without(result, hidden, reason), min_cell=min_cell)
    gate = tuple(_gate(result, left, reason))
    shared = replace(left, ledger=collect_ledger(left), gate=gate)
    findings = find(shared, alpha=result.config.statistics.alpha)
    return replace(shared, findings=(_sentence(hidden, min_cell), *findings))


@dataclass(slots=True, eq=False)
class _Tables:
    """The sums that are shown, of whatever images, and the tables that are not."""

    least: int
    shown: list[Counts] = field(default_factory=list)
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """(what in words, attribute)"""

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
        """Whether one is small, or some but not all differ from others of the same, or one by few images."""
        for other in others:
            both = [(n, other[what]) for what, n in counts.items() if what in other]
            apart = [abs(n - m) for n, m in both if n or m]
            if any(apart) and min(apart) < self.least:
                return True
        return any(0 < n < self.least for n in counts.values())


def _hidden_tables(result: AuditResult, least: int) -> set[tuple[str, str]]:
    """Return what is hidden: the whole set comes first, then clusters, then what is about parts, then combinations."""
    tables = _Tables(least)
    for about in result.representation:
        name = about.attribute
        tables.ask(GROUPS, name, _known(((name, x.name), x.count) for x in about.groups))
        if (GROUPS, name) in tables.hidden and _pinned(about.annotated, about.indices.R):
            tables.hidden.add((ALL, name))
    sizes = _known(enumerate(result.clustering.sizes if result.clustering else ()))
    small = any(0 < size < least for size in sizes.values())
    for each in sorted(result.associations, key=lambda each: -each.n):
        tables.ask(TABLE, each.attribute, *_of_table(each), hide=small)
    tables.ask(SIZES, "", sizes)
    styles: list[Counts] = [{each.cluster: each.n} for each in result.cluster_styles]
    tables.ask(STYLES, "", *styles, dict(x for each in styles for x in each.items()), hide=small)
    for check in result.subset_checks:
        tables.ask(SUBSET, check.attribute, *_of_subset(check))
    for overlap in result.latent:
        tables.ask(LATENT, overlap.attribute, *_of_latent(overlap))
    if (joint := result.intersections) is not None:
        unknown = (joint.n and not joint.counts) or any(
            (GROUPS, name) in tables.hidden for name in joint.attributes
        )
        names = {x.attribute for x in result.associations}.intersection(joint.attributes)
        by_cluster = sum((TABLE, name) not in tables.hidden for name in names)
        tables.ask(JOINT, "", *_of_joint(joint), hide=unknown or by_cluster > 1)
    copies = result.duplicates.conflicts
    tables.ask(COPIES, "", {("copies", each.name, None): each.count for each in copies})
    return tables.hidden


def _pinned(total: int, parts: int) -> bool:
    """Whether a known number of images in a known number of parts, none empty, can leave a part one size only."""
    return parts < 2 or total < 2 * parts


def _known(counts: Iterable[tuple[Hashable, int | None]]) -> Counts:
    """Return counts, of which only a shared result, refused by `withhold`, has None."""
    return {what: count for what, count in counts if count is not None}


def _of_table(each: Association) -> Iterator[Counts]:
    """Yield the cells of a table of clusters and groups, and its sums."""
    cells = {
        (each.attribute, i, j): n for i, row in enumerate(each.table) for j, n in enumerate(row)
    }
    yield _known(cells.items())
    sizes, groups = Counter[Hashable](), Counter[Hashable]()
    for (name, cluster, group), count in cells.items():
        sizes[cluster] += count or 0
        groups[name, each.groups[group]] += count or 0
    yield from (sizes, groups)


def _of_subset(check: SubsetCheck) -> Iterator[Counts]:
    """Yield the groups of a sample, and those of a set that holds it, as its shares tell them."""
    yield {(check.attribute, group.name): group.count for group in check.groups}
    if check.method == WITHOUT_REPLACEMENT:
        shares = {
            (check.attribute, group.name): Fraction(group.reference_share).limit_denominator(10**7)
            for group in check.groups
        }
        whole = lcm(*(share.denominator for share in shares.values()))
        yield {name: int(share * whole) for name, share in shares.items()}


def _of_latent(overlap: LatentOverlap) -> Iterator[Counts]:
    """Yield the images of the subsample, of its groups, and of the groups in each pair."""
    name = overlap.attribute
    yield {("latent", name, None): overlap.n}
    yield {(name, group.group): group.n for group in overlap.groups}
    for pair in overlap.pairs:
        yield {(name, pair.first): pair.n_first, (name, pair.second): pair.n_second}


def _of_joint(found: Intersections) -> Iterator[Counts]:
    """Yield the cells of the cross table, and its sums over all attributes but one."""
    cells = dict(zip(product(*found.groups), found.counts, strict=False))
    yield _known((("combination", groups), count) for groups, count in cells.items())
    for axis, name in enumerate(found.attributes):
        sums = Counter[Hashable]()
        for groups, count in cells.items():
            sums[name, groups[axis]] += count or 0
        yield sums


def _without(result: AuditResult, hidden: set[tuple[str, str]], reason: str) -> AuditResult:
    """Return the result without what is hidden, and without what is computed from tables that are in no report."""

    def shown(words: str, records: tuple[Any, ...]) -> tuple[Any, ...]:
        hides = (words,) if words == ALL else (words, GROUPS)
        return tuple(x for x in records if hidden.isdisjoint((y, x.attribute) for y in hides))

    clusters, joint, copies = result.clustering, result.intersections, result.duplicates
    if clusters is not None and (SIZES, "") in hidden:
        n, k = sum(size or 0 for size in clusters.sizes), len(clusters.sizes)
        clusters = None if _pinned(n, k) else replace(clusters, sizes=(None,) * k)
    if joint is not None and any((ALL, name) in hidden for name in joint.attributes):
        joint = None
    elif joint is not None and (JOINT, "") in hidden:
        lists = dict.fromkeys(("smallest", "largest_gaps", "beyond_pairs", "counts"), ())
        nothing: dict[str, Any] = {**lists, "empty": None, "under_30": None}
        joint = replace(joint, **nothing, not_computable=tuple((x, reason) for x in nothing))
    conflicts = () if (COPIES, "") in hidden else copies.conflicts
    demographic = tuple(each for each in result.associations if each.kind == "demographic")
    whole = len(shown(TABLE, demographic)) == len(demographic)
    facts = result.dataset
    unnamed: dict[str, Any] = {"notes": tuple(note for note in facts.notes if '"' not in note)}
    for name in ("failures", "flags", "rejects"):
        unnamed[name] = tuple(replace(each, examples=()) for each in getattr(facts, name))
    return replace(
        result,
        dataset=replace(facts, **unnamed),  # a note that quotes something may quote a file's name
        representation=tuple(
            _representation(each, (GROUPS, each.attribute) in hidden, reason)
            for each in shown(ALL, result.representation)
        ),
        age_heaping=None,
        intersections=joint,
        duplicates=replace(copies, examples=(), conflicts=conflicts),
        subset_checks=tuple(
            _hide(replace(each, groups=()), reason) if (SUBSET, each.attribute) in hidden else each
            for each in shown(ALL, result.subset_checks)
        ),
        clustering=clusters,
        associations=tuple(
            _association(each, (TABLE, each.attribute) in hidden, whole, reason)
            for each in shown(ALL, result.associations)
        ),
        ladders=tuple(_verdicts(x, 4 if whole else 3) for x in shown(TABLE, result.ladders)),
        batch_predictions=(),
        stability=result.stability and replace(result.stability, attributes=()),
        style_tests=shown(GROUPS, result.style_tests),
        style_baselines=(),
        cluster_styles=() if (STYLES, "") in hidden else result.cluster_styles,
        latent=shown(LATENT, result.latent),
        replay=None,
        recluster=(),
        planted=tuple(replace(each, found=UNSHOWN) for each in result.planted),
    )


def _hide(record: Record, reason: str, *names: str) -> Record:
    """Return a record with these fields None, or with all that can be, and its `not_computable` saying why."""
    old: Any = record
    names = names or tuple(x.name for x in fields(old) if str(x.type).endswith("None"))
    reasons = {**dict(old.not_computable), **dict.fromkeys(names, reason)}
    found: Record = replace(old, **dict.fromkeys(names), not_computable=tuple(reasons.items()))
    return found


def _representation(about: Representation, is_hidden: bool, reason: str) -> Representation:
    """Return who is in the set; of hidden groups only how many they are, and of how many images."""
    if is_hidden:
        groups = tuple(_hide(group, reason) for group in about.groups)
        indices, target = _hide(about.indices, reason), _hide(about.target, reason)
        return replace(about, groups=groups, indices=indices, target=target)
    if about.target.n == about.annotated:
        return about
    # The test of fit counts one copy of each image, whose groups no table shows.
    return replace(about, target=_hide(about.target, reason, "chi2", "p"))


def _association(each: Association, is_hidden: bool, whole: bool, reason: str) -> Association:
    """Return the association; Holm's p can be another attribute's, so that it is hidden with any of them."""
    if is_hidden:
        return _hide(replace(each, table=(), cells=()), reason)
    return each if whole or each.p_holm is None else _hide(each, reason, "p_holm")


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
        try:
            rule = parse_rule(each.rule)
        except ConfigError:  # a result that no run of ours wrote
            continue
        compare = OPERATORS[rule.symbol]
        verdicts = {compare(count, rule.number) for count in range(1, shared.min_cell)}
        if check_rules([each.rule], shared) == (each,):
            yield each
        elif rule.field in STATISTICS or (rule.field in ONE_COUNT and len(verdicts) == 1):
            yield GateRule(each.rule, None, each.crossed, reason)


def _sentence(hidden: set[tuple[str, str]], least: int) -> Finding:
    """Return what was withheld, as the first thing to be read."""
    found = sorted(
        words.format(display(name))
        for words, name in hidden
        if words in (ALL, GROUPS) or (GROUPS, name) not in hidden
    )
    text = (
        f"Made to be shared: counts of fewer than {least} people, 0 aside, are withheld and shown as {WITHHELD}, with the whole "
        f"table that holds one or would reveal one, and with every number computed from it "
        f"({listed(found) if found else 'no table had to be'}). Statistics of tables that no report shows (images alike in "
        f"something else, other partitions, small studies, batches, ages in years) are withheld too. No file is named."
    )
    return Finding(code=MIN_CELL, severity="notice", text=text, effect=1.0)
