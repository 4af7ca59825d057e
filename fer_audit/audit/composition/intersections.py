"""The cross table of all demographic attributes: who is missing where groups meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims.contingency import residual_p
from fer_audit.audit.stats import loglinear
from fer_audit.audit.stats.resampling import benjamini_hochberg
from fer_audit.audit.stats.tables import Counts, Floats, or_none
from fer_audit.audit.types.composition import Cell, Intersections
from fer_audit.audit.types.lists import THIN_GROUPS
from fer_audit.audit.types.not_computable import TOO_FEW, because
from fer_audit.audit.types.result import BENJAMINI_HOCHBERG, AuditResult, Finding, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.text import counted, display

SHOWN = 10
MOST_CELLS = 1_000_000
"""A cross table beyond this is mostly empty whatever the set; it is refused instead of filled."""
NAMED = 4
"""Thin groups that a finding names."""
LISTED_CELLS = 20_000
"""Cells up to which the table itself is handed on: 60 kB of text when most hold one digit."""
TRUSTED_EXPECTED = 5.0
"""Cells that expect fewer are not ranked by residual: it is far from normal there (Cochran 1954)."""


def intersect(attributes: Sequence[Attribute]) -> Intersections | None:
    """Return the cross table of two or more attributes, None for fewer.

    Over every listed row that is annotated in all of them.
    """
    if len(attributes) < 2:
        return None
    names = tuple(attribute.name for attribute in attributes)
    groups = tuple(attribute.categories for attribute in attributes)
    shape = tuple(len(each) for each in groups)
    cells = int(np.prod(np.array(shape, dtype=object)))
    if cells == 0 or cells > MOST_CELLS:
        reason = (
            f"{cells} cells are more than {MOST_CELLS}" if cells else "an attribute has no groups"
        )
        missing = because(reason, "smallest", "largest_gaps", "counts")
        return Intersections(names, 0, cells, 0, 0, not_computable=missing, groups=groups)
    table = _joint_counts(attributes, shape)
    expected, residuals = mutual_residuals(table)
    pairs, why_no_pairs = _beyond_pairs(table)
    none, listed = not table.any(), cells <= LISTED_CELLS
    incomplete = "a group without images, or with all of them, leaves no residual"

    def shown(indices: Counts) -> tuple[Cell, ...]:
        return _cells(attributes, indices, table, expected, residuals, pairs)

    return Intersections(
        attributes=names,
        n=int(table.sum()),
        cells=cells,
        empty=int(np.count_nonzero(table == 0)),
        under_30=int(np.count_nonzero((table > 0) & (table < TOO_FEW))),
        smallest=shown(_smallest(table, expected)),
        largest_gaps=shown(_largest_gaps(expected, residuals)),
        not_computable=(
            *because("no image is annotated in all attributes" if none else "", "largest_gaps"),
            *because("" if none or not np.isnan(residuals).any() else incomplete, "residual"),
            *because(why_no_pairs, "beyond_pairs"),
            *because(
                "" if listed else f"{cells:,} cells are more than {LISTED_CELLS:,}", "counts"
            ),
        ),
        beyond_pairs=() if pairs is None else shown(_furthest(pairs)),
        groups=groups,
        counts=tuple(table.ravel().tolist()) if listed else (),
        tested=0 if pairs is None else int(np.isfinite(pairs.p_adjusted).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """A table and the model of all its two-way margins; NaN where a cell says nothing."""

    expected: Floats
    residual: Floats
    p_adjusted: Floats


def _beyond_pairs(table: Counts) -> tuple[_Pairs | None, str]:
    """Return what the cells hold beyond the two-way tables, or None and why not."""
    if table.ndim < 3:
        return None, "two attributes have no interaction beyond their pair"
    if table.size > loglinear.MOST_CELLS:
        return None, f"{table.size:,} cells are more than {loglinear.MOST_CELLS:,}"
    if not table.any():
        return None, "no image is annotated in all attributes"
    fitted, converged = loglinear.fit_pairs(table)
    if not converged:
        return None, f"the fit did not converge in {loglinear.STEPS:,} steps"
    residual = loglinear.pair_residuals(table, fitted)
    # Where few are expected the residual is far from normal: it is shown and not tested.
    tested = np.isfinite(residual) & (fitted >= TRUSTED_EXPECTED)
    adjusted = np.full(table.shape, np.nan)
    if tested.any():
        adjusted[tested] = benjamini_hochberg(residual_p(residual[tested]))
    return _Pairs(fitted, residual, adjusted), ""


def _furthest(pairs: _Pairs) -> Counts:
    """Return the flat indices of the tested cells furthest from the two-way tables, either way."""
    tested = np.isfinite(pairs.p_adjusted)
    order = np.argsort(np.where(tested, -np.abs(np.nan_to_num(pairs.residual)), np.inf), axis=None)
    return order[: min(SHOWN, int(tested.sum()))]


def more_images(count: int, expected: float, n: int) -> int | None:
    """Return how many more images, drawn like the set, until a cell can be expected to hold 30.

    At the cell's own share; an empty one at the share its two-way tables expect. None where that is 0 too.
    """
    if count >= TOO_FEW:
        return 0
    share = (count if count else expected) / n
    return None if share <= 0 else max(0, math.ceil((TOO_FEW - count) / share))


def _how_sure(count: int, n: int) -> tuple[int, int] | tuple[None, None]:
    """Return the range of `more_images` from the exact 95 % interval of a Poisson count (Garwood 1936); none for 0."""
    if not 0 < count < TOO_FEW:
        return None, None
    from scipy.stats import chi2

    low, high = chi2.ppf(0.025, 2 * count) / 2, chi2.ppf(0.975, 2 * count + 2) / 2
    return int((TOO_FEW - count) * n / high), int((TOO_FEW - count) * n / low)


def mutual_residuals(table: Counts) -> tuple[Floats, Floats]:
    """Return expected counts and adjusted residuals of a d-way table under mutual independence.

    With p_a the share of the cell's group in margin a and P their product, the expected count is n P and
    the residual (x - n P) / sqrt(n P (1 - P (sum_a 1/p_a - d + 1))): Haberman's x - m over
    sqrt(m (1 - h)), where the leverage h is m Var(ln m) and Var(ln m) = (sum_a 1/p_a - d + 1) / n under
    ln m = sum_a ln x_a - (d - 1) ln n. For d = 2 the bracket is (1 - p_1)(1 - p_2).
    Haberman 1973, Biometrics 29, 205-220. NaN where a group holds nothing or everything.
    """
    d = table.ndim
    n = int(table.sum())
    if n == 0:
        return np.zeros(table.shape), np.full(table.shape, np.nan)
    others = [tuple(b for b in range(d) if b != a) for a in range(d)]
    margins = [table.sum(axis=axes, keepdims=True) / n for axes in others]
    product = np.asarray(reduce(np.multiply, margins))
    # P / p_a as a product of the others, so that an empty group divides nothing.
    products = [reduce(np.multiply, margins[:a] + margins[a + 1 :]) for a in range(d)]
    leverage = reduce(np.add, products) - (d - 1) * product
    variance = n * product * (1 - leverage)
    # A group that holds every image leaves a variance of 0, give or take rounding.
    usable = (product > 0) & (1 - leverage > 1e-12)
    root = np.sqrt(np.where(usable, variance, 1.0))
    residuals = np.where(usable, (table - n * product) / root, np.nan)
    return n * product, residuals


def _joint_counts(attributes: Sequence[Attribute], shape: tuple[int, ...]) -> Counts:
    annotated = np.all([attribute.codes >= 0 for attribute in attributes], axis=0)
    codes = tuple(attribute.codes[annotated].astype(np.int64) for attribute in attributes)
    flat = np.ravel_multi_index(codes, shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)


def _smallest(table: Counts, expected: Floats) -> Counts:
    """Return the flat indices of the smallest cells; among equals, those that expect most come first."""
    return np.lexsort((-expected.ravel(), table.ravel()))[:SHOWN]


def _largest_gaps(expected: Floats, residuals: Floats) -> Counts:
    """Return the flat indices of the cells furthest below what they expect."""
    ranked = (expected >= TRUSTED_EXPECTED) & (np.nan_to_num(residuals) < 0)
    order = np.argsort(np.where(ranked, residuals, np.inf), axis=None, kind="stable")
    return order[: min(SHOWN, int(ranked.sum()))]


def _cells(
    attributes: Sequence[Attribute],
    indices: Counts,
    table: Counts,
    expected: Floats,
    residuals: Floats,
    pairs: _Pairs | None,
) -> tuple[Cell, ...]:
    n, found = int(table.sum()), []
    for at in zip(*np.unravel_index(indices, table.shape), strict=True):
        count = int(table[at])
        likely = float((expected if pairs is None else pairs.expected)[at])
        low, high = _how_sure(count, n)
        cell = Cell(
            groups=tuple(a.categories[i] for a, i in zip(attributes, at, strict=True)),
            count=count,
            expected=float(expected[at]),
            residual=or_none(residuals[at]),
            more_images=None if n == 0 else more_images(count, likely, n),
            more_low=low,
            more_high=high,
        )
        if pairs is not None:
            three = (pairs.expected, pairs.residual, pairs.p_adjusted)
            names = ("expected_pairs", "residual_pairs", "p_adjusted")
            beyond: dict[str, Any] = {x: or_none(y[at]) for x, y in zip(names, three, strict=True)}
            cell = replace(cell, **beyond)
        found.append(cell)
    return tuple(found)


def _thin_intersections(result: AuditResult) -> Iterator[Finding]:
    table = result.intersections
    if table is None or table.n == 0 or table.empty is None or table.under_30 is None:
        return
    if not (thin := table.empty + table.under_30):
        return
    names = " × ".join(display(name) for name in table.attributes)
    smallest = ", ".join(
        f"{' '.join(cell.groups)} {cell.count:,}"
        for cell in table.smallest[:NAMED]
        if cell.count < TOO_FEW
    )
    empty = f"{table.empty:,} without an image; " if table.empty else ""
    text = f"{thin:,} of {counted(table.cells, f'{names} combination')} {'has' if thin == 1 else 'have'} under {TOO_FEW} images."
    effect = thin / table.cells / 2
    figures = f"{empty}{smallest}".removesuffix("; ")
    do = "Make no statement about them, or collect more of their images."
    files = THIN_GROUPS if table.cells <= LISTED_CELLS else ""
    values = (
        ("thin", float(thin)),
        ("empty", float(table.empty)),
        ("groups", float(table.cells)),
    )
    yield Finding("thin_intersections", "fix", text, None, effect, figures, do, files, values)


def _ledger(table: Intersections | None) -> Iterator[LedgerEntry]:
    worst = table.beyond_pairs[0] if table is not None and table.beyond_pairs else None
    if table is None or worst is None or worst.p_adjusted is None or worst.residual_pairs is None:
        return
    yield LedgerEntry(
        family="cells of the intersections",
        subject=f"{' x '.join(worst.groups)}, smallest of all cells",
        method="adjusted residual under all two-way margins, two-sided normal",
        p=float(residual_p(np.array(worst.residual_pairs))),
        p_corrected=worst.p_adjusted,
        correction=BENJAMINI_HOCHBERG,
        tests=table.tested,
    )


ANALYSIS = Analysis(
    name="intersections",
    record=Intersections | None,
    run=lambda inputs: intersect(inputs.crossed),
    needs=("crossed",),
    findings=_thin_intersections,
    ledger=_ledger,
)
