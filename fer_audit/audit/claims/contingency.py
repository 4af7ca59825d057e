"""Are clusters and an attribute associated? Every field of `Association` from one table of counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fer_audit.audit.claims.cells import measure_cells
from fer_audit.audit.stats.information import adjusted_mutual_information, corrected_u, theils_u
from fer_audit.audit.stats.resampling import (
    NullBand,
    between_units_sd,
    corrected_v_interval,
    null_band,
)
from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    cramers_v,
    drop_empty,
    expected_counts,
    pearson_chi2,
)
from fer_audit.audit.stats.what_is_left import unit_interval
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.text import counted

_CORRECTED = ("v_corrected", "v_corrected_null_95", "low", "high")
MOST_BLOCK_DRAWS = 1_999
"""Shuffles of whole people, 1 ms each for 200,000 images: enough for p = .0005."""
MOST_LEAST = 20_000
"""Shuffles, of people or images, that many claims at a small level can make necessary: more are not drawn."""
_TESTED = (
    "chi2",
    "df",
    "p_asymptotic",
    "expected_min",
    "v",
    "null_mean",
    "null_95",
    *_CORRECTED,
    "p_permutation",
    "ami",
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


@dataclass(frozen=True, slots=True)
class _Strength:
    """How strongly the rows and columns of a table without empty margins are associated."""

    chi2: float
    v: float
    null: NullBand
    v_corrected: float | None
    low: float | None
    high: float | None
    other_low: float | None
    other_high: float | None


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
        chi2=None,
        df=None,
        p_asymptotic=None,
        expected_min=None,
        v=None,
        null_mean=None,
        null_95=None,
        v_corrected=None,
        low=None,
        high=None,
        p_permutation=None,
        p_holm=None,
        permutations=0,
        u_group_from_cluster=theils_u(kept) if kept.size else None,
        u_cluster_from_group=theils_u(kept.T) if kept.size else None,
        ami=None,
        balance=balance(kept) if kept.size else None,
        cells=measure_cells(table, groups, confidence=confidence),
        not_computable=_missing(table, kept),
        u_corrected=corrected_u(kept) if kept.size else None,
        unit=drawn.unit,
        drawn=drawn.drawn,
        units=0 if drawn.collection is None else len(drawn.collection),
    )
    # Streams of their own: another number of permutations must not shift the bootstrap's draws.
    for_null, *rngs = rng.spawn(4)
    null = drawn.null(table, permutations, for_null, least=least)
    if null is None:
        return untested
    strength = _measure_strength(
        kept,
        null,
        rngs,
        bootstraps=bootstraps,
        confidence=confidence,
        drawn=drawn,
    )
    df = (kept.shape[0] - 1) * (kept.shape[1] - 1)
    return replace(
        untested,
        chi2=strength.chi2,
        df=df,
        p_asymptotic=float(chi2_law.sf(strength.chi2, df)),
        expected_min=float(expected_counts(kept).min()),
        v=strength.v,
        null_mean=strength.null.mean,
        null_95=strength.null.quantile_95,
        v_corrected=strength.v_corrected,
        v_corrected_null_95=None if strength.v_corrected is None else strength.null.corrected_95,
        low=strength.low,
        high=strength.high,
        other_low=strength.other_low,
        other_high=strength.other_high,
        p_permutation=strength.null.p,
        permutations=strength.null.draws,
        ami=adjusted_mutual_information(kept),
    )


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


def _measure_strength(
    table: Counts,
    null: NullBand,
    rngs: Sequence[np.random.Generator],
    *,
    bootstraps: int,
    confidence: float,
    drawn: Drawn,
) -> _Strength:
    (rows, cols), n = table.shape, int(table.sum())
    for_bootstrap, for_people, for_collection = rngs
    chi2 = float(pearson_chi2(table, expected_counts(table)))
    corrected, low, high = None, None, None
    other: tuple[float | None, float | None] = None, None
    if n > max(rows, cols):
        corrected = null.corrected
        low, high = corrected_v_interval(
            table, draws=bootstraps, confidence=confidence, rng=for_bootstrap
        )
        if drawn.people is not None:
            sd = between_units_sd(drawn.people, draws=bootstraps, rng=for_people)
            low, high = _ends(corrected, sd, len(drawn.people), confidence)
        if drawn.collection is not None:
            sd = between_units_sd(drawn.collection, draws=bootstraps, rng=for_collection)
            other = _ends(corrected, sd, len(drawn.collection), confidence)
    return _Strength(
        chi2=chi2,
        v=float(cramers_v(chi2, n=n, rows=rows, cols=cols)),
        null=null,
        v_corrected=corrected,
        low=low,
        high=high,
        other_low=other[0],
        other_high=other[1],
    )


def _ends(
    value: float, sd: float, units: int, confidence: float
) -> tuple[float | None, float | None]:
    low, high = unit_interval(value, sd * sd, units, confidence)
    return max(0.0, low), min(1.0, high)


def _why_untestable(kept: Counts) -> str:
    if kept.size == 0:
        return "no image has both a cluster and this label"
    if kept.shape[0] < 2:
        return "all images are in one cluster"
    return "all images are in one group" if kept.shape[1] < 2 else ""


def _missing(table: Counts, kept: Counts) -> NotComputable:
    """Return the reason of everything in a table that has no value."""
    rows, cols = kept.shape
    n = int(kept.sum())
    if reason := _why_untestable(kept):
        missing = [(name, reason) for name in (*_TESTED, "cells")]
        if kept.size == 0:
            missing.append(("balance", reason))
        if cols < 2:
            missing += [(name, reason) for name in ("u_group_from_cluster", "u_corrected")]
        if rows < 2:
            missing.append(("u_cluster_from_group", reason))
        return tuple(missing)
    missing = []
    if n <= max(rows, cols):
        reason = f"{counted(n, 'image')} are too few for {rows} clusters and {cols} groups"
        missing += [(name, reason) for name in _CORRECTED]
    about_cells = []
    if kept.shape != table.shape:
        about_cells.append("a cluster or a group without images has neither lift nor residual")
    if not kept.all():
        about_cells.append("a cell without images has a lift of 0 and no interval")
    if about_cells:
        missing.append(("cells", "; ".join(about_cells)))
    return tuple(missing)
