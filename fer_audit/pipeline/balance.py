"""A finished run -> a balanced subset, what to collect, and weights: planned, drawn, and clustered again to see what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.remedies.draw import Alteration, draw_removals, spread_copies
from fer_audit.audit.remedies.plan import Mode, balance_plan, target_shares
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
from fer_audit.audit.stats.weights import kish_n, rake, reweighing
from fer_audit.audit.types import lists
from fer_audit.audit.types.compare import LabelColumn
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import NotClusterable
from fer_audit.config import ClusterSettings
from fer_audit.errors import ConfigError
from fer_audit.pipeline.donor import Donation, donate
from fer_audit.pipeline.finished import CLUSTER, FinishedRun
from fer_audit.progress import Silent
from fer_audit.rng import stage_rng

SCHEMA = "fer-audit/balance/1"
WHOLE = "none"
"""As --by: the set is one stratum."""
NO_PEOPLE = "Augmentation adds no people: it shows the same faces again, and an audit still counts them once."
Mask = NDArray[np.bool_]


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
    weights: dict[str, Floats]
    """(n,) weights of all images where none is left out, by method; 0 where an image has no group."""
    altered: list[Alteration]


def balance_run(
    run: FinishedRun,
    attribute: str,
    *,
    by: str = CLUSTER,
    target: str | dict[str, int] = "uniform",
    tolerance: float = 0.02,
    mode: Mode = "remove",
    seed: int = 0,
    donor: FinishedRun | None = None,
) -> Balance:
    """Plan and draw a subset of a run in which every stratum (`by`) has the target shares, and cluster it again.

    `target` is as `target_shares` takes it, `tolerance` and `mode` as `balance_plan` does.
    Raises ConfigError where no plan exists, a column is missing, or the donor does not fit.
    """
    column = run.column(attribute)
    whole = LabelColumn(WHOLE, ("all images",), np.zeros(len(run.rows.ids), np.int32))
    strata = whole if by == WHOLE else run.column(by)
    if column.name == strata.name:
        raise ConfigError(f"{column.name} cannot be balanced within itself")
    if donor is not None and (mode == "remove" or strata.name != CLUSTER):
        raise ConfigError(
            "--donor fills gaps of clusters: it needs --by cluster and --mode add or both"
        )
    counted = run.rows.ok & (column.codes >= 0) & (strata.codes >= 0)
    before = _table(strata, column, counted)
    shares = target_shares(before.sum(axis=0), column.groups, target, column.name)
    names = {"strata": strata.groups, "groups": column.groups}
    removed, added = balance_plan(before, shares, tolerance, mode, **names)
    cell = np.where(counted, strata.codes * len(column.groups) + column.codes, -1)
    rng = stage_rng(seed, "balance", column.name, strata.name)
    copies = run.named_in(lists.DROP)
    reasons = draw_removals(cell, removed.ravel(), copies, run.named_in(lists.CONFLICTS), rng)
    reasons = np.where(counted, reasons, np.where(run.rows.ok, "no_group", "unreadable"))
    kept = reasons == ""
    donation = donate(run, donor, column, added)
    altered, unfilled = spread_copies(cell, kept, (added - donation.counts).ravel(), rng)
    independent, facts = _reweighed(before, cell)
    others = [x for x in run.people if x.name not in (column.name, strata.name)]
    raked, raked_facts = _raked(others, cell, counted, shares)
    kept_weights, kept_facts = _raked(others, cell, kept, shares)
    strength, why_not = _strengths(run, kept, donation, seed)
    tables = {"before": before, "remove": removed, "add": added, "after": before - removed + added}
    document = {
        "schema": SCHEMA,
        "dataset": run.result.dataset.name,
        "attribute": column.name,
        "by": strata.name,
        "target": dict(zip(column.groups, shares.tolist(), strict=True)),
        "tolerance": tolerance,
        "mode": mode,
        "seed": seed,
        **{
            name: {
                stratum: dict(zip(column.groups, row, strict=True))
                for stratum, row in zip(strata.groups, table.tolist(), strict=True)
            }
            for name, table in tables.items()
        },
        "images": int(counted.sum()),
        "images_lost": int(removed.sum()),
        "images_not_counted": int((~counted).sum()),
        "images_to_add": int(added.sum()),
        "images_from_donor": int(donation.counts.sum()),
        "images_altered": sum(each.copies for each in altered),
        "images_no_copy_can_fill": unfilled,
        "copies_kept": int((kept & copies).sum()),
        "strength": strength,
        "not_computable": why_not,
        "weights": {"reweighing": facts, "raking": raked_facts, "raking_of_kept": kept_facts},
        "notes": [NO_PEOPLE] if altered else [],
    }
    return Balance(
        document=document, **names, before=before, removed=removed, added=added,
        donation=donation, reasons=reasons, kept_weights=kept_weights,
        weights={"reweighing": independent, "raking": raked}, altered=altered,
    )  # fmt: skip


def _table(by: LabelColumn, column: LabelColumn, among: Mask) -> Counts:
    shape = {"n_rows": len(by.groups), "n_cols": len(column.groups)}
    return cross_table(by.codes[among], column.codes[among], **shape)


def _reweighed(before: Counts, cell: NDArray[np.integer]) -> tuple[Floats, dict[str, Any]]:
    """Return (n,) weights under which strata and groups are independent, and what an empty cell leaves (Cramér's V)."""
    weights = np.append(np.nan_to_num(reweighing(before)), 0.0)[cell]
    counts, _, _ = drop_empty(before)
    table, left = counts * np.nan_to_num(reweighing(counts)), 0.0
    if min(table.shape) > 1:
        chi2 = float(pearson_chi2(table, expected_counts(table))) / table.sum()
        left = float(cramers_v(chi2, n=1, rows=table.shape[0], cols=table.shape[1]))
    empty = int((counts == 0).sum())
    return weights, {"effective_n": kish_n(weights), "v_after": left, "empty_cells": empty}


def _raked(
    others: list[LabelColumn], cell: NDArray[np.integer], among: Mask, target: Floats
) -> tuple[Floats, dict[str, Any]]:
    """Return (n,) weights under which every stratum has the target shares, and every other label its own in the set."""
    weights, g = np.zeros(len(cell)), len(target)
    table = np.bincount(cell[among], minlength=g * (int(cell.max()) // g + 1)).reshape(-1, g)
    wanted = target * (table > 0)  # a group that is missing from a stratum is none of its target
    sums = wanted.sum(axis=1, keepdims=True)
    wanted *= np.divide(table.sum(axis=1, keepdims=True), sums, out=0 * sums, where=sums > 0)
    if not wanted.any():
        return weights, {"effective_n": 0.0, "off": None}
    margins = [(cell[among], wanted.ravel())]
    for each in others:
        codes = np.where(each.codes >= 0, each.codes, len(each.groups))
        there = np.bincount(codes[among], minlength=len(each.groups) + 1) > 0
        own = np.bincount(codes[cell >= 0], minlength=len(there)) * there
        margins.append((codes[among], own.astype(np.float64)))
    found, off = rake(
        [(codes, shares / shares.sum()) for codes, shares in margins], int(among.sum())
    )
    weights[among] = found
    return weights, {"effective_n": kish_n(found), "off": off}


def _strengths(
    run: FinishedRun, kept: Mask, donation: Donation, seed: int
) -> tuple[dict[str, dict[str, float | None]], str]:
    """Return V~ of each label with the run's clusters, of all images and of what is kept, and with new ones; or why not the last."""

    def strength(table: Counts) -> float | None:
        return float(corrected_v(table)) if table.any() else None

    labels, why_not = _clustered_again(run, kept, donation, seed)
    found = {}
    for each in run.people:
        again = None
        if labels is not None:
            codes = np.concatenate([each.codes[kept], donation.codes_of(each)])
            k = int(labels.max()) + 1
            again = strength(cross_table(labels, codes, n_rows=k, n_cols=len(each.groups)))
        found[each.name] = {
            "before": strength(_table(run.clusters, each, run.rows.ok)),
            "after_same_clusters": strength(_table(run.clusters, each, kept)),
            "after_reclustering": again,
        }
    return found, why_not


def _clustered_again(
    run: FinishedRun, kept: Mask, donation: Donation, seed: int
) -> tuple[NDArray[np.int32] | None, str]:
    """Return the clusters of the kept images, then of the donated ones; or None and why there are none."""
    facts = run.result.clustering
    if facts is None or run.vectors is None:
        return None, "the run has no clusters" if facts is None else "embeddings.npy was removed"
    vectors = (
        np.concatenate([run.vectors[kept], donation.vectors()])
        if len(donation.rows)
        else run.vectors[kept]
    )
    starts = run.result.config.clusters.starts
    settings = ClusterSettings(k=facts.k, starts=starts, sweep_max=1)
    ok = np.ones(len(vectors), np.bool_)
    try:
        made = cluster_embeddings(vectors, ok, settings, seed=seed, progress=Silent())
    except NotClusterable as exc:
        return None, str(exc)
    return made.labels, ""
