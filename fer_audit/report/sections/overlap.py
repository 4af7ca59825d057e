"""How groups lie in the latent space itself, before any clustering."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fer_audit.audit.types.space import GroupOverlap, LatentOverlap, PairOverlap
from fer_audit.report.blocks import Bar, Block, Cell, Heading, Importance, Prose, Section, Table
from fer_audit.report.sections.values import (
    adjusted_p,
    left,
    right,
    span_or_dash,
    spoken,
    table_of,
    without_value,
)
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
    percent,
    unreached,
    whole,
)

N_PAIRS = 5
"""Pairs in the short list, those with the largest AUC."""


def overlap(view: View) -> Section | None:
    """Return neighbours and linear classifiers for each attribute; nothing if not computed."""
    overlaps = view.result.latent
    if not overlaps:
        return None
    blocks: list[Block] = [
        Prose(
            "Without clusters: are an image's nearest neighbours of its own group, more often than when labels are shuffled?"
            " Spread: root mean squared distance to the group's centre.",
            tone="small",
        )
    ]
    for each in overlaps:
        blocks += _overlap(each, view.alpha)
    if any(each.pairs for each in overlaps):
        blocks.append(
            Prose(
                "AUC: how well a linear classifier distinguishes two groups (.5 = not at all, 1 = always; in brackets: no more"
                " than chance may give), on all images; pairs whose intervals overlap are not ranked. Distance: between"
                " their centres, over their spread.",
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
        f" {percent(each.expected)} if labels are shuffled, {p_phrase(each.p, at_most=unreached(each.p, each.permutations))} ({whole(each.n)} of"
        f" {counted(each.drawn_from, 'image')}, {counted(each.dimensions, 'principal coordinate')})."
    )
    blocks: list[Block] = [Heading(name), Prose(text)]
    if each.groups:
        blocks.append(_groups(f"{name}: neighbours", each.groups))
    if each.pairs:
        furthest = sorted(each.pairs, key=lambda pair: -(pair.auc or 0.0))
        blocks.append(_pairs(f"{name}: pairs with the largest AUC", furthest[:N_PAIRS], alpha))
        if len(furthest) > N_PAIRS:
            title = f"{name}: all {counted(len(furthest), 'pair')}"
            blocks.append(_pairs(title, furthest, alpha, "detail"))
    return blocks


def _groups(title: str, groups: Sequence[GroupOverlap]) -> Table:
    full = max((max(x.homophily or 0.0, x.expected or 0.0) for x in groups), default=1.0)

    def if_any(
        show: Callable[[GroupOverlap], Cell], nothing: str
    ) -> Callable[[GroupOverlap], Cell]:
        return lambda x: nothing if x.homophily is None else show(x)

    return table_of(
        title,
        groups,
        left("group", lambda x: clipped(x.group, 28), wrap=8),
        right("images", lambda x: whole(x.n)),
        right(
            "neighbours of the same group",
            if_any(lambda x: percent(x.homophily), "too few to say"),
            wrap=12,
        ),
        left("", if_any(lambda x: Bar(x.homophily or 0.0, full, x.expected), ""), drop=1),
        right("shuffled", if_any(lambda x: or_dash(x.expected, percent), NO_VALUE)),
        right("spread", if_any(lambda x: or_dash(x.dispersion, measured), NO_VALUE)),
        faint=lambda x: x.homophily is None,
    )


def _pairs(
    title: str, pairs: Sequence[PairOverlap], alpha: float, importance: Importance = "normal"
) -> Table:
    return table_of(
        title,
        pairs,
        left("groups", lambda x: f"{clipped(x.first, 28)} and {clipped(x.second, 28)}", wrap=14),
        right("AUC", lambda x: _auc(x, alpha)),
        right("interval", lambda x: span_or_dash(x.low, x.high)),
        right("adjusted p", adjusted_p, wrap=8),
        right("distance", lambda x: or_dash(x.relative_distance, number)),
        importance=importance,
    )


def _auc(pair: PairOverlap, alpha: float) -> str:
    if pair.auc is None:
        return NO_VALUE
    text = coefficient(pair.auc)
    return f"({text})" if pair.p_adjusted is None or pair.p_adjusted > alpha else text
