"""Which combinations of groups are empty, thin, or rarer than the attributes suggest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from fer_audit.audit.types.composition import Cell, Intersections
from fer_audit.report.blocks import Block, Charts, Prose, Section
from fer_audit.report.charts.intersections import heatmap
from fer_audit.report.sections.values import left, right, table_of, without_empty_columns
from fer_audit.report.view import View
from fer_audit.text import (
    because,
    clipped,
    counted,
    display,
    number,
    p_text,
    signed,
    two_figures,
    whole,
)

Number = TypeVar("Number", int, float)

N_ROWS = 5
"""Combinations in each list; result.json has more."""


def intersections(view: View) -> Section:
    """Return how many combinations are empty or thin, the worst of them, and what it takes to fill them."""
    title = "Which combinations are missing?"
    return Section("intersections", title, tuple(_blocks(view.result.intersections)))


def _blocks(facts: Intersections | None) -> list[Block]:
    if facts is None or not facts.cells:
        return [Prose("It takes two or more demographic attributes to combine.")]
    names = " × ".join(display(clipped(name, 28)) for name in facts.attributes)
    if not facts.n and not facts.smallest:
        return [Prose(f"{names}: {because(facts.not_computable)}.")]
    blocks: list[Block] = [
        Prose(
            f"{names}: {counted(facts.cells, 'combination')}, {whole(facts.empty)} without an image,"
            f" {whole(facts.under_30)} with 1 to 29 (too few to say anything).",
        ),
        Charts(lambda: [heatmap(facts)]),
    ]
    for title, cells in (
        ("Smallest", facts.smallest),
        ("Furthest below what unrelated attributes would give", facts.largest_gaps),
    ):
        blocks += _cells(title, cells, lambda cell: (cell.expected, cell.residual))
    if any(cell.more_images for cell in (*facts.largest_gaps, *facts.smallest)):
        text = "To collect: further images, drawn like the set, until the combination can be expected to hold 30, with the range that so few images leave open."
        blocks.append(Prose(text, tone="small"))
    beyond = _cells(
        "Furthest from what pairs of attributes would give",
        facts.beyond_pairs,
        lambda cell: (cell.expected_pairs, cell.residual_pairs),
    )
    if beyond:
        note = (
            "Expected here: every two attributes are associated as they are in the set, and nothing beyond."
            " What remains belongs to the combination itself."
        )
        blocks += [*beyond, Prose(note, tone="small")]
    return blocks


def _cells(
    title: str,
    cells: Sequence[Cell],
    expectation: Callable[[Cell], tuple[float | None, float | None]],
) -> list[Block]:
    shown = cells[:N_ROWS]
    if not shown:
        return []
    table = table_of(
        title,
        shown,
        left("combination", lambda x: " × ".join(clipped(each, 28) for each in x.groups), wrap=20),
        right("images", lambda x: whole(x.count)),
        right("expected", lambda x: _or_empty(expectation(x)[0], lambda value: number(value, 1))),
        right("residual", lambda x: _or_empty(expectation(x)[1], signed), drop=2),
        right("p", lambda x: _or_empty(x.p_adjusted, p_text), drop=1),
        right("to collect", _to_collect, drop=3, wrap=16),
    )
    return [without_empty_columns(table)]


def _or_empty(value: Number | None, write: Callable[[Number], str]) -> str:
    return "" if value is None else write(value)


def _to_collect(cell: Cell) -> str:
    """Return how many more images, to two figures, with the range of an estimate from so few."""
    if not cell.more_images:
        return ""
    text = two_figures(cell.more_images)
    if cell.more_low is None or cell.more_high is None:
        return text
    return f"{text} ({two_figures(cell.more_low)}-{two_figures(cell.more_high)})"
