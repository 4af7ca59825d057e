"""What many small studies of this set would have said, compared with what the whole set says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fer_audit.audit.types.stability import PublishedValue, Replay, ReplayAttribute
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.theme import BAND, INK, MUTED, few_ticks, one_panel
from fer_audit.text import clipped, coefficient, display, span, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BINS = 16
_LEAST_BINS = 12


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
    said = [
        each
        for each in published
        if (each.attribute, each.k, each.n) == (found.attribute, k, replay.size)
    ]
    name = clipped(display(found.attribute), 40)

    def draw() -> Figure:
        figure, axes = one_panel(1.9)
        marks = [found.v_full or 0.0, *(p.v_corrected for p in said)]
        top = 1.08 * max(float(values.max()), 0.05, *marks)
        low, high = float(values.min()), float(values.max())
        high = max(high, low + top / _LEAST_BINS)  # all studies alike: one narrow bar, not a wall
        axes.hist(values, bins=_BINS, range=(low, high), color=MUTED, alpha=0.65, linewidth=0)
        if found.v_corrected_low is not None and found.v_corrected_high is not None:
            axes.axvspan(
                found.v_corrected_low, found.v_corrected_high, color=BAND, linewidth=0, zorder=-1
            )
        if found.v_full is not None:
            axes.axvline(found.v_full, color=INK, linewidth=1.6, label="the whole set")
        for each in said:
            axes.axvline(
                each.v_corrected,
                color=INK,
                linewidth=1.6,
                linestyle=(0, (4, 2)),
                label="the published study",
            )
        axes.set_xlim(0, top)
        axes.set_xlabel(f"V~ of a study of {whole(replay.size)} images")
        axes.set_ylabel("studies")
        few_ticks(axes.xaxis, 5)
        few_ticks(axes.yaxis, integer=True)
        if found.v_full is not None or said:
            figure.legend(loc="outside upper center", ncols=2)
        axes.spines["bottom"].set_color(INK)
        return figure

    paper = "".join(
        f" The published study ({clipped(each.source, 120)}) has {coefficient(each.v_corrected)}."
        for each in said
    )
    return Chart(
        key=key_of("replay", found.attribute),
        title=f"{name}: {whole(found.studies)} studies of {whole(replay.size)} images",
        alt=(
            f"Histogram of V~ of {name} over {whole(found.studies)} small studies: {level}of them lie in"
            f" {span(found.v_corrected_low, found.v_corrected_high)}; the whole set has"
            f" {coefficient(found.v_full)}.{paper}"
        ),
        draw=draw,
    )
