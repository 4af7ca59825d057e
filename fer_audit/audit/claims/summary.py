"""Every claim in three steps and in words: how strong it is, how much is left among images alike, whether it would come back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import attrgetter

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult, nothing
from fer_audit.audit.claims.associations import ASSOCIATIONS, predicted_names
from fer_audit.audit.claims.batch_leakage import finer_batches
from fer_audit.audit.claims.conditional_tests import strength
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.claim import CLUSTER, GRADES, SAYS, Claim, LeftAt, alike
from fer_audit.audit.types.claims import Association, Conditional, Ladder
from fer_audit.audit.types.result import AuditResult, Finding, Severity
from fer_audit.text import (
    about,
    at_least_one,
    coefficient,
    counted,
    display,
    listed,
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
_SAME = (
    *("of", "attribute", "kind", "n", "v_corrected", "low", "high"),
    *("unit", "other_low", "other_high", "drawn", "units"),
)
"""What a claim takes from its table as it is."""
_NOT_PEOPLE = {
    "batch": "how images were collected",
    "split": "so its parts do not hold the same kinds of images",
}
"""Kind of an attribute -> what it means that clusters follow one."""


def summed_up(association: Association, ladder: Ladder, *, predicted: bool = False) -> Claim:
    """Return a claim from its table and its ladder; `predicted` when it is about what a model predicts."""
    left = tuple(_left_at(each) for each in ladder.conditionals if each.rung and not each.detail)
    word = "not computable"
    if association.v_corrected is not None:
        word = strength(association.v_corrected) if ladder.highest >= NOT_CHANCE else "at chance"
    held = [rung.holds for rung in ladder.rungs if rung.number in (7, 8)]
    comes_back = "no" if False in held else "yes" if held and None not in held else "unknown"
    missing = {"v_corrected_null_95": "chance", **{x: x for x in ("v_corrected", "low", "high")}}
    claim = Claim(
        **{name: getattr(association, name) for name in _SAME},
        strength=word,
        chance=association.v_corrected_null_95,
        left=left,
        limited_by=_limit(word, left),
        comes_back=comes_back if association.of == CLUSTER else "not asked",
        sentence="",
        not_computable=tuple(
            (missing[x], y) for x, y in association.not_computable if x in missing
        ),
    )
    return replace(claim, sentence=_sentence(claim, _not_shown(association), predicted))


def _left_at(each: Conditional) -> LeftAt:
    known = each.per_other_low is not None
    return LeftAt(
        level=_LEVEL.get(each.rung or 0, " x ".join(each.given)),
        headline=each.headline,
        kept=each.kept,
        entropy_left=each.entropy_left,
        per_entropy=each.per_entropy,
        low=each.per_other_low if known else each.per_low,
        high=each.per_other_high if known else each.per_high,
        control=next((x.kept for x in each.controls if x.kept is not None), None),
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
    for left in (each for each in claim.left if each.headline):
        told, numbers = what_is_left(left, "it"), ""
        if left.grade != "cannot tell" and left.kept is not None and left.per_entropy is not None:
            whose = "another collection" if left.of_another else "these images"
            kept = "nothing kept, " if left.kept <= 0 else f"{percent(left.kept)} kept, "
            kept = kept if left.kept <= 1 else ""
            numbers = f" ({left.grade}: {kept}{coefficient(left.per_entropy, 2)} of what can vary; {whose} {span(left.low, left.high, digits=2)})"
        parts.append(f"{told}{numbers}")
    if claim.comes_back in ("yes", "no"):
        parts.append(
            "it comes back with other seeds and k and in a half that was not clustered"
            if claim.comes_back == "yes"
            else "it does not come back with every seed and k, or in a half that was not clustered"
        )
    if not claim.drawn:
        parts.append("how another collection would differ is not known")
    return "; ".join(parts) + "."


def what_is_left(left: LeftAt, who: str) -> str:
    """Return in words what is left of `who` at a level; it begins with a small letter."""
    where = alike(left.level)
    if left.kept is None or left.grade == "cannot tell":
        return f"how much of {who} is left {where} cannot be told"
    if left.grade == "trace":
        return f"at most a trace of {who} is left {where}"
    if left.kept > 1:
        return f"{where} {who} is {coefficient(left.kept, 2)} times as strong"
    apart = "; the two cannot be separated here" if left.inseparable else ""
    return f"{where} {about(left.kept)} of {who} remains{apart}"


def _limits(left: LeftAt) -> bool:
    """Return whether what is left at a level limits a claim."""
    if left.kept is None or left.grade in ("cannot tell", "trace"):
        return True
    return left.kept <= 1 and (left.inseparable or left.grade != "most")


def left_figures(left: LeftAt) -> str:
    """Return how much of a claim is left at a level, in numbers."""
    if left.kept is None:
        return f"{alike(left.level)}: not computable"
    kept = percent(left.kept) if left.kept >= 0 else "none"
    of_rest = ""
    if left.per_entropy is not None:
        of_rest = f", {coefficient(left.per_entropy, 2)} ({span(left.low, left.high, digits=2)}) of what still varies"
    return f"{alike(left.level)}: {kept}{of_rest}, {left.grade}"


def claim_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield what the clusters separate, what limits each claim, and what is at chance."""
    computed = [each for each in result.claims if each.v_corrected is not None]
    shown = [each for each in computed if each.of == CLUSTER and each.strength in SAYS]
    if shown:
        yield _what_clusters_separate(sorted(shown, key=lambda x: -(x.v_corrected or 0)))
    said = () if result.models is None else result.models.names
    for claim in computed:
        if claim.strength in SAYS and claim.of not in said:
            yield _what_limits(claim)
    for claim in computed:
        if claim.strength not in SAYS and claim.of == CLUSTER:
            yield _at_chance(claim, result)
    for kind, meaning in _NOT_PEOPLE.items():
        if best := _strongest(result, kind):
            name = display(best.attribute)
            yield Finding(
                code=f"clusters_follow_{kind}",
                severity="know",
                text=f"The clusters follow {name}: {meaning}.",
                attribute=best.attribute,
                effect=best.v_corrected or 0.0,
                figures=f"strength {coefficient(best.v_corrected)} ({span(best.low, best.high)} by {display(best.unit)}), n = {best.n:,}",
                do=f"Quote a claim with what is left within the same {name}.",
                values=(("strength", best.v_corrected or 0.0),),
            )


def _what_clusters_separate(shown: Sequence[Claim]) -> Finding:
    """Return what the clusters separate, the strongest claim first."""
    words = [
        f"{says} by {listed([display(x.attribute) for x in shown if SAYS[x.strength] == says])}"
        for says in dict.fromkeys(SAYS[each.strength] for each in shown)
    ]
    values = ", ".join(f"{display(x.attribute)} {coefficient(x.v_corrected)}" for x in shown)
    chance = max(each.chance or 0.0 for each in shown)
    return Finding(
        code="clusters_follow",
        severity="know",
        text=f"The clusters separate faces {', '.join(words)}.",
        attribute=shown[0].attribute,
        effect=0.8 + (shown[0].v_corrected or 0.0) / 5,
        figures=f"strength (corrected V, 0 to 1): {values}; chance stays under {at_least_one(chance)}",
        do="State each with what is left of it among images alike.",
        values=tuple((each.attribute, each.v_corrected or 0.0) for each in shown),
    )


def _how_limiting(left: LeftAt) -> tuple[bool, int, float]:
    return not left.inseparable, GRADES.index(left.grade), left.kept or 0.0


def _what_limits(claim: Claim) -> Finding:
    """Return how much of a claim is left at the headline level that leaves least of it."""
    name, of_clusters = display(claim.attribute), claim.of == CLUSTER
    who = f"the {name if of_clusters else f'{display(claim.of)} and {name}'} association"
    asked = [each for each in claim.left if each.headline]
    least = min(asked, key=_how_limiting, default=None)
    lost = claim.comes_back == "no"
    fine = least is not None and not _limits(least)
    if least is None:
        text = f"How much of {who} is left among images alike could not be asked."
        do = "Claim no more than its strength."
    else:
        text = f"{sentence(what_is_left(least, who))}."
        do = "Nothing: it may be claimed with its interval."
        if _limits(least):
            told_not = least.kept is None or least.grade == "cannot tell"
            what = "that it cannot be told what is left" if told_not else "what is left"
            do = f"Say {what} {alike(least.level)} wherever the strength is quoted."
    if lost:
        text = f"{sentence(who)} does not come back with every seed and k, or in a held-out half."
        do = "Do not claim it."
    elif not of_clusters:
        of = display(claim.of)
        text = f"{sentence(of)} and {name} are {SAYS[claim.strength]} associated in the labels. {text}"
        do = f"Balance {of} within each group of {name}, or report results for each."
    ends = f"strength {coefficient(claim.v_corrected)} ({span(claim.low, claim.high)} by {display(claim.unit)}"
    if claim.other_low is not None:
        ends += f"; another collection {span(claim.other_low, claim.other_high)} by {display(claim.drawn)}"
    fine = fine and least is not None and least.grade == "most" and of_clusters
    severity: Severity = "fine" if not lost and (fine or claim.strength == "faint") else "know"
    return Finding(
        code="claim" if of_clusters else "label_claim",
        severity=severity,
        text=text,
        attribute=claim.attribute,
        effect=(0.6 if of_clusters else 0.7) + (claim.v_corrected or 0.0) / 5,
        figures="; ".join([f"{ends}, n = {claim.n:,})", *map(left_figures, asked)]),
        do=do,
        values=(
            ("strength", claim.v_corrected or 0.0),
            *((f"kept.{each.level}", each.kept) for each in asked if each.kept is not None),
        ),
    )


def _at_chance(claim: Claim, result: AuditResult) -> Finding:
    """Return that nothing is shown, with the p that chance is judged by, and the first question that does not hold."""
    key, same = (claim.of, claim.attribute), attrgetter("of", "attribute")
    association = next((x for x in result.associations if same(x) == key), None)
    rungs = next((x.rungs for x in result.ladders if same(x) == key), ())
    fallen = ""
    if association is not None and association.p_holm is not None:
        at_most = unreached(association.p_permutation, association.permutations)
        fallen = f", {p_phrase(association.p_holm, at_most=at_most)} after Holm, shuffled by {display(claim.unit)}"
    if (failed := next((rung for rung in rungs if not rung.holds), None)) is not None:
        fallen += f", question {failed.number} ({failed.name}) does not hold"
    text = f"No association of {display(claim.attribute)} with the clusters is shown."
    attribute = claim.attribute
    figures = f"strength {coefficient(claim.v_corrected)}, chance stays under {at_least_one(claim.chance)}{fallen}, n = {claim.n:,}"
    do = f"Nothing; one weaker than {counted(claim.n, 'image')} can show may be there."
    values = (("strength", claim.v_corrected or 0.0), ("chance", claim.chance or 0.0))
    return Finding("nothing_beyond_chance", "fine", text, attribute, 0.5, figures, do, "", values)


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


def _join(inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts) -> tuple[Claim, ...]:
    ladders = {(each.of, each.attribute): each for each in parts["ladders"]}
    said = predicted_names(inputs)
    return tuple(
        summed_up(each, ladders[each.of, each.attribute], predicted=each.of in said)
        for name in ASSOCIATIONS
        for each in parts[name]
        if (each.of, each.attribute) in ladders
    )


ANALYSIS = Analysis(
    name="claims",
    record=Claim,
    run=nothing,  # claims are summed up from other parts
    subjects=nothing,
    join=_join,
    findings=claim_findings,
)
