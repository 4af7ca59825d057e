"""What the audit of the demo set says, compared with what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from fer_audit.audit.types.claim import CLUSTER, Claim, LeftAt
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult, PlantedCheck
from fer_audit.synth.folder import TRUTH
from fer_audit.synth.plant import TRUTH_SCHEMA, Fact
from fer_audit.text import (
    coefficient,
    counted,
    display,
    number,
    number_span,
    p_phrase,
    p_text,
    span,
    unreached,
)


def check_planted(folder: Path, result: AuditResult) -> tuple[PlantedCheck, ...]:
    """Return one check for each fact of truth.json that the result can answer; () in a folder without one.

    The truth is about the whole set: a sample of it is not checked, and neither is a fact about an attribute that
    the audit was not asked about.
    """
    facts = _read_facts(folder, n=result.dataset.listed)
    checks = (_CHECKS[fact.kind](fact, result) for fact in facts if fact.kind in _CHECKS)
    return tuple(check for check in checks if check is not None)


def _read_facts(folder: Path, *, n: int) -> list[Fact]:
    """Return the truth about n images; nothing when it is about others, or somebody else's file has its name."""
    try:
        truth = json.loads((folder / TRUTH).read_bytes())
        if truth["schema"] != TRUTH_SCHEMA or truth["n"] != n:
            return []
        return [Fact(**fields) for fields in truth["planted"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def _check_share(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is the rare group's interval of the ratio to its target share below the limit?"""
    shares = [
        share
        for representation in result.representation
        if representation.attribute == fact.attribute
        for share in representation.groups
        if share.name == fact.group
    ]
    if not shares:
        return None
    share, limit = shares[0], fact.ratio_below
    found = f"{share.count:,} images, not comparable with a target"
    if share.ratio is not None and share.ratio_high is not None:
        found = f"{number(share.ratio)} of it ({number_span(share.ratio_low, share.ratio_high)}), {share.count:,} images"
    return PlantedCheck(
        claim=f"{fact.attribute} {fact.group} is under-represented",
        expected=f"under {number(limit)} of its target share",
        found=found,
        agrees=share.ratio_high is not None and share.ratio_high < limit,
    )


def _check_seen(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is V~ high, no chance, and (where the batch was asked about) at least a part of it left within one?"""
    association = _association(fact, result)
    if association is None:
        return None
    left = _left_within(fact, result)
    is_high = association.v_corrected is not None and association.v_corrected >= fact.least_v
    expected = f"V~ of {coefficient(fact.least_v)} or more, not by chance"
    if fact.batch is not None:
        expected += f", most or part of it left within a {fact.batch}"
    return PlantedCheck(
        claim=f"clusters follow the {display(fact.attribute)}",
        expected=expected,
        found=_strength(association) + _amount(left),
        agrees=is_high
        and _is_significant(association, result)
        and (left is None or left.grade in ("most", "part")),
    )


def _check_through_batch(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is V~ above 0, is little of it left where the batch is known, and is that what limits the claim?"""
    association, left = _association(fact, result), _left_within(fact, result)
    if association is None or left is None:
        return None
    limits = [each.limited_by for each in _claims(fact, result) if each.of == CLUSTER]
    return PlantedCheck(
        claim=f"{fact.attribute} is associated with clusters only through the {fact.batch}",
        expected=f"V~ above 0, a trace or little of it left within a {fact.batch}, which limits the claim",
        found=f"{_strength(association)}{_amount(left)}; limited by: {display(limits[0]) or 'nothing'}",
        agrees=association.low is not None
        and association.low > 0
        and left.grade in ("trace", "little")
        and limits == [fact.batch],
    )


def _check_by_person(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is nothing claimed where people are exchanged, whatever counting images would say?"""
    association = _association(fact, result)
    if association is None:
        return None
    found = f"{_unclaimed(fact, result)}; {_strength(association)} by {association.unit}"
    if association.p_asymptotic is not None:
        found += f"; counted by image {p_phrase(association.p_asymptotic)}"
    return PlantedCheck(
        claim=f"{display(fact.attribute)} is a person's, at random",
        expected=f"no claim: p by person above {p_text(_alpha(result))}",
        found=found,
        agrees=association.unit != "image" and _is_free(fact, association, result),
    )


def _check_free(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is nothing claimed?"""
    association = _association(fact, result)
    if association is None:
        return None
    return PlantedCheck(
        claim=f"{display(fact.attribute)} is tied to nothing",
        expected=f"no claim: p above {p_text(_alpha(result))}",
        found=f"{_unclaimed(fact, result)}; {_strength(association)}",
        agrees=_is_free(fact, association, result),
    )


def _check_near_copies(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Are all pictures that are there twice found, no others, and every label that differs?"""
    near = result.near_duplicates
    if near is None:
        return None
    counts = [each for each in near.disagreements if each.attribute == fact.attribute]
    if not counts:
        return None
    name, differ, pairs = display(fact.attribute), counts[0].differ, counts[0].pairs
    return PlantedCheck(
        claim=f"pictures are there twice, some with another {name}",
        expected=f"{counted(fact.copies, 'group')} of near-identical images, {name} differs in {fact.differ}",
        found=f"{counted(near.groups, 'group')} of {counted(near.images, 'image')}, "
        f"{name} differs in {differ} of {counted(pairs, 'confirmed pair')}",
        agrees=(near.groups, near.images, pairs, differ)
        == (fact.copies, 2 * fact.copies, fact.copies, fact.differ),
    )


_CHECKS: Mapping[str, Callable[[Fact, AuditResult], PlantedCheck | None]] = {
    "under_represented": _check_share,
    "seen": _check_seen,
    "through_batch": _check_through_batch,
    "by_person": _check_by_person,
    "free": _check_free,
    "near_copies": _check_near_copies,
}


def _association(fact: Fact, result: AuditResult) -> Association | None:
    found = (each for each in result.associations if each.attribute == fact.attribute)
    return next(found, None)


def _claims(fact: Fact, result: AuditResult) -> list[Claim]:
    """Return every claim about an attribute: of clusters first, then of labels."""
    return [each for each in result.claims if fact.attribute in (each.of, each.attribute)]


def _left_within(fact: Fact, result: AuditResult) -> LeftAt | None:
    """Return what is left of clusters and an attribute within its batch; None where that was not asked."""
    levels = (
        left for claim in _claims(fact, result) if claim.of == CLUSTER for left in claim.left
    )
    return next((each for each in levels if each.level == fact.batch), None)


def _amount(left: LeftAt | None) -> str:
    """Return "; most of it left within a session (1.01 of what can vary, .99-1.03)"."""
    if left is None:
        return ""
    if left.per_entropy is None or left.low is None or left.high is None:
        return f"; {left.grade} within a {left.level}"
    value = f"{coefficient(left.per_entropy, 2)} of what can vary, {span(left.low, left.high, digits=2)}"
    return f"; {left.grade} left within a {left.level} ({value})"


def _is_free(fact: Fact, association: Association, result: AuditResult) -> bool:
    p = association.p_permutation
    claimed = any(each.strength != "at chance" for each in _claims(fact, result))
    return p is not None and p > _alpha(result) and not claimed


def _unclaimed(fact: Fact, result: AuditResult) -> str:
    """Return "none of 3 claims holds"."""
    claims = _claims(fact, result)
    held = sum(each.strength != "at chance" for each in claims)
    return f"{held or 'none'} of {counted(len(claims), 'claim')} holds"


def _is_significant(association: Association, result: AuditResult) -> bool:
    p = association.p_holm if association.p_holm is not None else association.p_permutation
    return p is not None and p <= _alpha(result)


def _alpha(result: AuditResult) -> float:
    return result.config.statistics.alpha


def _strength(association: Association) -> str:
    """Return "V~ .240 (.190-.290), p < .001"."""
    if association.v_corrected is None:
        return "V~ not computable"
    text = f"V~ {coefficient(association.v_corrected)}"
    if association.low is not None and association.high is not None:
        text += f" ({span(association.low, association.high)})"
    p = association.p_permutation
    at_most = unreached(p, association.permutations)
    return text if p is None else f"{text}, {p_phrase(p, at_most=at_most)}"
