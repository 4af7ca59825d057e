"""Who is in the set: the share of every group, diversity, and how far the set is from its target."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.composition import FOUR_FIFTHS, GroupShare, Representation
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.targets import has_target, is_under
from fer_audit.report.blocks import Bar, Block, Cell, Charts, Column, Facts, Prose, Section, Table
from fer_audit.report.charts import composition as composition_charts
from fer_audit.report.sections.values import left, right, spoken, table_of
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    WITHHELD,
    clipped,
    coefficient,
    counted,
    display,
    listed,
    number,
    number_span,
    or_dash,
    p_text,
    part,
    percent,
    sentence,
    share_text,
    six_figures,
    unreached,
    whole,
)

MANY_GROUPS = 12
"""Above this, and for batches and splits, only the largest few groups are shown; the rest is folded on the page."""
N_LARGEST = 3
_TWO_LINES = 104
N_ATTRIBUTES = 4
"""Attributes in the short report."""


def composition(view: View) -> Section:
    """Return the groups of every attribute, how diverse and how far from the target they are, and round ages."""
    found = view.result.representation
    title = "Who is in the set?"
    if not found:
        nobody = Prose("The set has no labels, so nobody can be counted.", "summary")
        return Section("who", title, (nobody, *_people_and_votes(view)))
    shares = tuple(
        (clipped(_name(about), 24), _in_short(about))
        for kind in ("demographic", "label")
        for about in found
        if about.kind == kind
    )
    blocks: list[Block] = [Facts(shares[:N_ATTRIBUTES], "summary")] if shares else []
    if more := shares[N_ATTRIBUTES:]:
        blocks.append(Facts(more))
    targets = sorted({clipped(a.target.target, 40) for a in found if a.kind == "demographic"})
    lines = f"Lines are {view.level}Wilson intervals."
    lines += f" Diamonds mark the target: {listed(targets)} shares." if targets else ""
    charts = Charts(
        lambda: [
            *(
                composition_charts.composition(about, view.palette)
                for about in found
                if about.kind in ("demographic", "label")
            ),
            composition_charts.pyramid(view.result.intersections, view.palette),
        ]
    )
    blocks += [Prose(lines, "detail", "small"), charts]
    blocks += [block for about in found for block in _groups(about, view.level)]
    flags = (
        "Of target: the share divided by the share that the group should have."
        " ▼ under: less than 0.8 of it; ▼ may be: its interval reaches 0.8; ▲ over: more than 1.25."
    )
    if any(has_target(about) for about in found):
        blocks.append(Prose(flags, tone="small"))
    blocks += [_diversity(found), *_targets(view, found), *_ages(view), *_people_and_votes(view)]
    return Section("who", title, tuple(blocks))


def is_summary(about: Representation) -> bool:
    """Whether only the largest groups of this attribute are shown."""
    few = MANY_GROUPS if about.kind in ("demographic", "label") else N_LARGEST
    return len(about.groups) > few


def _name(about: Representation) -> str:
    """Return the attribute's name, and what about it a reader would not expect."""
    remarks = [] if about.kind == "demographic" else [about.kind]
    remarks += [] if about.source == "annotated" else [about.source]
    name = display(clipped(about.attribute, 28))
    return f"{name} ({', '.join(remarks)})" if remarks else name


def _largest(about: Representation) -> list[GroupShare]:
    """Return the groups that are shown, the largest ones in their order where there are many."""
    if not is_summary(about):
        return list(about.groups)
    return _by_size(about)[:N_LARGEST]


def _by_size(about: Representation) -> list[GroupShare]:
    return sorted(about.groups, key=lambda group: -(group.count or 0))


def _in_short(about: Representation) -> str:
    """Return the shares on at most two lines of a terminal: of all groups, or of the largest."""
    text = _shares(about, _largest(about))
    return text if len(text) <= _TWO_LINES else _shares(about, _by_size(about)[:N_LARGEST])


def _shares(about: Representation, shown: Sequence[GroupShare]) -> str:
    shares = [f"{clipped(group.name, 20)} {_share_in_short(group)}" for group in shown]
    shares[1:] = [each.removesuffix(" %") for each in shares[1:]]
    more = len(about.groups) - len(shown)
    return ", ".join([*shares, *([f"and {counted(more, 'smaller group')}"] if more else [])])


def _share_in_short(group: GroupShare) -> str:
    return WITHHELD if group.count is None else or_dash(group.share, percent)


def _groups(about: Representation, level: str) -> list[Block]:
    shown = _largest(about)
    if not is_summary(about):
        return [_table(about, shown, level)]
    more = len(about.groups) - len(shown)
    note = f"... and {counted(more, 'smaller group')}; {whole(len(about.groups))} groups in all."
    return [
        _table(about, shown, level, note=note),
        _table(about, about.groups, level, is_whole=True),
    ]


def _table(
    about: Representation,
    groups: Sequence[GroupShare],
    level: str,
    *,
    is_whole: bool = False,
    note: str = "",
) -> Table:
    compares = has_target(about)
    full = max((group.share or 0.0 for group in groups), default=0.0)
    missing = f"{whole(about.not_annotated)} (annotated: {whole(about.annotated)})"
    columns = [
        Column("group", wrap=10),
        Column(f"share (count; {level}interval)", wrap=14),
        Column("│ = target" if compares else "", drop=2),
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            clipped(group.name, 28),
            share_text(group.share, group.count, group.low, group.high),
            Bar(group.share or 0.0, full, _target_share(group) if compares else None),
        )
        for group in groups
    ]
    rows.append(("not annotated", missing, ""))
    if compares:
        columns += [Column("of target", wrap=9), Column("its interval", drop=3)]
        target_cells = [(_of_target(group), _ratio_span(group)) for group in groups]
        rows = [(*row, *cells) for row, cells in zip(rows, [*target_cells, ("", "")], strict=True)]
    name = _name(about)
    return Table(
        f"{name}: all {counted(len(groups), 'group')}" if is_whole else name,
        tuple(columns),
        tuple(rows),
        "detail" if is_whole else "normal",
        faint=frozenset(i for i, group in enumerate(groups) if (group.count or 0) < TOO_FEW),
        total=True,
        note=note,
    )


def _target_share(group: GroupShare) -> float | None:
    return group.share / group.ratio if group.share and group.ratio else None


def _of_target(group: GroupShare) -> str:
    if group.ratio is None:
        return ""
    text = f"{number(group.ratio)}×"
    if (group.count or 0) < TOO_FEW:
        return f"{text} few images"
    if group.ratio < FOUR_FIFTHS:
        return f"{text} ▼ under" if is_under(group) else f"{text} ▼ may be"
    return f"{text} ▲ over" if group.ratio > 1 / FOUR_FIFTHS else text


def _ratio_span(group: GroupShare) -> str:
    if group.ratio_low is None or group.ratio_high is None:
        return ""
    return number_span(group.ratio_low, group.ratio_high)


def _diversity(found: Sequence[Representation]) -> Table:
    return table_of(
        "Diversity",
        found,
        left("attribute", _name, wrap=10),
        right("groups", lambda x: whole(x.indices.R)),
        right("ENS", lambda x: or_dash(x.indices.ENS, number)),
        right("1/D", lambda x: or_dash(x.indices.inverse_D, number), drop=1),
        right("H", lambda x: or_dash(x.indices.H, number), drop=4),
        right("SEI", lambda x: or_dash(x.indices.SEI, coefficient)),
        right("NSD", lambda x: or_dash(x.indices.NSD, coefficient), drop=3),
        right("IR", lambda x: or_dash(x.indices.IR, number)),
        right("BP", lambda x: or_dash(x.indices.BP, coefficient), drop=2),
        note="ENS: the set is as diverse as that many equally large groups. 1/D: the same, with more weight on large groups."
        " H: Shannon's entropy. SEI: evenness, 1 = all alike. NSD: imbalance, 0 = none. IR: largest over smallest group."
        " BP: the share of the largest.",
    )


def _targets(view: View, found: Sequence[Representation]) -> list[Block]:
    shown = [about for about in found if has_target(about)]
    if not shown:
        return []
    note = (
        "TV: the share of images that would have to change group to meet the target. DS_R: 1 - TV."
        " DS_E: 1 - TV against even shares of the groups present. JSD: Jensen-Shannon divergence, 0 to 1."
        " p: how often a set drawn at the target shares is as far from them."
    )
    table = table_of(
        "Distance to the target",
        shown,
        left("attribute", _name, wrap=10),
        left("target", lambda x: clipped(x.target.target, 40), wrap=8),
        right("TV", lambda x: or_dash(x.target.tv, coefficient)),
        right("DS_R", lambda x: or_dash(x.target.ds_r, coefficient), drop=2),
        right("DS_E", lambda x: or_dash(x.target.ds_e, coefficient), drop=3),
        right("JSD", lambda x: or_dash(x.target.jsd, coefficient), drop=1),
        right("p", lambda x: _target_p(x.target.p, view)),
        note=note,
    )
    return [table]


def _target_p(p: float | None, view: View) -> str:
    at_most = unreached(p, view.result.config.statistics.permutations)
    return NO_VALUE if p is None else p_text(p, at_most=at_most)


def _ages(view: View) -> list[Block]:
    heaping = view.result.age_heaping
    if heaping is None or heaping.whipple is None:
        return []
    return [
        Prose(
            f"Ages: Whipple's index is {number(heaping.whipple, 1)} over {counted(heaping.n, 'image')} aged 23 to 62"
            " (100: no preference for ages ending in 0 or 5; 500: only such ages)."
        )
    ]


def _people_and_votes(view: View) -> list[Block]:
    """Return how many people the set names, and how strongly the annotators of a label agree: a line each."""
    lines = [
        f"{sentence(spoken(each.attribute))}: {counted(each.subjects, 'person', 'people')}, {whole(each.least)} to"
        f" {counted(each.most, 'image')} of each, median {WITHHELD if each.median is None else six_figures(each.median)};"
        f" {counted(each.unnamed, 'image')} {'names' if each.unnamed == 1 else 'name'} nobody."
        for each in view.result.subjects
        if each.subjects != 0
    ]
    lines += [
        f"{sentence(spoken(each.attribute))}: where several annotators voted, the winning answer has"
        f" {percent(each.winning_share)} of the votes in the median image; {part(each.without_majority, each.n)} images"
        " have no answer with more than half."
        for each in view.result.votes
        if each.n
    ]
    return [Prose(line) for line in lines]
