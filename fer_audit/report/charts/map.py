"""The map: every image as a point, the same picture once for each way to colour it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.charts.chart import Chart, ChartTable, key_of
from fer_audit.report.charts.palette import NEUTRAL, Palette
from fer_audit.report.charts.theme import COLUMN, Keyword, one_panel, style
from fer_audit.report.files.pictures import MapColouring, MapPoints
from fer_audit.text import clipped, counted, display, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PIXELS = 480
"""Width and height of a map in the page: 1.5 for each CSS pixel, and 40 kB once its colours are counted."""
_INCHES = 3.2
_LEGEND = 12
"""Groups named next to a map in a file; with more, the first, the middle and the last."""


def colours_of(colouring: MapColouring, palette: Palette) -> tuple[str, ...]:
    """Return the colour of each group of a colouring."""
    if colouring.kind == "cluster":
        return tuple(palette.cluster(index) for index in range(len(colouring.groups)))
    return tuple(palette.group(colouring.name, group) for group in colouring.groups)


def map_chart(
    found: MapPoints, colouring: MapColouring, palette: Palette, result: AuditResult
) -> Chart:
    """Return the map in one colouring; `map_png` is its picture on the page, `draw` the one for a paper."""
    name = clipped(display(colouring.name), 40)
    colours = colours_of(colouring, palette)

    def draw() -> Figure:
        from matplotlib.lines import Line2D

        figure, axes = one_panel(COLUMN * map_aspect(found) + 0.5)
        _scatter(axes, found, colouring, [*colours, NEUTRAL], s=0.9, rasterized=True)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        shown = legend_places(len(colours))
        dot: dict[str, Keyword] = {"linestyle": "none", "marker": "o", "markersize": 4}
        figure.legend(
            [Line2D([], [], color=colours[i], **dot) for i in shown],
            [clipped(colouring.groups[i], 18) for i in shown],
            loc="outside lower center",
            ncols=min(4, len(shown)),
            handletextpad=0.2,
            columnspacing=0.8,
        )
        return figure

    part = "" if found.shown == found.n else f", a random {whole(found.shown)} of them"
    return Chart(
        key=key_of("map", colouring.name),
        title=f"by {name}",
        alt=f"Scatter plot of {counted(found.n, 'image')}{part}, coloured by {name}:"
        f" {counted(len(colouring.groups), 'group')}.",
        sheet=_sheet(colouring, result),
        draw=draw,
    )


def legend_places(count: int) -> list[int]:
    """Return which of so many groups a legend names: all, or the first, the middle and the last."""
    return list(range(count)) if count <= _LEGEND else [0, count // 2, count - 1]


def _sheet(colouring: MapColouring, result: AuditResult) -> ChartTable:
    """Return the groups and how many images each has in the whole set."""
    counts: dict[str, int | None] = {}
    if colouring.kind == "cluster" and result.clustering is not None:
        counts = dict(zip(colouring.groups, result.clustering.sizes, strict=False))
    for each in result.representation:
        if each.attribute == colouring.name and colouring.kind != "cluster":
            counts = {group.name: group.count for group in each.groups}
    return ChartTable(
        (clipped(display(colouring.name), 30), "images of the set"),
        tuple((clipped(g, 60), whole(counts[g]) if g in counts else "") for g in colouring.groups),
    )


def map_aspect(found: MapPoints) -> float:
    """Return height over width of a map: that of its points, within what fits next to other panels."""
    left, bottom, right, top = found.box
    ratio = (top - bottom) / (right - left) if right > left else 1.0
    return min(1.2, max(0.45, ratio))


def map_png(found: MapPoints, colouring: MapColouring, palette: Palette) -> bytes:
    """Return the points alone as a PNG: no letters, no ground, so that it lies on light and dark pages alike."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    with style():
        figure = Figure(figsize=(_INCHES, _INCHES * map_aspect(found)), dpi=_PIXELS / _INCHES)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        inks = [*colours_of(colouring, palette), NEUTRAL]
        _scatter(axes, found, colouring, inks, s=1.1, rasterized=False)
        canvas = FigureCanvasAgg(figure)
        buffer = io.BytesIO()
        canvas.print_rgba(buffer)  # type: ignore[no-untyped-call]  # matplotlib leaves it untyped
        size = (int(figure.bbox.width), int(figure.bbox.height))
        drawn = np.frombuffer(buffer.getvalue(), np.uint8).reshape(size[1], size[0], 4)
    rgb = np.array([[int(ink[at : at + 2], 16) for at in (1, 3, 5)] for ink in inks], np.int32)
    picture = Image.fromarray(_nearest(drawn, rgb), "P")
    picture.putpalette([0, 0, 0, *rgb.ravel().tolist()])
    png = io.BytesIO()
    picture.save(png, format="PNG", optimize=True, transparency=0)
    return png.getvalue()


def _nearest(drawn: NDArray[np.uint8], inks: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return (h, w) palette indices of (h, w, 4) pixels: 0 where nothing was drawn, i + 1 where ink i is nearest.

    Points are drawn without smoothing, so each pixel is one ink or none: a fifth of the bytes, and no colour changes.
    """
    found = np.zeros(drawn.shape[:2], np.uint8)
    on = drawn[..., 3] > 0
    apart = np.abs(drawn[on][:, None, :3].astype(np.int32) - inks).sum(axis=2)
    found[on] = apart.argmin(axis=1) + 1
    return found


def _scatter(
    axes: Axes, found: MapPoints, colouring: MapColouring, inks: Sequence[str], **how: Keyword
) -> None:
    """Draw points in one shuffled order: drawn group by group, the last group would cover the others."""
    order = np.random.default_rng(0).permutation(found.shown)
    colours = np.array(inks, dtype=object)[colouring.codes[order]]  # -1 takes the last one
    x, y = found.points[order].T
    axes.scatter(x, y, c=list(colours), linewidths=0, antialiased=False, **how)
    axes.set_aspect("equal", adjustable="datalim")
