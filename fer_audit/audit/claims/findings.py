"""Findings about clusters and attributes: which they follow, and how far each claim holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_audit.audit.claims.batch_leakage import finer_batches
from fer_audit.audit.stats.information import entropy
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import (
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

STRONG = 0.1
"""Corrected V from which a notice becomes a warning: Cohen's small effect for two groups."""
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


def _what_clusters_follow(result: AuditResult) -> Iterator[Finding]:
    climbed, others = _by_ladder(result)
    if not climbed:
        return
    top = climbed[0]
    told = listed([f"{display(each.attribute)} {_strength(each)}" for each in climbed])
    aside = f", not {listed(_names(others), 'or')}" if others else ""
    strongest = top.v_corrected or 0.0
    shares = listed(
        [
            f"{percent(_information(each))} of that about {display(each.attribute)}"
            for each in climbed
        ]
    ).replace("of that", "of the uncertainty", 1)
    yield Finding(
        code="clusters_follow",
        severity="warning" if strongest >= STRONG else "notice",
        text=(
            f"The clusters follow {listed(_names(climbed))}{aside}: corrected V {told}. Beyond chance,"
            f" knowing an image's cluster removes {shares}{_most_removed(climbed)}."
        ),
        attribute=top.attribute,
        effect=0.8 + strongest / 5,
    )


def _most_removed(climbed: Sequence[Association]) -> str:
    """Return the share of each attribute's entropy that clusters of these sizes can tell at most: H(C) / H(A)."""
    ends = []
    for each in climbed:
        table = np.array([[0 if count is None else count for count in row] for row in each.table])
        if table.size and table.any():
            most = entropy(table.sum(axis=1)) / max(entropy(table.sum(axis=0)), 1e-12)
            if most < 1:
                ends.append(f"{percent(most)} of {display(each.attribute)}")
    return f"; clusters of these sizes cannot remove more than {listed(ends)}" if ends else ""


def _names(associations: Sequence[Association]) -> list[str]:
    return [display(each.attribute) for each in associations]


def _strength(association: Association) -> str:
    other = ""
    if association.other_low is not None:
        other = f"; another collection {span(association.other_low, association.other_high)}"
    return (
        f"{coefficient(association.v_corrected)} ({span(association.low, association.high)}{other}; "
        f"n = {association.n:,})"
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
            f"{sentence(names)}: no association with these clusters is shown ({numbers}). "
            f"A weaker association than {counted(small, 'image')} can show may still be there."
        ),
        attribute=others[0].attribute if len(others) == 1 else None,
        effect=0.5 if climbed else 0.8,
    )


def _fallen(association: Association, result: AuditResult) -> str:
    """Return the p that rung 3 is judged by, and the first rung that does not hold."""
    rungs = next(
        x.rungs
        for x in result.ladders
        if (x.of, x.attribute) == (association.of, association.attribute)
    )
    failed = next((rung for rung in rungs if not rung.holds), None)
    stop = f"stopped at rung {failed.number} ({failed.name})" if failed else "no rung was lost"
    p = association.p_holm
    at_most = unreached(association.p_permutation, association.permutations)
    return f"{'' if p is None else f'{p_phrase(p, at_most=at_most)} after Holm, '}{stop}"


def _by_ladder(result: AuditResult) -> tuple[list[Association], list[Association]]:
    """Return the demographic associations that reached rung 3, the strongest first, and the tested rest."""
    highest = {
        ladder.attribute: ladder.highest for ladder in result.ladders if ladder.of == "cluster"
    }
    tested = [
        each
        for each in result.associations
        if each.attribute in highest
        and each.p_permutation is not None
        and each.kind in ("demographic", "label")
    ]
    tested.sort(key=lambda each: -(each.v_corrected or 0.0))
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
                text=f"The clusters also follow {display(best.attribute)}, {meaning} (corrected V {_strength(best)}).",
                attribute=best.attribute,
                effect=(best.v_corrected or 0.0),
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
