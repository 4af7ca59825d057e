"""The claim ladder: "clusters and this attribute are associated" climbs until a question is answered no.

Rungs 1 to 3 are of its table, 4 to 6 of what is left among images alike in something. Rungs 7 and 8 ask whether it comes back
from other seeds, with another k, and in the half that was not clustered.
"""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.claims.conditional_tests import informative
from fer_audit.audit.types.claims import Association, Conditional, Ladder, Rung
from fer_audit.audit.types.stability import AttributeStability, StabilityFacts
from fer_audit.text import coefficient, counted, p_phrase, span, unreached

HALF = 0.5
"""Of the reported V, that must be there in every other partition."""
K_BELOW, K_ABOVE = 1, 2
"""Rung 7 looks at k - 1 .. k + 2."""


def climb(
    association: Association,
    *,
    alpha: float,
    further: Sequence[Rung] = (),
    conditionals: Sequence[Conditional] = (),
) -> Ladder:
    """Return the ladder of one attribute: rungs 1 to 3 from its table, then `further` ones in order.

    A rung that cannot be computed holds nothing: the claim stops below it. One that is skipped, because the
    set has nothing to ask about, is passed over.
    """
    rungs = (*_of_table(association, alpha), *further)
    lost = {" x ".join(x.given): 1 - x.kept for x in conditionals if x.kept is not None}
    stop = next((each for each in rungs if not each.holds and not each.skipped), None)
    passed = rungs if stop is None else rungs[: rungs.index(stop)]
    return Ladder(
        of=association.of,
        attribute=association.attribute,
        rungs=rungs,
        highest=max((each.number for each in passed if not each.skipped), default=0),
        conditionals=tuple(conditionals),
        lost=tuple(lost.items()),
        stopped="" if stop is None else f"rung {stop.number}: {stop.reading}",
    )


def _of_table(association: Association, alpha: float) -> tuple[Rung, Rung, Rung]:
    """Return rungs 1 to 3.

    Is V above what 95 % of tables without association reach? Does the interval of the bias-corrected V exclude 0? Is the
    permutation p, after Holm over the attributes, at most alpha?
    """
    n, missing = association.n, dict(association.not_computable)
    v, top, p = association.v, association.null_95, association.p_holm
    corrected, low, high = association.v_corrected, association.low, association.high
    if v is None or top is None:
        seen = _unanswered(1, "seen", missing.get("v"), n)
    else:
        reading = f"V {coefficient(v)} is {'above' if v > top else 'not above'} the {coefficient(top)} that 95 % of shuffled labels stay under, {counted(n, 'image')}"
        seen = Rung(1, "seen", v > top, v, n_effective=n, reading=reading)
    if corrected is None or low is None or high is None:
        beyond = _unanswered(2, "corrected", missing.get("v_corrected"), n)
    else:
        reading = f"after bias correction V is {coefficient(corrected)}; its interval {span(low, high)} {'excludes' if low > 0 else 'includes'} 0"
        beyond = Rung(
            2, "corrected", low > 0, corrected, low, high, n_effective=n, reading=reading
        )
    if p is None:
        return seen, beyond, _unanswered(3, "not chance", missing.get("p_holm"), n)
    shuffles = association.permutations
    hits = round((association.p_permutation or 0.0) * (shuffles + 1)) - 1
    at_most = unreached(association.p_permutation, shuffles)
    reading = (
        f"shuffled labels reach this V {'rarely' if p <= alpha else 'often enough'}: {f'{hits:,}' if hits > 0 else 'none'} of {shuffles:,} shuffles,"
        f" {p_phrase(p, at_most=at_most)} after Holm"
    )
    rare = Rung(3, "not chance", p <= alpha, v, None, None, p, n, reading, at_most=at_most)
    return seen, beyond, rare


def decides(each: Conditional, number: int) -> bool:
    """Return whether a question has a say in a rung: it can tell, and is no mere detail. Asked before p is looked at."""
    return each.rung == number and not each.detail and informative(each) and each.p is not None


def rung_p(conditionals: Sequence[Conditional], number: int) -> float | None:
    """Return the p of one rung of one claim: the largest of its questions, as all must hold (Berger 1982)."""
    return max((each.p or 0.0 for each in conditionals if decides(each, number)), default=None)


def none_reached(each: Conditional) -> bool:
    """Return whether no shuffle reached one of the two statistics of a question."""
    return each.p is not None and unreached(each.p / 2, each.permutations)


def conditional_rung(
    number: int,
    name: str,
    conditionals: Sequence[Conditional],
    p_holm: float | None,
    *,
    alpha: float,
    nothing_to_ask: str,
) -> Rung:
    """Return a rung of 4 to 6, graded by its headline question; `p_holm` is `rung_p` after Holm over the attributes."""
    asked = [each for each in conditionals if each.rung == number and not each.detail]
    if not asked:
        return Rung(number, name, reading=f"skipped: {nothing_to_ask}", skipped=True)
    top = next((each for each in asked if each.headline), asked[0])
    holds: bool | None = None
    if top.kept is not None and informative(top) and p_holm is not None:
        holds = p_holm <= alpha and top.grade != "trace"
    decided = [each for each in asked if decides(each, number)]
    at_most = any(none_reached(each) for each in decided if each.p == rung_p(decided, number))
    reading = top.reading
    if p_holm is not None and top.grade != "cannot tell":
        reading += f"; {p_phrase(p_holm, at_most=at_most)} after Holm"
        reading += f", the largest of {len(decided)} questions" if len(decided) > 1 else ""
    return Rung(
        *(number, name, holds, top.kept, top.low, top.high, p_holm, top.n_effective, reading),
        grade=top.grade,
        at_most=at_most,
    )


def stable(
    facts: StabilityFacts | None,
    association: Association,
    *,
    n: int,
    why_not: str = "one partition only",
) -> Rung:
    """Return rung 7: is the corrected V at least half the reported one in every seed and for k - 1 .. k + 2?

    Above chance it would nearly always be in a large set. Other partitions are of the same images as the reported one:
    `n` is its association's.
    """
    found, k = _found(facts, association.attribute), len(association.table)
    near = [] if found is None else [x for x in found.ks if -K_BELOW <= x.k - k <= K_ABOVE]
    reported = association.v_corrected
    if reported is None:
        return _unanswered(7, "stable", "the association cannot be computed", n)
    if facts is None or found is None:
        return _unanswered(7, "stable", why_not, n)
    if not found.seeds or all(x.k == k for x in near):
        tried = "no other k was tried" if found.seeds else "no other seed was tried"
        return _unanswered(7, "stable", tried, n)
    variants = [*found.seeds, *near]
    lost = [x for x in variants if x.v_corrected <= x.null_95 or x.v_corrected < HALF * reported]
    v = [x.v_corrected for x in variants]
    agreement = ""
    if facts.ari_median is not None:
        agreement = f"; partitions of two seeds agree with ARI {coefficient(facts.ari_median)} (median; {span(facts.ari_min, facts.ari_max)})"
    where = f"{len(variants) - len(lost)} of the" if lost else "all"
    ks = sorted({x.k for x in near})
    reading = (
        f"corrected V is at least half of {coefficient(reported)}, and above chance, in {where} {len(variants)} partitions"
        f" ({counted(len(found.seeds), 'other seed')}, k = {ks[0]}-{ks[-1]}): {span(min(v), max(v))}{agreement}"
    )
    return Rung(7, "stable", not lost, min(v), min(v), max(v), None, n, reading)


def replicated(
    facts: StabilityFacts | None,
    attribute: str,
    alpha: float,
    *,
    why_not: str = "no held-out half",
) -> Rung:
    """Return rung 8: do rungs 2 and 3 hold in the half that the clusters were not made from?"""
    found = _found(facts, attribute)
    if found is None:
        return _unanswered(8, "replicated", why_not)
    v, low, high, p = found.half_v, found.half_low, found.half_high, found.half_p_holm
    if v is None or low is None or high is None or p is None:
        missing = dict(found.not_computable)
        reason = missing.get("half_v") or missing.get("half_p_holm")
        return _unanswered(8, "replicated", reason, found.half_n)
    at_most = unreached(found.half_p, found.half_permutations)
    reading = (
        f"in the half that was not clustered, each image in the nearest cluster of the other half, corrected V is {coefficient(v)}"
        f" ({span(low, high)}), {p_phrase(p, at_most=at_most)} after Holm, {counted(found.half_n, 'image')}"
    )
    holds = low > 0 and p <= alpha
    return Rung(8, "replicated", holds, v, low, high, p, found.half_n, reading, at_most=at_most)


def _found(facts: StabilityFacts | None, attribute: str) -> AttributeStability | None:
    found = () if facts is None else facts.attributes
    return next((each for each in found if each.attribute == attribute), None)


def _unanswered(number: int, name: str, reason: str | None, n: int = 0) -> Rung:
    reading = f"not computable: {reason or 'not tested'}"
    return Rung(number, name, n_effective=n, reading=reading)
