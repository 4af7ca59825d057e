"""Do the claims stand in both runs: how strongly clusters and attributes are associated, and how far each claim climbs."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from fer_audit.audit.types.compare import AttributeComparison, RunAssociation
from fer_audit.report.charts.chart import Chart
from fer_audit.report.charts.compare import OFFSETS, legend_of, mark, put
from fer_audit.report.charts.theme import BAND, INK, MUTED, RULE, WIDE, bare, new_figure
from fer_audit.report.two_runs import Runs
from fer_audit.text import clipped, coefficient, counted, listed, span

MOST_ATTRIBUTES = 30
_ROW = 0.36
_NAME = 22
_SMALL = 6.2
_STATES = {
    "holds": "✓",
    "does not hold": "✗",
    "not computable": "?",
    "skipped": "○",
    "not asked": "–",
}


def strength_in_both(found: Sequence[AttributeComparison], runs: Runs) -> Chart | None:
    """Return V~ of every attribute in both runs on one axis, with V and what chance makes of V."""
    shown = [each for each in found if _values(each)]
    if not shown or len(shown) > MOST_ATTRIBUTES:
        return None

    def draw() -> Figure:
        figure = new_figure(0.62 + _ROW * len(shown), width=WIDE)
        axes = figure.subplots()
        for row, each in enumerate(shown):
            for side, one in enumerate((each.first, each.second)):
                _strength(axes, side, row + OFFSETS[side], one)
            if row:
                axes.axhline(row - 0.5, color=RULE, linewidth=0.5)
        axes.set_yticks(range(len(shown)), [clipped(each.attribute, _NAME) for each in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(0, 1.06 * max(0.05, *(value for each in shown for value in _values(each))))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.set_xlabel("V~ (mark and interval); V (stroke) and the V that chance gives (grey)")
        axes.annotate(
            "V~ (interval)",
            (1.0, 1.0),
            xycoords="axes fraction",
            xytext=(6, 3),
            textcoords="offset points",
            fontsize=_SMALL,
            color=MUTED,
        )
        bare(axes)
        axes.grid(axis="x")
        legend_of(figure, runs)
        return figure

    return Chart(
        key="strength-in-both-runs",
        title="How strongly clusters and attributes are associated",
        alt="V~ in the first and in the second run: "
        + "; ".join(_in_words(each) for each in shown)
        + ".",
        draw=draw,
        note=(
            "The grey bar is what 95 % of shuffled labels stay under, for V, the thin stroke; V~ is V without the part that"
            " a finite sample adds. With another k or number of images, compare the stroke with its own grey bar. That"
            " intervals overlap is no test: both runs may hold the same images."
        ),
        wide=True,
    )


def _values(each: AttributeComparison) -> list[float]:
    return [
        value
        for one in (each.first, each.second)
        if one is not None
        for value in (one.v, one.v_corrected, one.high, one.null_95)
        if value is not None
    ]


def _strength(axes: Axes, side: int, row: float, one: RunAssociation | None) -> None:
    if one is not None:
        if one.null_95 is not None:
            axes.barh(row, one.null_95, height=0.36, color=BAND, linewidth=0)
        if one.v is not None:
            axes.vlines(one.v, row - 0.17, row + 0.17, color=MUTED, linewidth=0.9)
        put(axes, side, row, one.v_corrected, (one.low, one.high))
    axes.annotate(
        "not asked" if one is None else f"{coefficient(one.v_corrected)}{_around(one)}",
        (1.0, row),
        xycoords=axes.get_yaxis_transform(),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=_SMALL,
        color=MUTED if one is None or one.v_corrected is None else INK,
    )


def _around(one: RunAssociation) -> str:
    return "" if one.low is None or one.high is None else f" ({span(one.low, one.high)})"


def _in_words(each: AttributeComparison) -> str:
    both = [
        "not asked" if one is None else coefficient(one.v_corrected)
        for one in (each.first, each.second)
    ]
    return f"{clipped(each.attribute, 40)} {both[0]} and {both[1]}"


def ladders_in_both(found: Sequence[AttributeComparison], runs: Runs) -> Chart | None:
    """Return what each run answers to each question of the claim ladder; None when neither climbed it."""
    shown = [each for each in found if each.ladder]
    if not shown or len(shown) > MOST_ATTRIBUTES:
        return None
    names = {rung.number: rung.name for each in shown for rung in each.ladder}
    numbers = sorted(names)

    def draw() -> Figure:
        figure = new_figure(0.85 + _ROW * len(shown), width=WIDE)
        axes = figure.subplots()
        for row, each in enumerate(shown):
            for side, one in enumerate((each.first, each.second)):
                at = row + OFFSETS[side]
                axes.plot([-0.85], [at], linestyle="none", **mark(side))  # type: ignore[arg-type]  # keywords of a line
                for rung in each.ladder:
                    state = (rung.first, rung.second)[side]
                    _answer(axes, numbers.index(rung.number), at, state, rung.first != rung.second)
                axes.text(len(numbers) - 0.35, at, _reached(one), va="center", fontsize=_SMALL)
            if row:
                axes.axhline(row - 0.5, color=RULE, linewidth=0.5)
        axes.set_yticks(range(len(shown)), [clipped(each.attribute, _NAME) for each in shown])
        axes.set_ylim(len(shown) - 0.5, -0.5)
        axes.set_xlim(-1.1, len(numbers) + 0.7)
        heads = [
            "\n".join([str(number), *textwrap.wrap(clipped(names[number], 26), 12)])
            for number in numbers
        ]
        axes.set_xticks(range(len(numbers)), heads, fontsize=_SMALL)
        axes.xaxis.tick_top()
        bare(axes)
        legend_of(figure, runs)
        return figure

    differ = [clipped(each.attribute, 40) for each in shown if each.rungs]
    return Chart(
        key="ladders-in-both-runs",
        title="How far each claim climbs",
        alt=(
            f"What both runs answer to {counted(len(numbers), 'question')} about {counted(len(shown), 'attribute')}: "
            + "; ".join(
                f"{clipped(each.attribute, 40)} {_reached(each.first)} and {_reached(each.second)}"
                for each in shown
            )
            + f". {f'Answers differ for {listed(differ)}' if differ else 'No answer differs'}."
        ),
        draw=draw,
        note=(
            "✓ holds, ✗ does not hold, ? could not be computed, ○ skipped, – not asked. Framed: the runs answer differently."
            " The number at the end is the last rung that held before one did not."
        ),
        wide=True,
    )


def _answer(axes: Axes, column: int, row: float, state: str, differs: bool) -> None:
    axes.add_patch(
        Rectangle(
            (column - 0.46, row - 0.17),
            0.92,
            0.34,
            facecolor=BAND if state == "holds" else "none",
            edgecolor=INK if differs else RULE,
            linewidth=1.2 if differs else 0.5,
        )
    )
    axes.text(
        column,
        row,
        _STATES[state],
        ha="center",
        va="center",
        fontsize=6.6,
        color=INK if state in ("holds", "does not hold") else MUTED,
    )


def _reached(one: RunAssociation | None) -> str:
    return "not climbed" if one is None or one.highest is None else f"{one.highest} of {one.rungs}"
