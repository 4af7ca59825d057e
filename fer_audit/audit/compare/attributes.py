"""One attribute in two runs: who is in it, how it is associated with the clusters, how far the claim climbs."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.compare.matching import Matching, shared_codes
from fer_audit.audit.compare.shares import DRAWS, SharedCounts, compare_shares
from fer_audit.audit.inputs import first_copies
from fer_audit.audit.types.claims import Ladder, Rung
from fer_audit.audit.types.compare import (
    AttributeComparison,
    LabelColumn,
    RunAssociation,
    RungChange,
    RungState,
    RunRows,
)
from fer_audit.audit.types.composition import Representation
from fer_audit.audit.types.result import AuditResult
from fer_audit.text import counted

_TESTED_KINDS = ("demographic", "label")
"""Nobody claims anything about the share of an hour of the crawl."""
_COPIED = (
    *("v", "null_95", "v_corrected", "low", "high", "p_holm", "p_permutation", "permutations"),
    *("u_group_from_cluster", "u_cluster_from_group"),
)
"""Fields that stand in an Association and in a RunAssociation."""
Side = tuple[AuditResult, RunRows]


def compare_attribute(
    name: str,
    first: Side,
    second: Side,
    matching: Matching,
    *,
    confidence: float,
    rng: np.random.Generator,
) -> AttributeComparison:
    """Return what became of one attribute that both runs have."""
    about_1, about_2 = _representation(first[0], name), _representation(second[0], name)
    common, relabelled = _relabelled(name, first[1], second[1], matching)
    untested = _why_untested(about_1, about_2, common, relabelled)
    tested = None if untested else _shared_counts(name, first, second, matching)
    if tested is not None and not (tested.first and tested.second):
        tested, untested = None, "no image is left once copies are left out"
    one, two = _association(first[0], name), _association(second[0], name)
    ladder = _both_ladders(first[0], second[0], name)
    return AttributeComparison(
        attribute=name,
        kind=about_1.kind,
        first_annotated=about_1.annotated,
        second_annotated=about_2.annotated,
        common=common,
        relabelled=relabelled,
        tested=tested is not None,
        reading=untested or _how_tested(tested),
        draws=0 if tested is None else DRAWS,
        groups=compare_shares(
            about_1,
            about_2,
            tested=tested,
            untested=untested,
            confidence=confidence,
            draws=DRAWS,
            rng=rng,
        ),
        first=one,
        second=two,
        intervals_overlap=_overlap(one, two),
        rungs=tuple(rung for rung in ladder if rung.first != rung.second),
        ladder=ladder,
    )


def _representation(result: AuditResult, name: str) -> Representation:
    return next(each for each in result.representation if each.attribute == name)


def _column(rows: RunRows, name: str) -> LabelColumn | None:
    return next((column for column in rows.labels if column.name == name), None)


def _relabelled(
    name: str, first: RunRows, second: RunRows, matching: Matching
) -> tuple[int | None, int | None]:
    """Return how many common images are annotated in both runs, and how many of them otherwise; None = not known."""
    one, two = _column(first, name), _column(second, name)
    if one is None or two is None:
        return None, None
    _, codes_1, codes_2 = shared_codes(one, two)
    codes_1, codes_2 = codes_1[matching.first], codes_2[matching.second]
    both = (codes_1 >= 0) & (codes_2 >= 0)
    return int(both.sum()), int((codes_1[both] != codes_2[both]).sum())


def _why_untested(
    first: Representation, second: Representation, common: int | None, relabelled: int | None
) -> str:
    """Return why a test of the shares would mean nothing, "" if it means something."""
    if first.kind not in _TESTED_KINDS:
        return f"shares of a {first.kind} attribute are not tested"
    if not (first.annotated and second.annotated):
        return "nothing is annotated in one of the runs"
    if common is None or relabelled is None:
        return "the labels of the single images are not known"
    if relabelled:
        return f"{relabelled:,} of {counted(common, 'common image')} carry another label: that is no chance"
    if common == first.annotated == second.annotated:
        return "same images, shares equal"
    return ""


def _how_tested(tested: SharedCounts | None) -> str:
    if tested is None:
        return ""
    if tested.common == tested.first == tested.second:
        how = "the same images but for copies"
    elif not tested.common:
        how = "two sets without a common image"
    elif tested.common in (tested.first, tested.second):
        how = "one set holds the other: is the smaller a fair draw of the larger?"
    else:
        how = f"the sets share {counted(tested.common, 'image')}, which count as shared"
    return f"{how}; {DRAWS:,} draws, {tested.first:,} and {counted(tested.second, 'image')}"


def _shared_counts(
    name: str, first: Side, second: Side, matching: Matching
) -> SharedCounts | None:
    """Count groups over one copy of each image, unless the runs kept all copies."""
    one, two = _column(first[1], name), _column(second[1], name)
    if one is None or two is None:
        return None
    groups, codes_1, codes_2 = shared_codes(one, two)
    listed_common = int(((codes_1[matching.first] >= 0) & (codes_2[matching.second] >= 0)).sum())
    if not (_keeps_copies(first[0]) or _keeps_copies(second[0])):
        codes_1 = np.where(first_copies(first[1].sha256, codes_1 >= 0), codes_1, -1)
        codes_2 = np.where(first_copies(second[1].sha256, codes_2 >= 0), codes_2, -1)
    shared = codes_1[matching.first]
    # Copies may carry different labels, and the runs may keep different copies: those count as two images.
    shared = shared[(shared >= 0) & (shared == codes_2[matching.second])]
    counts = [
        np.bincount(codes[codes >= 0], minlength=len(groups)).tolist()
        for codes in (codes_1, codes_2, shared)
    ]
    triples = zip(*counts, strict=True)
    return SharedCounts(
        first=int((codes_1 >= 0).sum()),
        second=int((codes_2 >= 0).sum()),
        common=len(shared),
        listed_common=listed_common,
        groups={group: (a, b, c) for group, (a, b, c) in zip(groups, triples, strict=True)},
    )


def _keeps_copies(result: AuditResult) -> bool:
    return result.config.statistics.keep_duplicates


def _association(result: AuditResult, name: str) -> RunAssociation | None:
    found = next((each for each in result.associations if each.attribute == name), None)
    if found is None:
        return None
    ladder = _ladder(result, name)
    missing = tuple(pair for pair in found.not_computable if pair[0] in _COPIED)
    if ladder is None:
        missing += (("highest", "the claim ladder was not climbed"),)
    return RunAssociation(
        n=found.n,
        **{field: getattr(found, field) for field in _COPIED},
        highest=None if ladder is None else ladder.highest,
        rungs=0 if ladder is None else len(ladder.rungs),
        not_computable=missing,
    )


def _ladder(result: AuditResult, name: str) -> Ladder | None:
    """Return the ladder of the clusters and an attribute."""
    return next((x for x in result.ladders if (x.of, x.attribute) == ("cluster", name)), None)


def _overlap(first: RunAssociation | None, second: RunAssociation | None) -> bool | None:
    if first is None or second is None:
        return None
    ends = (first.low, first.high, second.low, second.high)
    if any(end is None for end in ends):
        return None
    low_1, high_1, low_2, high_2 = (float(end or 0.0) for end in ends)
    return max(low_1, low_2) <= min(high_1, high_2)


def _both_ladders(first: AuditResult, second: AuditResult, name: str) -> tuple[RungChange, ...]:
    """Return every rung that either run asked; rungs compare by their number."""
    rungs = []
    for result in (first, second):
        ladder = _ladder(result, name)
        rungs.append({} if ladder is None else {rung.number: rung for rung in ladder.rungs})
    names = {number: rung.name for of in reversed(rungs) for number, rung in of.items()}
    return tuple(
        RungChange(
            number, names[number], _state(rungs[0].get(number)), _state(rungs[1].get(number))
        )
        for number in sorted(names)
    )


def _state(rung: Rung | None) -> RungState:
    if rung is None:
        return "not asked"
    if rung.skipped:
        return "skipped"
    if rung.holds is None:
        return "not computable"
    return "holds" if rung.holds else "does not hold"
