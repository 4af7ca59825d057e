"""Who is in two sets: every group's share in both on one axis, and next to it the difference with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fer_audit.audit.types.compare import AttributeComparison, GroupChange
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.compare import OFFSETS, legend_of, put
from fer_audit.report.charts.composition import MOST_BARS
from fer_audit.report.charts.palette import Palette
from fer_audit.report.charts.theme import (
    INK,
    MUTED,
    RULE,
    WIDE,
    bare,
    few_ticks,
    name_rows,
    new_figure,
    write_in_margin,
    write_next_to,
)
from fer_audit.report.two_runs import Runs, difference_text, reading_of, shares_of
from fer_audit.text import clipped, difference, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.32
"""Inches a group: two bars and the letters at their ends."""
_NAME = 18
_OPACITY = (0.85, 0.4)
_SMALL = 6.2


def shares_in_both(
    found: AttributeComparison, runs: Runs, palette: Palette, *, alpha: float
) -> Chart | None:
    """Return one attribute's chart; None when neither run has a share, or too many groups have one."""
    shown = [
        each
        for each in found.groups
        if each.first_share is not None or each.second_share is not None
    ]
    if not shown or len(shown) > MOST_BARS:
        return None

    def draw() -> Figure:
        figure = new_figure(0.62 + _ROW * len(shown), width=WIDE)
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.35, 1))
        for row, group in enumerate(shown):
            _bars(left, row, group, palette.group(found.attribute, group.name))
            _difference(right, row, group, alpha)
            if row:
                for axes in (left, right):
                    axes.axhline(row - 0.5, color=RULE, linewidth=0.5)
        name_rows(left, [clipped(group.name, _NAME) for group in shown])
        _finish(left, right, shown)
        legend_of(figure, runs)
        return figure

    name = clipped(found.attribute, 40)
    return Chart(
        key=key_of("shares", found.attribute),
        title=name,
        alt=f"Paired bars of the shares of {len(shown)} groups of {name} in both runs. {_largest(shown)}",
        draw=draw,
        note=reading_of(found.reading),
        wide=True,
    )


def _bars(axes: Axes, row: int, group: GroupChange, colour: str) -> None:
    for side, (count, share, low, high) in enumerate(shares_of(group)):
        at = row + OFFSETS[side]
        if share is None:
            words, end = ("no such group" if count is None else "not computable"), 0.0
        else:
            axes.barh(at, share, height=0.36, color=colour, alpha=_OPACITY[side])
            put(axes, side, at, share, (low, high))
            words, end = percent(share), max(share, high or 0.0)
        colour_of_words = MUTED if share is None else INK
        write_next_to(axes, words, (end, at), gap=6, fontsize=_SMALL, color=colour_of_words)


def _difference(axes: Axes, row: int, group: GroupChange, alpha: float) -> None:
    if group.difference is None:
        words = "–"
    else:
        if group.low is not None and group.high is not None:
            axes.hlines(row, group.low, group.high, color=INK, linewidth=1.4)
        axes.plot(
            [group.difference], [row], marker="|", markersize=9, color=INK, markeredgewidth=1.4
        )
        words = difference_text(group, alpha)
    write_in_margin(axes, words, row)


def _finish(left: Axes, right: Axes, shown: Sequence[GroupChange]) -> None:
    from matplotlib.ticker import FuncFormatter

    highest = max(
        end
        for group in shown
        for _, share, _, high in shares_of(group)
        for end in (share or 0.0, high or 0.0)
    )
    left.set_xlim(0, max(0.02, 1.22 * highest))
    left.set_xlabel("share of the annotated images")
    ends = [
        abs(end)
        for group in shown
        for end in (group.difference, group.low, group.high)
        if end is not None
    ]
    reach = 1.1 * max([0.01, *ends])
    right.set_xlim(-reach, reach)
    right.axvline(0, color=MUTED, linewidth=0.7)
    right.xaxis.set_major_formatter(FuncFormatter(lambda x, _: difference(x)))
    right.set_xlabel("second minus first, points")
    few_ticks(left.xaxis, percent=True)
    few_ticks(right.xaxis)
    for axes in (left, right):
        bare(axes)
        axes.grid(axis="x")


def _largest(shown: Sequence[GroupChange]) -> str:
    known = [group for group in shown if group.difference]
    if not known:
        return "No share is known to differ."
    top = max(known, key=lambda group: abs(group.difference or 0.0))
    return (
        f"The largest difference is {clipped(top.name, 40)}: {percent(top.first_share)} in the first,"
        f" {percent(top.second_share)} in the second."
    )
