"""Two runs in one chart: how the first and the second look everywhere, and whether their clusters agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer_audit.audit.types.compare import Agreement
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.intersections import shade_cells
from fer_audit.report.charts.theme import COLUMN, INK, WIDE, bare, frame_cell, one_panel
from fer_audit.report.two_runs import Runs, agreement_words
from fer_audit.text import clipped, counted, percent, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = ("o", "D")
"""The first run is a filled circle and the second an open diamond, in every chart of a comparison."""
OFFSETS = (-0.2, 0.2)
"""Rows: the first run above, the second below, around the row of what both have."""
MOST_CELLS = 24
"""Clusters beyond this are a table, not a picture."""
_NARROW = 6
"""Clusters of the second run that fit in one column of a paper."""


def legend_of(figure: Figure, runs: Runs) -> None:
    """Say below a figure which mark is which run."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=INK, linestyle="none", **mark(side))  # type: ignore[arg-type]  # keywords of a line
        for side in (0, 1)
    ]
    labels = [
        f"{order}: {clipped(name, 30)}"
        for order, name in zip(("first", "second"), runs, strict=True)
    ]
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def mark(side: int) -> dict[str, object]:
    """Return how a run's value is drawn: side 0 is the first run, 1 the second."""
    return {
        "marker": MARKERS[side],
        "markersize": (4.4, 4.2)[side],
        "markerfacecolor": (INK, "none")[side],
        "markeredgecolor": INK,
        "markeredgewidth": 0.9,
    }


def put(
    axes: Axes, side: int, row: float, value: float | None, ends: tuple[float | None, float | None]
) -> None:
    """Draw one run's value and its interval in a row; nothing where there is none."""
    if value is None:
        return
    low, high = ends
    if low is not None and high is not None:
        axes.hlines(row, low, high, color=INK, linewidth=1.1)
    axes.plot([value], [row], linestyle="none", clip_on=False, **mark(side))  # type: ignore[arg-type]  # keywords of a line


def cross_map(found: Agreement, runs: Runs) -> Chart | None:
    """Return where the images of each cluster of the first run are in the second; None when there is nothing to draw."""
    if not found.n or not found.table or max(len(found.table), len(found.table[0])) > MOST_CELLS:
        return None
    table = np.array(found.table, dtype=np.int64)
    sums = table.sum(axis=1, keepdims=True)
    shares = table / np.maximum(sums, 1)
    wide = table.shape[1] > _NARROW

    def draw() -> Figure:
        rows, columns = table.shape
        figure, axes = one_panel(0.75 + 0.21 * rows, width=WIDE if wide else COLUMN)
        shade_cells(axes, shares)
        for (row, column), count in np.ndenumerate(table):
            matched = (row, column) in found.matches
            axes.text(
                column,
                row,
                _cell(int(count), float(shares[row, column])),
                ha="center",
                va="center",
                fontsize=6,
                fontweight="bold" if matched else "normal",
            )
            if matched:
                frame_cell(axes, column, row, 0.88, edgecolor=INK, linewidth=1.1)
        axes.set_xticks(np.arange(columns), [str(number) for number in range(columns)])
        axes.set_yticks(
            np.arange(rows), [f"{row} ({whole(int(sums[row, 0]))})" for row in range(rows)]
        )
        axes.xaxis.tick_top()
        axes.xaxis.set_label_position("top")
        axes.set_xlabel(
            f"cluster in the second run, {clipped(runs[1], 24)}" if wide else "second run"
        )
        axes.set_ylabel("first run (images)")
        bare(axes)
        return figure

    return Chart(
        key="cross-table",
        title="Where the clusters of the first run are in the second",
        alt=(
            f"Heat map of {len(found.table)} clusters by {len(found.table[0])}, {counted(found.n, 'image')}:"
            f" {percent(found.matched / found.n)} are in a pair of clusters that match one to one."
            f" {agreement_words(found)}"
        ),
        draw=draw,
        note=(
            "Per cent of each row: of one cluster's images, how many are in which cluster of the second run."
            f" Framed: the pairs that match best, one to one; {whole(found.matched)} of"
            f" {counted(found.n, 'image')} are in such a pair. The table has the counts."
        ),
        wide=wide,
    )


def _cell(count: int, share: float) -> str:
    if not count:
        return "0"
    return "< 1" if share < 0.005 else f"{100 * share:.0f}"
