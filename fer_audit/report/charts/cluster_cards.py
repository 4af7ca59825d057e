"""One cluster compared with the whole set: who is in it more often than chance, and how its pictures were taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

import fer_audit.text as t
from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.report.charts.chart import Chart, ChartTable, key_of
from fer_audit.report.charts.palette import NEUTRAL, Palette
from fer_audit.report.charts.theme import INK, MUTED, finish, one_panel, point, tell, write_next_to

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.165
_FAR_FOR_FEW = 8.0
_WIDEST = 64.0
"""No axis goes further than 1/64 and 64."""


def lifts(cluster: int, associations: Sequence[Association], palette: Palette) -> Chart | None:
    """Return how often each group is found in a cluster, against its share of the set."""
    asked = [each for each in associations if each.kind == "demographic"]
    blocks = [(x.attribute, [y for y in x.cells if y.cluster == cluster]) for x in asked]
    blocks = [(name, cells) for name, cells in blocks if any(c.lift is not None for c in cells)]
    shown = [(name, cell) for name, cells in blocks for cell in cells]
    if not shown:
        return None

    def draw() -> Figure:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        figure, axes = one_panel(0.45 + _ROW * (len(shown) + len(blocks) - 1))
        row, ticks = 0.0, {}
        reach = _reach([cell for _, cell in shown])
        for name, cells in blocks:
            for cell in cells:
                ticks[row] = t.clipped(cell.group, 16)
                _draw_lift(axes, cell, row, palette.group(name, cell.group), reach)
                row += 1
            row += 0.6
        axes.axvline(1, color=MUTED, linewidth=0.8)
        axes.set_xscale("log")
        step = 1 if reach <= 8 else 2 if reach <= 32 else 3
        octaves = [o for o in range(-6, 7) if o % step == 0 and 1 / reach < 2.0**o < reach]
        axes.xaxis.set_major_locator(FixedLocator([2.0**octave for octave in octaves]))
        axes.xaxis.set_minor_locator(NullLocator())
        times = FuncFormatter(lambda x, _: f"{x:g}×" if x >= 1 else f"1/{1 / x:.0f}×")
        axes.xaxis.set_major_formatter(times)
        axes.set_yticks(list(ticks), list(ticks.values()))
        axes.set_ylim(row - 1.0, -0.6)
        finish(axes, "times as often as in the whole set", span=(1 / reach, reach), steps=0)
        return figure

    # The cell that is in the cluster more often than chance, furthest from it.
    above = [c for _, c in shown if not c.too_few and c.residual is not None and c.residual > 2]
    top = max(above, key=lambda cell: cell.residual or 0.0, default=None)
    first = "No group stands out."
    if top is not None:
        first = f"{t.clipped(top.group, 40)} {t.number(top.lift)} times as often as in the set."
    return Chart(
        key=key_of("lifts", str(cluster)),
        title="Who is in it",
        alt=f"Lift of every group in cluster {cluster}. {first}",
        sheet=ChartTable(
            ("group", "images", "of the cluster", "lift (interval)", "adjusted p"),
            tuple(lift_row(name, cell) for name, cell in shown),
            frozenset(index for index, (_, cell) in enumerate(shown) if cell.too_few),
        ),
        draw=draw,
    )


def _reach(cells: Sequence[AssociationCell]) -> float:
    """Return how far the axis goes to either side of 1, as far as lifts and intervals do.

    Cells under 30 images have the widest intervals and say least: they stretch the axis to `_FAR_FOR_FEW` at most.
    """
    ends = [2.0]
    for cell in cells:
        for end in (cell.lift,) if cell.too_few else (cell.lift_low, cell.lift, cell.lift_high):
            if end:
                far = max(end, 1 / end)
                ends.append(min(far, _FAR_FOR_FEW) if cell.too_few else far)
    return min(_WIDEST, 1.25 * max(ends))


def _draw_lift(axes: Axes, cell: AssociationCell, row: float, colour: str, reach: float) -> None:
    """Draw one lift with its interval; an arrow at the edge where it lies beyond."""
    if not cell.lift:
        write_next_to(axes, "?" if cell.count else "none", (1, row), fontsize=6, color=MUTED)
        return
    shown = NEUTRAL if cell.too_few else colour
    low, high = cell.lift_low or cell.lift, cell.lift_high or cell.lift
    axes.hlines(row, max(low, 1 / reach), min(high, reach), color=shown, linewidth=1.6)
    beyond = "<" if cell.lift < 1 / reach else ">" if cell.lift > reach else ""
    words = (
        f"{t.number(cell.lift)} times as often ({t.number_span(low, high)}), {t.whole(cell.count)}"
    )
    point(
        axes,
        (min(max(cell.lift, 1.04 / reach), reach / 1.04), row),
        f"{cell.group}: {words}",
        cell.group,
        marker=beyond or "o",
        markersize=4.2,
        color=shown,
        markerfacecolor="none" if cell.too_few else shown,
        linestyle="none",
    )


def lift_row(attribute: str, cell: AssociationCell) -> tuple[str, ...]:
    """Return group, images, share of the cluster, lift with its interval, and adjusted p of a cell."""
    lift = t.or_empty(cell.lift, t.number)
    if cell.lift_low is not None and cell.lift_high is not None and lift:
        lift += f" ({t.number_span(cell.lift_low, cell.lift_high)})"
    return (
        f"{t.clipped(t.display(attribute), 24)}: {t.clipped(cell.group, 40)}",
        t.whole(cell.count) + (", too few" if cell.too_few else ""),
        t.or_empty(cell.share, t.percent),
        lift,
        t.or_empty(cell.p_adjusted, t.p_text),
    )


def style_profile(cluster: int, styles: Sequence[ClusterStyle], palette: Palette) -> Chart | None:
    """Return how the pictures of a cluster differ from the set's, measure by measure."""
    measures = [
        (each, each.difference)
        for each in styles
        if each.cluster == cluster and each.difference is not None
    ]
    if not measures:
        return None

    def name(each: ClusterStyle) -> str:
        return t.clipped(t.display(each.measure), 24)

    def draw() -> Figure:
        figure, axes = one_panel(0.45 + _ROW * len(measures))
        rows = np.arange(len(measures))
        axes.axvline(0, color=MUTED, linewidth=0.8)
        colour = NEUTRAL if measures[0][0].n < TOO_FEW else palette.cluster(cluster)
        values = [value for _, value in measures]
        bars = axes.barh(rows, values, height=0.55, color=colour, alpha=0.75)
        for bar, (each, value) in zip(bars, measures, strict=True):
            away = f"{t.signed(value, 2)} standard deviations"
            tell(bar, f"{t.display(each.measure)}: {away}", f"cluster {cluster}")
        low = [value if x.low is None else x.low for x, value in measures]
        high = [value if x.high is None else x.high for x, value in measures]
        axes.hlines(rows, low, high, color=INK, linewidth=1.2)
        axes.set_yticks(rows, [name(each) for each, _ in measures])
        axes.set_ylim(len(measures) - 0.4, -0.6)
        reach = 1.15 * max(0.5, *(abs(value) for value in values))
        finish(axes, "standard deviations from the whole set", span=(-reach, reach), steps=0)
        return figure

    def row(each: ClusterStyle, value: float) -> tuple[str, ...]:
        apart = t.signed(value, 2)
        if each.low is not None and each.high is not None:
            apart += f" ({t.signed(each.low, 2)} to {t.signed(each.high, 2)})"
        return (
            name(each),
            t.or_empty(each.mean, t.measured),
            t.or_empty(each.set_mean, t.measured),
            apart,
        )

    furthest, value = max(measures, key=lambda x: abs(x[1]))
    return Chart(
        key=key_of("style", str(cluster)),
        title="How its pictures were taken",
        alt=f"Style of cluster {cluster} compared with the set; furthest apart is"
        f" {name(furthest)}, by {t.number(value)} standard deviations.",
        sheet=ChartTable(
            ("measure", "mean here", "mean of the set", "difference in SD (interval)"),
            tuple(row(*each) for each in measures),
        ),
        draw=draw,
    )
