"""Where groups meet: how many images every combination has, and which have none."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.composition import Intersections
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.report.charts.chart import Chart, ChartTable
from fer_audit.report.charts.palette import ORDERED_NAMES
from fer_audit.report.charts.theme import INK, RULE, WIDE, bare, frame_cell, one_panel
from fer_audit.text import clipped, display, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 40
MOST_COLUMNS = 40
_HEAT = "#3f8fd0"
_EMPTY = "#b3005e"
"""Frames an empty or nearly empty cell: hatched or dashed as well, so that colour alone says nothing."""
_HIDDEN = -1
Counts = NDArray[np.int64]


def shade_cells(axes: Axes, strength: NDArray[np.float64]) -> None:
    """Lay a heat map of (rows, columns) strengths, 0 to 1, below whatever is written into its cells.

    Opacity instead of a colour scale: letters stay readable on light and on dark ground.
    """
    from matplotlib.colors import ListedColormap

    axes.imshow(
        np.zeros(strength.shape),
        cmap=ListedColormap([_HEAT]),
        alpha=0.05 + 0.45 * strength,
        aspect="auto",
        interpolation="nearest",
    )


def joint_table(found: Intersections) -> Counts:
    """Return the cross table of all demographic attributes, one axis each; -1 = withheld."""
    counts = [_HIDDEN if count is None else count for count in found.counts]
    return np.array(counts, dtype=np.int64).reshape([len(names) for names in found.groups])


def heatmap(found: Intersections | None) -> Chart | None:
    """Return the count of every combination of groups, the empty and the small ones marked."""
    if found is None or not found.counts or len(found.attributes) < 2:
        return None
    sizes = [len(groups) for groups in found.groups]
    across = max(range(len(sizes)), key=lambda i: (found.attributes[i] in ORDERED_NAMES, sizes[i]))
    down = [axis for axis in range(len(sizes)) if axis != across]
    table = np.moveaxis(joint_table(found), across, -1)
    table = table.reshape(-1, sizes[across])
    if len(table) > MOST_ROWS or sizes[across] > MOST_COLUMNS:
        return None
    columns = [clipped(name, 12) for name in found.groups[across]]
    groups = product(*(found.groups[axis] for axis in down))
    names = [" · ".join(clipped(name, 14) for name in each) for each in groups]

    def draw() -> Figure:
        figure, axes = one_panel(0.55 + 0.2 * len(table), width=WIDE)
        strength = np.sqrt(np.maximum(table, 0) / max(1, int(table.max())))
        shade_cells(axes, strength)
        for (row, column), count in np.ndenumerate(table):
            if _HIDDEN < count < TOO_FEW:
                how = {"linestyle": (0, (2, 2))} if count else {"linestyle": "-", "hatch": "////"}
                frame_cell(axes, column, row, 0.84, edgecolor=_EMPTY, linewidth=0.8, **how)
            words = "empty" if count == 0 else _shown(int(count))
            axes.text(column, row, words, ha="center", va="center", fontsize=6, color=INK)
        axes.set_xticks(np.arange(len(columns)), columns)
        axes.set_yticks(np.arange(len(names)), names)
        axes.xaxis.tick_top()
        for row in range(sizes[down[-1]], len(table), sizes[down[-1]]):
            axes.axhline(row - 0.5, color=RULE, linewidth=0.8)
        bare(axes)
        return figure

    heads = (" · ".join(display(clipped(found.attributes[axis], 20)) for axis in down), *columns)
    rows = tuple(
        (name, *(_shown(int(count)) for count in counts))
        for name, counts in zip(names, table, strict=True)
    )
    return Chart(
        key="intersections",
        title=f"Every combination of {', '.join(display(clipped(name, 20)) for name in found.attributes)}",
        alt=f"Heat map of {whole(found.cells)} combinations of groups with {whole(found.n)} images:"
        f" {whole(found.empty)} are empty, {whole(found.under_30)} hold fewer than 30.",
        sheet=ChartTable(heads, rows),
        draw=draw,
        note="Hatched: no image. Dashed frame: fewer than 30, too few to say anything.",
        wide=True,
    )


def _shown(count: int) -> str:
    return whole(None if count == _HIDDEN else count)
