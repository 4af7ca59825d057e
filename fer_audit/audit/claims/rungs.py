"""The claim ladder: "clusters and this attribute are associated" climbs until a question is answered no."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.claims.conditional_tests import informative
from fer_audit.audit.types.claims import Association, Conditional, Ladder, Rung
from fer_audit.text import coefficient, counted, p_phrase, span, unreached


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
    rungs = (
        rung_seen(association),
        rung_corrected(association),
        rung_not_chance(association, alpha),
        *further,
    )
    lost = {
        " x ".join(each.given): 1 - each.kept for each in conditionals if each.kept is not None
    }
    return Ladder(
        of=association.of,
        attribute=association.attribute,
        rungs=rungs,
        highest=highest_held(rungs),
        conditionals=tuple(conditionals),
        lost=tuple(lost.items()),
        stopped=next(
            (f"rung {each.number}: {each.reading}" for each in rungs if _stops(each)), ""
        ),
    )


def highest_held(rungs: Sequence[Rung]) -> int:
    """Return the number of the last rung that held before one did not; 0 = none."""
    highest = 0
    for rung in rungs:
        if _stops(rung):
            break
        if not rung.skipped:
            highest = rung.number
    return highest


def _stops(rung: Rung) -> bool:
    return not rung.holds and not rung.skipped


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
        return Rung(
            number, name, None, None, None, None, None, 0, f"skipped: {nothing_to_ask}", True
        )
    top = next((each for each in asked if each.headline), asked[0])
    holds: bool | None = None
    if top.kept is not None and informative(top) and p_holm is not None:
        holds = p_holm <= alpha and top.grade != "trace"
    silent = p_holm is None or top.grade == "cannot tell"
    decided = [each for each in asked if decides(each, number)]
    at_most = any(none_reached(each) for each in decided if each.p == rung_p(decided, number))
    tested = "" if silent else f"; {p_phrase(p_holm, at_most=at_most)} after Holm"
    if len(decided) > 1 and tested:
        tested += f", the largest of {len(decided)} questions"
    return Rung(
        number=number,
        name=name,
        holds=holds,
        value=top.kept,
        low=top.low,
        high=top.high,
        p=p_holm,
        n_effective=top.n_effective,
        reading=top.reading + tested,
        grade=top.grade,
        at_most=at_most,
    )


def rung_seen(association: Association) -> Rung:
    """Return rung 1: is V above what 95 % of tables without association reach?"""
    v, top = association.v, association.null_95
    if v is None or top is None:
        return _unanswered(1, "seen", association, "v")
    holds = v > top
    where = "above" if holds else "not above"
    return Rung(
        number=1,
        name="seen",
        holds=holds,
        value=v,
        low=None,
        high=None,
        p=None,
        n_effective=association.n,
        reading=(
            f"V {coefficient(v)} is {where} the {coefficient(top)} that 95 % of shuffled labels stay under, "
            f"{counted(association.n, 'image')}"
        ),
    )


def rung_corrected(association: Association) -> Rung:
    """Return rung 2: does the interval of the bias-corrected V exclude 0?"""
    v, low, high = association.v_corrected, association.low, association.high
    if v is None or low is None or high is None:
        return _unanswered(2, "corrected", association, "v_corrected")
    holds = low > 0
    verb = "excludes" if holds else "includes"
    return Rung(
        number=2,
        name="corrected",
        holds=holds,
        value=v,
        low=low,
        high=high,
        p=None,
        n_effective=association.n,
        reading=f"after bias correction V is {coefficient(v)}; its interval {span(low, high)} {verb} 0",
    )


def rung_not_chance(association: Association, alpha: float) -> Rung:
    """Return rung 3: is the permutation p, after Holm over the attributes, at most alpha?"""
    p = association.p_holm
    if p is None:
        return _unanswered(3, "not chance", association, "p_holm")
    holds = p <= alpha
    at_most = unreached(association.p_permutation, association.permutations)
    verb = "rarely" if holds else "often enough"
    return Rung(
        number=3,
        name="not chance",
        holds=holds,
        value=association.v,
        low=None,
        high=None,
        p=p,
        n_effective=association.n,
        reading=(
            f"shuffled labels reach this V {verb}: {_reached(association)}, {p_phrase(p, at_most=at_most)} after Holm"
        ),
        at_most=at_most,
    )


def _reached(association: Association) -> str:
    shuffles = association.permutations
    hits = round((association.p_permutation or 0.0) * (shuffles + 1)) - 1
    return f"{f'{hits:,}' if hits > 0 else 'none'} of {shuffles:,} shuffles"


def _unanswered(number: int, name: str, association: Association, field: str) -> Rung:
    reason = dict(association.not_computable).get(field, "not tested")
    return Rung(
        number=number,
        name=name,
        holds=None,
        value=None,
        low=None,
        high=None,
        p=None,
        n_effective=association.n,
        reading=f"not computable: {reason}",
    )
