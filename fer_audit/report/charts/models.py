"""Whom a model fails: recall by group and class, or how often each class is predicted, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fer_audit.audit.types.models import ByAttribute, ModelAudit
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.palette import NEUTRAL, Palette
from fer_audit.report.charts.theme import (
    RULE,
    Keyword,
    bare,
    few_ticks,
    name_rows,
    one_panel,
    tell,
)
from fer_audit.text import clipped, display, share_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def by_class(model: ModelAudit, by: ByAttribute, palette: Palette) -> Chart | None:
    """Return a point with its interval for each group and class: recall where there are true labels, else rates."""
    points = _recalls(by) if by.errors else _rates(by)
    labels = [x for x in model.classes if any(point.label == x for point in points)]
    groups = [
        each.group for each in by.rates if any(point.group == each.group for point in points)
    ]
    if not labels or len(labels) * len(groups) > MOST_POINTS:
        return None
    step = 0.8 / len(groups)

    def draw() -> Figure:
        height = 0.8 + (_POINT * len(groups) + _GAP) * len(labels)
        figure, axes = one_panel(height)
        for point in points:
            row = labels.index(point.label) - 0.4 + step * (groups.index(point.group) + 0.5)
            colour = NEUTRAL if point.few else palette.group(by.attribute, point.group)
            style: dict[str, Keyword] = {"color": colour, "alpha": 0.5 if point.few else 1.0}
            axes.hlines(row, point.low, point.high, linewidth=1.1, **style)
            face = "none" if point.few else colour
            (mark,) = axes.plot(
                [point.share], [row], marker="o", markersize=3.6, markerfacecolor=face, **style
            )
            words = share_text(point.share, point.n, point.low, point.high)
            tell(mark, f"{point.group}, {point.label}: {words}", point.group)
        for row in range(1, len(labels)):
            axes.axhline(row - 0.5, color=RULE, linewidth=0.5)
        name_rows(axes, [clipped(each, 16) for each in labels])
        axes.set_xlim(0, 1.02 * max([point.high for point in points]) if not by.errors else 1.02)
        few_ticks(axes.xaxis, percent=True)
        axes.set_xlabel("predicted right" if by.errors else "predicted so")
        bare(axes)
        axes.grid(axis="x")
        for group in groups:
            colour = palette.group(by.attribute, group)
            axes.plot([], [], "o", markersize=3.6, color=colour, label=clipped(group, 14))
        figure.legend(loc="outside lower center", ncols=min(3, len(groups)))
        return figure

    what = "Recall" if by.errors else "Predictions"
    sure = [point for point in points if not point.few] or points
    low, high = min(sure, key=lambda x: x.share), max(sure, key=lambda x: x.share)
    ends = "; ".join(
        f"{x.group}, {x.label}: {share_text(x.share, x.n, x.low, x.high)}" for x in (low, high)
    )
    return Chart(
        key=key_of("model", model.model, by.attribute),
        title=f"{what} of {clipped(model.model, 24)} by {display(clipped(by.attribute, 24))}",
        alt=f"{what} by group and {model.about}, lowest and highest: {ends}.",
        draw=draw,
        note="Line: interval. Hollow and grey: fewer than 30 people or images, too few to compare."
        + (
            ""
            if by.errors
            else " There are no true labels: this is not how often the model is right."
        ),
    )


def _recalls(by: ByAttribute) -> Sequence[_Point]:
    return [
        _Point(x.group, x.label, x.recall, x.low or 0.0, x.high or 0.0, x.n, x.too_few)
        for x in by.cells
        if x.recall is not None
    ]


def _rates(by: ByAttribute) -> Sequence[_Point]:
    return [
        _Point(each.group, x.label, x.share, x.low or 0.0, x.high or 0.0, x.count, each.too_few)
        for each in by.rates
        for x in each.rates
        if x.share is not None
    ]
