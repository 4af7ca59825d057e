"""Findings about clusters and attributes: which they follow, and how far each claim holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.claims.conditional_tests import FIXES, kept_words
from fer_audit.audit.types.claims import Association, Conditional, Ladder
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import (
    coefficient,
    counted,
    display,
    listed,
    p_phrase,
    part,
    percent,
    sentence,
    span,
)

HALF = 0.5
"""A question that leaves less than this of an association is worth a sentence of its own."""
STRONG = 0.1
"""Corrected V from which a notice becomes a warning: Cohen's small effect for two groups."""
LEADS = 0.5
"""An attribute leads with the first one while it shares at least half as much information."""
_NOT_PEOPLE = {
    "batch": "which is about how images were collected and not about people",
    "split": "so its parts do not hold the same kinds of images",
}
"""Kind of an attribute -> what it means that clusters follow one."""


def association_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield which attributes the clusters follow, and which they do not."""
    yield from _what_clusters_follow(result)
    yield from _nothing_beyond_chance(result)
    yield from _batch_and_clusters(result)


def ladder_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield how far each claim holds, and what is left of it."""
    yield from _how_far(result)
    for ladder in result.ladders:
        yield from _lost(ladder)


def _what_clusters_follow(result: AuditResult) -> Iterator[Finding]:
    climbed, others = _by_ladder(result)
    if not climbed:
        return
    top = climbed[0]
    leading = [each for each in climbed if _information(each) >= LEADS * _information(top)]
    names = sentence(listed(_names(leading)))
    aside = ""
    if rest := climbed[len(leading) :]:
        aside += f", more than {listed(_names(rest))}"
    if others:
        aside += f", not {listed(_names(others), 'or')}"
    verb = "are" if len(leading) > 1 else "is"
    shares = [f"{percent(_information(each))} about {display(each.attribute)}" for each in climbed]
    shares[0] = shares[0].replace(" about ", " of the uncertainty about ", 1)
    strengths = "; ".join(_strength(each) for each in climbed)
    strongest = max(each.v_corrected or 0.0 for each in climbed)
    yield Finding(
        code="clusters_follow",
        severity="warning" if strongest >= STRONG else "notice",
        text=(
            f"{names}{aside}{',' if aside else ''} {verb} what the {len(top.table)} clusters "
            f"separate: knowing an image's cluster removes {listed(shares)}, "
            f"beyond chance (corrected V: {strengths})."
        ),
        attribute=top.attribute,
        effect=0.8 + strongest / 5,
    )


def _names(associations: Sequence[Association]) -> list[str]:
    return [display(each.attribute) for each in associations]


def _strength(association: Association) -> str:
    return (
        f"{display(association.attribute)} {coefficient(association.v_corrected)} "
        f"({span(association.low, association.high)}, n = {association.n:,})"
    )


def _nothing_beyond_chance(result: AuditResult) -> Iterator[Finding]:
    climbed, others = _by_ladder(result)
    if not others:
        return
    names = listed(_names(others))
    numbers = "; ".join(
        f"{display(each.attribute)} V {coefficient(each.v)}, shuffled {coefficient(each.null_mean)} on average and "
        f"under {coefficient(each.null_95)} in 95 of 100, {_fallen(each, result)}, n = {each.n:,}"
        for each in others
    )
    small = max(each.n for each in others)
    yield Finding(
        code="nothing_beyond_chance",
        severity="info",
        text=(
            f"{sentence(names)} cannot be distinguished from shuffled labels in these clusters ({numbers}). "
            f"A weaker association than {counted(small, 'image')} can show may still be there."
        ),
        attribute=others[0].attribute if len(others) == 1 else None,
        effect=0.5 if climbed else 0.8,
    )


def _fallen(association: Association, result: AuditResult) -> str:
    """Return the p that rung 3 is judged by, and the first rung that does not hold."""
    rungs = next(x.rungs for x in result.ladders if x.attribute == association.attribute)
    failed = next((rung for rung in rungs if not rung.holds), None)
    stop = f"stopped at rung {failed.number} ({failed.name})" if failed else "no rung was lost"
    p = association.p_holm
    return f"{'' if p is None else f'{p_phrase(p)} after Holm, '}{stop}"


def _by_ladder(result: AuditResult) -> tuple[list[Association], list[Association]]:
    """Return the demographic associations that reached rung 3, the strongest first, and the tested rest."""
    highest = {ladder.attribute: ladder.highest for ladder in result.ladders}
    tested = [
        each
        for each in result.associations
        if each.attribute in highest and each.p_permutation is not None
    ]
    tested.sort(key=lambda each: -_information(each))
    climbed = [each for each in tested if highest[each.attribute] >= 3]
    return climbed, [each for each in tested if highest[each.attribute] < 3]


def _information(association: Association) -> float:
    return association.u_corrected or 0.0


def _batch_and_clusters(result: AuditResult) -> Iterator[Finding]:
    for kind, meaning in _NOT_PEOPLE.items():
        if best := _strongest(result, kind):
            yield Finding(
                code=f"clusters_follow_{kind}",
                severity="notice",
                text=f"The clusters also follow {display(best.attribute)}, {meaning} (corrected V: {_strength(best)}).",
                attribute=best.attribute,
                effect=(best.v_corrected or 0.0),
            )


def _strongest(result: AuditResult, kind: str) -> Association | None:
    """Return the strongest association beyond chance of an attribute of this kind."""
    alpha = result.config.statistics.alpha
    shown = [
        each
        for each in result.associations
        if each.kind == kind and (each.p_permutation or 1.0) <= alpha and (each.low or 0.0) > 0
    ]
    return max(shown, key=lambda each: each.v_corrected or 0.0, default=None)


def _how_far(result: AuditResult) -> Iterator[Finding]:
    """Say in one sentence which rung each claim reached, and where it stopped."""
    climbed = [each for each in result.ladders if each.highest >= 3 and len(each.rungs) > 3]
    if not climbed:
        return
    climbed.sort(key=lambda each: (-each.highest, each.attribute))
    told = "; ".join(_reach(each) for each in climbed)
    skipped = sorted({rung.name for each in climbed for rung in each.rungs if rung.skipped})
    aside = f" Not asked, for lack of columns: {listed(skipped)}." if skipped else ""
    yield Finding(
        code="claims_reach",
        severity="notice",
        text=(
            f"How far the claims climb on the ladder: {told}.{aside} Only what the set records can be "
            f"held fixed."
        ),
        attribute=climbed[0].attribute if len(climbed) == 1 else None,
        effect=0.75,
    )


def _reach(ladder: Ladder) -> str:
    top = len(ladder.rungs)
    name = next(each.name for each in ladder.rungs if each.number == ladder.highest)
    stop = f", stopped at {ladder.stopped}" if ladder.stopped else ""
    return f"{display(ladder.attribute)} to rung {ladder.highest} of {top} ({name}){stop}"


def _lost(ladder: Ladder) -> Iterator[Finding]:
    """Name the question that leaves least of a claim, if that is less than half."""
    if ladder.highest < 3:
        return
    asked = [each for each in ladder.conditionals if each.kept is not None]
    if not asked:
        return
    least = min(asked, key=_kept)
    if _kept(least) >= HALF or least.low is None or least.high is None:
        return
    silent = least.n - least.n_effective
    caveat = (
        f"; {part(silent, least.n)} lie where they cannot tell, which lowers what is left too"
        if silent > 0.05 * least.n
        else ""
    )
    if least.entropy_left is not None and least.entropy_left < FIXES:
        caveat += (
            f"; {_given_names(least)} alone {'fixes' if len(least.given) == 1 else 'fix'} "
            f"{percent(1 - least.entropy_left)} of {display(ladder.attribute)}, which leaves less to share"
        )
    rung = f"rung {least.rung}" if least.rung else "asked for"
    yield Finding(
        code="claim_lost",
        severity="warning" if least.holds is False else "notice",
        text=(
            f"Among images alike in {_given_names(least)}, {kept_words(_kept(least), least.low, least.high)} "
            f"of what clusters and {display(ladder.attribute)} share is left ({rung}, "
            f"{p_phrase(least.p_holm or 0.0)} after Holm, n = {least.n_effective:,}{caveat})."
        ),
        attribute=ladder.attribute,
        effect=0.6 + 0.1 * min(1.0, 1 - max(0.0, _kept(least))),
    )


def _kept(conditional: Conditional) -> float:
    return 0.0 if conditional.kept is None else conditional.kept


def _given_names(conditional: Conditional) -> str:
    return listed([display(name) for name in conditional.given])
