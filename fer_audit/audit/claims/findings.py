"""Findings about how far each claim holds: what is left of it, whether it comes back, what small studies say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.claims.conditional_tests import FIXES, kept_words
from fer_audit.audit.types.claims import Conditional, Ladder, ReplayAttribute
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import counted, display, listed, p_phrase, part, percent, sentence

HALF = 0.5
"""A question that leaves less than this of an association is worth a sentence of its own."""
AGREE = 0.75
"""Median adjusted Rand index below which seeds do not find the same clusters."""
SHAKY = 0.05
"""Share of small studies with another headline from which it is worth a sentence."""


def claim_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield the findings that rest on rungs 4 to 8, on replays and on the gate."""
    yield from _how_far(result)
    for ladder in result.ladders:
        yield from _lost(ladder)
    yield from _partition(result)
    yield from _replays(result)
    yield from _reclustered(result)
    yield from _gate(result)


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
            f"; {_names(least)} alone {'fixes' if len(least.given) == 1 else 'fix'} "
            f"{percent(1 - least.entropy_left)} of {display(ladder.attribute)}, which leaves less to share"
        )
    rung = f"rung {least.rung}" if least.rung else "asked for"
    yield Finding(
        code="claim_lost",
        severity="warning" if least.holds is False else "notice",
        text=(
            f"Among images alike in {_names(least)}, {kept_words(_kept(least), least.low, least.high)} "
            f"of what clusters and {display(ladder.attribute)} share is left ({rung}, "
            f"{p_phrase(least.p_holm or 0.0)} after Holm, n = {least.n_effective:,}{caveat})."
        ),
        attribute=ladder.attribute,
        effect=0.6 + 0.1 * min(1.0, 1 - max(0.0, _kept(least))),
    )


def _kept(conditional: Conditional) -> float:
    return 0.0 if conditional.kept is None else conditional.kept


def _names(conditional: Conditional) -> str:
    return listed([display(name) for name in conditional.given])


def _partition(result: AuditResult) -> Iterator[Finding]:
    facts = result.stability
    if facts is None:
        return
    if facts.ari_median is not None and facts.ari_median < AGREE:
        yield Finding(
            code="seeds_disagree",
            severity="notice",
            text=(
                f"Other seeds make other clusters: two partitions agree with a median adjusted Rand index "
                f"of {facts.ari_median:.2f} ({facts.ari_min:.2f}-{facts.ari_max:.2f}, "
                f"{counted(facts.seeds, 'other seed')}; 1 = the same). Rung 7 asks which claims hold in all."
            ),
            effect=0.35,
        )
    unstable = [each for each in facts.clusters if not each.stable]
    if unstable:
        named = listed([f"{each.cluster} ({each.jaccard:.2f})" for each in unstable])
        yield Finding(
            code="unstable_clusters",
            severity="notice",
            text=(
                f"{counted(len(unstable), 'cluster')} of {len(facts.clusters)} "
                f"{'does' if len(unstable) == 1 else 'do'} not come back in resamples: {named}, mean Jaccard "
                f"similarity below 0.6. No sentence here rests on them alone."
            ),
            effect=0.34,
        )


def _replays(result: AuditResult) -> Iterator[Finding]:
    if result.replay is None:
        return
    size = f"{counted(result.replay.studies, 'random study', 'random studies')} of {result.replay.size:,} images"
    for each in result.replay.attributes:
        told = list(_other_headlines(each))
        if not told or each.v is None or each.v_low is None or each.v_high is None:
            continue
        yield Finding(
            code="small_studies",
            severity="notice",
            text=(
                f"Of {size} drawn from this set, {listed(told)}; their V for {display(each.attribute)} is "
                f"{each.v:.3f} on average ({each.v_low:.3f}-{each.v_high:.3f}), corrected "
                f"{each.v_corrected or 0.0:.3f}, the whole set's corrected V {each.v_full or 0.0:.3f}."
            ),
            attribute=each.attribute,
            effect=0.45,
        )


def _other_headlines(each: ReplayAttribute) -> Iterator[str]:
    name = display(each.attribute)
    if (each.other_largest or 0.0) >= SHAKY:
        yield f"{percent(each.other_largest or 0.0)} name another largest group of {name}"
    if (each.other_under_represented or 0.0) >= SHAKY:
        yield (
            f"{percent(each.other_under_represented or 0.0)} call other groups of {name} "
            "under-represented than the whole set"
        )
    if each.called_different is not None and each.full_called_different is not None:
        wrong = 1 - each.called_different if each.full_called_different else each.called_different
        if wrong >= SHAKY:
            verb = "find no" if each.full_called_different else "find a"
            yield (
                f"{percent(wrong)} {verb} difference between clusters in {name} where the whole set "
                f"{'does' if each.full_called_different else 'does not'}"
            )


def _reclustered(result: AuditResult) -> Iterator[Finding]:
    told = [
        f"{display(each.attribute)} {each.v_corrected:.3f} ({each.low:.3f}-{each.high:.3f})"
        for each in result.recluster
        if each.v_corrected is not None and each.low is not None and each.high is not None
    ]
    if told:
        yield Finding(
            code="reclustered",
            severity="info",
            text=(
                f"With the clusters estimated anew in "
                f"{counted(result.recluster[0].resamples, 'bootstrap resample')}, corrected V is "
                f"{'; '.join(told)}. Intervals elsewhere hold the clusters fixed."
            ),
            effect=0.3,
        )


def _gate(result: AuditResult) -> Iterator[Finding]:
    crossed: Sequence[str] = [
        f"{each.rule} (value {each.value:.4g})"
        for each in result.gate
        if each.crossed and each.value is not None
    ]
    if crossed:
        yield Finding(
            code="gate_crossed",
            severity="warning",
            text=sentence(
                f"{len(crossed)} of {counted(len(result.gate), 'rule')} {'is' if len(crossed) == 1 else 'are'} "
                f"crossed: {'; '.join(crossed)}."
            ),
            effect=0.99,
        )
