"""How groups lie in the latent space itself, before any clustering."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.space import GroupOverlap, LatentOverlap, PairOverlap
from fer_audit.report.blocks import (
    Bar,
    Block,
    Cell,
    Column,
    Heading,
    Importance,
    Prose,
    Section,
    Table,
)
from fer_audit.report.sections.values import spoken, without_value
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    clipped,
    coefficient,
    counted,
    measured,
    number,
    or_dash,
    p_phrase,
    p_text,
    percent,
    whole,
)

N_PAIRS = 5
"""Pairs in the short list, those that lie furthest apart."""


def overlap(view: View) -> Section | None:
    """Return neighbours, silhouettes and linear classifiers for each attribute; nothing if not computed."""
    overlaps = view.result.latent
    if not overlaps:
        return None
    blocks: list[Block] = [
        Prose(
            "Without clusters: are an image's nearest neighbours of its own group, more often than when labels are shuffled?"
            " Silhouette: 0 = the group has no region of its own, 1 = it is apart. Spread: root mean squared distance to the"
            " group's centre.",
            tone="small",
        )
    ]
    for each in overlaps:
        blocks += _overlap(each, view.alpha)
    if any(each.pairs for each in overlaps):
        blocks.append(
            Prose(
                "AUC: how well a linear classifier distinguishes two groups (.5 = not at all, 1 = always; in brackets: no more"
                " than chance may give). Distance: between their centres, over their spread.",
                tone="small",
            )
        )
    return Section("overlap", "Do groups lie apart before any clustering?", tuple(blocks))


def _overlap(each: LatentOverlap, alpha: float) -> list[Block]:
    name = spoken(each.attribute)
    if each.homophily is None:
        return without_value([(name, each.not_computable)])
    text = (
        f"{percent(each.homophily)} of the {whole(each.neighbours)} nearest neighbours are of the same group,"
        f" {percent(each.expected)} if labels are shuffled, {p_phrase(each.p)} ({whole(each.n)} of"
        f" {counted(each.drawn_from, 'image')}, {counted(each.dimensions, 'principal coordinate')})."
    )
    blocks: list[Block] = [Heading(name), Prose(text)]
    if each.groups:
        blocks.append(_groups(f"{name}: neighbours and silhouettes", each.groups))
    if each.pairs:
        furthest = sorted(each.pairs, key=lambda pair: -(pair.auc or 0.0))
        blocks.append(_pairs(f"{name}: the groups furthest apart", furthest[:N_PAIRS], alpha))
        if len(furthest) > N_PAIRS:
            title = f"{name}: all {counted(len(furthest), 'pair')}"
            blocks.append(_pairs(title, furthest, alpha, "detail"))
    return blocks


def _groups(title: str, groups: Sequence[GroupOverlap]) -> Table:
    full = max((max(x.homophily or 0.0, x.expected or 0.0) for x in groups), default=1.0)
    columns = (
        Column("group", wrap=8),
        Column("images", right=True),
        Column("neighbours of the same group", right=True, wrap=12),
        Column("", drop=1),
        Column("shuffled", right=True),
        Column("silhouette", right=True),
        Column("spread", right=True),
    )
    rows = tuple(_group(each, full) for each in groups)
    faint = frozenset(row for row, each in enumerate(groups) if each.homophily is None)
    return Table(title, columns, rows, faint=faint)


def _group(group: GroupOverlap, full: float) -> tuple[Cell, ...]:
    start = (clipped(group.group, 28), whole(group.n))
    if group.homophily is None:
        return (*start, "too few to say", "", NO_VALUE, NO_VALUE, NO_VALUE)
    return (
        *start,
        percent(group.homophily),
        Bar(group.homophily, full, group.expected),
        or_dash(group.expected, percent),
        or_dash(group.silhouette, coefficient),
        or_dash(group.dispersion, measured),
    )


def _pairs(
    title: str, pairs: Sequence[PairOverlap], alpha: float, importance: Importance = "normal"
) -> Table:
    columns = (
        Column("groups", wrap=14),
        Column("AUC", right=True),
        Column("adjusted p", right=True, wrap=8),
        Column("distance", right=True),
    )
    rows = tuple(
        (
            f"{clipped(pair.first, 28)} and {clipped(pair.second, 28)}",
            _auc(pair, alpha),
            or_dash(pair.p_adjusted, p_text),
            or_dash(pair.relative_distance, number),
        )
        for pair in pairs
    )
    return Table(title, columns, rows, importance)


def _auc(pair: PairOverlap, alpha: float) -> str:
    if pair.auc is None:
        return NO_VALUE
    text = coefficient(pair.auc)
    return f"({text})" if pair.p_adjusted is None or pair.p_adjusted > alpha else text
