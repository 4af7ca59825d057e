"""One cluster compared with the whole set: who is in it more often than chance, and how its pictures were taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.report.charts.chart import Chart, ChartTable, key_of
from fer_audit.report.charts.palette import NEUTRAL, Palette
from fer_audit.report.charts.theme import INK, MUTED, RULE, bare, one_panel, tell, write_next_to
from fer_audit.text import (
    clipped,
    display,
    measured,
    number,
    number_span,
    p_text,
    percent,
    signed,
    whole,
)

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
    blocks = [
        (each.attribute, [cell for cell in each.cells if cell.cluster == cluster])
        for each in asked
    ]
    blocks = [(name, cells) for name, cells in blocks if any(c.lift is not None for c in cells)]
    if not blocks:
        return None
    shown = [(name, cell) for name, cells in blocks for cell in cells]

    def draw() -> Figure:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        figure, axes = one_panel(0.45 + _ROW * (len(shown) + len(blocks) - 1))
        row, ticks = 0.0, []
        reach = _reach([cell for _, cell in shown])
        for name, cells in blocks:
            for cell in cells:
                ticks.append((row, clipped(cell.group, 16)))
                _draw_lift(axes, cell, row, palette.group(name, cell.group), reach)
                row += 1
            row += 0.6
        axes.axvline(1, color=MUTED, linewidth=0.8)
        axes.set_xscale("log")
        axes.set_xlim(1 / reach, reach)
        step = 1 if reach <= 8 else 2 if reach <= 32 else 3
        octaves = [o for o in range(-6, 7) if o % step == 0 and 1 / reach < 2.0**o < reach]
        axes.xaxis.set_major_locator(FixedLocator([2.0**octave for octave in octaves]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda x, _: f"{x:g}×" if x >= 1 else f"1/{1 / x:.0f}×")
        )
        axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
        axes.set_ylim(row - 1.0, -0.6)
        bare(axes)
        axes.grid(axis="x")
        axes.set_xlabel("times as often as in the whole set")
        return figure

    ranked = _telling([cell for _, cell in shown])
    first = (
        "No group stands out."
        if not ranked
        else f"{clipped(ranked[0].group, 40)} {number(ranked[0].lift)} times as often as in the set."
    )
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
    (point,) = axes.plot(
        [min(max(cell.lift, 1.04 / reach), reach / 1.04)],
        [row],
        marker=beyond or "o",
        markersize=4.2,
        color=shown,
        markerfacecolor="none" if cell.too_few else shown,
        linestyle="none",
    )
    words = f"{number(cell.lift)} times as often ({number_span(low, high)}), {whole(cell.count)}"
    tell(point, f"{cell.group}: {words}", cell.group)


def lift_row(attribute: str, cell: AssociationCell) -> tuple[str, ...]:
    """Return group, images, share of the cluster, lift with its interval, and adjusted p of a cell."""
    interval = (
        ""
        if cell.lift_low is None or cell.lift_high is None
        else f" ({number_span(cell.lift_low, cell.lift_high)})"
    )
    return (
        f"{clipped(display(attribute), 24)}: {clipped(cell.group, 40)}",
        whole(cell.count) + (", too few" if cell.too_few else ""),
        "" if cell.share is None else percent(cell.share),
        "" if cell.lift is None else number(cell.lift) + interval,
        "" if cell.p_adjusted is None else p_text(cell.p_adjusted),
    )


def _telling(cells: Sequence[AssociationCell]) -> list[AssociationCell]:
    """Return the cells that are in the cluster more often than chance, the furthest first."""
    ranked = [c for c in cells if not c.too_few and c.residual is not None and c.residual > 2]
    return sorted(ranked, key=lambda cell: -(cell.residual or 0.0))


def style_profile(cluster: int, styles: Sequence[ClusterStyle], palette: Palette) -> Chart | None:
    """Return how the pictures of a cluster differ from the set's, measure by measure."""
    measures = [each for each in styles if each.cluster == cluster and each.difference is not None]
    if not measures:
        return None
    few = measures[0].n < TOO_FEW

    def draw() -> Figure:
        figure, axes = one_panel(0.45 + _ROW * len(measures))
        rows = np.arange(len(measures))
        values = [each.difference or 0.0 for each in measures]
        axes.axvline(0, color=MUTED, linewidth=0.8)
        colour = NEUTRAL if few else palette.cluster(cluster)
        bars = axes.barh(rows, values, height=0.55, color=colour, alpha=0.75)
        for bar, each in zip(bars, measures, strict=True):
            away = f"{signed(each.difference or 0.0, 2)} standard deviations"
            tell(bar, f"{display(each.measure)}: {away}", f"cluster {cluster}")
        low = [
            v if each.low is None else each.low for v, each in zip(values, measures, strict=True)
        ]
        high = [
            v if each.high is None else each.high for v, each in zip(values, measures, strict=True)
        ]
        axes.hlines(rows, low, high, color=INK, linewidth=1.2)
        axes.set_yticks(rows, [clipped(display(each.measure), 24) for each in measures])
        axes.set_ylim(len(measures) - 0.4, -0.6)
        reach = 1.15 * max(0.5, *(abs(value) for value in values))
        axes.set_xlim(-reach, reach)
        bare(axes)
        axes.grid(axis="x", color=RULE)
        axes.set_xlabel("standard deviations from the whole set")
        return figure

    furthest = max(measures, key=lambda each: abs(each.difference or 0.0))
    return Chart(
        key=key_of("style", str(cluster)),
        title="How its pictures were taken",
        alt=(
            f"Style of cluster {cluster} compared with the set; furthest apart is"
            f" {clipped(display(furthest.measure), 24)}, by {number(furthest.difference)} standard deviations."
        ),
        sheet=ChartTable(
            ("measure", "mean here", "mean of the set", "difference in SD (interval)"),
            tuple(
                (
                    clipped(display(each.measure), 24),
                    "" if each.mean is None else measured(each.mean),
                    "" if each.set_mean is None else measured(each.set_mean),
                    signed(each.difference or 0.0, 2)
                    + (
                        ""
                        if each.low is None or each.high is None
                        else f" ({signed(each.low, 2)} to {signed(each.high, 2)})"
                    ),
                )
                for each in measures
            ),
        ),
        draw=draw,
    )
