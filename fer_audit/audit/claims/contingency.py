"""Are clusters and an attribute associated? Every field of `Association` and of its cells, from one table of counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fer_audit.audit.stats.information import (
    adjusted_mutual_information,
    corrected_u,
    duchers_z,
    npmi,
    theils_u,
)
from fer_audit.audit.stats.resampling import (
    NullBand,
    benjamini_hochberg,
    between_units_sd,
    corrected_v_interval,
    null_band,
)
from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    adjusted_residuals,
    cramers_v,
    drop_empty,
    expected_counts,
    or_none,
    pearson_chi2,
)
from fer_audit.audit.stats.what_is_left import unit_interval
from fer_audit.audit.types.claims import Association, AssociationCell
from fer_audit.audit.types.not_computable import TOO_FEW, NotComputable, because
from fer_audit.audit.types.result import BENJAMINI_HOCHBERG, LedgerEntry
from fer_audit.text import counted


def residual_p(residuals: Floats) -> Floats:
    """Return the two-sided normal p of adjusted residuals."""
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    return np.asarray(2 * norm.sf(np.abs(residuals)))


def lift_with_interval(table: Counts, *, confidence: float) -> tuple[Floats, Floats, Floats]:
    """Return p_ij / (p_i p_j) and its log-interval, NaN where a cell is empty.

    By the delta method under multinomial sampling, Var ln lift =
    1/n_ij - 1/n_i - 1/n_j - 1/n + 2 n_ij / (n_i n_j): the margins belong to the same images, so they
    take away from the variance of the cell instead of adding to it. `table` has no empty row or column.
    """
    from scipy.stats import norm

    n = table.sum()
    row, col = table.sum(axis=1)[:, None], table.sum(axis=0)[None, :]
    lift = table / expected_counts(table)
    seen = table > 0
    cell = np.where(seen, table, 1)
    variance = 1 / cell - 1 / row - 1 / col - 1 / n + 2 * table / (row * col)
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(np.maximum(variance, 0.0))
    low = np.where(seen, lift * np.exp(-half), np.nan)
    high = np.where(seen, lift * np.exp(half), np.nan)
    return lift, low, high


def measure_cells(
    table: Counts, groups: tuple[str, ...], *, confidence: float
) -> tuple[AssociationCell, ...]:
    """Return every cell of the (k, groups) table, row by row; None where a margin leaves no value."""
    kept, rows, cols = drop_empty(table)
    sizes = table.sum(axis=1)[:, None]
    columns = {name: np.full(table.shape, np.nan) for name in _MEASURES}
    np.divide(table, sizes, out=columns["share"], where=sizes > 0)
    inside = np.ix_(rows, cols)
    if kept.size:
        lift = lift_with_interval(kept, confidence=confidence)
        for name, values in zip(("lift", "lift_low", "lift_high"), lift, strict=True):
            columns[name][inside] = values
    if min(kept.shape) > 1:
        residual = adjusted_residuals(kept)
        columns["residual"][inside] = residual
        columns["p_adjusted"][inside] = benjamini_hochberg(residual_p(residual))
        columns["npmi"][inside], columns["ducher_z"][inside] = npmi(kept), duchers_z(kept)
    return tuple(
        AssociationCell(
            cluster=i,
            group=groups[j],
            count=count,
            too_few=count < TOO_FEW,
            **{name: or_none(values[i, j]) for name, values in columns.items()},
        )
        for i, row in enumerate(table.tolist())
        for j, count in enumerate(row)
    )


_MEASURES = (
    *("share", "lift", "lift_low", "lift_high"),
    *("residual", "p_adjusted", "npmi", "ducher_z"),
)


def cells_ledger(association: Association) -> Iterator[LedgerEntry]:
    """Yield one entry for the cells of a table."""
    cells = [
        (cell.residual, cell.p_adjusted)
        for cell in association.cells
        if cell.residual is not None and cell.p_adjusted is not None
    ]
    if cells:
        residuals, adjusted = np.array(cells).T
        family = f"cells of {association.attribute} x {association.of}"
        subject = f"smallest of {len(cells)} cells"
        method = "adjusted residual, two-sided normal"
        p = float(residual_p(residuals).min())
        p_corrected = float(adjusted.min())
        tests = len(cells)
        yield LedgerEntry(family, subject, method, p, p_corrected, BENJAMINI_HOCHBERG, tests=tests)


_CORRECTED = ("v_corrected", "v_corrected_null_95", "low", "high")
MOST_BLOCK_DRAWS = 1_999
"""Shuffles of whole people, 1 ms each for 200,000 images: enough for p = .0005."""
MOST_LEAST = 20_000
"""Shuffles, of people or images, that many claims at a small level can make necessary: more are not drawn."""
_TESTED = (
    *("chi2", "df", "p_asymptotic", "expected_min", "v", "null_mean", "null_95"),
    *(*_CORRECTED, "p_permutation", "ami"),
)
"""What needs two clusters and two groups with images."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What is drawn where a row is not drawn alone."""

    shuffled: Callable[[int, np.random.Generator], Iterable[Counts]] | None = None
    """(draws, rng) -> tables of shuffled labels; None = rows are exchanged one by one."""
    people: Counts | None = None
    """(u, r, c) table of each person; None = every row is another person's."""
    collection: Counts | None = None
    """(u, r, c) table of each unit that another collection would draw; None = not known."""
    unit: str = "image"
    """Name of what is exchanged."""
    drawn: str = ""
    """Name of what another collection would draw."""

    def null(
        self, table: Counts, draws: int, rng: np.random.Generator, *, least: int = 0
    ) -> NullBand | None:
        """Return where V lies without any association; None where `table` has less than two rows or columns.

        As many people are shuffled as time allows, images `draws` times; both at least `least` times up to `MOST_LEAST`.
        """
        least = min(least, MOST_LEAST)
        kept, rows, cols = drop_empty(table)
        if _why_untestable(kept):
            return None
        shuffled = None
        if self.shuffled is not None:
            tables = self.shuffled(max(min(draws, MOST_BLOCK_DRAWS), least), rng)
            shuffled = (each[np.ix_(rows, cols)] for each in tables)
        return null_band(kept, draws=max(draws, least), rng=rng, shuffled=shuffled)


def associate(
    table: Counts,
    *,
    of: str = "cluster",
    attribute: str,
    kind: str,
    groups: tuple[str, ...],
    rng: np.random.Generator,
    permutations: int,
    bootstraps: int,
    confidence: float,
    drawn: Drawn | None = None,
    least: int = 0,
) -> Association:
    """Return the association in a (clusters, groups) table of counts; at least `least` shuffles.

    Empty clusters and groups stay in the table and are left out of the tests. `p_holm` is None until
    `correct_for_attributes` has seen the other attributes of the run.
    """
    from scipy.stats import chi2 as chi2_law  # 0.9 s that a warm rerun would wait for

    kept, _, _ = drop_empty(table)
    drawn = drawn or Drawn()
    untested = Association(
        of=of,
        attribute=attribute,
        kind=kind,
        n=int(table.sum()),
        groups=groups,
        table=tuple(tuple(row) for row in table.tolist()),
        cells=measure_cells(table, groups, confidence=confidence),
        not_computable=_missing(table, kept),
        unit=drawn.unit,
        drawn=drawn.drawn,
        units=0 if drawn.collection is None else len(drawn.collection),
    )
    if kept.size:
        untested = replace(
            untested,
            u_group_from_cluster=theils_u(kept),
            u_cluster_from_group=theils_u(kept.T),
            balance=balance(kept),
            u_corrected=corrected_u(kept),
        )
    # Streams of their own: another number of permutations must not shift the bootstrap's draws.
    for_null, *rngs = rng.spawn(4)
    null = drawn.null(table, permutations, for_null, least=least)
    if null is None:
        return untested
    expected, (rows, cols), n = expected_counts(kept), kept.shape, int(kept.sum())
    chi2, df = float(pearson_chi2(kept, expected)), (rows - 1) * (cols - 1)
    tested = replace(
        untested,
        chi2=chi2,
        df=df,
        p_asymptotic=float(chi2_law.sf(chi2, df)),
        expected_min=float(expected.min()),
        v=float(cramers_v(chi2, n=n, rows=rows, cols=cols)),
        null_mean=null.mean,
        null_95=null.quantile_95,
        p_permutation=null.p,
        permutations=null.draws,
        ami=adjusted_mutual_information(kept),
    )
    if n <= max(rows, cols):
        return tested
    low, high = corrected_v_interval(kept, draws=bootstraps, confidence=confidence, rng=rngs[0])
    ends: dict[str, Any] = {"low": low, "high": high}
    ends |= {"v_corrected": null.corrected, "v_corrected_null_95": null.corrected_95}
    units = [("low", "high", drawn.people), ("other_low", "other_high", drawn.collection)]
    for (lower, upper, by_unit), of_unit in zip(units, rngs[1:], strict=True):
        if by_unit is not None:
            sd = between_units_sd(by_unit, draws=bootstraps, rng=of_unit)
            low, high = unit_interval(null.corrected, sd * sd, len(by_unit), confidence)
            ends |= {lower: max(0.0, low), upper: min(1.0, high)}
    return replace(tested, **ends)


def balance(table: Counts) -> float:
    """Return min over clusters and groups of min(r_g / r_g(C), r_g(C) / r_g), in [0, 1].

    r_g is a group's share of the set and r_g(C) its share of cluster C: 1 = every cluster mirrors the
    set, 0 = some cluster has none of some group. Chierichetti et al. 2017; Bera et al. 2019.
    `table` has no empty row or column.
    """
    overall = table.sum(axis=0) / table.sum()
    inside: Floats = table / table.sum(axis=1, keepdims=True)
    ratio = inside / overall
    inverse = np.divide(1.0, ratio, out=np.zeros_like(ratio), where=ratio > 0)
    return float(min(1.0, np.minimum(ratio, inverse).min()))


def _why_untestable(kept: Counts) -> str:
    if kept.size == 0:
        return "no image has both a cluster and this label"
    if kept.shape[0] < 2:
        return "all images are in one cluster"
    return "all images are in one group" if kept.shape[1] < 2 else ""


def _missing(table: Counts, kept: Counts) -> NotComputable:
    """Return the reason of everything in a table that has no value."""
    (rows, cols), n = kept.shape, int(kept.sum())
    if reason := _why_untestable(kept):
        return (
            *because(reason, *_TESTED, "cells", *(("balance",) if kept.size == 0 else ())),
            *because(reason if cols < 2 else "", "u_group_from_cluster", "u_corrected"),
            *because(reason if rows < 2 else "", "u_cluster_from_group"),
        )
    few = f"{counted(n, 'image')} are too few for {rows} clusters and {cols} groups"
    about_cells = []
    if kept.shape != table.shape:
        about_cells.append("a cluster or a group without images has neither lift nor residual")
    if not kept.all():
        about_cells.append("a cell without images has a lift of 0 and no interval")
    return (
        *because(few if n <= max(rows, cols) else "", *_CORRECTED),
        *because("; ".join(about_cells), "cells"),
    )
