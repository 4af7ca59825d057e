"""How groups lie in the latent space itself, before any clustering."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.space import GroupOverlap, LatentOverlap, PairOverlap
from fer_audit.report.bars import TARGET, bar
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, Item, plain, prose
from fer_audit.text import (
    because,
    clipped,
    coefficient,
    counted,
    measured,
    number,
    p_phrase,
    percent,
    whole,
)

NO_VALUE = "–"
MANY_GROUPS = 12
"""Above this only the most different pairs are shown."""
TOP = 5
_BARS = (28, 20, 8)
_CUTS = (
    "AUC: how well a straight cut tells two groups apart (.5 = not at all, 1 = always; in brackets: not told from"
    " chance), to the right of the diagonal. Distance: of their centres over their spread, to the left of it."
)
_EVEN = 0.5
"""AUC of a cut that separates nothing."""


def latent(overlaps: Sequence[LatentOverlap], alpha: float) -> list[RenderableType]:
    """Return neighbours, silhouettes and linear cuts for each attribute; nothing if not computed."""
    if not overlaps:
        return []
    parts: list[RenderableType] = [
        Heading("Do groups have places of their own in the latent space?"),
        prose(
            "Without clusters: are an image's nearest neighbours of its own group, more often than shuffled labels"
            f" give (the {TARGET} in a bar)? Silhouette: 0 = the group has no region of its own, 1 = it is apart."
            " Spread: root mean squared distance to the group's centre."
        ),
    ]
    for overlap in overlaps:
        parts += [Text(""), *_overlap(overlap, alpha)]
    if any(overlap.pairs for overlap in overlaps):
        parts += [Text(""), prose(_CUTS)]
    return parts


def _overlap(overlap: LatentOverlap, alpha: float) -> list[RenderableType]:
    name = clipped(overlap.attribute, 28)
    if overlap.homophily is None:
        return [Item(plain(f"? {name}", "bold"), plain(because(overlap.not_computable)))]
    text = Text.assemble(
        (name, "bold"),
        f": {percent(overlap.homophily)} of the {overlap.neighbours:,} nearest neighbours are of the same group,"
        f" {percent(overlap.expected)} if labels are shuffled, {p_phrase(overlap.p)}"
        f" ({overlap.n:,} of {counted(overlap.drawn_from, 'image')},"
        f" {counted(overlap.dimensions, 'principal coordinate')}).",
    )
    parts: list[RenderableType] = [prose(text)]
    if overlap.groups:
        parts += [Text(""), _groups(overlap.groups)]
    if overlap.pairs:
        parts += [Text(""), *_pairs(overlap, alpha)]
    return parts


def _groups(groups: Sequence[GroupOverlap]) -> FirstThatFits:
    return FirstThatFits([_group_grid(groups, cells) for cells in _BARS])


def _group_grid(groups: Sequence[GroupOverlap], cells: int) -> Grid:
    full = max((max(g.homophily or 0.0, g.expected or 0.0) for g in groups), default=1.0)
    columns = [
        Column(Text("group"), squeeze=8),
        Column(Text("images"), right=True),
        Column(Text("neighbours of the same group"), squeeze=cells + 8),
        Column(Text("shuffled"), right=True),
        Column(Text("silhouette"), right=True),
        Column(Text("spread"), right=True),
    ]
    return Grid(columns, [_group_row(group, full, cells) for group in groups])


def _group_row(group: GroupOverlap, full: float, cells: int) -> list[Text]:
    row = [_name(group.group), Text(whole(group.n))]
    if group.homophily is None:
        return [*row, Text("too few to say"), *(Text(NO_VALUE) for _ in range(3))]
    line = bar(group.homophily, full=full, cells=cells, target=group.expected)
    return [
        *row,
        Text.assemble(line, f" {percent(group.homophily):>7}"),
        Text(NO_VALUE if group.expected is None else percent(group.expected)),
        Text(NO_VALUE if group.silhouette is None else coefficient(group.silhouette)),
        Text(NO_VALUE if group.dispersion is None else measured(group.dispersion)),
    ]


def _pairs(overlap: LatentOverlap, alpha: float) -> list[RenderableType]:
    names = list(
        dict.fromkeys(name for pair in overlap.pairs for name in (pair.first, pair.second))
    )
    if len(names) > MANY_GROUPS:
        most = sorted(overlap.pairs, key=lambda pair: -(pair.auc or _EVEN))[:TOP]
        return [
            _pair_grid(most, alpha),
            prose(
                f"The {TOP} most different of {counted(len(overlap.pairs), 'pair')}; see result.json."
            ),
        ]
    if len(names) < 3:
        return [_pair_grid(overlap.pairs, alpha)]
    return [
        FirstThatFits([_matrix(names, overlap.pairs, alpha), _pair_grid(overlap.pairs, alpha)])
    ]


def _matrix(names: Sequence[str], pairs: Sequence[PairOverlap], alpha: float) -> Grid:
    by_names = {(pair.first, pair.second): pair for pair in pairs}
    columns = [Column(Text("AUC \\ distance"), squeeze=8)]
    columns += [Column(_name(name, 12), right=True) for name in names]
    rows = []
    for one in names:
        row = [_name(one)]
        for two in names:
            right, left = by_names.get((one, two)), by_names.get((two, one))
            if right is not None:
                row.append(_auc(right, alpha))
            elif left is not None:
                row.append(_distance(left))
            else:
                row.append(Text("·" if one == two else ""))
        rows.append(row)
    return Grid(columns, rows)


def _pair_grid(pairs: Sequence[PairOverlap], alpha: float) -> Grid:
    columns = [
        Column(Text("straight cut between"), squeeze=14),
        Column(Text("AUC"), right=True),
        Column(Text("distance"), right=True),
    ]
    rows = [
        [
            Text.assemble(_name(pair.first), " and ", _name(pair.second)),
            _auc(pair, alpha),
            _distance(pair),
        ]
        for pair in pairs
    ]
    return Grid(columns, rows)


def _auc(pair: PairOverlap, alpha: float) -> Text:
    if pair.auc is None:
        return Text(NO_VALUE)
    if pair.p_adjusted is None or pair.p_adjusted > alpha:
        return Text(f"({coefficient(pair.auc)})", "dim")
    return Text(coefficient(pair.auc), "bold")


def _distance(pair: PairOverlap) -> Text:
    known = pair.relative_distance is not None
    return Text(number(pair.relative_distance) if known else NO_VALUE)


def _name(name: str, limit: int = 28) -> Text:
    return plain(clipped(name, limit))
