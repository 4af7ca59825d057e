"""Who is in the set: the share of every group, diversity, and how far the set is from its target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fer_audit.text as t
from fer_audit.audit.types.composition import FOUR_FIFTHS, GroupShare, Representation
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.targets import has_target, is_under
from fer_audit.report.blocks import Bar, Block, Charts, Column, Facts, Importance, Prose, Table
from fer_audit.report.charts.composition import composition as composition_chart
from fer_audit.report.charts.composition import pyramid
from fer_audit.report.sections import values as v
from fer_audit.report.view import View

MANY_GROUPS = 12
"""Above this, and for batches and splits, only the largest few groups are shown; the rest is folded on the page."""
N_LARGEST = 3
_TWO_LINES = 104
N_ATTRIBUTES = 4
"""Attributes in the short report."""
_PEOPLE = ("demographic", "label")


@v.section("who", "Who is in the set?")
def composition(view: View) -> Iterator[Block]:
    """Return the groups of every attribute, how diverse and how far from the target they are, and round ages."""
    found = view.result.representation
    if not found:
        yield Prose("The set has no labels, so nobody can be counted.", "summary")
        yield from _people_and_votes(view)
        return
    people = [about for kind in _PEOPLE for about in found if about.kind == kind]
    shares = tuple((t.clipped(_name(about), 24), _in_short(about)) for about in people)
    if shares:
        yield Facts(shares[:N_ATTRIBUTES], "summary")
    if more := shares[N_ATTRIBUTES:]:
        yield Facts(more)
    targets = sorted({t.clipped(a.target.target, 40) for a in found if a.kind == "demographic"})
    diamonds = f" Diamonds mark the target: {t.listed(targets)} shares." if targets else ""
    yield Prose(f"Lines are {view.level}Wilson intervals.{diamonds}", "detail", "small")
    yield Charts(
        lambda: [
            *(composition_chart(x, view.palette) for x in found if x.kind in _PEOPLE),
            pyramid(view.result.intersections, view.palette),
        ]
    )
    for about in found:
        yield from _groups(about, view.level)
    aimed = [about for about in found if has_target(about)]
    if aimed:
        yield v.small(
            "Of target: the share divided by the share that the group should have."
            " ▼ under: less than 0.8 of it; ▼ may be: its interval reaches 0.8; ▲ over: more than 1.25."
        )
    yield _diversity(found)
    if aimed:
        yield _targets(view, aimed)
    ages = view.result.age_heaping
    if ages is not None and ages.whipple is not None:
        yield Prose(
            f"Ages: Whipple's index is {t.number(ages.whipple, 1)} over {t.counted(ages.n, 'image')} aged 23 to 62"
            " (100: no preference for ages ending in 0 or 5; 500: only such ages)."
        )
    yield from _people_and_votes(view)


def _name(about: Representation) -> str:
    """Return the attribute's name, and what about it a reader would not expect."""
    remarks = [] if about.kind == "demographic" else [about.kind]
    remarks += [] if about.source == "annotated" else [about.source]
    name = t.display(t.clipped(about.attribute, 28))
    return f"{name} ({', '.join(remarks)})" if remarks else name


def _largest(about: Representation) -> list[GroupShare]:
    return sorted(about.groups, key=lambda group: -(group.count or 0))[:N_LARGEST]


def _is_summary(about: Representation) -> bool:
    """Whether only the largest groups of this attribute are shown."""
    return len(about.groups) > (MANY_GROUPS if about.kind in _PEOPLE else N_LARGEST)


def _in_short(about: Representation) -> str:
    """Return the shares on at most two lines of a terminal: of all groups, or of the largest."""
    text = "" if _is_summary(about) else _shares(about, about.groups)
    return text if text and len(text) <= _TWO_LINES else _shares(about, _largest(about))


def _shares(about: Representation, shown: Sequence[GroupShare]) -> str:
    shares = [
        f"{t.clipped(x.name, 20)} {t.WITHHELD if x.count is None else t.or_dash(x.share, t.percent)}"
        for x in shown
    ]
    shares[1:] = [each.removesuffix(" %") for each in shares[1:]]
    more = len(_present(about)) - len(shown)
    return ", ".join([*shares, *([f"and {t.counted(more, 'smaller group')}"] if more > 0 else [])])


def _present(about: Representation) -> tuple[GroupShare, ...]:
    """Return the groups that have images; a sample has the names of the whole set's."""
    return tuple(group for group in about.groups if group.count != 0)


def _groups(about: Representation, level: str) -> Iterator[Block]:
    name, present = _name(about), _present(about)
    if not _is_summary(about):
        yield _table(about, about.groups, level, name)
        return
    shown = _largest(about)
    more = t.counted(max(0, len(present) - len(shown)), "smaller group")
    note = f"... and {more}; {t.counted(len(present), 'group')} in all."
    yield _table(about, shown, level, name, note=note)
    every = about.groups if about.kind in _PEOPLE else present
    yield _table(about, every, level, f"{name}: all {t.counted(len(every), 'group')}", "detail")


def _table(
    about: Representation,
    groups: Sequence[GroupShare],
    level: str,
    title: str,
    importance: Importance = "normal",
    note: str = "",
) -> Table:
    compares = has_target(about)
    full = max((group.share or 0.0 for group in groups), default=0.0)
    missing = f"{t.whole(about.not_annotated)} (annotated: {t.whole(about.annotated)})"
    columns = [
        Column("group", wrap=10),
        Column(f"share (count; {level}interval)", wrap=14),
        Column("│ = target" if compares else "", drop=2),
        *((Column("of target", wrap=9), Column("its interval", drop=3)) if compares else ()),
    ]
    rows = [
        (
            t.clipped(x.name, 28),
            t.share_text(x.share, x.count, x.low, x.high),
            Bar(
                x.share or 0.0,
                full,
                x.share / x.ratio if compares and x.share and x.ratio else None,
            ),
            _of_target(x),
            "" if x.ratio_low is None else t.number_span(x.ratio_low, x.ratio_high),
        )[: len(columns)]
        for x in groups
    ]
    faint = frozenset(i for i, group in enumerate(groups) if (group.count or 0) < TOO_FEW)
    last = ("not annotated", missing, "", "", "")[: len(columns)]
    return Table(
        title, tuple(columns), (*rows, last), importance, faint=faint, total=True, note=note
    )


def _of_target(group: GroupShare) -> str:
    if group.ratio is None:
        return ""
    verdict = ""
    if (group.count or 0) < TOO_FEW:
        verdict = " few images"
    elif group.ratio < FOUR_FIFTHS:
        verdict = " ▼ under" if is_under(group) else " ▼ may be"
    elif group.ratio > 1 / FOUR_FIFTHS:
        verdict = " ▲ over"
    return f"{t.number(group.ratio)}×{verdict}"


def _diversity(found: Sequence[Representation]) -> Table:
    return v.table_of(
        "Diversity",
        found,
        v.left("attribute", _name, wrap=10),
        v.right("groups", lambda x: t.whole(x.indices.R)),
        v.right("ENS", lambda x: t.or_dash(x.indices.ENS, t.number)),
        v.right("1/D", lambda x: t.or_dash(x.indices.inverse_D, t.number), drop=1),
        v.right("H", lambda x: t.or_dash(x.indices.H, t.number), drop=4),
        v.right("SEI", lambda x: t.or_dash(x.indices.SEI, t.coefficient)),
        v.right("NSD", lambda x: t.or_dash(x.indices.NSD, t.coefficient), drop=3),
        v.right("IR", lambda x: t.or_dash(x.indices.IR, t.number)),
        v.right("BP", lambda x: t.or_dash(x.indices.BP, t.coefficient), drop=2),
        note="ENS: the set is as diverse as that many equally large groups. 1/D: the same, with more weight on large groups."
        " H: Shannon's entropy. SEI: evenness, 1 = all alike. NSD: imbalance, 0 = none. IR: largest over smallest group."
        " BP: the share of the largest.",
    )


def _targets(view: View, aimed: Sequence[Representation]) -> Table:
    shuffles = view.result.config.statistics.permutations
    return v.table_of(
        "Distance to the target",
        aimed,
        v.left("attribute", _name, wrap=10),
        v.left("target", lambda x: t.clipped(x.target.target, 40), wrap=8),
        v.right("TV", lambda x: t.or_dash(x.target.tv, t.coefficient)),
        v.right("DS_R", lambda x: t.or_dash(x.target.ds_r, t.coefficient), drop=2),
        v.right("DS_E", lambda x: t.or_dash(x.target.ds_e, t.coefficient), drop=3),
        v.right("JSD", lambda x: t.or_dash(x.target.jsd, t.coefficient), drop=1),
        v.right("p", lambda x: v.p_or_dash(x.target.p, x.target.p, shuffles)),
        note="TV: the share of images that would have to change group to meet the target. DS_R: 1 - TV."
        " DS_E: 1 - TV against even shares of the groups present. JSD: Jensen-Shannon divergence, 0 to 1."
        " p: how often a set drawn at the target shares is as far from them.",
    )


def _people_and_votes(view: View) -> Iterator[Block]:
    """Return how many people the set names, and how strongly the annotators of a label agree: a line each."""
    for each in view.result.subjects:
        if each.subjects != 0:
            median = t.WITHHELD if each.median is None else t.six_figures(each.median)
            yield Prose(
                f"{t.sentence(v.spoken(each.attribute))}: {t.counted(each.subjects, 'person', 'people')}, {t.whole(each.least)} to"
                f" {t.counted(each.most, 'image')} of each, median {median}; {t.counted(each.unnamed, 'image')}"
                f" {'names' if each.unnamed == 1 else 'name'} nobody."
            )
    for votes in view.result.votes:
        if votes.n:
            yield Prose(
                f"{t.sentence(v.spoken(votes.attribute))}: where several annotators voted, the winning answer has"
                f" {t.percent(votes.winning_share)} of the votes in the median image; {t.part(votes.without_majority, votes.n)} images"
                " have no answer with more than half."
            )
