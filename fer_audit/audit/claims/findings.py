"""Findings about claims: what the clusters separate, how much of it is left among images alike, and what is at chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.claims.batch_leakage import finer_batches
from fer_audit.audit.types.claim import Claim, LeftAt
from fer_audit.audit.types.claim_words import CLUSTER, GRADES, SAYS, alike
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult, Finding, Severity
from fer_audit.text import (
    about,
    at_least_one,
    coefficient,
    counted,
    display,
    listed,
    p_phrase,
    percent,
    sentence,
    span,
    unreached,
)

_NOT_PEOPLE = {
    "batch": "how images were collected",
    "split": "so its parts do not hold the same kinds of images",
}
"""Kind of an attribute -> what it means that clusters follow one."""


def claim_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield what the clusters separate, what limits each claim, and what is at chance."""
    computed = [each for each in result.claims if each.v_corrected is not None]
    yield from _what_clusters_separate([each for each in computed if each.of == CLUSTER])
    said = () if result.models is None else result.models.names
    for claim in computed:
        if claim.strength in SAYS and claim.of not in said:
            yield _what_limits(claim)
    for claim in computed:
        if claim.strength not in SAYS and claim.of == CLUSTER:
            yield _at_chance(claim, result)
    yield from _not_people(result)


def _what_clusters_separate(claims: Sequence[Claim]) -> Iterator[Finding]:
    shown = sorted(
        (each for each in claims if each.strength in SAYS), key=lambda x: -(x.v_corrected or 0)
    )
    if not shown:
        return
    words = [
        f"{says} by {listed([display(x.attribute) for x in shown if SAYS[x.strength] == says])}"
        for says in dict.fromkeys(SAYS[each.strength] for each in shown)
    ]
    top = shown[0]
    values = ", ".join(
        f"{display(each.attribute)} {coefficient(each.v_corrected)}" for each in shown
    )
    chance = max((each.chance or 0.0 for each in shown), default=0.0)
    yield Finding(
        code="clusters_follow",
        severity="know",
        text=f"The clusters separate faces {', '.join(words)}.",
        attribute=top.attribute,
        effect=0.8 + (top.v_corrected or 0.0) / 5,
        figures=f"strength (corrected V, 0 to 1): {values}; chance stays under {at_least_one(chance)}",
        do="State each with what is left of it among images alike.",
        values=tuple((each.attribute, each.v_corrected or 0.0) for each in shown),
    )


def _how_limiting(left: LeftAt) -> tuple[bool, int, float]:
    return not left.inseparable, GRADES.index(left.grade), left.kept or 0.0


def _what_limits(claim: Claim) -> Finding:
    """Return how much of a claim is left at the headline level that leaves least of it."""
    name = display(claim.attribute)
    who = name if claim.of == CLUSTER else f"{display(claim.of)} and {name}"
    asked = [each for each in claim.left if each.headline]
    least = min(asked, key=_how_limiting, default=None)
    limits = True
    does_not_come_back = claim.comes_back == "no"
    do = "Nothing: it may be claimed with its interval."
    if least is None:
        text = f"How much of the {who} association is left among images alike could not be asked."
        do = "Claim no more than its strength."
    else:
        text, limits = _left(least, who)
        if limits:
            told_not = least.kept is None or least.grade == "cannot tell"
            what = "that it cannot be told what is left" if told_not else "what is left"
            do = f"Say {what} {alike(least.level)} wherever the strength is quoted."
    if does_not_come_back:
        text = f"The {who} association does not come back with every seed and k, or in a held-out half."
        do = "Do not claim it."
    elif claim.of != CLUSTER:
        text = f"{sentence(display(claim.of))} and {name} are {SAYS[claim.strength]} associated in the labels. {text}"
        do = (
            f"Balance {display(claim.of)} within each group of {name}, or report results for each."
        )
    ends = f"strength {coefficient(claim.v_corrected)} ({span(claim.low, claim.high)}"
    if claim.other_low is not None:
        ends += f"; another collection {span(claim.other_low, claim.other_high)}"
    told = [f"{ends}, n = {claim.n:,})", *(left_figures(each) for each in asked)]
    fine = least is not None and least.grade == "most" and not limits and not does_not_come_back
    worth_knowing: Severity = "fine" if fine else "know"
    faint = claim.strength == "faint" and not does_not_come_back
    return Finding(
        code="claim" if claim.of == CLUSTER else "label_claim",
        severity="fine" if faint else worth_knowing if claim.of == CLUSTER else "know",
        text=text,
        attribute=claim.attribute,
        effect=(0.6 if claim.of == CLUSTER else 0.7) + (claim.v_corrected or 0.0) / 5,
        figures="; ".join(told),
        do=do,
        values=(
            ("strength", claim.v_corrected or 0.0),
            *((f"kept.{each.level}", each.kept) for each in asked if each.kept is not None),
        ),
    )


def _left(left: LeftAt, who: str) -> tuple[str, bool]:
    """Return one sentence about what is left at a level, and whether it limits the claim."""
    where = alike(left.level)
    if left.kept is None or left.grade == "cannot tell":
        return f"How much of the {who} association is left {where} cannot be told.", True
    if left.grade == "trace":
        return f"At most a trace of the {who} association is left {where}.", True
    if left.kept > 1:
        return (
            f"{sentence(where)} the {who} association is {coefficient(left.kept, 2)} times as strong.",
            False,
        )
    text = f"{sentence(where)} {about(left.kept)} of the {who} association remains"
    if left.inseparable:
        return f"{text}; the two cannot be separated here.", True
    return f"{text}.", left.grade != "most"


def left_figures(left: LeftAt) -> str:
    """Return how much of a claim is left at a level, in numbers."""
    if left.kept is None:
        return f"{alike(left.level)}: not computable"
    kept = percent(left.kept) if left.kept >= 0 else "none"
    of_rest = ""
    if left.per_entropy is not None:
        of_rest = f", {coefficient(left.per_entropy, 2)} ({span(left.low, left.high, digits=2)}) of what still varies"
    return f"{alike(left.level)}: {kept}{of_rest}, {left.grade}"


def _at_chance(claim: Claim, result: AuditResult) -> Finding:
    name = display(claim.attribute)
    return Finding(
        code="nothing_beyond_chance",
        severity="fine",
        text=f"No association of {name} with the clusters is shown.",
        attribute=claim.attribute,
        effect=0.5,
        figures=f"strength {coefficient(claim.v_corrected)}, chance stays under {at_least_one(claim.chance)}{_fallen(claim, result)}, n = {claim.n:,}",
        do=f"Nothing; one weaker than {counted(claim.n, 'image')} can show may be there.",
        values=(("strength", claim.v_corrected or 0.0), ("chance", claim.chance or 0.0)),
    )


def _fallen(claim: Claim, result: AuditResult) -> str:
    """Return the p that chance is judged by, and the first question that does not hold."""
    key = (claim.of, claim.attribute)
    association = next((x for x in result.associations if (x.of, x.attribute) == key), None)
    rungs = next((x.rungs for x in result.ladders if (x.of, x.attribute) == key), ())
    failed = next((rung for rung in rungs if not rung.holds), None)
    p = None if association is None else association.p_holm
    told = ""
    if association is not None and p is not None:
        at_most = unreached(association.p_permutation, association.permutations)
        told = f", {p_phrase(p, at_most=at_most)} after Holm"
    return (
        told
        if failed is None
        else f"{told}, question {failed.number} ({failed.name}) does not hold"
    )


def _not_people(result: AuditResult) -> Iterator[Finding]:
    for kind, meaning in _NOT_PEOPLE.items():
        if best := _strongest(result, kind):
            name = display(best.attribute)
            yield Finding(
                code=f"clusters_follow_{kind}",
                severity="know",
                text=f"The clusters follow {name}: {meaning}.",
                attribute=best.attribute,
                effect=best.v_corrected or 0.0,
                figures=f"strength {coefficient(best.v_corrected)} ({span(best.low, best.high)}), n = {best.n:,}",
                do=f"Quote a claim with what is left within the same {name}.",
                values=(("strength", best.v_corrected or 0.0),),
            )


def _strongest(result: AuditResult, kind: str) -> Association | None:
    """Return the strongest association beyond chance of an attribute of this kind."""
    alpha, finer = result.config.statistics.alpha, finer_batches(result)
    shown = [
        each
        for each in result.associations
        if each.kind == kind
        and each.attribute not in finer
        and (each.p_permutation or 1.0) <= alpha
        and (each.low or 0.0) > 0
    ]
    return max(shown, key=lambda each: each.v_corrected or 0.0, default=None)
