"""What the audit of the demo set says, compared with what was planted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fer_audit.audit.types.claims import Association, Rung
from fer_audit.audit.types.planted import PlantedCheck
from fer_audit.audit.types.result import AuditResult
from fer_audit.synth.folder import TRUTH
from fer_audit.synth.plant import TRUTH_SCHEMA, Fact
from fer_audit.text import (
    coefficient,
    display,
    number,
    number_span,
    p_phrase,
    p_text,
    span,
    unreached,
)

_BATCH_WORDS = ("crawl", "batch", "session")
"""One of them is in the name of a rung that asks whether the batch explains a claim."""


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
    """Is V~ high, no chance, and (where a rung asks) also there within a batch?"""
    association = _association(fact, result)
    if association is None:
        return None
    rungs = _batch_rungs(fact.attribute, result)
    is_high = association.v_corrected is not None and association.v_corrected >= fact.least_v
    expected = f"V~ of {coefficient(fact.least_v)} or more, not by chance"
    if fact.batch is not None:
        expected += f", also within a {fact.batch}"
    return PlantedCheck(
        claim=f"clusters follow the {display(fact.attribute)}",
        expected=expected,
        found=_with_rungs(_strength(association), rungs),
        agrees=is_high
        and _is_significant(association, result)
        and all(rung.holds is not False for rung in rungs),
    )


def _check_through_batch(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is V~ above 0, and does the claim fall where the batch is known?

    Without a rung about the batch only the first half can be answered, and `found` says so.
    """
    association = _association(fact, result)
    if association is None:
        return None
    rungs = _batch_rungs(fact.attribute, result)
    found = _with_rungs(_strength(association), rungs)
    if not rungs:
        found += f"; no rung of this result knows the {fact.batch}"
    is_there = association.low is not None and association.low > 0
    return PlantedCheck(
        claim=f"{fact.attribute} is associated with clusters only through the {fact.batch}",
        expected=f"V~ above 0, gone within a {fact.batch}",
        found=found,
        agrees=is_there and (not rungs or any(rung.holds is False for rung in rungs)),
    )


def _check_free(fact: Fact, result: AuditResult) -> PlantedCheck | None:
    """Is the association indistinguishable from chance?"""
    association = _association(fact, result)
    if association is None:
        return None
    p = association.p_permutation
    return PlantedCheck(
        claim=f"{display(fact.attribute)} is tied to nothing",
        expected=f"p above {p_text(_alpha(result))}",
        found=_strength(association),
        agrees=p is not None and p > _alpha(result),
    )


_CHECKS: Mapping[str, Callable[[Fact, AuditResult], PlantedCheck | None]] = {
    "under_represented": _check_share,
    "seen": _check_seen,
    "through_batch": _check_through_batch,
    "free": _check_free,
}


def _association(fact: Fact, result: AuditResult) -> Association | None:
    found = (each for each in result.associations if each.attribute == fact.attribute)
    return next(found, None)


def _batch_rungs(attribute: str, result: AuditResult) -> list[Rung]:
    """Return the computed rungs of an attribute's ladder that are about a batch."""

    def walk() -> Iterator[Rung]:
        for ladder in result.ladders:
            if (ladder.of, ladder.attribute) == ("cluster", attribute):
                yield from ladder.rungs

    return [
        rung
        for rung in walk()
        if rung.holds is not None and any(word in rung.name.lower() for word in _BATCH_WORDS)
    ]


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


def _with_rungs(text: str, rungs: list[Rung]) -> str:
    verbs = (f'rung "{r.name}" {"holds" if r.holds else "does not hold"}' for r in rungs)
    return "; ".join([text, *verbs])
