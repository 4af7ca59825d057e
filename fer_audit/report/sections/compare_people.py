"""The sections of a comparison about people: do the claims stand, and who is in the two sets."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.compare import AttributeComparison, Comparison, RunAssociation
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.report.blocks import (
    Block,
    Charts,
    Column,
    Heading,
    Prose,
    Section,
    Table,
    plain_table,
)
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.compare_claims import ladders_in_both, strength_in_both
from fer_audit.report.charts.compare_shares import shares_in_both
from fer_audit.report.charts.palette import make_palette
from fer_audit.report.sections.values import left, right, table_of
from fer_audit.report.two_runs import (
    SIGNS,
    Share,
    difference_text,
    reading_of,
    run_names,
    shares_of,
)
from fer_audit.report.view import level_words
from fer_audit.text import (
    NO_VALUE,
    clipped,
    coefficient,
    difference_span,
    display,
    or_dash,
    p_text,
    percent,
    share_text,
    span,
    unreached,
    whole,
)

_OF_PEOPLE = ("demographic", "label")
MAX_GROUPS = 24
"""A larger table of groups is folded."""


def claims_stand(comparison: Comparison) -> Section:
    """Return how strongly clusters and attributes are associated in both runs, and how far each claim climbs."""
    asked = [each for each in comparison.attributes if each.first or each.second]
    if not asked:
        blocks: list[Block] = [
            Prose("Nothing to compare: it takes an attribute of both runs, and clusters.")
        ]
        return Section("claims", "Do the claims stand?", tuple(blocks))
    runs = run_names(comparison)
    blocks = [
        Charts(lambda: [strength_in_both(asked, runs), ladders_in_both(asked, runs)]),
        _strength(asked, _level(comparison)),
    ]
    ladders = [each for each in asked if each.ladder]
    if any(each.rungs for each in ladders):
        blocks.append(_answers("Questions that the runs answer differently", ladders, every=False))
    if ladders:
        blocks.append(_answers("How far each claim climbs", ladders, every=True))
    gaps = [row for each in asked for row in _missing(each)]
    if gaps:
        blocks.append(
            plain_table(
                "What could not be computed",
                ("attribute, run", "values", "because"),
                gaps,
                importance="detail",
            )
        )
    return Section("claims", "Do the claims stand?", tuple(blocks))


def _strength(asked: Sequence[AttributeComparison], level: str) -> Table:
    rows = []
    for each in asked:
        for side, run in enumerate((each.first, each.second)):
            name = display(clipped(each.attribute, 40)) if side == 0 else ""
            rows.append((name, f"{SIGNS[side]} {('first', 'second')[side]}", *_values(run)))
        overlap = {None: NO_VALUE, True: "overlap", False: "apart"}[each.intervals_overlap]
        rows[-1] = (*rows[-1][:-1], overlap)
    columns = (
        Column("attribute", wrap=9),
        Column("run"),
        Column("images", right=True, drop=3),
        Column("V", right=True, drop=2),
        Column("chance", right=True, drop=2),
        Column(f"V~ ({level}interval)", right=True),
        Column("Holm p", right=True, drop=4),
        Column("known: attribute / cluster", right=True, drop=5, wrap=16),
        Column("ladder", right=True),
        Column("intervals"),
    )
    note = (
        "V~ is Cramér's V without the part that a finite sample adds. Chance is what 95 % of shuffled labels stay under,"
        " for V: with another k or number of images read V against its own chance. Known is Theil's U, chance included:"
        " attribute from cluster, and cluster from attribute. That intervals overlap is no test: both runs may hold the"
        " same images."
    )
    title = "How strongly clusters and attributes are associated"
    return Table(title, columns, tuple(rows), note=note)


def _values(run: RunAssociation | None) -> tuple[str, ...]:
    if run is None:
        return ("not asked", *[""] * 7)
    around = "" if run.low is None else f" ({span(run.low, run.high)})"
    known = [
        or_dash(share, percent) for share in (run.u_group_from_cluster, run.u_cluster_from_group)
    ]
    return (
        whole(run.n),
        or_dash(run.v, coefficient),
        or_dash(run.null_95, coefficient),
        f"{or_dash(run.v_corrected, coefficient)}{around}",
        or_dash(
            run.p_holm,
            lambda p: p_text(p, at_most=unreached(run.p_permutation, run.permutations)),
        ),
        " / ".join(known),
        NO_VALUE if run.highest is None else f"{run.highest} of {run.rungs}",
        "",
    )


def _answers(title: str, asked: Sequence[AttributeComparison], *, every: bool) -> Table:
    rungs = [(each, rung) for each in asked for rung in (each.ladder if every else each.rungs)]
    return table_of(
        title,
        rungs,
        left("attribute", lambda x: display(clipped(x[0].attribute, 40)), wrap=9),
        left("question", lambda x: f"{x[1].number} {clipped(x[1].name, 40)}", wrap=14),
        left("first", lambda x: x[1].first),
        left("second", lambda x: x[1].second),
        importance="detail" if every else "normal",
    )


def _missing(each: AttributeComparison) -> list[tuple[str, str, str]]:
    rows = []
    for side, run in (("first", each.first), ("second", each.second)):
        reasons = () if run is None else run.not_computable
        for reason in dict.fromkeys(reason for _, reason in reasons):
            fields = ", ".join(field for field, why in reasons if why == reason)
            rows.append((f"{clipped(each.attribute, 60)}, {side}", fields, reason))
    return rows


def who_is_in_them(comparison: Comparison) -> Section:
    """Return every group's share in both runs, and what the difference is worth."""
    people = [each for each in comparison.attributes if each.kind in _OF_PEOPLE]
    if not people:
        blocks: list[Block] = [Prose("The runs have no attribute of people in common.")]
    else:
        text = (
            "Difference is second minus first, in points. ▲ more and ▼ fewer than chance allows (p after"
            " Benjamini-Hochberg over the groups of the attribute)."
        )
        blocks = [Prose(text, tone="small"), Charts(lambda: _share_charts(people, comparison))]
    blocks += [_shares(each, comparison) for each in people]
    others = [each for each in comparison.attributes if each.kind not in _OF_PEOPLE]
    if others:
        blocks.append(Heading("How the sets were collected", "detail"))
        blocks += [_shares(each, comparison, folded=True) for each in others]
    return Section("people", "Who is in them?", tuple(blocks))


def _share_charts(
    people: Sequence[AttributeComparison], comparison: Comparison
) -> list[Chart | None]:
    palette = make_palette(
        [
            (each.attribute, each.kind, tuple(group.name for group in each.groups))
            for each in comparison.attributes
        ],
        0,
    )
    runs = run_names(comparison)
    return [shares_in_both(each, runs, palette, alpha=comparison.alpha) for each in people]


def _shares(each: AttributeComparison, comparison: Comparison, *, folded: bool = False) -> Table:
    level = _level(comparison)
    name = display(clipped(each.attribute, 40))
    many = folded or len(each.groups) > MAX_GROUPS
    title = name if each.kind == "demographic" else f"{name} ({each.kind})"
    return table_of(
        f"Shares of {title}",
        each.groups,
        left(name, lambda x: clipped(x.name, 60), wrap=8),
        left(f"first (count; {level}interval)", lambda x: _share(shares_of(x)[0]), wrap=16),
        left(f"second (count; {level}interval)", lambda x: _share(shares_of(x)[1]), wrap=16),
        right("difference", lambda x: difference_text(x, comparison.alpha)),
        right(
            f"{level}interval",
            lambda x: NO_VALUE if x.low is None else difference_span(x.low, x.high),
            drop=2,
        ),
        right("p", lambda x: or_dash(x.p_adjusted, p_text), drop=1),
        importance="detail" if many else "normal",
        faint=lambda x: any(n is not None and n < TOO_FEW for n, *_ in shares_of(x)),
        note=reading_of(each.reading),
    )


def _share(side: Share) -> str:
    count, share, low, high = side
    return "no such group" if count is None else share_text(share, count, low, high)


def _level(comparison: Comparison) -> str:
    """Return the level of the intervals; nothing where each run's own intervals have another one."""
    if any(each.name == "confidence" for each in comparison.settings):
        return ""
    return level_words(comparison.confidence)
