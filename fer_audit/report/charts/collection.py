"""What is known of an image without looking at it, and how its look differs by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.audit.types.space import StyleTest
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.theme import INK, MUTED, bare, few_ticks, name_rows, one_panel, tell
from fer_audit.text import clipped, display, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 12
_ROW = 0.22
_NAME = 22
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")


def batch_guesses(found: Sequence[BatchPrediction]) -> Chart | None:
    """Return how often the batch alone is right about an attribute, next to always saying the largest group."""
    shown = [x for x in found if x.left_out_accuracy is not None and x.majority is not None]
    shown = shown[:MOST_ROWS]
    if not shown:
        return None
    names = [
        f"{clipped(display(x.attribute), 16)}, {clipped(display(x.batch), _NAME)}" for x in shown
    ]

    def draw() -> Figure:
        figure, axes = one_panel(0.5 + _ROW * len(shown))
        for row, each in enumerate(shown):
            blind, right = each.majority or 0.0, each.left_out_accuracy or 0.0
            axes.hlines(row, min(blind, right), max(blind, right), color=MUTED, linewidth=1.2)
            (dull,) = axes.plot([blind], [row], marker="|", markersize=8, color=MUTED)
            (point,) = axes.plot([right], [row], marker="o", markersize=4.5, color=INK)
            tell(dull, f"always {each.majority_group}: {percent(blind)}")
            tell(point, f"{names[row]}: {percent(right)} right", display(each.attribute))
        name_rows(axes, names)
        axes.set_xlim(0, 1)
        few_ticks(axes.xaxis, percent=True)
        axes.set_xlabel("images guessed right")
        bare(axes)
        axes.grid(axis="x")
        return figure

    best = max(shown, key=lambda x: (x.left_out_accuracy or 0.0) - (x.majority or 0.0))
    return Chart(
        key="batch-guesses",
        title="What collection alone predicts",
        alt=(
            f"Share of images whose label is guessed right from how they were collected; {display(best.attribute)} from"
            f" {display(best.batch)}: {percent(best.left_out_accuracy)}, always saying the largest group"
            f" {percent(best.majority)}."
        ),
        draw=draw,
        note="Line: always saying the largest group. Dot: the most frequent label among the other images of the batch.",
    )


def style_differences(found: Sequence[StyleTest]) -> Chart | None:
    """Return how much of each measure of style the groups of each attribute explain."""
    tests = [x for x in found if x.rank_effect is not None]
    attributes = list(dict.fromkeys(x.attribute for x in tests))[: len(_COLOURS)]
    measures = list(dict.fromkeys(x.measure for x in tests))
    if not attributes:
        return None

    def draw() -> Figure:
        figure, axes = one_panel(0.75 + _ROW * len(measures))
        for attribute, colour in zip(attributes, _COLOURS, strict=False):
            name = display(clipped(attribute, _NAME))
            for each in tests:
                if each.attribute == attribute:
                    at = ([max(each.rank_effect or 0.0, 0.0)], [measures.index(each.measure)])
                    (point,) = axes.plot(*at, marker="o", markersize=4, color=colour, alpha=0.85)
                    tell(
                        point,
                        f"{display(each.measure)} by {name}: {percent(each.rank_effect)}",
                        name,
                    )
            axes.plot([], [], marker="o", linestyle="none", color=colour, label=name)
        name_rows(axes, [clipped(display(each), _NAME) for each in measures])
        axes.set_xlim(left=0)
        few_ticks(axes.xaxis, percent=True)
        axes.set_xlabel("share of the measure's ranks that groups explain")
        axes.legend(loc="lower right")
        bare(axes)
        axes.grid(axis="x")
        return figure

    top = max(tests, key=lambda x: x.rank_effect or 0.0)
    return Chart(
        key="style-differences",
        title="How the look of images differs by group",
        alt=(
            f"How much of each of {len(measures)} measures of style groups explain; most: {display(top.measure)} by"
            f" {display(top.attribute)}, {percent(top.rank_effect)}."
        ),
        draw=draw,
    )
