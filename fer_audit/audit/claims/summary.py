"""Every claim in three steps: how strong it is, how much is left among images alike, and whether it would come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.associations import ASSOCIATIONS
from fer_audit.audit.claims.findings import claim_findings
from fer_audit.audit.claims.grades import strength
from fer_audit.audit.claims.pairs import predicted_names
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.claim import Claim, LeftAt
from fer_audit.audit.types.claim_words import CLUSTER, GRADES
from fer_audit.audit.types.claims import Association, Conditional, Ladder
from fer_audit.text import (
    coefficient,
    display,
    p_phrase,
    p_text,
    percent,
    sentence,
    span,
    unreached,
)

NOT_CHANCE = 3
"""Rung that a claim must reach to be more than chance."""
_LEVEL = {4: "others", 5: "style"}
_WORDS = {"others": "alike in the other attributes", "style": "alike in style"}


def summed_up(association: Association, ladder: Ladder, *, predicted: bool = False) -> Claim:
    """Return a claim from its table and its ladder; `predicted` when it is about what a model predicts."""
    left = tuple(_left(each) for each in ladder.conditionals if each.rung and not each.detail)
    word = "not computable"
    if association.v_corrected is not None:
        word = strength(association.v_corrected) if ladder.highest >= NOT_CHANCE else "at chance"
    claim = Claim(
        of=association.of,
        attribute=association.attribute,
        kind=association.kind,
        n=association.n,
        strength=word,
        v_corrected=association.v_corrected,
        chance=association.v_corrected_null_95,
        low=association.low,
        high=association.high,
        unit=association.unit,
        other_low=association.other_low,
        other_high=association.other_high,
        drawn=association.drawn,
        units=association.units,
        left=left,
        limited_by=_limit(word, left),
        comes_back=_comes_back(association, ladder),
        sentence="",
    )
    missing = ("v_corrected", "low", "high", "v_corrected_null_95")
    why = tuple(
        ("chance" if name == missing[-1] else name, reason)
        for name, reason in association.not_computable
        if name in missing
    )
    return replace(
        claim, sentence=_sentence(claim, _not_shown(association), predicted), not_computable=why
    )


def _not_shown(association: Association) -> str:
    """Return which of rungs 1 to 3 a claim at chance does not pass, by its own number."""
    v, chance, p = association.v_corrected, association.v_corrected_null_95, association.p_holm
    if v is not None and chance is not None and v <= chance:
        return f"shuffled labels stay under {coefficient(chance)}"
    if not association.low:
        return f"its interval {span(association.low, association.high)} includes 0"
    if p is None:
        reason = dict(association.not_computable).get("p_holm", "not tested")
        return f"whether by chance is not computable: {reason}"
    at_most = unreached(association.p_permutation, association.permutations)
    alone = p_text(association.p_permutation, at_most=at_most)
    return f"{p_phrase(p, at_most=at_most)} after Holm over all such claims, {alone} alone"


def _left(each: Conditional) -> LeftAt:
    known = each.per_other_low is not None
    lag = next((x.kept for x in each.controls if x.kept is not None), None)
    return LeftAt(
        level=_LEVEL.get(each.rung or 0, " x ".join(each.given)),
        headline=each.headline,
        kept=each.kept,
        entropy_left=each.entropy_left,
        per_entropy=each.per_entropy,
        low=each.per_other_low if known else each.per_low,
        high=each.per_other_high if known else each.per_high,
        control=lag,
        can_tell=each.n_effective / each.n if each.n else None,
        grade=each.grade,
        of_another=known,
    )


def _limit(word: str, left: Sequence[LeftAt]) -> str:
    if word in ("at chance", "not computable"):
        return "chance" if word == "at chance" else ""
    top = [each for each in left if each.headline and each.grade != GRADES[-1]]
    least = min(top, key=lambda each: GRADES.index(each.grade), default=None)
    return "" if least is None else least.level


def _comes_back(association: Association, ladder: Ladder) -> str:
    if association.of != CLUSTER:
        return "not asked"
    held = [rung.holds for rung in ladder.rungs if rung.number in (7, 8)]
    if False in held:
        return "no"
    return "yes" if held and None not in held else "unknown"


def _sentence(claim: Claim, not_shown: str, predicted: bool) -> str:
    who = "Clusters" if claim.of == CLUSTER else sentence(display(claim.of))
    who = f"What {display(claim.of)} predicts" if predicted else who
    names = f"{who} and {display(claim.attribute)}"
    if claim.v_corrected is None:
        return f"{names}: not computable."
    value = f"V~ {coefficient(claim.v_corrected)}"
    if claim.strength == "at chance":
        return (
            f"{names}: no association shown ({value}; {not_shown});"
            f" a weaker one than {claim.n:,} images can show may be there."
        )
    ends = f"these images {span(claim.low, claim.high)}"
    if claim.other_low is not None:
        ends += f", another collection {span(claim.other_low, claim.other_high)}"
    parts = [f"{names}: {claim.strength} ({value}; {ends})"]
    parts += [_about(each, claim) for each in claim.left if each.headline]
    if claim.comes_back in ("yes", "no"):
        parts.append(
            "it comes back with other seeds and k and in a half that was not clustered"
            if claim.comes_back == "yes"
            else "it does not come back with every seed and k, or in a half that was not clustered"
        )
    if not claim.drawn:
        parts.append("how another collection would differ is not known")
    return "; ".join(parts) + "."


def _about(left: LeftAt, claim: Claim) -> str:
    alike = _WORDS.get(left.level, f"of one {display(left.level)}")
    if left.grade == "cannot tell" or left.kept is None or left.per_entropy is None:
        return f"what is left among images {alike} cannot be told"
    amount = f"{coefficient(left.kept, 2)} times as strong"
    if left.kept <= 1:
        amount = f"{percent(left.kept)} kept" if left.kept > 0 else "nothing kept"
    whose = "another collection" if left.of_another else "these images"
    ends = f"{whose} {span(left.low, left.high, digits=2)}"
    numbers = f"{amount}, {coefficient(left.per_entropy, 2)} of what can vary; {ends}"
    if left.grade == "most" and left.kept < 1 / 3:
        return f"it cannot be separated from {display(left.level)} ({numbers})"
    words = {
        "most": "most of it is left",
        "part": "part of it is left",
        "little": "little of it is left",
        "trace": "at most a trace of it is left",
    }
    return f"among images {alike} {words[left.grade]} ({numbers})"


def _join(inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts) -> tuple[Claim, ...]:
    ladders = {(each.of, each.attribute): each for each in parts["ladders"]}
    said = predicted_names(inputs)
    return tuple(
        summed_up(each, ladders[each.of, each.attribute], predicted=each.of in said)
        for name in ASSOCIATIONS
        for each in parts[name]
        if (each.of, each.attribute) in ladders
    )


def _nothing(inputs: AuditInputs) -> None:
    """Claims are summed up from other parts."""


ANALYSIS = Analysis(
    name="claims",
    record=Claim,
    run=_nothing,
    subjects=lambda inputs: (),
    join=_join,
    findings=claim_findings,
)
