"""Where groups meet: which combinations are missing, and how groups lie in the latent space before any clustering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fer_audit.text as t
from fer_audit.audit.types.composition import Cell
from fer_audit.audit.types.space import GroupOverlap, LatentOverlap, PairOverlap
from fer_audit.report.blocks import Bar, Block, Charts, Heading, Importance, Prose, Table
from fer_audit.report.charts.intersections import heatmap
from fer_audit.report.sections import values as v
from fer_audit.report.view import View

N_ROWS = 5
"""Combinations in each list; result.json has more."""
N_PAIRS = 5
"""Pairs in the short list, those with the largest AUC."""


@v.section("overlap", "Do groups lie apart before any clustering?")
def overlap(view: View) -> Iterator[Block]:
    """Return neighbours and linear classifiers for each attribute; nothing if not computed."""
    overlaps = view.result.latent
    if not overlaps:
        return
    yield v.small(
        "Without clusters: are an image's nearest neighbours of its own group, more often than when labels are shuffled?"
        " Spread: root mean squared distance to the group's centre."
    )
    for each in overlaps:
        yield from _overlap(each, view.alpha)
    if any(each.pairs for each in overlaps):
        yield v.small(
            "AUC: how well a linear classifier distinguishes two groups (.5 = not at all, 1 = always; in brackets: no more"
            " than chance may give), on all images; pairs whose intervals overlap are not ranked. Distance: between"
            " their centres, over their spread."
        )


def _overlap(each: LatentOverlap, alpha: float) -> Iterator[Block]:
    name = v.spoken(each.attribute)
    if each.homophily is None:
        yield from v.without_value([(name, each.not_computable)])
        return
    yield Heading(name)
    yield Prose(
        f"{t.percent(each.homophily)} of the {t.whole(each.neighbours)} nearest neighbours are of the same group,"
        f" {t.percent(each.expected)} if labels are shuffled, {t.p_phrase(each.p, at_most=t.unreached(each.p, each.permutations))} ({t.whole(each.n)} of"
        f" {t.counted(each.drawn_from, 'image')}, {t.counted(each.dimensions, 'principal coordinate')})."
    )
    if each.groups:
        yield _groups(f"{name}: neighbours", each.groups)
    if each.pairs:
        furthest = sorted(each.pairs, key=lambda pair: -(pair.auc or 0.0))
        yield _pairs(f"{name}: pairs with the largest AUC", furthest[:N_PAIRS], alpha)
        if len(furthest) > N_PAIRS:
            title = f"{name}: all {t.counted(len(furthest), 'pair')}"
            yield _pairs(title, furthest, alpha, "detail")


def _groups(title: str, groups: Sequence[GroupOverlap]) -> Table:
    full = max((max(x.homophily or 0.0, x.expected or 0.0) for x in groups), default=1.0)

    def same(x: GroupOverlap) -> str:
        return "too few to say" if x.homophily is None else t.percent(x.homophily)

    def bar(x: GroupOverlap) -> Bar | str:
        return "" if x.homophily is None else Bar(x.homophily, full, x.expected)

    def shuffled(x: GroupOverlap) -> str:
        return t.or_dash(None if x.homophily is None else x.expected, t.percent)

    return v.table_of(
        title,
        groups,
        v.left("group", lambda x: t.clipped(x.group, 28), wrap=8),
        v.right("images", lambda x: t.whole(x.n)),
        v.right("neighbours of the same group", same, wrap=12),
        v.left("", bar, drop=1),
        v.right("shuffled", shuffled),
        v.right(
            "spread",
            lambda x: t.or_dash(None if x.homophily is None else x.dispersion, t.measured),
        ),
        faint=lambda x: x.homophily is None,
    )


def _pairs(
    title: str, pairs: Sequence[PairOverlap], alpha: float, importance: Importance = "normal"
) -> Table:
    def auc(x: PairOverlap) -> str:
        text = t.or_dash(x.auc, t.coefficient)
        sure = x.auc is None or (x.p_adjusted is not None and x.p_adjusted <= alpha)
        return text if sure else f"({text})"

    return v.table_of(
        title,
        pairs,
        v.left(
            "groups", lambda x: f"{t.clipped(x.first, 28)} and {t.clipped(x.second, 28)}", wrap=14
        ),
        v.right("AUC", auc),
        v.right("interval", lambda x: v.span_or_dash(x.low, x.high)),
        v.right("adjusted p", v.adjusted_p, wrap=8),
        v.right("distance", lambda x: t.or_dash(x.relative_distance, t.number)),
        importance=importance,
    )


@v.section("intersections", "Which combinations are missing?")
def intersections(view: View) -> Iterator[Block]:
    """Return how many combinations are empty or thin, the worst of them, and what it takes to fill them."""
    facts = view.result.intersections
    if facts is None or not facts.cells:
        yield Prose("It takes two or more demographic attributes to combine.")
        return
    names = " × ".join(t.display(t.clipped(name, 28)) for name in facts.attributes)
    if not facts.n and not facts.smallest:
        yield Prose(f"{names}: {t.because(facts.not_computable)}.")
        return
    yield Prose(
        f"{names}: {t.counted(facts.cells, 'combination')}, {t.whole(facts.empty)} without an image,"
        f" {t.whole(facts.under_30)} with 1 to 29 (too few to say anything)."
    )
    yield Charts(lambda: [heatmap(facts)])
    yield from _cells("Smallest", facts.smallest)
    yield from _cells("Furthest below what unrelated attributes would give", facts.largest_gaps)
    if any(cell.more_images for cell in (*facts.largest_gaps, *facts.smallest)):
        yield v.small(
            "To collect: further images, drawn like the set, until the combination can be expected to hold 30, with the range"
            " that so few images leave open."
        )
    if facts.beyond_pairs:
        title = "Furthest from what pairs of attributes would give"
        yield from _cells(title, facts.beyond_pairs, pairs=True)
        yield v.small(
            "Expected here: every two attributes are associated as they are in the set, and nothing beyond."
            " What remains belongs to the combination itself."
        )


def _cells(title: str, cells: Sequence[Cell], *, pairs: bool = False) -> Iterator[Block]:
    def p(x: Cell) -> str:  # that of the other residual belongs in no table
        return t.p_text(x.p_adjusted) if pairs and x.p_adjusted is not None else ""

    def expected(x: Cell) -> str:
        value = x.expected_pairs if pairs else x.expected
        return "" if value is None else t.number(value, 1)

    def residual(x: Cell) -> str:
        value = x.residual_pairs if pairs else x.residual
        return "" if value is None else t.signed(value)

    if cells:
        table = v.table_of(
            title,
            cells[:N_ROWS],
            v.left(
                "combination", lambda x: " × ".join(t.clipped(y, 28) for y in x.groups), wrap=20
            ),
            v.right("images", lambda x: t.whole(x.count)),
            v.right("expected", expected),
            v.right("residual", residual, drop=2),
            v.right("p", p, drop=1),
            v.right("to collect", _to_collect, drop=3, wrap=16),
        )
        yield v.without_empty_columns(table)


def _to_collect(cell: Cell) -> str:
    """Return how many more images, to two figures, with the range of an estimate from so few."""
    if not cell.more_images:
        return ""
    text = t.two_figures(cell.more_images)
    if cell.more_low is None or cell.more_high is None:
        return text
    return f"{text} ({t.two_figures(cell.more_low)}-{t.two_figures(cell.more_high)})"
