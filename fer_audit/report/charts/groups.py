"""How groups differ, as rows of dots: by batch, by style, by what a model gets right, and by what remedies change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fer_audit.audit.types.claims import BatchPrediction
from fer_audit.audit.types.models import ByAttribute, ModelAudit
from fer_audit.audit.types.remedies import BeforeAfter, Erasure, Mitigation
from fer_audit.audit.types.space import StyleTest
from fer_audit.report.charts import theme
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.palette import NEUTRAL, UNORDERED, Palette
from fer_audit.report.charts.theme import INK, MUTED, RULE, Keyword, finish, one_panel, point
from fer_audit.text import clipped, coefficient, display, percent, share_text, signed

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


MOST_POINTS = 120
_POINT, _GAP = 0.105, 0.1
"""Inches a point, and between classes."""


class _Point(NamedTuple):
    group: str
    label: str
    share: float
    low: float
    high: float
    n: int
    few: bool

    @property
    def words(self) -> str:
        """The point with its interval."""
        share = share_text(self.share, self.n, self.low, self.high)
        return f"{self.group}, {self.label}: {share}"


def by_class(model: ModelAudit, by: ByAttribute, palette: Palette) -> Chart | None:
    """Return a point with its interval for each group and class: recall where there are true labels, else rates."""
    points = _points(by)
    labels = [x for x in model.classes if x in {point.label for point in points}]
    groups = [each.group for each in by.rates if each.group in {point.group for point in points}]
    if not labels or len(labels) * len(groups) > MOST_POINTS:
        return None
    step = 0.8 / len(groups)
    far = 1.02 if by.errors else 1.02 * max(x.high for x in points)

    def draw() -> Figure:
        figure, axes = one_panel(0.8 + (_POINT * len(groups) + _GAP) * len(labels))
        for x in points:
            row = labels.index(x.label) - 0.4 + step * (groups.index(x.group) + 0.5)
            colour = NEUTRAL if x.few else palette.group(by.attribute, x.group)
            look: dict[str, Keyword] = {"color": colour, "alpha": 0.5 if x.few else 1.0}
            axes.hlines(row, x.low, x.high, linewidth=1.1, **look)
            look |= {"markersize": 3.6, "markerfacecolor": "none" if x.few else colour}
            point(axes, (x.share, row), x.words, x.group, **look)
        for row in range(1, len(labels)):
            axes.axhline(row - 0.5, color=RULE, linewidth=0.5)
        label = "predicted right" if by.errors else "predicted so"
        finish(axes, label, rows=[clipped(x, 16) for x in labels], span=(0, far), percent=True)
        for group in groups:
            colour = palette.group(by.attribute, group)
            axes.plot([], [], "o", markersize=3.6, color=colour, label=clipped(group, 14))
        figure.legend(loc="outside lower center", ncols=min(3, len(groups)))
        return figure

    what = "Recall" if by.errors else "Predictions"
    sure = [point for point in points if not point.few] or points
    ends = (min(sure, key=lambda x: x.share), max(sure, key=lambda x: x.share))
    untrue = " There are no true labels: this is not how often the model is right."
    return Chart(
        key=key_of("model", model.model, by.attribute),
        title=f"{what} of {clipped(model.model, 24)} by {display(clipped(by.attribute, 24))}",
        alt=f"{what} by group and {model.about}, lowest and highest: {'; '.join(x.words for x in ends)}.",
        draw=draw,
        note="Line: interval. Hollow and grey: fewer than 30 people or images, too few to compare."
        + ("" if by.errors else untrue),
    )


def _points(by: ByAttribute) -> list[_Point]:
    if by.errors:
        return [
            _Point(x.group, x.label, x.recall, x.low or 0.0, x.high or 0.0, x.n, x.too_few)
            for x in by.cells
            if x.recall is not None
        ]
    return [
        _Point(each.group, x.label, x.share, x.low or 0.0, x.high or 0.0, x.count, each.too_few)
        for each in by.rates
        for x in each.rates
        if x.share is not None
    ]


def before_and_after(found: Erasure) -> Chart | None:
    """Return strength of clusters and balanced accuracy of probes before and after an erasure."""
    rows = found.found
    if not rows:
        return None

    def named(each: BeforeAfter) -> str:
        return f"{each.by}: {clipped(display(each.attribute), 20)}"

    def draw() -> Figure:
        figure, axes = one_panel(0.6 + 0.21 * len(rows))
        for row, each in enumerate(rows):
            before, after = each.before.value, each.after.value
            axes.plot([before, after], [row, row], color=RULE, linewidth=2, zorder=1)
            dot: dict[str, Keyword] = {
                "color": INK,
                "markersize": 4,
                "linestyle": "none",
                "clip_on": False,
            }
            axes.plot([before], [row], marker="o", markerfacecolor="white", **dot)
            words = f"{named(each)}: {coefficient(before)} before, {coefficient(after)} after"
            point(axes, (after, row), words, **dot)
            if each.chance is not None:
                axes.plot([each.chance], [row], "|", color=MUTED, markersize=9)
        label = "V~ of clusters, balanced accuracy of probes"
        finish(axes, label, rows=list(map(named, rows)), span=(0, 1), steps=5)
        return figure

    words = (
        f"{named(x)} {coefficient(x.before.value)} before and {coefficient(x.after.value)} after"
        for x in rows
    )
    return Chart(
        key=key_of("erased", found.attribute, found.method),
        title=f"Before and after {display(found.attribute)} is erased ({found.method})",
        alt=f"{'; '.join(words)}.",
        draw=draw,
        note="Open: before. Filled: after. Stroke: what chance gives.",
    )


def gains(found: Mitigation) -> Chart | None:
    """Return what each arm gains in F, worst group and accuracy over the plain head, with paired intervals."""
    arms = found.arms[1:]
    if not arms:
        return None
    panels = {
        "F": [x.fairness_gain for x in arms],
        "worst group": [x.worst_gain for x in arms],
        "accuracy": [x.accuracy_gain for x in arms],
    }
    names = [x.arm for x in arms]

    def draw() -> Figure:
        figure = theme.new_figure(0.6 + 0.22 * len(arms), width=theme.WIDE)
        parts = figure.subplots(1, len(panels), sharey=True)
        for axes, (title, values) in zip(parts, panels.items(), strict=True):
            axes.axvline(0, color=MUTED, linewidth=0.8)
            for row, each in enumerate(values):
                filled = INK if each.low > 0 or each.high < 0 else "white"
                axes.hlines(row, each.low, each.high, color=INK, linewidth=1.1)
                words = f"{names[row]}, {title}: {signed(each.value, 3)}"
                how: dict[str, Keyword] = {
                    "markersize": 4,
                    "markerfacecolor": filled,
                    "linestyle": "none",
                }
                point(axes, (each.value, row), words, **how)
            finish(axes, title, rows=names, steps=3)
        return figure

    words = (
        f"{x.arm}: F {signed(x.fairness_gain.value, 3)}, worst group {signed(x.worst_gain.value, 3)}"
        for x in arms
    )
    return Chart(
        key=key_of("gains", found.label, found.attribute),
        title=f"{display(found.label)} by {display(found.attribute)}: gains over a plain head",
        alt=f"{'; '.join(words)}.",
        draw=draw,
        note="Right of the line is better. Intervals are paired and hold for all arms together.",
        wide=True,
    )
