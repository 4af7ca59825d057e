"""A result that may be shared: no count of fewer than N people is in it, nor can one be worked out from it.

What is withheld, for `--min-cell N`:
    every count of 1 to N - 1 images of a group, of a cluster, of a group in a cluster, of a combination of groups; 0 is told
    as many further counts as `audit.disclosure` needs, so that no sum gives a withheld one away
    what is a function of a withheld count: its share, interval, ratio, residual, lift
    every number computed from a table that has a withheld cell: with all its digits, and the seed, a statistic is tried
    against the few tables that are left, and one fits (diversity indices, distance to the target, V and its intervals, U, AMI,
    the ladder that rests on them, the same of other seeds, studies and resamples beside it)
    names of files, which can hold an age and a gender

    a total, where a wider one of the same group is told and only 1 to N - 1 images are in one of them alone (copies, failures,
    images that lack another label): then the narrower total, and for a cluster its size, as `audit.withhold_differences` says

What stays: counts of files (listed, failed, not annotated, rejected, copies), for they are about the set and not about a group;
statistics of tables that are not told at all, such as those within strata; whatever rests only on told cells.
Not looked at: sums of the tables of two attributes, side by side, tell how many images of a cluster have the one label and
not the other.
This is no differential privacy: who knows all but one person of the set, or holds two versions of it, can learn more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from fer_audit.audit.findings import find
from fer_audit.audit.gate import check_rules
from fer_audit.audit.ledger import collect_ledger
from fer_audit.audit.suppression.cells import Plan, plan
from fer_audit.audit.suppression.tables import (
    shared_association,
    shared_intersections,
    shared_representation,
    without,
)
from fer_audit.audit.types.claims import ClusterFacts, Ladder
from fer_audit.audit.types.composition import AgeHeaping, DatasetFacts, RejectCount, SubsetCheck
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, MIN_CELL
from fer_audit.audit.types.result import AuditResult, Finding, GateRule
from fer_audit.config import refuse_min_cell
from fer_audit.errors import ConfigError
from fer_audit.text import WITHHELD, counted, display, listed


def withhold(result: AuditResult, min_cell: int) -> AuditResult:
    """Return the result without any count of 1 to min_cell - 1 people and without what tells one; the same for 0.

    A withheld number is None; its record's `not_computable` says so. Findings and ledger are made anew from what is left, and
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
    hidden = plan(result, min_cell)
    reason = f"{BECAUSE_WITHHELD}it would tell a count below {min_cell}"
    shared = result.having(
        dataset=_dataset(result.dataset),
        representation=tuple(
            shared_representation(each, hidden, reason)
            for each in result.representation
            if each.attribute not in hidden.gone
        ),
        age_heaping=_ages(result.age_heaping, hidden, min_cell),
        intersections=shared_intersections(result.intersections, hidden, min_cell, reason),
        duplicates=replace(result.duplicates, examples=()),
        subset_checks=tuple(
            _subset(each, hidden, reason)
            for each in result.subset_checks
            if each.attribute not in hidden.gone
        ),
        clustering=_clusters(result.clustering, hidden),
        associations=tuple(
            shared_association(each, hidden, reason)
            for each in result.associations
            if each.attribute not in hidden.gone
        ),
        min_cell=min_cell,
    )
    shared = _without_claims(shared, hidden, min_cell)
    if shared != result.having(min_cell=min_cell, dataset=shared.dataset):
        told = "withheld, like other numbers of this report"
        shared = shared.having(planted=tuple(replace(x, found=told) for x in shared.planted))
    shared = shared.having(ledger=collect_ledger(shared))
    shared = shared.having(gate=_gate(result, shared, reason))
    findings = find(shared)
    return shared.having(findings=(_sentence(hidden, min_cell), *findings))


def _dataset(facts: DatasetFacts) -> DatasetFacts:
    """Return the facts without names of files. A note that quotes something may quote one."""
    return replace(
        facts,
        failures=_unnamed(facts.failures),
        flags=_unnamed(facts.flags),
        rejects=_unnamed(facts.rejects),
        notes=tuple(note for note in facts.notes if '"' not in note),
    )


def _unnamed(found: Iterable[RejectCount]) -> tuple[RejectCount, ...]:
    return tuple(replace(each, examples=()) for each in found)


def _ages(ages: AgeHeaping | None, hidden: Plan, min_cell: int) -> AgeHeaping | None:
    """Return Whipple's index, None where its images, the round ages or the others are few, or age groups are withheld."""
    if ages is None or ages.whipple is None:
        return ages
    hits = round(ages.whipple * ages.n / 500)
    small = any(0 < count < min_cell for count in (ages.n, hits, ages.n - hits))
    return None if small or any(hidden.groups.values()) or hidden.gone else ages


def _subset(check: SubsetCheck, hidden: Plan, reason: str) -> SubsetCheck:
    if check.attribute not in hidden.subsets:
        return check
    fields = ("tv", "chi2", "p", "p_asymptotic", "worst")
    return without(replace(check, groups=()), fields, reason)


def _clusters(facts: ClusterFacts | None, hidden: Plan) -> ClusterFacts | None:
    if facts is None:
        return None
    sizes = enumerate(facts.sizes)
    return replace(facts, sizes=tuple(None if i in hidden.sizes else size for i, size in sizes))


def _without_claims(result: AuditResult, hidden: Plan, min_cell: int) -> AuditResult:
    """Leave out what rests on a table with withheld cells, and what is about few images."""

    def few(*counts: int) -> bool:
        return any(0 < count < min_cell for count in counts)

    def told(attribute: str) -> bool:
        return not hidden.touches(attribute)

    def groups_told(attribute: str) -> bool:
        return attribute not in hidden.gone and not hidden.groups.get(attribute)

    stability = result.stability
    return result.having(
        ladders=tuple(x for x in result.ladders if told(x.attribute) and not few(*_images_of(x))),
        batch_predictions=tuple(
            x
            for x in result.batch_predictions
            if groups_told(x.attribute)
            and x.batch not in hidden.gone
            and not few(x.n, x.right, x.n - x.right)
        ),
        stability=None
        if stability is None
        else replace(
            stability,
            attributes=tuple(
                x for x in stability.attributes if told(x.attribute) and not few(x.half_n)
            ),
        ),
        style_tests=tuple(
            x for x in result.style_tests if x.attribute not in hidden.gone and not few(x.n)
        ),
        style_baselines=tuple(
            x for x in result.style_baselines if told(x.attribute) and not few(x.n)
        ),
        cluster_styles=tuple(
            x for x in result.cluster_styles if x.cluster not in hidden.sizes and not few(x.n)
        ),
        latent=tuple(
            x
            for x in result.latent
            if groups_told(x.attribute)
            and not few(x.n, *(each.n for each in x.groups))
            and not few(*(n for pair in x.pairs for n in (pair.n_first, pair.n_second)))
        ),
        replay=None
        if result.replay is None
        else replace(
            result.replay,
            attributes=tuple(x for x in result.replay.attributes if told(x.attribute)),
        ),
        recluster=tuple(x for x in result.recluster if told(x.attribute)),
    )


def _images_of(ladder: Ladder) -> Iterator[int]:
    """Yield how many images each rung and each question of a ladder rests on."""
    for rung in ladder.rungs:
        yield rung.n_effective
    for asked in ladder.conditionals:
        yield from (asked.n, asked.n_effective)


def _gate(result: AuditResult, shared: AuditResult, reason: str) -> tuple[GateRule, ...]:
    """Return the rules as they were judged, without the value of those that the shared result cannot judge alike."""
    return tuple(
        each
        if _judged(each.rule, shared) == each
        else GateRule(each.rule, None, each.crossed, reason)
        for each in result.gate
    )


def _judged(rule: str, result: AuditResult) -> GateRule | None:
    try:
        return check_rules([rule], result)[0]
    except ConfigError:  # a result that no run of ours wrote
        return None


def _sentence(hidden: Plan, min_cell: int) -> Finding:
    """Return what was withheld, as the first thing to be read."""
    cells = sum(int(mask.sum()) for mask in hidden.tables.values() if mask is not None)
    counts = (
        (sum(map(len, hidden.groups.values())), "group", "groups"),
        (len(hidden.sizes), "cluster", "clusters"),
        (cells, "cell of clusters and groups", "cells of clusters and groups"),
        (
            0 if hidden.joint is None else int(hidden.joint.sum()),
            "combination of groups",
            "combinations of groups",
        ),
    )
    found = [counted(count, *nouns) for count, *nouns in counts if count]
    found += [
        f"the whole table of {display(x)}" for x, mask in hidden.tables.items() if mask is None
    ]
    found += [f"all of {display(name)}" for name in sorted(hidden.gone)]
    text = (
        f"Made to be shared: counts of fewer than {min_cell} people, 0 aside, are withheld and shown as {WITHHELD}, with as many "
        f"others as keep them from being worked out, and with every number computed from such a table "
        f"({listed(found) if found else 'none had to be'}). No file is named."
    )
    return Finding(code=MIN_CELL, severity="notice", text=text, effect=1.0)
