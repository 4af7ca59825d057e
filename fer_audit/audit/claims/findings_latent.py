"""Findings about the latent space: what the clusters go together with, and how far to trust that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.types.claims import Association, BatchPrediction
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import counted, display, listed, p_phrase, part, percent, sentence

BATCH_GAIN = 0.05
"""Share of the images outside the largest group which a batch must guess right to be mentioned."""
FAR = 0.25
"""Share of the same from which the notice becomes a warning."""
STRONG = 0.1
"""Corrected V from which a notice becomes a warning: Cohen's small effect for two groups."""
LEADS = 0.5
"""An attribute leads with the first one while it shares at least half as much information."""


def latent_findings(result: AuditResult, *, alpha: float) -> Iterator[Finding]:
    """Yield the findings that need clusters, batches or a model."""
    yield from _what_clusters_follow(result)
    yield from _nothing_beyond_chance(result)
    yield from _batch_and_clusters(result, alpha)
    yield from _batch_and_labels(result, alpha)
    yield from _unstable_starts(result)
    yield from _model_caveat(result)
    yield from _planted_missed(result)


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
            f"{names}{aside}{',' if aside else ''} {verb} what the {len(top.table)} clusters go "
            f"together with: knowing an image's cluster removes {listed(shares)}, "
            f"chance taken off (corrected V: {strengths})."
        ),
        attribute=top.attribute,
        effect=0.8 + strongest / 5,
    )


def _names(associations: Sequence[Association]) -> list[str]:
    return [display(each.attribute) for each in associations]


def _strength(association: Association) -> str:
    low, high = association.low or 0.0, association.high or 0.0
    return (
        f"{display(association.attribute)} {association.v_corrected or 0.0:.3f} "
        f"({low:.3f}-{high:.3f}, n = {association.n:,})"
    )


def _nothing_beyond_chance(result: AuditResult) -> Iterator[Finding]:
    climbed, others = _by_ladder(result)
    if not others:
        return
    names = listed(_names(others))
    numbers = "; ".join(
        f"{display(each.attribute)} V {each.v:.3f}, shuffled {each.null_mean:.3f} on average and under "
        f"{each.null_95:.3f} in 95 of 100, {_fallen(each, result)}, n = {each.n:,}"
        for each in others
    )
    small = max(each.n for each in others)
    yield Finding(
        code="nothing_beyond_chance",
        severity="info",
        text=(
            f"{sentence(names)} cannot be told from shuffled labels in these clusters ({numbers}). "
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


def _batch_and_clusters(result: AuditResult, alpha: float) -> Iterator[Finding]:
    shown = [
        each
        for each in result.associations
        if each.kind == "batch" and (each.p_permutation or 1.0) <= alpha and (each.low or 0.0) > 0
    ]
    if not shown:
        return
    best = max(shown, key=lambda each: each.v_corrected or 0.0)
    yield Finding(
        code="clusters_follow_batch",
        severity="notice",
        text=(
            f"The clusters also go together with {display(best.attribute)}, which is about how images "
            f"were collected and not about people (corrected V: {_strength(best)})."
        ),
        attribute=best.attribute,
        effect=(best.v_corrected or 0.0),
    )


def _batch_and_labels(result: AuditResult, alpha: float) -> Iterator[Finding]:
    """Name, for each attribute, the batch that gives it away most: day and hour are one story."""
    best: dict[str, BatchPrediction] = {}
    for each in sorted(result.batch_predictions, key=_gain, reverse=True):
        if each.p is not None and each.p <= alpha and _gain(each) >= BATCH_GAIN:
            best.setdefault(each.attribute, each)
    for batch in dict.fromkeys(each.batch for each in best.values()):
        guesses = [each for each in best.values() if each.batch == batch]
        yield Finding(
            code="batch_knows_labels",
            severity="warning" if _gain(guesses[0]) >= FAR else "notice",
            text=(
                f"{sentence(display(batch))} alone, without any image, guesses "
                f"{'; '.join(_describe_guess(each) for each in guesses)}."
            ),
            attribute=batch,
            effect=0.3 + _gain(guesses[0]) / 2,
        )


def _gain(guess: BatchPrediction) -> float:
    """Return the share of what always naming the largest group gets wrong that the batch gets right.

    Each image is left out of its own count: among the images they have counted, many small batches are right
    by themselves, which shuffled labels show and this does not need.
    """
    right, blind = guess.left_out_accuracy, guess.majority
    if right is None or blind is None or blind >= 1:
        return 0.0
    return max(0.0, (right - blind) / (1 - blind))


def _describe_guess(guess: BatchPrediction) -> str:
    return (
        f"{display(guess.attribute)} right for {percent(guess.left_out_accuracy or 0.0)} of "
        f"{counted(guess.n, 'image')}, each left out of the count, where always saying {guess.majority_group} gets "
        f"{percent(guess.majority or 0.0)} (counted in: {part(guess.right, guess.n)}, shuffled labels "
        f"{percent(guess.chance or 0.0)})"
    )


def _unstable_starts(result: AuditResult) -> Iterator[Finding]:
    if result.clustering is None:
        return
    starts = result.clustering.starts
    if starts.n < 2 or starts.near_best * 2 > starts.n:
        return
    yield Finding(
        code="unstable_starts",
        severity="notice",
        text=(
            f"Only {starts.near_best} of {starts.n} K-Means starts came within 0.1 % of the best inertia "
            f"({starts.inertia_min:.6g} to {starts.inertia_max:.6g}): other starts can end in other clusters."
        ),
        effect=0.3,
    )


def _model_caveat(result: AuditResult) -> Iterator[Finding]:
    if result.model is not None and result.model.caveat:
        yield Finding("model_caveat", "notice", result.model.caveat, effect=0.45)


def _planted_missed(result: AuditResult) -> Iterator[Finding]:
    missed: Sequence[str] = [
        f"{each.claim}: expected {each.expected}, found {each.found}"
        for each in result.planted
        if not each.agrees
    ]
    if missed:
        text = f"{counted(len(missed), 'planted fact')} of the demo set not found: {'; '.join(missed)}."
        yield Finding("planted_missed", "warning", sentence(text), effect=1.0)
