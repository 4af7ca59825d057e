"""What is known of an image without looking at it, and how its look differs by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.audit.types.space import StyleTest
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.palette import UNORDERED
from fer_audit.report.charts.theme import MUTED, finish, one_panel, point
from fer_audit.text import clipped, display, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ROWS = 12
_ROW = 0.22
_NAME = 22


def batch_guesses(found: Sequence[BatchPrediction]) -> Chart | None:
    """Return how often the batch alone is right about an attribute, next to always saying the largest group."""
    asked = [x for x in found if x.left_out_accuracy is not None and x.majority is not None]
    shown = [(x, x.majority or 0.0, x.left_out_accuracy or 0.0) for x in asked[:MOST_ROWS]]
    if not shown:
        return None

    def draw() -> Figure:
        figure, axes = one_panel(0.5 + _ROW * len(shown))
        names = []
        for row, (each, blind, right) in enumerate(shown):
            name = f"{clipped(display(each.attribute), 16)}, {clipped(display(each.batch), _NAME)}"
            axes.hlines(row, min(blind, right), max(blind, right), color=MUTED, linewidth=1.2)
            words = f"always {each.majority_group}: {percent(blind)}"
            point(axes, (blind, row), words, marker="|", markersize=8, color=MUTED)
            words = f"{name}: {percent(right)} right"
            point(axes, (right, row), words, display(each.attribute), markersize=4.5)
            names.append(name)
        finish(axes, "images guessed right", rows=names, span=(0, 1), percent=True)
        return figure

    best, blind, right = max(shown, key=lambda x: x[2] - x[1])
    return Chart(
        key="batch-guesses",
        title="What collection alone predicts",
        alt="Share of images whose label is guessed right from how they were collected;"
        f" {display(best.attribute)} from {display(best.batch)}: {percent(right)}, always saying the largest group"
        f" {percent(blind)}.",
        draw=draw,
        note="Line: always saying the largest group. Dot: the most frequent label among the other images of the batch.",
    )


def style_differences(found: Sequence[StyleTest]) -> Chart | None:
    """Return how much of each measure of style the groups of each attribute explain."""
    tests = [x for x in found if x.rank_effect is not None]
    attributes = list(dict.fromkeys(x.attribute for x in tests))
    colours = dict(zip(attributes, UNORDERED, strict=False))
    measures = list(dict.fromkeys(x.measure for x in tests))
    if not attributes:
        return None

    def draw() -> Figure:
        figure, axes = one_panel(0.75 + _ROW * len(measures))
        for attribute, colour in colours.items():
            name = display(clipped(attribute, _NAME))
            for each in tests:
                if each.attribute == attribute:
                    at = (max(each.rank_effect or 0.0, 0.0), measures.index(each.measure))
                    words = f"{display(each.measure)} by {name}: {percent(each.rank_effect)}"
                    point(axes, at, words, name, markersize=4, color=colour, alpha=0.85)
            axes.plot([], [], marker="o", linestyle="none", color=colour, label=name)
        names = [clipped(display(each), _NAME) for each in measures]
        finish(axes, "share of the measure's ranks that groups explain", rows=names, percent=True)
        axes.set_xlim(left=0)
        axes.legend(loc="lower right")
        return figure

    top = max(tests, key=lambda x: x.rank_effect or 0.0)
    return Chart(
        key="style-differences",
        title="How the look of images differs by group",
        alt=f"How much of each of {len(measures)} measures of style groups explain; most: {display(top.measure)} by"
        f" {display(top.attribute)}, {percent(top.rank_effect)}.",
        draw=draw,
    )
