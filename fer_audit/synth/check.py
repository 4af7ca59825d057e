"""What the audit of the demo set says, compared with what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from fer_audit.audit.types.claim import CLUSTER
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

_Check: TypeAlias = tuple[str, str, str, bool] | None
"""Claim, expected, found, agrees; None where the result does not answer."""


def check_planted(folder: Path, result: AuditResult) -> tuple[PlantedCheck, ...]:
    """Return one check for each fact of truth.json that the result can answer; () in a folder without one.

    The truth is about the whole set: a sample of it is not checked, and neither is a fact about an attribute that
    the audit was not asked about.
    """
    try:
        truth = json.loads((folder / TRUTH).read_bytes())
        if truth["schema"] != TRUTH_SCHEMA or truth["n"] != result.dataset.listed:
            return ()
        facts = [Fact(**fields) for fields in truth["planted"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()  # somebody else's file has its name
    asked = (_Asked(fact, result) for fact in facts if fact.kind in _CHECKS)
    checks = (_CHECKS[each.fact.kind](each) for each in asked)
    return tuple(PlantedCheck(*check) for check in checks if check is not None)


class _Asked:
    """A fact, and what the result says of its attribute."""

    def __init__(self, fact: Fact, result: AuditResult) -> None:
        self.fact, self.result = fact, result
        self.name = display(fact.attribute)
        self.alpha = result.config.statistics.alpha
        found = (each for each in result.associations if each.attribute == fact.attribute)
        self.association = next(found, None)
        self.claims = [x for x in result.claims if fact.attribute in (x.of, x.attribute)]
        of_clusters = [claim for claim in self.claims if claim.of == CLUSTER]
        self.limits = [claim.limited_by for claim in of_clusters]
        levels = [left for claim in of_clusters for left in claim.left]
        self.left = next((each for each in levels if each.level == fact.batch), None)
        """What is left of clusters and the attribute within its batch; None where that was not asked."""

    def strength(self) -> str:
        """Return "V~ .240 (.190-.290), p < .001"."""
        found = self.association
        if found is None or found.v_corrected is None:
            return "V~ not computable"
        text = f"V~ {coefficient(found.v_corrected)}"
        if found.low is not None and found.high is not None:
            text += f" ({span(found.low, found.high)})"
        p = found.p_permutation
        at_most = unreached(p, found.permutations)
        return text if p is None else f"{text}, {p_phrase(p, at_most=at_most)}"

    def amount(self) -> str:
        """Return "; most of it left within a session (1.01 of what can vary, .99-1.03)"."""
        left = self.left
        if left is None:
            return ""
        if left.per_entropy is None or left.low is None or left.high is None:
            return f"; {left.grade} within a {left.level}"
        value = f"{coefficient(left.per_entropy, 2)} of what can vary, {span(left.low, left.high, digits=2)}"
        return f"; {left.grade} left within a {left.level} ({value})"


def _check_share(asked: _Asked) -> _Check:
    """Is the rare group's interval of the ratio to its target share below the limit?"""
    fact, limit = asked.fact, asked.fact.ratio_below
    shares = [
        share
        for representation in asked.result.representation
        if representation.attribute == fact.attribute
        for share in representation.groups
        if share.name == fact.group
    ]
    if not shares:
        return None
    share = shares[0]
    found = f"{share.count:,} images, not comparable with a target"
    if share.ratio is not None and share.ratio_high is not None:
        found = f"{number(share.ratio)} of it ({number_span(share.ratio_low, share.ratio_high)}), {share.count:,} images"
    return (
        f"{fact.attribute} {fact.group} is under-represented",
        f"under {number(limit)} of its target share",
        found,
        share.ratio_high is not None and share.ratio_high < limit,
    )


def _check_seen(asked: _Asked) -> _Check:
    """Is V~ high, no chance, and (where the batch was asked about) at least a part of it left within one?"""
    found, fact, left = asked.association, asked.fact, asked.left
    if found is None:
        return None
    expected = f"V~ of {coefficient(fact.least_v)} or more, not by chance"
    if fact.batch is not None:
        expected += f", most or part of it left within a {fact.batch}"
    p = found.p_holm if found.p_holm is not None else found.p_permutation
    is_high = found.v_corrected is not None and found.v_corrected >= fact.least_v
    is_significant = p is not None and p <= asked.alpha
    agrees = is_high and is_significant and (left is None or left.grade in ("most", "part"))
    return f"clusters follow the {asked.name}", expected, asked.strength() + asked.amount(), agrees


def _check_through_batch(asked: _Asked) -> _Check:
    """Is V~ above 0, is little of it left where the batch is known, and is that what limits the claim?"""
    found, left, fact = asked.association, asked.left, asked.fact
    if found is None or left is None:
        return None
    limit = display(asked.limits[0]) or "nothing"
    return (
        f"{fact.attribute} is associated with clusters only through the {fact.batch}",
        f"V~ above 0, a trace or little of it left within a {fact.batch}, which limits the claim",
        f"{asked.strength()}{asked.amount()}; limited by: {limit}",
        found.low is not None
        and found.low > 0
        and left.grade in ("trace", "little")
        and asked.limits == [fact.batch],
    )


def _check_free(asked: _Asked) -> _Check:
    """Is nothing claimed? Where people are exchanged, whatever counting images would say."""
    association, by_person = asked.association, asked.fact.kind == "by_person"
    if association is None:
        return None
    held = sum(each.strength != "at chance" for each in asked.claims)
    claims = counted(len(asked.claims), "claim")
    found = f"{held or 'none'} of {claims} holds; {asked.strength()}"
    if by_person:
        found += f" by {association.unit}"
        if association.p_asymptotic is not None:
            found += f"; counted by image {p_phrase(association.p_asymptotic)}"
    p = association.p_permutation
    bound = "a person's, at random" if by_person else "tied to nothing"
    is_free = p is not None and p > asked.alpha and not held
    return (
        f"{asked.name} is {bound}",
        f"no claim: p {'by person ' if by_person else ''}above {p_text(asked.alpha)}",
        found,
        is_free and (association.unit != "image" or not by_person),
    )


def _check_near_copies(asked: _Asked) -> _Check:
    """Are all pictures that are there twice found, no others, and every label that differs?"""
    near, fact = asked.result.near_duplicates, asked.fact
    said = near.disagreements if near is not None else ()
    counts = [each for each in said if each.attribute == fact.attribute]
    if near is None or not counts:
        return None
    differ, pairs = counts[0].differ, counts[0].pairs
    return (
        f"pictures are there twice, some with another {asked.name}",
        f"{counted(fact.copies, 'group')} of near-identical images, {asked.name} differs in {fact.differ}",
        f"{counted(near.groups, 'group')} of {counted(near.images, 'image')}, "
        f"{asked.name} differs in {differ} of {counted(pairs, 'confirmed pair')}",
        (near.groups, near.images, pairs, differ)
        == (fact.copies, 2 * fact.copies, fact.copies, fact.differ),
    )


_CHECKS: Mapping[str, Callable[[_Asked], _Check]] = {
    "under_represented": _check_share,
    "seen": _check_seen,
    "through_batch": _check_through_batch,
    "by_person": _check_free,
    "free": _check_free,
    "near_copies": _check_near_copies,
}
