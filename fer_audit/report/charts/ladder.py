"""The claim ladder as one chart: how strong the association is, and what is left of it, rung by rung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from fer_audit.audit.types.claims import Association, Conditional, Ladder, Rung
from fer_audit.audit.types.stability import AttributeStability, VariantV
from fer_audit.report.blocks import SIGNS, state_of
from fer_audit.report.charts import theme
from fer_audit.report.charts.chart import Chart, key_of
from fer_audit.report.view import weakest
from fer_audit.text import clipped, coefficient, display, p_phrase, span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROW = 0.185


class _Line(NamedTuple):
    """One line of the chart: a value with its interval and what chance gives, on one side or the other."""

    strength: bool
    """Whether it is a V, drawn to the left, or the share that is left, drawn to the right."""
    words: str
    """Said on the side where nothing is drawn."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    null_low: float | None = None
    null_high: float | None = None
    is_range: bool = False
    """Whether low and high are the ends of a range over partitions, not of an interval."""


def ladder(
    claim: Ladder,
    association: Association | None,
    stability: AttributeStability | None,
    k: int | None,
) -> Chart | None:
    """Return the whole ladder of one claim about a partition into k clusters."""
    if not claim.rungs:
        return None
    lines = [(rung, _lines(rung, claim, association, stability, k)) for rung in claim.rungs]
    name = clipped(display(claim.attribute), 40)

    def draw() -> Figure:
        figure = theme.new_figure(0.6 + _ROW * sum(len(of) for _, of in lines), width=theme.WIDE)
        left, right = figure.subplots(1, 2, sharey=True)
        row, ticks = 0, []
        for rung, of in lines:
            sign = SIGNS[state_of(rung.holds, skipped=rung.skipped)]
            ticks.append((row, f"{sign}  {rung.number} {clipped(rung.name, 26)}"))
            for line in of:
                _draw(line, left, right, row)
                row += 1
            if rung is not claim.rungs[-1]:
                for axes in (left, right):
                    axes.axhline(row - 0.5, color=theme.RULE, linewidth=0.5)
        left.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
        left.set_ylim(row - 0.4, -0.6)
        _finish(left, right, [line for _, of in lines for line in of])
        return figure

    reached = {rung.number: rung.name for rung in claim.rungs}.get(claim.highest, "none")
    return Chart(
        key=key_of("ladder", claim.attribute),
        title=f"{name}: rung {claim.highest} of {len(claim.rungs)}",
        alt=(
            f"The claim that clusters and {name} are associated reaches rung {claim.highest} of"
            f" {len(claim.rungs)} ({clipped(reached, 40)})."
            + (f" What stopped it: {clipped(claim.stopped, 200)}" if claim.stopped else "")
        ),
        draw=draw,
        wide=True,
    )


def _lines(
    rung: Rung,
    claim: Ladder,
    association: Association | None,
    stability: AttributeStability | None,
    k: int | None,
) -> list[_Line]:
    asked = [each for each in claim.conditionals if each.rung == rung.number]
    if asked:
        return [_kept_line(each) for each in weakest(asked)]
    x, half = association, stability
    if rung.number == 1 and x is not None:
        chance = "" if x.null_95 is None else f", chance up to {coefficient(x.null_95)}"
        words = f"V {coefficient(x.v)}{chance}"
        return [_Line(True, words, x.v, null_low=0.0, null_high=x.null_95)]
    if rung.number == 2 and x is not None:
        words = f"V~ {coefficient(x.v_corrected)} ({span(x.low, x.high)})"
        return [_Line(True, words, x.v_corrected, x.low, x.high, 0.0, x.v_corrected_null_95)]
    if rung.number == 7 and half is not None and rung.holds is not None:
        near = [v for v in half.ks if k is not None and k - 1 <= v.k <= k + 2 and v.k > 1]
        ks = _spread_line(f"k = {near[0].k}-{near[-1].k}" if near else "", near)
        lines = [*_spread_line("other seeds", half.seeds), *ks]
        return lines or [_Line(True, clipped(rung.reading, 60))]
    if rung.number == 8 and half is not None and half.half_v is not None:
        value, low, high = half.half_v, half.half_low, half.half_high
        words = f"held-out half: V~ {coefficient(value)} ({span(low, high)})"
        return [_Line(True, words, value, low, high, 0.0, half.half_null_95)]
    if rung.p is not None:
        return [_Line(True, f"{p_phrase(rung.p, at_most=rung.at_most)} after Holm")]
    return [_Line(True, clipped(rung.reading, 60))]


def _spread_line(what: str, variants: Sequence[VariantV]) -> list[_Line]:
    """Return the range of V~ over other partitions as one line."""
    if not variants:
        return []
    values = [each.v_corrected for each in variants]
    ends = (min(values), max(values))
    chance = max(each.null_95 for each in variants)
    words = f"{what}: V~ {span(*ends)}"
    return [_Line(True, words, None, *ends, 0.0, chance, is_range=True)]


def _kept_line(each: Conditional) -> _Line:
    given = "given " + " × ".join(clipped(display(name), 18) for name in each.given)
    if each.kept is None:
        return _Line(False, f"{given}: not computable")
    return _Line(False, given, each.kept, each.low, each.high, each.null_low, each.null_high)


def _draw(line: _Line, left: Axes, right: Axes, row: int) -> None:
    on, off = (left, right) if line.strength else (right, left)
    on.vlines(0, row - 0.5, row + 0.5, color=theme.MUTED, linewidth=0.6)
    if not line.strength:
        on.vlines(
            1, row - 0.5, row + 0.5, color=theme.MUTED, linewidth=0.6, linestyles=(0, (3, 2))
        )
    if line.null_low is not None and line.null_high is not None:
        width = line.null_high - line.null_low
        on.barh(row, width, left=line.null_low, height=0.8, color=theme.BAND, linewidth=0)
    if line.low is not None and line.high is not None:
        on.hlines(
            row, line.low, line.high, color=theme.INK, linewidth=0.7 if line.is_range else 1.4
        )
        if line.is_range:
            ends = [line.low, line.high]
            on.plot(ends, [row, row], marker="|", markersize=5, color=theme.INK, linestyle="none")
    if line.value is not None:
        on.plot([line.value], [row], marker="o", markersize=4.2, color=theme.INK, linestyle="none")
    # Words stand where nothing is drawn, against the middle of the chart.
    at, gap, side = (0.0, 4, "left") if line.strength else (1.0, -4, "right")
    across = off.get_yaxis_transform()
    how = {"xycoords": across, "gap": gap, "ha": side, "fontsize": 6.3, "color": theme.MUTED}
    theme.write_next_to(off, line.words, (at, row), **how)


def _finish(left: Axes, right: Axes, lines: Sequence[_Line]) -> None:
    for axes, strength, label in (
        (left, True, "strength: V, V~"),
        (right, False, "left among alike images"),
    ):
        of_it = [line[2:7] for line in lines if line.strength is strength]
        ends = [end for each in of_it for end in each if end is not None]
        low, high = min([0.0, *ends]), max([0.1 if strength else 1.0, *ends])
        axes.set_xlim(low - 0.03 * (high - low), high + 0.06 * (high - low))
        theme.few_ticks(axes.xaxis, percent=not strength)
        theme.bare(axes)
        axes.set_xlabel(label)
