"""Who is in the set: shares with their target, and ages by gender and race."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fer_audit.audit.types.composition import Intersections, Representation
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.targets import has_target
from fer_audit.report.charts import theme
from fer_audit.report.charts.chart import Chart, ChartTable, key_of
from fer_audit.report.charts.intersections import Counts, joint_table
from fer_audit.report.charts.palette import ORDERED_NAMES, Palette
from fer_audit.text import clipped, display, percent, share_text, whole, whole_percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 40
"""Groups beyond this are a list, not a picture."""
_ROW = 0.19
"""Inches a bar."""
_NAME = 18
"""Letters of a group's name that fit next to its bar."""


def composition(found: Representation, palette: Palette) -> Chart | None:
    """Return the shares of one attribute with their intervals and targets; None when there is nothing to draw."""
    shown = [group for group in found.groups if group.share is not None]
    if not shown or len(shown) > MOST_BARS:
        return None
    shares = [group.share or 0.0 for group in shown]
    low = [share if x.low is None else x.low for x, share in zip(shown, shares, strict=True)]
    high = [share if x.high is None else x.high for x, share in zip(shown, shares, strict=True)]
    aimed = has_target(found)  # even shares of bins of unequal width mean nothing
    targets = [x.share / x.ratio if aimed and x.share and x.ratio else None for x in shown]

    def draw() -> Figure:
        figure, axes = theme.one_panel(0.45 + _ROW * len(shown))
        rows = np.arange(len(shown))
        colours = [palette.group(found.attribute, group.name) for group in shown]
        bars = axes.barh(rows, shares, color=colours, height=0.7)
        for bar, group in zip(bars, shown, strict=True):
            words = share_text(group.share, group.count, group.low, group.high)
            theme.tell(bar, f"{group.name}: {words}", group.name)
        axes.hlines(rows, low, high, color=theme.INK, linewidth=1.0)
        marked = [(target, row) for row, target in enumerate(targets) if target is not None]
        if marked:
            diamond: dict[str, theme.Keyword] = {
                "marker": "D",
                "markersize": 3.2,
                "linestyle": "none",
            }
            edge: dict[str, theme.Keyword] = {
                "markerfacecolor": "none",
                "markeredgecolor": theme.INK,
                "markeredgewidth": 0.8,
            }
            axes.plot(*zip(*marked, strict=True), **diamond, **edge)
        for row, (share, end) in enumerate(zip(shares, high, strict=True)):
            theme.write_next_to(axes, percent(share), (max(end, targets[row] or 0.0), row), gap=7)
        names = [clipped(group.name, _NAME) for group in shown]
        theme.finish(axes, rows=names, span=(0, max(0.02, max(high) * 1.32)), percent=True)
        return figure

    ends = (max(shown, key=lambda x: x.count or 0), min(shown, key=lambda x: x.count or 0))
    title = display(clipped(found.attribute, 40))
    down = " down to ".join(f"{clipped(x.name, 40)} with {percent(x.share)}" for x in ends)
    return Chart(
        key=key_of("composition", found.attribute),
        title=title,
        alt=f"Bar chart of {title}: {len(found.groups)} groups, from {down}.",
        draw=draw,
    )


def pyramid(found: Intersections | None, palette: Palette) -> Chart | None:
    """Return the ages of two groups (of gender, say) back to back, a panel for each group of a third attribute."""
    roles = None if found is None else _pyramid_roles(found)
    if found is None or roles is None:
        return None
    ages, sides, panels = roles
    table = _panel_table(found, ages, sides, panels)
    names = ("all",) if panels is None else found.groups[panels]
    side_names, age_names = found.groups[sides], found.groups[ages]
    colours = [palette.group(found.attributes[sides], name) for name in side_names]

    def draw() -> Figure:
        from matplotlib.patches import Rectangle
        from matplotlib.ticker import FuncFormatter

        figure = theme.new_figure(0.75 + 0.15 * len(age_names), width=theme.WIDE)
        grid = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        rows = np.arange(len(age_names))
        # One scale for all panels, so that their shapes compare.
        shares = table / np.maximum(table.sum(axis=(1, 2), keepdims=True), 1)
        full = max(0.01, float(shares.max()))
        step = _round_step(full)
        for axes, name, block in zip(grid, names, table, strict=True):
            total = max(1, int(block.sum()))
            for side, sign in ((0, -1), (1, 1)):
                counts, mark = block[:, side], side_names[side]
                bars = axes.barh(rows, sign * counts / total, height=0.86, color=colours[side])
                for bar, age, count in zip(bars, age_names, counts.tolist(), strict=True):
                    theme.tell(bar, f"{name}, {mark}, {age}: {whole(count)}", mark)
                    if count < TOO_FEW:
                        bar.set_alpha(0.45)
            axes.set_xlim(-1.1 * full, 1.1 * full)
            axes.axvline(0, color=theme.INK, linewidth=0.6)
            axes.set_title(f"{clipped(name, 14)}\n{whole(int(block.sum()))}", fontsize=7)
            axes.set_xticks([-step, 0, step])
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: whole_percent(abs(x))))
            theme.bare(axes)
            axes.grid(axis="x")
        grid[0].set_yticks(rows, [clipped(name, _NAME) for name in age_names])
        keys = [Rectangle((0, 0), 1, 1, color=colour) for colour in colours]
        left, right = (clipped(name, 20) for name in side_names)
        figure.legend(keys, [f"◀ {left}", f"{right} ▶"], loc="outside lower center", ncols=2)
        return figure

    shown = [display(clipped(name, 30)) for name in found.attributes]
    by = "" if panels is None else f", one panel for each {shown[panels]}"
    rows = tuple(
        (
            *(() if panels is None else (clipped(name, 40),)),
            clipped(age, 30),
            *(whole(int(count)) for count in counts),
        )
        for name, block in zip(names, table, strict=True)
        for age, counts in zip(age_names, block, strict=True)
    )
    few = frozenset(np.flatnonzero(table.reshape(-1, 2).min(axis=1) < TOO_FEW).tolist())
    heads = () if panels is None else (shown[panels],)
    return Chart(
        key="age-pyramid",
        title=f"Ages by {shown[sides]}" + ("" if panels is None else f" and {shown[panels]}"),
        alt=(
            f"Age pyramid of {whole(found.n)} images: {clipped(side_names[0], 30)} to the left,"
            f" {clipped(side_names[1], 30)} to the right{by}."
        ),
        sheet=ChartTable(
            (*heads, shown[ages], *(clipped(name, 30) for name in side_names)), rows, few
        ),
        draw=draw,
        note="Shares are of each panel's own images; the number above a panel is how many it has."
        " Pale bars stand for fewer than 30 images.",
        wide=True,
    )


def _round_step(full: float) -> float:
    """Return a round share that marks about two thirds of an axis."""
    steps = (0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
    return max((step for step in steps if step <= 0.8 * full), default=full)


def _pyramid_roles(found: Intersections) -> tuple[int, int, int | None] | None:
    """Return the places of the age bins, of an attribute of two groups, and of a third of few groups."""
    sizes = [len(groups) for groups in found.groups]
    ages = [i for i, name in enumerate(found.attributes) if name in ORDERED_NAMES]
    pairs = [i for i, size in enumerate(sizes) if size == 2 and i not in ages]
    if not found.counts or None in found.counts or not ages or not pairs:
        return None
    rest = [i for i, size in enumerate(sizes) if i not in (ages[0], pairs[0]) and size <= 8]
    return ages[0], pairs[0], rest[0] if rest else None


def _panel_table(found: Intersections, ages: int, sides: int, panels: int | None) -> Counts:
    """Return (panels, ages, 2) counts, summed over everything else."""
    table = joint_table(found)
    kept = [axis for axis in (panels, ages, sides) if axis is not None]
    rest = tuple(axis for axis in range(table.ndim) if axis not in kept)
    moved = np.transpose(table.sum(axis=rest), [sorted(kept).index(axis) for axis in kept])
    return moved if panels is not None else moved[None]
