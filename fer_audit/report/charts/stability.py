"""How good the partition is: the elbow, the starts and seeds, whether clusters come back, and what another k would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_audit.audit.types.stability import (
    UNSTABLE,
    AttributeStability,
    ClusterFacts,
    StabilityFacts,
)
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.palette import Palette
from fer_audit.report.charts.theme import (
    BAND,
    INK,
    MUTED,
    bare,
    few_ticks,
    name_rows,
    one_panel,
    tell,
    write_next_to,
)
from fer_audit.text import clipped, coefficient, display, large

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def elbow(found: ClusterFacts | None) -> Chart | None:
    """Return the inertia over k, the k of this report marked."""
    if found is None or len(found.sweep) < 2:
        return None
    ks = [entry.k for entry in found.sweep]
    inertias = [entry.inertia for entry in found.sweep]

    def draw() -> Figure:
        from matplotlib.ticker import EngFormatter

        figure, axes = one_panel(1.75)
        axes.plot(ks, inertias, color=INK, marker="o", markersize=3)
        axes.plot(
            [found.k],
            [found.inertia],
            color=INK,
            marker="o",
            markersize=8,
            markerfacecolor="none",
            linestyle="none",
        )
        at = (found.k, found.inertia)
        axes.annotate(f"k = {found.k}", at, xytext=(6, 6), textcoords="offset points")
        axes.set_xlabel("clusters k")
        axes.set_ylabel("inertia")
        few_ticks(axes.xaxis, 10, integer=True)
        few_ticks(axes.yaxis)
        axes.yaxis.set_major_formatter(EngFormatter(sep=" "))
        axes.grid(axis="y")
        return figure

    return Chart(
        key="elbow",
        title="The elbow",
        alt=(
            f"Inertia falls from {large(inertias[0])} at k = {ks[0]} to {large(inertias[-1])} at"
            f" k = {ks[-1]}; this report uses k = {found.k}."
        ),
        draw=draw,
    )


def come_back(found: StabilityFacts | None, palette: Palette) -> Chart | None:
    """Return the mean Jaccard similarity of each cluster over bootstrap resamples."""
    if found is None or not found.clusters:
        return None
    clusters = found.clusters

    def draw() -> Figure:
        figure, axes = one_panel(0.5 + 0.2 * max(4, len(clusters)))
        axes.axvspan(0, UNSTABLE, color=BAND, linewidth=0)
        bars = axes.barh(
            range(len(clusters)),
            [each.jaccard for each in clusters],
            height=0.62,
            color=[palette.cluster(each.cluster) for each in clusters],
        )
        for row, (bar, each) in enumerate(zip(bars, clusters, strict=True)):
            write_next_to(axes, coefficient(each.jaccard), (each.jaccard, row))
            tell(
                bar,
                f"cluster {each.cluster}: {coefficient(each.jaccard)}",
                f"cluster {each.cluster}",
            )
        name_rows(axes, [f"cluster {each.cluster}" for each in clusters])
        axes.set_xlim(0, 1.15)
        axes.set_xticks([0, 0.2, 0.4, 0.6, 0.8, 1.0])
        axes.set_xlabel("mean Jaccard similarity over resamples")
        bare(axes)
        return figure

    unstable = [each for each in clusters if not each.stable]
    return Chart(
        key="cluster-stability",
        title="Do the clusters come back?",
        alt=(
            "Bar chart of how well each cluster comes back in bootstrap resamples: "
            + ", ".join(f"cluster {c.cluster} {coefficient(c.jaccard)}" for c in clusters)
            + "."
        ),
        draw=draw,
        note=f"In the grey zone, below {coefficient(UNSTABLE)}, a cluster does not come back"
        + (f": {len(unstable)} of {len(clusters)} here." if unstable else "; none here."),
    )


def sweep(found: AttributeStability) -> Chart | None:
    """Return V~ of one attribute for every k and for every seed, with what chance gives."""
    points = [each for each in found.ks if each.k > 1]
    if not points:
        return None
    name = clipped(display(found.attribute), 40)

    def draw() -> Figure:
        figure, axes = one_panel(1.75)
        ks = [each.k for each in points]
        axes.fill_between(
            ks,
            0,
            [each.null_95 for each in points],
            color=BAND,
            linewidth=0,
            label="chance (95 %)",
        )
        axes.plot(
            ks, [e.v_corrected for e in points], color=INK, marker="o", markersize=3, label="V~"
        )
        if found.seeds:
            axes.plot(
                [each.k for each in found.seeds],
                [each.v_corrected for each in found.seeds],
                linestyle="none",
                marker="_",
                markersize=10,
                color=MUTED,
                label="other seeds",
            )
        ends = [max(each.v_corrected, each.null_95) for each in (*points, *found.seeds)]
        axes.set_ylim(0, 1.15 * max(0.05, *ends))
        axes.set_xlabel("clusters k")
        axes.set_ylabel("V~")
        few_ticks(axes.xaxis, 10, integer=True)
        few_ticks(axes.yaxis)
        axes.grid(axis="y")
        figure.legend(loc="outside upper center", ncols=3)
        return figure

    values = [each.v_corrected for each in points]
    return Chart(
        key=key_of("sweep", found.attribute),
        title=name,
        alt=(
            f"V~ of {name} lies between {coefficient(min(values))} and {coefficient(max(values))} for"
            f" k = {points[0].k} to {points[-1].k}."
        ),
        draw=draw,
    )
