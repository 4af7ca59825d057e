"""The tables of a comparison: cluster by cluster, claim by claim, group by group."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.compare import (
    Agreement,
    AttributeComparison,
    Comparison,
    GroupChange,
    RunAssociation,
)
from fer_audit.report.cluster_section import MANY_GROUPS
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, plain, prose
from fer_audit.text import clipped, coefficient, counted, p_text, percent, share_text, span, whole

NO_VALUE = "–"
_SHOWN_KINDS = ("demographic", "label")


def cross_table(found: Agreement) -> list[RenderableType]:
    """Return the images in each pair of clusters; the best partner of each cluster carries a mark."""
    size = max(len(found.table), len(found.table[0]) if found.table else 0)
    matched = f"{whole(found.matched)} of {counted(found.n, 'image')}"
    if size > MANY_GROUPS:
        return [
            prose(
                f"{matched} are in matching clusters. The table has {size} clusters: see --json."
            )
        ]
    best = set(found.matches)
    columns = [Column(Text("first \\ second", "bold"))]
    columns += [Column(Text(f"{number}"), right=True) for number in range(len(found.table[0]))]
    rows = [
        [
            Text(f"{first} ({sum(row):,})"),
            *(
                Text.assemble(
                    f"{count:,} ", ("◀" if (first, second) in best else " ", "bold cyan")
                )
                for second, count in enumerate(row)
            ),
        ]
        for first, row in enumerate(found.table)
    ]
    return [
        Grid(columns, rows),
        Text(""),
        prose(f"◀ marks the clusters that match best, one to one: {matched} are in such a pair."),
    ]


def associations(comparison: Comparison, level: str) -> list[RenderableType]:
    """Return V, V~ and Theil's U of every attribute, the first run's above the second's."""
    parts: list[RenderableType] = [Heading("Do clusters and people go together in both?")]
    shown = [each for each in comparison.attributes if each.first and each.second]
    if not shown:
        return [
            *parts,
            prose("Nothing to compare: it takes an attribute and clusters in both runs."),
        ]
    return [
        *parts,
        FirstThatFits(
            [
                _association_grid(shown, level, wide=True),
                _association_grid(shown, level, wide=False),
            ]
        ),
        Text(""),
        prose(
            "The first run stands above the second. Chance is what 95 % of shuffled labels stay under: with another k"
            " or number of images read V beside it. Known is Theil's U, chance included: attribute from cluster and back."
            " That intervals overlap is no test: both runs may hold the same images."
        ),
    ]


def rung_changes(comparison: Comparison) -> list[RenderableType]:
    """Return the questions of the claim ladder that the runs answer differently."""
    columns = [
        Column(Text("claim ladder"), squeeze=10),
        Column(Text("question"), squeeze=14),
        Column(Text("first")),
        Column(Text("second")),
    ]
    rows = [
        [
            plain(clipped(each.attribute, 28), "bold"),
            plain(f"{rung.number} {clipped(rung.name, 40)}"),
            Text(rung.first),
            Text(rung.second),
        ]
        for each in comparison.attributes
        for rung in each.rungs
    ]
    return [Text(""), Grid(columns, rows)] if rows else []


def shares(comparison: Comparison, level: str) -> list[RenderableType]:
    """Return every group's share in both runs, and what the difference is worth."""
    parts: list[RenderableType] = [Heading("Who is in each set?")]
    shown = [each for each in comparison.attributes if each.kind in _SHOWN_KINDS]
    if not shown:
        return [*parts, prose("The runs have no attribute of people in common.")]
    for each in shown:
        if len(each.groups) > MANY_GROUPS:
            parts.append(
                prose(
                    f"{clipped(each.attribute, 28)}: {counted(len(each.groups), 'group')}, see --json."
                )
            )
            continue
        parts += [
            FirstThatFits(
                [
                    _share_grid(each, level, comparison.alpha, wide=True),
                    _share_grid(each, level, comparison.alpha, wide=False),
                ]
            ),
            prose(f"{clipped(each.reading, 200)}."),
            Text(""),
        ]
    return [
        *parts,
        prose(
            "Difference is second minus first, in points. ▲ more and ▼ fewer than chance allows"
            " (p after Benjamini-Hochberg over the attribute)."
        ),
    ]


def _association_grid(found: Sequence[AttributeComparison], level: str, *, wide: bool) -> Grid:
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text("images"), right=True),
        Column(Text("V (chance)" if wide else "V\nchance"), right=True),
        Column(Text(f"V~ ({level}interval)" if wide else "V~\ninterval"), right=True),
        Column(Text("known"), right=True),
        Column(Text("rung"), right=True),
        Column(Text("intervals"), squeeze=7),
    ]
    rows = []
    for each in found:
        if each.first is None or each.second is None:
            continue
        sides = [_association_cells(side, wide=wide) for side in (each.first, each.second)]
        gap = "\n" if wide else "\n\n"
        rows.append(
            [
                plain(clipped(each.attribute, 28), "bold"),
                *(
                    Text(gap.join(pair) if not wide else "\n".join(pair))
                    for pair in zip(*sides, strict=True)
                ),
                Text(_overlap(each)),
            ]
        )
    return Grid(columns, rows)


def _association_cells(side: RunAssociation, *, wide: bool) -> list[str]:
    """Return the cells of one run: on one line, or on two of which the second is often empty."""
    joint = " " if wide else "\n"
    chance = f"({_value(side.null_95)})"
    interval = "" if side.low is None else f"{joint}({span(side.low, side.high)})"
    known = (_share(side.u_group_from_cluster), _share(side.u_cluster_from_group))
    pad = "" if wide else "\n"
    rung = NO_VALUE if side.highest is None else f"{side.highest} of {side.rungs}"
    return [
        f"{side.n:,}{pad}",
        f"{_value(side.v)}{joint}{chance}",
        f"{_value(side.v_corrected)}{interval}{'' if interval else pad}",
        f" {'/' if wide else ''}{joint if not wide else ' '}".join(known)
        if wide
        else joint.join(known),
        f"{rung}{pad}",
    ]


def _overlap(each: AttributeComparison) -> str:
    if each.intervals_overlap is None:
        return NO_VALUE
    return "overlap" if each.intervals_overlap else "apart"


def _share_grid(each: AttributeComparison, level: str, alpha: float, *, wide: bool) -> Grid:
    title = clipped(each.attribute, 28)
    columns = [
        Column(
            plain(title if each.kind == "demographic" else f"{title} ({each.kind})", "bold"),
            squeeze=8,
        ),
        Column(Text(f"first (count; {level}interval)" if wide else "first\n(count; interval)")),
        Column(Text(f"second (count; {level}interval)" if wide else "second\n(count; interval)")),
        Column(Text("difference" if wide else "differ-\nence"), right=True),
        Column(Text("p"), right=True),
    ]
    joint = " " if wide else "\n"
    rows = []
    for group in each.groups:
        rows.append(
            [
                plain(clipped(group.name, 28)),
                Text(
                    _one_share(
                        group.first_share,
                        group.first_count,
                        group.first_low,
                        group.first_high,
                        joint,
                    )
                ),
                Text(
                    _one_share(
                        group.second_share,
                        group.second_count,
                        group.second_low,
                        group.second_high,
                        joint,
                    )
                ),
                _difference(group, alpha, joint),
                Text(NO_VALUE if group.p_adjusted is None else p_text(group.p_adjusted)),
            ]
        )
    return Grid(columns, rows)


def _one_share(
    share: float | None, count: int | None, low: float | None, high: float | None, joint: str
) -> str:
    if count is None:
        return "no such group"
    return share_text(share, count, low, high).replace(" (", f"{joint}(", 1)


def _difference(group: GroupChange, alpha: float, joint: str) -> Text:
    if group.difference is None:
        return Text(NO_VALUE)
    text = Text(f"{100 * group.difference:+.1f}" if group.difference else "0.0")
    if group.low is not None and group.high is not None:
        text.append(f"{joint}({100 * group.low:+.1f} to {100 * group.high:+.1f})")
    if group.p_adjusted is not None and group.p_adjusted <= alpha and group.difference:
        mark, style = ("▲ ", "bold cyan") if group.difference > 0 else ("▼ ", "bold magenta")
        return Text.assemble((mark, style), text)
    return text


def _value(value: float | None) -> str:
    return NO_VALUE if value is None else coefficient(value)


def _share(value: float | None) -> str:
    return NO_VALUE if value is None else percent(value)
