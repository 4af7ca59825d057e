"""--min-cell N: a result without any count of 1 to N - 1 people, and without every number that would reveal one.

A table is shown or hidden as a whole. It is hidden where
    a count or sum of it is small, or its attribute or its clusters have a small one elsewhere
    its sums differ, by few images or in some groups only, from a table that is shown (first come, in `hidden_tables`): copies,
    failures and images without another label are in one of the two
    its groups are made of another attribute's (--map): the two differ by whole groups
    it is the cross table, and two of its attributes are shown by cluster: three tables of pairs can fix a cell of all three
    it is of what models predict: each of its tables crosses groups with classes, several models with each other

A number is shown only if every table it is computed from is shown: with all its digits a statistic can be tried against the few
tables that are left, and one fits. Strata (rungs 4 to 6), other partitions (7 and 8), small studies, batches, people, labels by
attribute, pairs of parts, votes and ages in years are tables that no report shows. Of them only verdicts stay: whether a rung holds
or a rule is crossed.

Counts of files stay (listed, failed, not annotated, copies, n of a test): they are about the set, not about a group of people.
Names of files, which can hold an age, do not. This is no differential privacy: two versions of a set tell by their difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any, TypeVar, cast

from fer_audit.audit import hidden_tables as tables
from fer_audit.audit.claims.associations import CLAIMED
from fer_audit.audit.findings import collect_ledger, find
from fer_audit.audit.gate import OPERATORS, check_rules, parse_rule
from fer_audit.audit.hidden_tables import ALL, GROUPS, Hidden, hidden_tables
from fer_audit.audit.types.claims import Association, Ladder
from fer_audit.audit.types.composition import Representation
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD, MIN_CELL
from fer_audit.audit.types.result import AuditResult, Finding, GateRule
from fer_audit.config import refuse_min_cell
from fer_audit.errors import ConfigError
from fer_audit.text import WITHHELD, display, listed

HEAD = ("schema", "complete", "model", "config", "versions", "not_computable", "not_asked")
ONE_COUNT = ("min_count", "smallest")
STATISTICS = ("v", "v_corrected", "strength", "low", "high", "p", "p_holm", "u", "homophily_gain")
"""Fields of --fail-on rules whose threshold pins down no count."""
BY_PERSON = (
    *("null_mean", "null_95", "v_corrected_null_95", "low"),
    *("high", "p_permutation", "p_holm", "v_corrected"),
)
"""What rests on the table of each person, where people are exchanged."""
UNSHOWN = f"{BECAUSE_WITHHELD}it rests on tables that no shared report shows"
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
    hidden = hidden_tables(result, min_cell)
    left = _without(result, hidden, reason).having(min_cell=min_cell)
    gate = tuple(_gate(result, left, reason))
    shared = left.having(ledger=collect_ledger(left), gate=gate)
    found = (replace(each, files="") for each in find(shared))  # the lists are not handed on
    return shared.having(findings=(_sentence(hidden, min_cell), *found))


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
    if (tables.COPIES, "") in hidden:
        copies = replace(copies, conflicts=())
    near = result.near_duplicates and replace(result.near_duplicates, examples=())
    if near is not None and (tables.NEAR, "") in hidden:
        near = replace(near, disagreements=())
    if clusters is not None:
        clusters = replace(clusters, nearest=(), farthest=())
    if clusters is not None and (tables.SIZES, "") in hidden:
        n, k = sum(size or 0 for size in clusters.sizes), len(clusters.sizes)
        clusters = None if n < 2 * k else replace(clusters, sizes=(None,) * k)
    if joint is not None and any((ALL, name) in hidden for name in joint.attributes):
        joint = None
    elif joint is not None and (tables.JOINT, "") in hidden:
        joint = replace(joint, smallest=(), largest_gaps=(), beyond_pairs=(), counts=())
        joint = _hide(joint, reason)
    associations = blanked(tables.TABLE, result.associations, table=(), cells=())
    told = {
        x.kind
        for x in result.associations
        if x.kind in CLAIMED and (tables.TABLE, x.attribute) in hidden
    }
    # Holm's p of one attribute can be another's p, of the same kind
    associations = tuple(
        _hide(each, reason, "p_holm") if each.kind in told else each
        for each in map(_without_units, associations)
    )
    first = {x.attribute: 3 if x.kind in told else 4 for x in result.associations}
    first |= {x.attribute: 1 for x in result.associations if x.unit != "image"}
    return AuditResult.of(
        **head,
        dataset=replace(result.dataset, **facts),  # a note may quote the name of a file
        planted=tuple(replace(each, found=UNSHOWN) for each in result.planted),
        representation=tuple(
            _representation(each, (GROUPS, each.attribute) in hidden, reason)
            for each in shown(ALL, result.representation)
        ),
        intersections=joint,
        duplicates=replace(
            copies, examples=(), worst="", contradicting=None, across_age_groups=None
        ),
        near_duplicates=near,
        subset_checks=blanked(tables.SUBSET, result.subset_checks, groups=()),
        clustering=clusters,
        cluster_styles=()
        if (tables.STYLES, "") in hidden
        else tuple(_by_images(x, "low", "high") for x in result.cluster_styles),
        associations=associations,
        ladders=tuple(
            _verdicts(x, first.get(x.attribute, 1))
            for x in shown(tables.TABLE, result.ladders)
            if x.of == "cluster"
        ),
        stability=result.stability and replace(result.stability, attributes=()),
        style_tests=tuple(
            _by_images(x, "p", "p_adjusted") for x in shown(GROUPS, result.style_tests)
        ),
        latent=tuple(_by_images(x, "p") for x in shown(tables.LATENT, result.latent)),
        principal_axes=result.principal_axes,
        published=result.published,
        subjects=tuple(
            _hide(each, reason)
            if (tables.SUBJECTS, each.attribute) in hidden
            else replace(each, ami=None)
            for each in result.subjects
        ),
        split_leaks=tuple(
            replace(each, pairs=(), examples=())
            for each in shown(tables.LEAKS, result.split_leaks)
        ),
    )


def _hide(record: Record, reason: str, *names: str) -> Record:
    """Return a record with these fields None, or with all that can be, and its `not_computable` saying why."""
    old: Any = record
    names = names or tuple(x.name for x in fields(old) if str(x.type).endswith("None"))
    reasons = {**dict(old.not_computable), **dict.fromkeys(names, reason)}
    new = replace(old, **dict.fromkeys(names), not_computable=tuple(reasons.items()))
    return cast("Record", new)


def _by_images(record: Record, *names: str) -> Record:
    """Return a record without what tables of each person were drawn for."""
    each: Any = record
    return record if each.unit == "image" else _hide(record, UNSHOWN, *names)


def _without_units(each: Association) -> Association:
    """Return an association without what tables of each person or batch were drawn for."""
    by_batch = ("other_low", "other_high") if each.drawn else ()
    by_person = BY_PERSON if each.unit != "image" else ()
    names = (*by_batch, *by_person)
    return replace(_hide(each, UNSHOWN, *names) if names else each, units=0)


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
    text = f"Made to be shared: counts of fewer than {least} people are hidden and shown as {WITHHELD}."
    figures = (
        f"with them the whole table that holds or would reveal one and every number computed from it ({listed(found) or 'no table'}),"
        " and statistics of images alike in something else, what models predict, weights, labels that look wrong, other partitions, small studies, batches and ages in years;"
        " no file is named"
    )
    do = "Nothing: it can be handed on."
    return Finding(MIN_CELL, "know", text, effect=1.0, figures=figures, do=do)
