"""A finished run -> a balanced subset, what to collect, and weights: planned, drawn, and clustered again to see what it does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.remedies.draw import Alteration, draw_removals, spread_copies
from fer_audit.audit.remedies.plan import Mode, balance_plan, target_shares
from fer_audit.audit.stats.tables import (
    Counts,
    corrected_v,
    cross_table,
    drop_empty,
    expected_counts,
    pearson_chi2,
)
from fer_audit.audit.stats.weights import kish_n, rake, reweighing
from fer_audit.audit.types import lists
from fer_audit.audit.types.compare import LabelColumn
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import NotClusterable
from fer_audit.config import ClusterSettings
from fer_audit.errors import ConfigError
from fer_audit.pipeline.donor import Donation, donate, none_donated
from fer_audit.pipeline.finished import CLUSTER, FinishedRun
from fer_audit.progress import Silent
from fer_audit.rng import stage_rng

SCHEMA = "fer-audit/balance/1"
WHOLE = "none"
"""As --by: the set is one stratum."""
NO_PEOPLE = "Augmentation adds no people: it shows the same faces again, and an audit still counts them once."
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRequest:
    """What is to be balanced, and how."""

    attribute: str
    by: str = CLUSTER
    target: str | dict[str, int] = "uniform"
    """uniform, set (the set's own shares), or counts by group."""
    tolerance: float = 0.02
    """How far a share may be from its target."""
    mode: Mode = "remove"
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Balance:
    """A plan carried out on the images of a run. Row i is image i."""

    document: dict[str, Any]
    """What plan.json holds."""
    groups: tuple[str, ...]
    strata: tuple[str, ...]
    before: Counts
    """(strata, groups)"""
    removed: Counts
    added: Counts
    donation: Donation
    reasons: NDArray[np.str_]
    """(n,) why an image is left out; "" where it is kept."""
    kept_weights: Floats
    """(n,) raking weights of the kept images, 0 elsewhere."""
    weights: dict[str, Floats] = field(default_factory=dict)
    """(n,) weights of all images where none is left out, by method; 0 where an image has no group."""
    altered: list[Alteration] = field(default_factory=list)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(n,)"""
        return np.asarray(self.reasons == "")


def balance_run(
    run: FinishedRun, request: BalanceRequest, donor: FinishedRun | None = None
) -> Balance:
    """Plan and draw a balanced subset of a run, and cluster it again.

    Raises ConfigError where no plan exists, a column is missing, or the donor does not fit.
    """
    column, by = run.column(request.attribute), _strata(run, request.by)
    if column.name == by.name:
        raise ConfigError(f"{column.name} cannot be balanced within itself")
    if donor is not None and (request.mode == "remove" or by.name != CLUSTER):
        raise ConfigError(
            "--donor fills gaps of clusters: it needs --by cluster, and --mode add or both"
        )
    counted = run.rows.ok & (column.codes >= 0) & (by.codes >= 0)
    before = _table(by, column, counted)
    target = target_shares(before.sum(axis=0), column.groups, request.target, column.name)
    removed, added = balance_plan(
        before, target, request.tolerance, request.mode, strata=by.groups, groups=column.groups
    )
    cell = np.where(counted, by.codes * len(column.groups) + column.codes, -1)
    rng = stage_rng(request.seed, "balance", column.name, by.name)
    copies, conflicting = run.named_in(lists.DROP), run.named_in(lists.CONFLICTS)
    reasons = draw_removals(cell, removed.ravel(), copies, conflicting, rng)
    reasons = np.where(counted, reasons, np.where(run.rows.ok, "no_group", "unreadable"))
    kept = reasons == ""
    donation = none_donated(added) if donor is None else donate(run, donor, column, added)
    altered, unfilled = spread_copies(cell, kept, (added - donation.counts).ravel(), rng)
    weights, facts = _weights(run, column, by, counted, before, target)
    kept_weights, kept_facts = _raked(run, column, by, kept, target)
    strengths, why_not = _strengths(run, by, counted, kept, donor, donation, request.seed)
    document = {
        "schema": SCHEMA,
        "dataset": run.result.dataset.name,
        "attribute": column.name,
        "by": by.name,
        "target": dict(zip(column.groups, target.tolist(), strict=True)),
        "tolerance": request.tolerance,
        "mode": request.mode,
        "seed": request.seed,
        "before": _by_name(by, column, before),
        "remove": _by_name(by, column, removed),
        "add": _by_name(by, column, added),
        "after": _by_name(by, column, before - removed + added),
        "images": int(counted.sum()),
        "images_lost": int(removed.sum()),
        "images_not_counted": int((~counted).sum()),
        "images_to_add": int(added.sum()),
        "images_from_donor": int(donation.counts.sum()),
        "images_altered": sum(each.copies for each in altered),
        "images_no_copy_can_fill": unfilled,
        "copies_kept": int((kept & copies).sum()),
        "strength": strengths,
        "not_computable": why_not,
        "weights": {**facts, "kept": kept_facts},
        "notes": [NO_PEOPLE] if altered else [],
    }
    return Balance(
        document=document, groups=column.groups, strata=by.groups, before=before,
        removed=removed, added=added, donation=donation, reasons=reasons,
        kept_weights=kept_weights, weights=weights, altered=altered,
    )  # fmt: skip


def _strata(run: FinishedRun, name: str) -> LabelColumn:
    if name != WHOLE:
        return run.column(name)
    return LabelColumn(WHOLE, ("all images",), np.zeros(len(run.rows.ids), np.int32))


def _table(by: LabelColumn, column: LabelColumn, among: NDArray[np.bool_]) -> Counts:
    shape = {"n_rows": len(by.groups), "n_cols": len(column.groups)}
    return cross_table(by.codes[among], column.codes[among], **shape)


def _by_name(by: LabelColumn, column: LabelColumn, counts: Counts) -> dict[str, dict[str, int]]:
    return {
        stratum: dict(zip(column.groups, row, strict=True))
        for stratum, row in zip(by.groups, counts.tolist(), strict=True)
    }


def _weights(
    run: FinishedRun,
    column: LabelColumn,
    by: LabelColumn,
    counted: NDArray[np.bool_],
    before: Counts,
    target: Floats,
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return the weights that do the same with every image kept, by method, and what is to be said of them."""
    cells = np.nan_to_num(reweighing(before))
    independent = np.where(counted, cells[by.codes, column.codes], 0.0)
    weighted, _, _ = drop_empty(before)
    weighted = weighted * np.nan_to_num(reweighing(weighted))
    left = 0.0
    if min(weighted.shape) > 1:
        chi2 = float(pearson_chi2(weighted, expected_counts(weighted)))
        rows, cols = weighted.shape
        left = float(np.sqrt(chi2 / weighted.sum() / (min(rows, cols) - 1)))
    raked, raked_facts = _raked(run, column, by, counted, target)
    facts = {
        "reweighing": {
            "effective_n": kish_n(independent),
            "v_after": left,
            "empty_cells": int((weighted == 0).sum()),
        },
        "raking": raked_facts,
    }
    return {"reweighing": independent, "raking": raked}, facts


def _raked(
    run: FinishedRun,
    column: LabelColumn,
    by: LabelColumn,
    among: NDArray[np.bool_],
    target: Floats,
) -> tuple[Floats, dict[str, Any]]:
    """Return (n,) weights under which every stratum has the target shares, and the other people columns the set's own."""
    table = _table(by, column, among)
    wanted = target * (table > 0)
    sums = wanted.sum(axis=1, keepdims=True)
    wanted = np.divide(wanted, sums, out=np.zeros(wanted.shape), where=sums > 0)
    wanted *= np.where(sums > 0, table.sum(axis=1, keepdims=True), 0)
    margins = [(by.codes[among] * len(column.groups) + column.codes[among], wanted.ravel())]
    counted = run.rows.ok & (column.codes >= 0) & (by.codes >= 0)
    for each in run.people:
        if each.name not in (column.name, by.name):
            codes = np.where(
                each.codes >= 0, each.codes, len(each.groups)
            )  # not annotated: a group
            there = np.bincount(codes[among], minlength=len(each.groups) + 1) > 0
            shares = np.bincount(codes[counted], minlength=len(there)) * there
            margins.append((codes[among], shares.astype(np.float64)))
    n = int(among.sum())
    weights = np.zeros(len(among))
    if not n or not wanted.any():
        return weights, {"effective_n": 0.0, "off": None}
    found, off = rake([(codes, shares / shares.sum()) for codes, shares in margins], n)
    weights[among] = found
    return weights, {"effective_n": kish_n(found), "off": off}


def _strengths(
    run: FinishedRun,
    by: LabelColumn,
    counted: NDArray[np.bool_],
    kept: NDArray[np.bool_],
    donor: FinishedRun | None,
    donation: Donation,
    seed: int,
) -> tuple[dict[str, dict[str, float | None]], str]:
    """Return the association strength of each people column: before, after in the same strata, and clustered again."""
    found: dict[str, dict[str, float | None]] = {
        each.name: {
            "before": _strength(by, each, counted),
            "after_same_strata": _strength(by, each, kept),
            "before_clusters": _strength(run.clusters, each, counted)
            if run.clusters.groups
            else None,
            "after_reclustering": None,
        }
        for each in run.people
    }
    labels, why_not = recluster(run, kept, donor, donation, seed)
    if labels is None:
        return found, why_not
    k = int(labels.max()) + 1
    for each in run.people:
        codes = np.concatenate([each.codes[kept], donation.codes_of(donor, each)])
        table = cross_table(labels, codes, n_rows=k, n_cols=len(each.groups))
        found[each.name]["after_reclustering"] = float(corrected_v(table)) if table.any() else None
    return found, ""


def _strength(by: LabelColumn, column: LabelColumn, among: NDArray[np.bool_]) -> float | None:
    table = _table(by, column, among)
    return float(corrected_v(table)) if table.any() else None


def recluster(
    run: FinishedRun,
    kept: NDArray[np.bool_],
    donor: FinishedRun | None,
    donation: Donation,
    seed: int,
) -> tuple[NDArray[np.int32] | None, str]:
    """Return the (kept + donated,) clusters of the kept vectors, then the donated ones, made anew; or None and why not."""
    facts = run.result.clustering
    if facts is None or run.vectors is None:
        return None, "the run has no clusters" if facts is None else "embeddings.npy was removed"
    vectors = np.asarray(run.vectors[kept])
    if donor is not None and donor.vectors is not None and len(donation.rows):
        vectors = np.concatenate([vectors, donor.vectors[donation.rows]])
    starts = run.result.config.clusters.starts
    settings = ClusterSettings(k=facts.k, starts=starts, sweep_max=1)
    ok = np.ones(len(vectors), np.bool_)
    try:
        made = cluster_embeddings(vectors, ok, settings, seed=seed, progress=Silent())
    except NotClusterable as exc:
        return None, str(exc)
    return made.labels, ""
