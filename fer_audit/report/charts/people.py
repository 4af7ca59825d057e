"""Who is in the set: shares beside their target, ages by gender and race, and where groups meet."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from fer_audit.audit.types import Intersections, Representation
from fer_audit.report.charts.chart import Chart, Sheet, key_of
from fer_audit.report.charts.palette import ORDERED_NAMES, Palette
from fer_audit.report.charts.theme import INK, RULE, WIDE, bare, new_figure
from fer_audit.report.words import clipped, number, percent, share_text, whole

MOST_BARS = 40
"""Groups beyond this are a list, not a picture."""
MOST_HEAT_ROWS = 40
TOO_FEW = 30
_ROW = 0.19
"""Inches a bar."""
_NAME = 18
"""Letters of a group's name that fit beside its bar."""
_HEAT = "#3f8fd0"
_EMPTY = "#b3005e"
"""Frames and marks an empty or nearly empty cell: hatched as well, so that colour alone says nothing."""
Counts = NDArray[np.int64]


def composition(found: Representation, palette: Palette, level: str) -> Chart | None:
    """Return the shares of one attribute with their intervals and targets; None when there is nothing to draw."""
    shown = [group for group in found.groups if group.share is not None]
    if not shown or len(shown) > MOST_BARS:
        return None
    shares = np.array([group.share for group in shown], dtype=np.float64)
    low = np.array([group.share if group.low is None else group.low for group in shown])
    high = np.array([group.share if group.high is None else group.high for group in shown])
    targets = [
        group.share / group.ratio if group.share and group.ratio else None for group in shown
    ]
    colours = [palette.group(found.attribute, group.name) for group in shown]
    names = [clipped(group.name, _NAME) for group in shown]

    def draw() -> Figure:
        figure = new_figure(0.45 + _ROW * len(shown))
        axes = figure.subplots()
        rows = np.arange(len(shown))
        axes.barh(rows, shares, color=colours, height=0.7)
        axes.hlines(rows, low, high, color=INK, linewidth=1.0)
        marked = [(row, target) for row, target in enumerate(targets) if target is not None]
        if found.kind == "demographic" and marked:
            axes.plot(
                [target for _, target in marked],
                [row for row, _ in marked],
                linestyle="none",
                marker="D",
                markersize=3.2,
                markerfacecolor="none",
                markeredgecolor=INK,
                markeredgewidth=0.8,
            )
        axes.set_yticks(rows, names)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, max(0.02, float(high.max()) * 1.32))
        for row, (share, end) in enumerate(zip(shares, high, strict=True)):
            axes.annotate(
                percent(float(share)),
                (max(end, targets[row] or 0.0), row),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5,
            )
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.0f} %"))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        bare(axes)
        axes.grid(axis="x")
        return figure

    largest = max(shown, key=lambda group: group.count)
    smallest = min(shown, key=lambda group: group.count)
    return Chart(
        key=key_of("composition", found.attribute),
        title=clipped(found.attribute, 40),
        alt=(
            f"Bar chart of {clipped(found.attribute, 40)}: {len(found.groups)} groups, from"
            f" {clipped(largest.name, 40)} with {percent(largest.share)} down to"
            f" {clipped(smallest.name, 40)} with {percent(smallest.share)}."
        ),
        sheet=composition_sheet(found, level),
        draw=draw,
    )


def composition_sheet(found: Representation, level: str) -> Sheet:
    """Return the groups of one attribute, and who is not annotated."""
    with_ratio = found.kind == "demographic"
    rows = [
        (
            clipped(group.name, 60),
            share_text(group.share, group.count, group.low, group.high),
            *(
                (number(group.ratio), _span(group.ratio_low, group.ratio_high))
                if with_ratio
                else ()
            ),
        )
        for group in found.groups
    ]
    blank = ("", "") if with_ratio else ()
    rows.append(("not annotated", whole(found.not_annotated), *blank))
    columns = ["group", f"share (count; {level}interval)"]
    if with_ratio:
        columns += ["of target", "interval"]
    few = frozenset(row for row, group in enumerate(found.groups) if group.count < TOO_FEW)
    return Sheet(tuple(columns), tuple(rows), few)


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f}-{high:.2f}"


def pyramid(found: Intersections | None, palette: Palette) -> Chart | None:
    """Return the ages of two groups (of gender, say) back to back, a panel for each group of a third attribute."""
    roles = None if found is None else _pyramid_roles(found)
    if found is None or roles is None:
        return None
    ages, sides, panels = roles
    table = _panel_table(found, ages, sides, panels)
    names = ("all",) if panels is None else found.groups[panels]
    side_names, age_names = found.groups[sides], found.groups[ages]
    side_attribute = found.attributes[sides]
    colours = [palette.group(side_attribute, name) for name in side_names]

    def draw() -> Figure:
        figure = new_figure(0.75 + 0.15 * len(age_names), width=WIDE)
        grid = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        rows = np.arange(len(age_names))
        for axes, name, block in zip(grid, names, table, strict=True):
            total = max(1, int(block.sum()))
            full = float(block.max(initial=1)) / total
            for side, sign in ((0, -1), (1, 1)):
                few = block[:, side] < TOO_FEW
                bars = axes.barh(
                    rows, sign * block[:, side] / total, height=0.86, color=colours[side]
                )
                for bar, is_few in zip(bars, few, strict=True):
                    if is_few:
                        bar.set_alpha(0.45)
            axes.set_xlim(-1.1 * full, 1.1 * full)
            axes.axvline(0, color=INK, linewidth=0.6)
            axes.set_title(f"{clipped(name, 14)}\n{whole(int(block.sum()))}", fontsize=7)
            axes.xaxis.set_major_locator(MaxNLocator(3, symmetric=True))
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(100 * x):.0f} %"))
            bare(axes)
            axes.grid(axis="x")
        grid[0].set_yticks(rows, [clipped(name, _NAME) for name in age_names])
        keys = [Rectangle((0, 0), 1, 1, color=colour) for colour in colours]
        figure.legend(
            keys,
            [f"◀ {clipped(side_names[0], 20)}", f"{clipped(side_names[1], 20)} ▶"],
            loc="outside lower center",
            ncols=2,
        )
        return figure

    by = "" if panels is None else f", one panel for each {clipped(found.attributes[panels], 30)}"
    rows = tuple(
        (
            *(() if panels is None else (clipped(name, 40),)),
            clipped(age, 30),
            *(whole(int(count)) for count in counts),
        )
        for name, block in zip(names, table, strict=True)
        for age, counts in zip(age_names, block, strict=True)
    )
    few = frozenset(
        index for index, counts in enumerate(table.reshape(-1, 2)) if counts.min() < TOO_FEW
    )
    heads = () if panels is None else (clipped(found.attributes[panels], 30),)
    return Chart(
        key="age-pyramid",
        title=f"Ages by {clipped(side_attribute, 30)}"
        + ("" if panels is None else f" and {clipped(found.attributes[panels], 30)}"),
        alt=(
            f"Age pyramid of {whole(found.n)} images: {clipped(side_names[0], 30)} to the left,"
            f" {clipped(side_names[1], 30)} to the right{by}."
        ),
        sheet=Sheet(
            (
                *heads,
                clipped(found.attributes[ages], 30),
                *(clipped(name, 30) for name in side_names),
            ),
            rows,
            few,
        ),
        draw=draw,
        note="Shares are of each panel's own images; the number above a panel is how many it has."
        " Pale bars stand for fewer than 30 images.",
        wide=True,
    )


def _pyramid_roles(found: Intersections) -> tuple[int, int, int | None] | None:
    """Return the places of the age bins, of an attribute of two groups, and of a third of few groups."""
    sizes = [len(groups) for groups in found.groups]
    ages = [i for i, name in enumerate(found.attributes) if name in ORDERED_NAMES]
    pairs = [i for i, size in enumerate(sizes) if size == 2 and i not in ages]
    if not found.counts or not ages or not pairs:
        return None
    rest = [i for i, size in enumerate(sizes) if i not in (ages[0], pairs[0]) and size <= 8]
    return ages[0], pairs[0], rest[0] if rest else None


def _panel_table(found: Intersections, ages: int, sides: int, panels: int | None) -> Counts:
    """Return (panels, ages, 2) counts, summed over everything else."""
    table = joint_table(found)
    kept = [axis for axis in (panels, ages, sides) if axis is not None]
    rest = tuple(axis for axis in range(table.ndim) if axis not in kept)
    summed = table.sum(axis=rest)
    order = [sorted(kept).index(axis) for axis in kept]
    moved = np.transpose(summed, order)
    return moved if panels is not None else moved[None]


def joint_table(found: Intersections) -> Counts:
    """Return the cross table of all demographic attributes, one axis each."""
    return np.array(found.counts, dtype=np.int64).reshape([len(names) for names in found.groups])


def heatmap(found: Intersections | None) -> Chart | None:
    """Return the count of every combination of groups, the empty and the small ones marked."""
    if found is None or not found.counts or len(found.attributes) < 2:
        return None
    sizes = [len(groups) for groups in found.groups]
    across = max(range(len(sizes)), key=lambda i: (found.attributes[i] in ORDERED_NAMES, sizes[i]))
    down = [axis for axis in range(len(sizes)) if axis != across]
    table = np.moveaxis(joint_table(found), across, -1)
    table = table.reshape(-1, sizes[across])
    if len(table) > MOST_HEAT_ROWS or sizes[across] > MOST_BARS:
        return None
    columns = [clipped(name, 12) for name in found.groups[across]]
    places = np.stack(np.unravel_index(np.arange(len(table)), [sizes[axis] for axis in down]), -1)
    names = [
        " · ".join(clipped(found.groups[axis][i], 14) for axis, i in zip(down, place, strict=True))
        for place in places
    ]

    def draw() -> Figure:
        figure = new_figure(0.55 + 0.2 * len(table), width=WIDE)
        axes = figure.subplots()
        strength = np.sqrt(table / max(1, int(table.max())))
        # Opacity instead of a colour scale: readable on light and on dark ground.
        axes.imshow(
            np.zeros(table.shape),
            cmap=ListedColormap([_HEAT]),
            alpha=0.05 + 0.45 * strength,
            aspect="auto",
            interpolation="nearest",
        )
        for (row, column), count in np.ndenumerate(table):
            small = count < TOO_FEW
            if small:
                axes.add_patch(
                    Rectangle(
                        (column - 0.46, row - 0.42),
                        0.92,
                        0.84,
                        fill=False,
                        edgecolor=_EMPTY,
                        linewidth=0.8,
                        linestyle="-" if count == 0 else (0, (2, 2)),
                        hatch="////" if count == 0 else None,
                    )
                )
            axes.text(
                column,
                row,
                "empty" if count == 0 else whole(int(count)),
                ha="center",
                va="center",
                fontsize=6,
                color=INK,
            )
        axes.set_xticks(np.arange(len(columns)), columns)
        axes.set_yticks(np.arange(len(names)), names)
        axes.xaxis.tick_top()
        for row in range(sizes[down[-1]], len(table), sizes[down[-1]]):
            axes.axhline(row - 0.5, color=RULE, linewidth=0.8)
        bare(axes)
        return figure

    heads = (
        " · ".join(clipped(found.attributes[axis], 20) for axis in down),
        *columns,
    )
    rows = tuple(
        (name, *(whole(int(count)) for count in counts))
        for name, counts in zip(names, table, strict=True)
    )
    return Chart(
        key="intersections",
        title=f"Every combination of {', '.join(clipped(name, 20) for name in found.attributes)}",
        alt=(
            f"Heat map of {whole(found.cells)} combinations of groups with {whole(found.n)} images:"
            f" {whole(found.empty)} are empty, {whole(found.under_30)} hold fewer than 30."
        ),
        sheet=Sheet(heads, rows),
        draw=draw,
        note="Hatched: no image. Dashed frame: fewer than 30, too few to say anything.",
        wide=True,
    )


def smallest_sheet(found: Intersections) -> Sheet:
    """Return the smallest combinations, and how many images would mend each."""
    rows = tuple(
        (
            " · ".join(clipped(group, 30) for group in cell.groups),
            whole(cell.count),
            number(cell.expected, 1),
            "" if cell.residual is None else f"{cell.residual:+.1f}",
            "" if cell.more_images is None else whole(cell.more_images),
        )
        for cell in found.smallest
    )
    return Sheet(
        (
            "combination",
            "images",
            "expected if independent",
            "residual",
            "images to collect for 30",
        ),
        rows,
    )
