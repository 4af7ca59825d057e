"""Whom a model fails: recall by group and class, or how often each class is predicted, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fer_audit.audit.types.models import ByAttribute, ModelAudit
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.charts.palette import NEUTRAL, Palette
from fer_audit.report.charts.theme import RULE, Keyword, finish, one_panel, point
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
        label, names = "predicted right" if by.errors else "predicted so", labels
        finish(axes, label, rows=[clipped(x, 16) for x in names], span=(0, far), percent=True)
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
