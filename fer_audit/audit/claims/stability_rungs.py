"""Rungs 7 and 8: does an association come back from other seeds, with another k, in the half that was not clustered?"""

from __future__ import annotations

from fer_audit.audit.types.claims import Association, Rung
from fer_audit.audit.types.stability import AttributeStability, StabilityFacts
from fer_audit.text import coefficient, counted, p_phrase, span, unreached

HALF = 0.5
"""Of the reported V, that must be there in every other partition."""
K_BELOW, K_ABOVE = 1, 2
"""Rung 7 looks at k - 1 .. k + 2."""


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
    found, k = _of(facts, association.attribute), len(association.table)
    near = [] if found is None else [x for x in found.ks if -K_BELOW <= x.k - k <= K_ABOVE]
    others = [x for x in near if x.k != k]
    reported = association.v_corrected
    if found is None or not found.seeds or not others or reported is None:
        reason = why_not
        if found is not None:
            reason = "no other seed was tried" if not found.seeds else "no other k was tried"
        if reported is None:
            reason = "the association cannot be computed"
        return _unanswered(7, "stable", reason, n=n)
    variants = [*found.seeds, *near]
    lost = [x for x in variants if x.v_corrected <= x.null_95 or x.v_corrected < HALF * reported]
    v = [x.v_corrected for x in variants]
    agreement = ""
    if facts is not None and facts.ari_median is not None:
        agreement = (
            f"; partitions of two seeds agree with ARI {coefficient(facts.ari_median)} (median; "
            f"{span(facts.ari_min, facts.ari_max)})"
        )
    where = "all" if not lost else f"{len(variants) - len(lost)} of the"
    ks = sorted({x.k for x in near})
    return Rung(
        number=7,
        name="stable",
        holds=not lost,
        value=min(v),
        low=min(v),
        high=max(v),
        p=None,
        n_effective=n,
        reading=(
            f"corrected V is at least half of {coefficient(reported)}, and above chance, in {where} {len(variants)}"
            f" partitions ({counted(len(found.seeds), 'other seed')}, k = {ks[0]}-{ks[-1]}): "
            f"{span(min(v), max(v))}{agreement}"
        ),
    )


def replicated(
    facts: StabilityFacts | None,
    attribute: str,
    alpha: float,
    *,
    why_not: str = "no held-out half",
) -> Rung:
    """Return rung 8: do rungs 2 and 3 hold in the half that the clusters were not made from?"""
    found = _of(facts, attribute)
    if found is None:
        return _unanswered(8, "replicated", why_not)
    v, low, high, p = found.half_v, found.half_low, found.half_high, found.half_p_holm
    if v is None or low is None or high is None or p is None:
        missing = dict(found.not_computable)
        reason = missing.get("half_v") or missing.get("half_p_holm", "not tested")
        return _unanswered(8, "replicated", reason, n=found.half_n)
    at_most = unreached(found.half_p, found.half_permutations)
    return Rung(
        number=8,
        name="replicated",
        holds=low > 0 and p <= alpha,
        value=v,
        low=low,
        high=high,
        p=p,
        n_effective=found.half_n,
        reading=(
            f"in the half that was not clustered, each image in the nearest cluster of the other half, corrected V is "
            f"{coefficient(v)} ({span(low, high)}), {p_phrase(p, at_most=at_most)} after Holm, {counted(found.half_n, 'image')}"
        ),
        at_most=at_most,
    )


def _of(facts: StabilityFacts | None, attribute: str) -> AttributeStability | None:
    found = () if facts is None else facts.attributes
    return next((each for each in found if each.attribute == attribute), None)


def _unanswered(number: int, name: str, reason: str, *, n: int = 0) -> Rung:
    return Rung(number, name, None, None, None, None, None, n, f"not computable: {reason}")
