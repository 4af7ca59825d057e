"""Do clusters and an attribute go together? Every field of `Association` from one table of counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, Parts, Piece
from fer_audit.audit.claims.cells import cells_ledger, measure_cells
from fer_audit.audit.claims.findings import association_findings
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.information import adjusted_mutual_information, corrected_u, theils_u
from fer_audit.audit.stats.multiple_testing import holm
from fer_audit.audit.stats.resampling import NullBand, corrected_v_interval, null_band
from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    corrected_v,
    cramers_v,
    cross_table,
    drop_empty,
    expected_counts,
    pearson_chi2,
)
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.result import HOLM, NO_CORRECTION, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import counted

DRAWN_CELLS = 10_000_000
"""Table cells drawn for an attribute that is not demographic: two seconds at most. Hundreds of batches get
fewer permutations than were asked for, and `Association.permutations` says how many."""
LEAST_DRAWS = 199

_CORRECTED = ("v_corrected", "v_corrected_null_95", "low", "high")
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


@dataclass(frozen=True, slots=True)
class _Strength:
    """How strongly the rows and columns of a table without empty margins are associated."""

    chi2: float
    v: float
    null: NullBand
    v_corrected: float | None
    low: float | None
    high: float | None


def associate(
    table: Counts,
    *,
    attribute: str,
    kind: str,
    groups: tuple[str, ...],
    rng: np.random.Generator,
    permutations: int,
    bootstraps: int,
    confidence: float,
) -> Association:
    """Return the association in a (clusters, groups) table of counts.

    Empty clusters and groups stay in the table and are left out of the tests. `p_holm` is None until
    `correct_for_attributes` has seen the other attributes of the run.
    """
    from scipy.stats import chi2 as chi2_law  # 0.9 s that a warm rerun would wait for

    kept, _, _ = drop_empty(table)
    untested = Association(
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
    )
    if _why_untestable(kept):
        return untested
    strength = _measure_strength(
        kept, rng=rng, permutations=permutations, bootstraps=bootstraps, confidence=confidence
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
        p_permutation=strength.null.p,
        permutations=strength.null.draws,
        ami=adjusted_mutual_information(kept),
    )


def correct_for_attributes(associations: Sequence[Association]) -> tuple[Association, ...]:
    """Return the associations with Holm's p over the demographic attributes among them."""
    tested = [
        index
        for index, each in enumerate(associations)
        if each.kind == "demographic" and each.p_permutation is not None
    ]
    adjusted = holm([associations[index].p_permutation or 0.0 for index in tested])
    p_holm = dict(zip(tested, adjusted, strict=True))
    return tuple(
        replace(each, p_holm=p_holm[index])
        if index in p_holm
        else replace(
            each, not_computable=(*each.not_computable, ("p_holm", _why_not_corrected(each)))
        )
        for index, each in enumerate(associations)
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
    *,
    rng: np.random.Generator,
    permutations: int,
    bootstraps: int,
    confidence: float,
) -> _Strength:
    (rows, cols), n = table.shape, int(table.sum())
    # Two streams: another number of permutations must not shift the bootstrap's draws.
    for_null, for_bootstrap = rng.spawn(2)
    chi2 = float(pearson_chi2(table, expected_counts(table)))
    corrected, low, high = None, None, None
    if n > max(rows, cols):
        corrected = float(corrected_v(table))
        low, high = corrected_v_interval(
            table, draws=bootstraps, confidence=confidence, rng=for_bootstrap
        )
    return _Strength(
        chi2=chi2,
        v=float(cramers_v(chi2, n=n, rows=rows, cols=cols)),
        null=null_band(table, draws=permutations, rng=for_null),
        v_corrected=corrected,
        low=low,
        high=high,
    )


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


def _why_not_corrected(association: Association) -> str:
    if association.kind != "demographic":
        return "Holm's family is the demographic attributes"
    return dict(association.not_computable)["p_permutation"]


def affordable_draws(kind: str, cells: int, wanted: int) -> int:
    """Return how many permutations a table of so many cells gets: all of them if it is demographic."""
    if kind == "demographic":
        return wanted
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def _pieces(inputs: AuditInputs) -> list[tuple[Attribute, ...]]:
    return [(each,) for each in inputs.dataset.attributes if inputs.clustering is not None]


def label_table(
    labels: NDArray[np.integer], attribute: Attribute, tested: NDArray[np.bool_], k: int = 1
) -> Counts:
    """Return the (clusters, groups) counts of the tested rows; at least k clusters."""
    return cross_table(
        labels[tested],
        attribute.codes[tested],
        n_rows=max(k, int(labels.max(initial=0)) + 1),
        n_cols=len(attribute.categories),
    )


def associate_labels(
    labels: NDArray[np.integer],
    attribute: Attribute,
    inputs: AuditInputs,
    purpose: str,
    k: int = 1,
) -> Association:
    """Return the association of an attribute with (n,) clusters, over the tested rows."""
    settings = inputs.config.statistics
    table = label_table(labels, attribute, inputs.tested, k)
    return associate(
        table,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(inputs.config.seed, "audit", purpose, attribute.name),
        permutations=affordable_draws(attribute.kind, table.size, settings.permutations),
        bootstraps=settings.bootstraps,
        confidence=settings.confidence,
    )


def _run(inputs: AuditInputs, attribute: Attribute) -> Association:
    clustering = inputs.clustering
    assert clustering is not None  # noqa: S101 - no pieces without clusters
    return associate_labels(clustering.labels, attribute, inputs, "association", clustering.k)


def _join(inputs: AuditInputs, pieces: Sequence[Piece], parts: Parts) -> tuple[Association, ...]:
    return correct_for_attributes(pieces)


def _ledger(found: Sequence[Association]) -> Iterator[LedgerEntry]:
    for each in found:
        if each.p_permutation is None:
            continue
        family = "association" if each.kind == "demographic" else f"association, {each.kind}"
        yield LedgerEntry(
            family=family,
            subject=f"{each.attribute} x cluster",
            method=f"{each.permutations:,} fixed-margin tables, Pearson's chi-squared",
            p=each.p_permutation,
            p_corrected=each.p_holm,
            correction=NO_CORRECTION if each.p_holm is None else HOLM,
            tests=1 + (each.p_asymptotic is not None),
        )
        yield from cells_ledger(each)


ANALYSIS = Analysis(
    name="associations",
    record=Association,
    run=_run,
    pieces=_pieces,
    join=_join,
    needs=("clustering.labels", "clustering.k", "tested"),
    settings=("permutations", "bootstraps", "confidence"),
    findings=association_findings,
    ledger=_ledger,
)
