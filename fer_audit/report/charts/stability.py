"""How good the partition is: elbow, starts and seeds, whether clusters come back, what another k or a small study would say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_audit.audit.types.stability import (
    UNSTABLE,
    AttributeStability,
    ClusterFacts,
    PublishedValue,
    Replay,
    ReplayAttribute,
    StabilityFacts,
)
from fer_audit.report.charts import theme
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.palette import Palette
from fer_audit.text import clipped, coefficient, display, large, span, whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 16
_LEAST_BINS = 12
_DOTS: dict[str, theme.Keyword] = {"color": theme.INK, "marker": "o", "markersize": 3}


def _over_k(axes: Axes, label: str) -> None:
    axes.set_xlabel("clusters k")
    axes.set_ylabel(label)
    theme.few_ticks(axes.xaxis, 10, integer=True)
    theme.few_ticks(axes.yaxis)
    axes.grid(axis="y")


def elbow(found: ClusterFacts | None) -> Chart | None:
    """Return the inertia over k, the k of this report marked."""
    if found is None or len(found.sweep) < 2:
        return None
    ks, inertias = [x.k for x in found.sweep], [x.inertia for x in found.sweep]

    def draw() -> Figure:
        from matplotlib.ticker import EngFormatter

        figure, axes = theme.one_panel(1.75)
        axes.plot(ks, inertias, **_DOTS)
        ring: dict[str, theme.Keyword] = {
            **_DOTS,
            "markersize": 8,
            "markerfacecolor": "none",
            "linestyle": "none",
        }
        axes.plot([found.k], [found.inertia], **ring)
        at = (found.k, found.inertia)
        axes.annotate(f"k = {found.k}", at, xytext=(6, 6), textcoords="offset points")
        _over_k(axes, "inertia")
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))
        return figure

    return Chart(
        key="elbow",
        title="The elbow",
        alt=f"Inertia falls from {large(inertias[0])} at k = {ks[0]} to {large(inertias[-1])} at"
        f" k = {ks[-1]}; this report uses k = {found.k}.",
        draw=draw,
    )


def come_back(found: StabilityFacts | None, palette: Palette) -> Chart | None:
    """Return the mean Jaccard similarity of each cluster over bootstrap resamples."""
    if found is None or not found.clusters:
        return None
    clusters = found.clusters
    names = [f"cluster {each.cluster}" for each in clusters]
    values = [each.jaccard for each in clusters]

    def draw() -> Figure:
        figure, axes = theme.one_panel(0.5 + 0.2 * max(4, len(clusters)))
        axes.axvspan(0, UNSTABLE, color=theme.BAND, linewidth=0)
        colours = [palette.cluster(each.cluster) for each in clusters]
        bars = axes.barh(range(len(clusters)), values, height=0.62, color=colours)
        for row, (bar, name, value) in enumerate(zip(bars, names, values, strict=True)):
            theme.write_next_to(axes, coefficient(value), (value, row))
            theme.tell(bar, f"{name}: {coefficient(value)}", name)
        theme.name_rows(axes, names)
        axes.set_xlim(0, 1.15)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
        axes.set_xlabel("mean Jaccard similarity over resamples")
        theme.bare(axes)
        return figure

    unstable = sum(not each.stable for each in clusters)
    told = (f"{name} {coefficient(value)}" for name, value in zip(names, values, strict=True))
    return Chart(
        key="cluster-stability",
        title="Do the clusters come back?",
        alt=f"Bar chart of how well each cluster comes back in bootstrap resamples: {', '.join(told)}.",
        draw=draw,
        note=f"In the grey zone, below {coefficient(UNSTABLE)}, a cluster does not come back"
        + (f": {unstable} of {len(clusters)} here." if unstable else "; none here."),
    )


def sweep(found: AttributeStability) -> Chart | None:
    """Return V~ of one attribute for every k and for every seed, with what chance gives."""
    points = [each for each in found.ks if each.k > 1]
    if not points:
        return None
    name = clipped(display(found.attribute), 40)
    ks, values = [each.k for each in points], [each.v_corrected for each in points]

    def draw() -> Figure:
        figure, axes = theme.one_panel(1.75)
        chance = [each.null_95 for each in points]
        axes.fill_between(ks, 0, chance, color=theme.BAND, linewidth=0, label="chance (95 %)")
        axes.plot(ks, values, label="V~", **_DOTS)
        if found.seeds:
            at = [each.k for each in found.seeds], [each.v_corrected for each in found.seeds]
            stroke: dict[str, theme.Keyword] = {
                "linestyle": "none",
                "marker": "_",
                "markersize": 10,
                "color": theme.MUTED,
            }
            axes.plot(*at, label="other seeds", **stroke)
        ends = [max(each.v_corrected, each.null_95) for each in (*points, *found.seeds)]
        axes.set_ylim(0, 1.15 * max(0.05, *ends))
        _over_k(axes, "V~")
        figure.legend(loc="outside upper center", ncols=3)
        return figure

    return Chart(
        key=key_of("sweep", found.attribute),
        title=name,
        alt=f"V~ of {name} lies between {coefficient(min(values))} and {coefficient(max(values))} for"
        f" k = {points[0].k} to {points[-1].k}.",
        draw=draw,
    )


def histogram(
    found: ReplayAttribute,
    replay: Replay,
    published: Sequence[PublishedValue],
    *,
    k: int | None,
    level: str,
) -> Chart | None:
    """Return the histogram of V~ over the studies, the whole set's V~ on it, and published values of the same k and size."""
    values = np.array(found.v_corrected_studies, dtype=np.float64)
    if not len(values):
        return None
    asked = (found.attribute, k, replay.size)
    said = [each for each in published if (each.attribute, each.k, each.n) == asked]
    name, size = clipped(display(found.attribute), 40), f"{whole(replay.size)} images"
    ends = found.v_corrected_low, found.v_corrected_high

    def draw() -> Figure:
        figure, axes = theme.one_panel(1.9)
        marks = [found.v_full or 0.0, *(p.v_corrected for p in said)]
        top = 1.08 * max(float(values.max()), 0.05, *marks)
        low, high = float(values.min()), float(values.max())
        high = max(high, low + top / _LEAST_BINS)  # all studies alike: one narrow bar, not a wall
        axes.hist(
            values, bins=_BINS, range=(low, high), color=theme.MUTED, alpha=0.65, linewidth=0
        )
        if ends[0] is not None and ends[1] is not None:
            axes.axvspan(ends[0], ends[1], color=theme.BAND, linewidth=0, zorder=-1)
        line: dict[str, theme.Keyword] = {"color": theme.INK, "linewidth": 1.6}
        if found.v_full is not None:
            axes.axvline(found.v_full, label="the whole set", **line)
        for each in said:
            dashed = {**line, "linestyle": (0, (4, 2))}
            axes.axvline(each.v_corrected, label="the published study", **dashed)
        axes.set_xlim(0, top)
        axes.set_xlabel(f"V~ of a study of {size}")
        axes.set_ylabel("studies")
        theme.few_ticks(axes.xaxis, 5)
        theme.few_ticks(axes.yaxis, integer=True)
        if found.v_full is not None or said:
            figure.legend(loc="outside upper center", ncols=2)
        axes.spines["bottom"].set_color(theme.INK)
        return figure

    paper = "".join(
        f" The published study ({clipped(each.source, 120)}) has {coefficient(each.v_corrected)}."
        for each in said
    )
    return Chart(
        key=key_of("replay", found.attribute),
        title=f"{name}: {whole(found.studies)} studies of {size}",
        alt=f"Histogram of V~ of {name} over {whole(found.studies)} small studies: {level}of them lie in"
        f" {span(*ends)}; the whole set has {coefficient(found.v_full)}.{paper}",
        draw=draw,
    )
