"""The map of all images, once in each colouring."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.report.blocks import Block, MapPanel, Maps, Picture, Prose, Section
from fer_audit.report.charts.map import (
    colours_of,
    legend_places,
    map_aspect,
    map_chart,
    map_png,
)
from fer_audit.report.files.pictures import MapPoints
from fer_audit.report.view import View
from fer_audit.text import counted, percent, whole

_MAP_PIXELS = 320


def the_map(view: View) -> Section:
    """Return the points in every colouring, or why there is no map."""
    points = None if view.pictures is None else view.pictures.map
    if points is None:
        blocks: list[Block] = [Prose(f"No map: {why_missing(view, 'map')}.", "detail")]
    else:
        shown = (
            f"all {whole(points.shown)} images that were embedded"
            if points.shown == points.n
            else f"a random {whole(points.shown)} of {counted(points.n, 'image')}"
        )
        lead = (
            f"Each point is an image: {shown}, {_how_laid_out(view, points)}. The points lie in the same places in every"
            " panel; only the colour changes. They are drawn in one shuffled order, so that no group covers another."
        )
        blocks = [Prose(lead, "detail", "lead"), Maps(lambda: _panels(view, points), "detail")]
        blocks += missing_pictures(view, maps=True)
    return Section("map", "The map of all images", tuple(blocks))


def why_missing(view: View, what: str) -> str:
    """Return why the run has no such picture."""
    if view.pictures is None:
        return "the run directory holds no pictures; run the same command again to make them"
    return dict(view.pictures.missing).get(what, "there is nothing to show")


def missing_pictures(view: View, *, maps: bool) -> list[Block]:
    """Return the reasons of pictures that were not made, of maps or of all others."""
    missing = () if view.pictures is None else view.pictures.missing
    return [
        Prose(f"No {what}: {reason}.", "detail", "small")
        for what, reason in missing
        if what.startswith("map") == maps
    ]


def _panels(view: View, points: MapPoints) -> Sequence[MapPanel]:
    panels = []
    height = round(_MAP_PIXELS * map_aspect(points))
    for colouring in points.colourings:
        chart = map_chart(points, colouring, view.palette, view.result)
        names = list(zip(colours_of(colouring, view.palette), colouring.groups, strict=True))
        legend = [names[place] for place in legend_places(len(names))]
        if len(legend) < len(names):
            legend.append(("transparent", f"{len(names)} in all, in this order"))
        data = map_png(points, colouring, view.palette)
        picture = Picture("image/png", data, chart.alt, "", _MAP_PIXELS, height)
        panels.append(MapPanel(chart, picture, tuple(legend)))
    return panels


def _how_laid_out(view: View, points: MapPoints) -> str:
    if points.method == "umap":
        return (
            "laid out by UMAP on the principal coordinates: neighbours stay together, but distances between"
            " far groups and the sizes of gaps mean nothing"
        )
    words = "laid out by the first two principal components"
    axes = view.result.principal_axes
    if axes is not None and len(axes.shares) > 1:
        first, second = axes.shares[:2]
        words += (
            f", which hold {percent(first)} and {percent(second)} of the variance; what separates groups can lie in the"
            f" other {percent(1 - first - second)}"
        )
    return words
