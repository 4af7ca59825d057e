"""What an erasure changes, and what heads that treat groups alike gain, each in one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_audit.audit.types.remedies import BeforeAfter, Erasure, Mitigation
from fer_audit.report.charts import theme
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.text import clipped, coefficient, display, signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def before_and_after(found: Erasure) -> Chart | None:
    """Return strength of clusters and balanced accuracy of probes before and after an erasure."""
    rows = found.found
    if not rows:
        return None

    def named(each: BeforeAfter) -> str:
        return f"{each.by}: {clipped(display(each.attribute), 20)}"

    def draw() -> Figure:
        figure, axes = theme.one_panel(0.6 + 0.21 * len(rows))
        for row, each in enumerate(rows):
            before, after = each.before.value, each.after.value
            axes.plot([before, after], [row, row], color=theme.RULE, linewidth=2, zorder=1)
            dot: dict[str, theme.Keyword] = {
                "color": theme.INK,
                "markersize": 4,
                "linestyle": "none",
                "clip_on": False,
            }
            axes.plot([before], [row], marker="o", markerfacecolor="white", **dot)
            words = f"{named(each)}: {coefficient(before)} before, {coefficient(after)} after"
            theme.point(axes, (after, row), words, **dot)
            if each.chance is not None:
                axes.plot([each.chance], [row], "|", color=theme.MUTED, markersize=9)
        label = "V~ of clusters, balanced accuracy of probes"
        theme.finish(axes, label, rows=list(map(named, rows)), span=(0, 1), steps=5)
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
            axes.axvline(0, color=theme.MUTED, linewidth=0.8)
            for row, each in enumerate(values):
                filled = theme.INK if each.low > 0 or each.high < 0 else "white"
                axes.hlines(row, each.low, each.high, color=theme.INK, linewidth=1.1)
                words = f"{names[row]}, {title}: {signed(each.value, 3)}"
                how: dict[str, theme.Keyword] = {
                    "markersize": 4,
                    "markerfacecolor": filled,
                    "linestyle": "none",
                }
                theme.point(axes, (each.value, row), words, **how)
            theme.finish(axes, title, rows=names, steps=3)
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
