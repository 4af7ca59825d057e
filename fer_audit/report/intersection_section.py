"""Which combinations of groups are missing, and which no pair of attributes explains."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.composition import Cell, Intersections
from fer_audit.report.tables import Column, Grid, Heading, plain, prose
from fer_audit.text import because, clipped, counted, p_text, whole

WORST = 5
"""Combinations shown of each list; result.json has more."""


def combinations(intersections: Intersections | None) -> list[RenderableType]:
    """Return how many intersections are empty or thin, the worst of them, and what it takes to fill them."""
    parts: list[RenderableType] = [Heading("Which combinations are missing?")]
    if intersections is None or not intersections.cells:
        return [*parts, prose("It takes two or more demographic attributes to combine.")]
    names = " × ".join(clipped(name, 28) for name in intersections.attributes)
    if not intersections.n and not intersections.smallest:
        return [*parts, prose(f"{names}: {because(intersections.not_computable)}.")]
    parts += [
        prose(
            f"{names}: {counted(intersections.cells, 'combination')},"
            f" {whole(intersections.empty)} without a single image,"
            f" {whole(intersections.under_30)} with 1 to 29 (too few to say anything)."
        )
    ]
    if intersections.largest_gaps:
        title = "furthest below what independence expects"
        parts += [Text(""), _cells(title, intersections.largest_gaps)]
    if intersections.smallest:
        parts += [Text(""), _cells("smallest", intersections.smallest)]
    if intersections.beyond_pairs:
        parts += [
            Text(""),
            _beyond(intersections.beyond_pairs),
            prose(
                "Expected here: every two attributes go together as they do in the set, and nothing beyond."
                " What is left over belongs to the combination itself."
            ),
        ]
    shown = (*intersections.largest_gaps[:WORST], *intersections.smallest[:WORST])
    if any(cell.more_images for cell in shown):
        parts.append(
            prose(
                "Collect: further images, drawn like the set, until that combination can be expected to hold 30."
            )
        )
    return parts


def _cells(title: str, cells: Sequence[Cell]) -> Grid:
    shown = cells[:WORST]
    collect = any(cell.more_images for cell in shown)
    columns = [
        Column(Text(title), squeeze=20),
        Column(Text("images"), right=True),
        Column(Text("expected"), right=True),
        Column(Text("residual"), right=True),
        *([Column(Text("collect"), right=True)] if collect else []),
    ]
    rows = [
        [
            _groups(cell),
            Text(f"{cell.count:,}"),
            Text(f"{cell.expected:,.1f}"),
            _signed(cell.residual),
            *([Text(f"{cell.more_images:,}" if cell.more_images else "")] if collect else []),
        ]
        for cell in shown
    ]
    return Grid(columns, rows)


def _beyond(cells: Sequence[Cell]) -> Grid:
    columns = [
        Column(Text("beyond any two attributes"), squeeze=20),
        Column(Text("images"), right=True),
        Column(Text("expected"), right=True),
        Column(Text("residual"), right=True),
        Column(Text("p"), right=True),
    ]
    rows = [
        [
            _groups(cell),
            Text(f"{cell.count:,}"),
            Text("" if cell.expected_pairs is None else f"{cell.expected_pairs:,.1f}"),
            _signed(cell.residual_pairs),
            Text("" if cell.p_adjusted is None else p_text(cell.p_adjusted)),
        ]
        for cell in cells[:WORST]
    ]
    return Grid(columns, rows)


def _groups(cell: Cell) -> Text:
    return plain(" × ".join(clipped(group, 28) for group in cell.groups))


def _signed(residual: float | None) -> Text:
    """Return a residual; the sign of what is more than expected is marked too."""
    return Text("" if residual is None else f"{residual:+.1f}")
