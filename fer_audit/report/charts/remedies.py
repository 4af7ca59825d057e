"""What an erasure changes, and what heads that treat groups alike gain, each in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fer_audit.audit.types.remedies import BeforeAfter, Erasure, Estimate, Mitigation
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.theme import (
    INK,
    MUTED,
    RULE,
    WIDE,
    bare,
    few_ticks,
    name_rows,
    new_figure,
    one_panel,
    tell,
)
from fer_audit.text import clipped, coefficient, display, signed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def before_and_after(found: Erasure) -> Chart | None:
    """Return strength of clusters and balanced accuracy of probes before and after an erasure."""
    rows = found.found
    if not rows:
        return None

    def draw() -> Figure:
        figure, axes = one_panel(0.6 + 0.21 * len(rows))
        for row, each in enumerate(rows):
            before, after, chance = each.before, each.after, each.chance
            axes.plot([before.value, after.value], [row, row], color=RULE, linewidth=2, zorder=1)
            axes.plot(
                [before.value],
                [row],
                "o",
                color=INK,
                markersize=4,
                markerfacecolor="white",
                clip_on=False,
            )
            (point,) = axes.plot([after.value], [row], "o", color=INK, markersize=4, clip_on=False)
            words = f"{_row(each)}: {coefficient(before.value)} before, {coefficient(after.value)} after"
            tell(point, words)
            if chance is not None:
                axes.plot([chance], [row], "|", color=MUTED, markersize=9)
        name_rows(axes, [_row(each) for each in rows])
        axes.set_xlim(0, 1)
        axes.set_xlabel("V~ of clusters, balanced accuracy of probes")
        few_ticks(axes.xaxis, 5)
        bare(axes)
        axes.grid(axis="x")
        return figure

    name = display(found.attribute)
    return Chart(
        key=key_of("erased", found.attribute, found.method),
        title=f"Before and after {name} is erased ({found.method})",
        alt="; ".join(
            f"{_row(x)} {coefficient(x.before.value)} before and {coefficient(x.after.value)} after"
            for x in rows
        )
        + ".",
        draw=draw,
        note="Open: before. Filled: after. Stroke: what chance gives.",
    )


def _row(each: BeforeAfter) -> str:
    return f"{each.by}: {clipped(display(each.attribute), 20)}"


def gains(found: Mitigation) -> Chart | None:
    """Return what each arm gains in F, worst group and accuracy over the plain head, with paired intervals."""
    arms = found.arms[1:]
    if not arms:
        return None
    panels: Sequence[tuple[str, list[Estimate]]] = (
        ("F", [x.fairness_gain for x in arms]),
        ("worst group", [x.worst_gain for x in arms]),
        ("accuracy", [x.accuracy_gain for x in arms]),
    )

    def draw() -> Figure:
        figure = new_figure(0.6 + 0.22 * len(arms), width=WIDE)
        for axes, (title, values) in zip(
            figure.subplots(1, len(panels), sharey=True), panels, strict=True
        ):
            _forest(axes, title, values, [x.arm for x in arms])
        return figure

    return Chart(
        key=key_of("gains", found.label, found.attribute),
        title=f"{display(found.label)} by {display(found.attribute)}: gains over a plain head",
        alt="; ".join(
            f"{x.arm}: F {signed(x.fairness_gain.value, 3)}, worst group {signed(x.worst_gain.value, 3)}"
            for x in arms
        )
        + ".",
        draw=draw,
        note="Right of the line is better. Intervals are paired and hold for all arms together.",
        wide=True,
    )


def _forest(axes: Axes, title: str, values: Sequence[Estimate], names: Sequence[str]) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.8)
    for row, each in enumerate(values):
        filled = INK if each.low > 0 or each.high < 0 else "white"
        axes.hlines(row, each.low, each.high, color=INK, linewidth=1.1)
        (point,) = axes.plot(
            [each.value], [row], "o", color=INK, markersize=4, markerfacecolor=filled
        )
        tell(point, f"{names[row]}, {title}: {signed(each.value, 3)}")
    name_rows(axes, names)
    few_ticks(axes.xaxis, 3)
    axes.set_xlabel(title)
    bare(axes)
    axes.grid(axis="x")
