"""What would many small studies of this set have said, and how sure is V when clusters are estimated too?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.replay_findings import (
    published_ledger,
    recluster_findings,
    replay_findings,
    replay_ledger,
)
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.tables import (
    Counts,
    cross_table,
    drop_empty,
    expected_counts,
    pearson_chi2,
    v_and_p,
)
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import FOUR_FIFTHS
from fer_audit.audit.types.replay import (
    GroupSpread,
    PublishedValue,
    Recluster,
    Replay,
    ReplayAttribute,
)
from fer_audit.cluster.types import Study
from fer_audit.config import StatisticsSettings
from fer_audit.dataset.types import Attribute, FaceDataset

DECIMALS = 6
"""Of the V of each study: for drawing, where 17 digits would only fill the file."""
ORIGIN = "The origin study: 500 UTKFace images, K-Means k = 4, its Table I"
TABLE = ((117, 6, 28, 26, 22), (51, 3, 20, 14, 12), (7, 0, 7, 4, 1), (96, 4, 29, 34, 19))
"""Clusters 0-3 x (White, Black, Asian, Indian, Other)."""
_SPREADS = ("v", "v_low", "v_high", "v_corrected", "v_corrected_low", "v_corrected_high")
_HEADLINES = ("other_largest", "other_under_represented")


def replay_attribute(
    attribute: Attribute,
    studies: Sequence[Study],
    *,
    target: NDArray[np.float64],
    settings: StatisticsSettings,
) -> ReplayAttribute:
    """Return what the studies say about one attribute; `compare_with_full_set` adds what the whole set says."""
    counts = attribute.counts()
    small = np.array([_group_counts(each, attribute) for each in studies])
    annotated = small.sum(axis=1) > 0
    shares = small[annotated] / small[annotated].sum(axis=1, keepdims=True)
    tables = [drop_empty(_study_table(each, attribute))[0] for each in studies]
    tested = [v_and_p(table) for table in tables if min(table.shape, default=0) > 1]
    tail = (1 - settings.confidence) / 2
    missing: list[tuple[str, str]] = []
    spread: dict[str, float | None] = dict.fromkeys(_SPREADS)
    called = None
    v, corrected, p = np.array(tested).reshape(-1, 3).T
    if tested:
        for name, values in (("v", v), ("v_corrected", corrected)):
            low, high = np.quantile(values, (tail, 1 - tail))
            spread |= {name: float(values.mean()), f"{name}_low": float(low)}
            spread[f"{name}_high"] = float(high)
        called = float((p <= settings.alpha).mean())
    else:
        reason = "no study has two clusters and two groups"
        missing += [(name, reason) for name in (*_SPREADS, "called_different")]
    headlines: dict[str, float | None] = dict.fromkeys(_HEADLINES)
    if counts.sum() and len(shares):
        full = counts / counts.sum()
        low_full = full < FOUR_FIFTHS * target
        low_small = shares < FOUR_FIFTHS * target
        headlines = {
            "other_largest": float((shares.argmax(axis=1) != full.argmax()).mean()),
            "other_under_represented": float((low_small != low_full).any(axis=1).mean()),
        }
    else:
        missing += [(name, "no image has this label") for name in _HEADLINES]
    return ReplayAttribute(
        attribute=attribute.name,
        studies=len(tested),
        **spread,
        v_full=None,
        groups=_spreads(attribute, counts, shares, tail),
        **headlines,
        called_different=called,
        full_called_different=None,
        not_computable=tuple(missing),
        v_studies=tuple(v.round(DECIMALS).tolist()),
        v_corrected_studies=tuple(corrected.round(DECIMALS).tolist()),
        least_p=float(p.min()) if tested else None,
    )


def compare_with_full_set(
    each: ReplayAttribute, whole: Association | None, *, alpha: float
) -> ReplayAttribute:
    """Return what the studies say, compared with the association of the whole set."""
    v = None if whole is None else whole.v_corrected
    p = None if whole is None else whole.p_asymptotic
    missing = list(each.not_computable)
    if p is None:
        missing.append(("full_called_different", "the whole set has no such test"))
    if v is None:
        missing.append(("v_full", "the whole set has no corrected V"))
    return replace(
        each,
        v_full=v,
        full_called_different=None if p is None else p <= alpha,
        not_computable=tuple(missing),
    )


def recluster_attribute(
    attribute: Attribute,
    resamples: Sequence[Study],
    tested: NDArray[np.bool_],
    confidence: float,
) -> Recluster:
    """Return the interval of the corrected V over bootstrap resamples that were clustered again.

    A resample's table holds the noise of the sample and as much again of the resample, so twice the bias of
    Bergsma's phi squared is subtracted.
    """
    values = []
    for each in resamples:
        kept = tested[each.rows]
        table, _, _ = drop_empty(
            _study_table(Study(each.rows[kept], each.labels[kept]), attribute)
        )
        if min(table.shape, default=0) > 1:
            values.append(_twice_corrected_v(table))
    if not values:
        reason = "no resample has two clusters and two groups"
        missing = tuple((name, reason) for name in ("v_corrected", "low", "high"))
        return Recluster(attribute.name, 0, None, None, None, missing)
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return Recluster(attribute.name, len(values), float(np.mean(values)), float(low), float(high))


def _twice_corrected_v(table: Counts) -> float:
    """Return the corrected V of a resample: Bergsma 2013 with twice the bias of phi squared subtracted."""
    n = int(table.sum())
    r, c = table.shape
    free = max(n - 1, 1)
    phi2 = float(pearson_chi2(table, expected_counts(table))) / n - 2 * (r - 1) * (c - 1) / free
    room = min((r - 1) * (1 - (r - 1) / free), (c - 1) * (1 - (c - 1) / free))
    return min(1.0, (max(0.0, phi2) / room) ** 0.5) if room > 0 else 0.0


def _study_table(study: Study, attribute: Attribute) -> Counts:
    return cross_table(
        study.labels,
        attribute.codes[study.rows],
        n_rows=max(1, int(study.labels.max(initial=0)) + 1),
        n_cols=len(attribute.categories),
    )


def _group_counts(study: Study, attribute: Attribute) -> Counts:
    codes = attribute.codes[study.rows]
    return np.bincount(codes[codes >= 0], minlength=len(attribute.categories))


def _target(attribute: Attribute, reference: Mapping[str, int] | None) -> NDArray[np.float64]:
    """Return the share each group should have: even, or the reference's."""
    size = max(1, len(attribute.categories))
    if reference and sum(reference.values()):
        counts = np.array([reference.get(name, 0) for name in attribute.categories], np.float64)
        return counts / sum(reference.values())
    return np.full(len(attribute.categories), 1 / size)


def _spreads(
    attribute: Attribute, counts: Counts, shares: NDArray[np.float64], tail: float
) -> tuple[GroupSpread, ...]:
    if not len(shares) or not counts.sum():
        return ()
    low, high = np.quantile(shares, (tail, 1 - tail), axis=0)
    return tuple(
        GroupSpread(
            name,
            float(counts[i] / counts.sum()),
            float(low[i]),
            float(shares[:, i].mean()),
            float(high[i]),
        )
        for i, name in enumerate(attribute.categories)
    )


def published_values(dataset: FaceDataset) -> tuple[PublishedValue, ...]:
    """Return what is published on a dataset: something on the race in UTKFace, nothing on any other set."""
    if dataset.format != "utkface" or all(each.name != "race" for each in dataset.attributes):
        return ()
    table = np.array(TABLE, dtype=np.int64)
    v, corrected, p = v_and_p(table)
    return (PublishedValue(ORIGIN, "race", int(table.sum()), len(table), v, corrected, p),)


def _run_replay(inputs: AuditInputs) -> Replay | None:
    studies = inputs.extra.replays()
    if not studies:
        return None
    return Replay(
        studies=len(studies),
        size=max(len(each.rows) for each in studies),
        attributes=tuple(
            replay_attribute(
                each,
                studies,
                target=_target(each, inputs.reference.get(each.name)),
                settings=inputs.config.statistics,
            )
            for each in inputs.people
        ),
    )


def _join_replay(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> Replay | None:
    found: Replay | None = pieces[0]
    if found is None:
        return None
    whole = {each.attribute: each for each in parts["associations"]}
    alpha = inputs.config.statistics.alpha
    attributes = (
        compare_with_full_set(x, whole.get(x.attribute), alpha=alpha) for x in found.attributes
    )
    return replace(found, attributes=tuple(attributes))


def _run_recluster(inputs: AuditInputs) -> tuple[Recluster, ...]:
    confidence = inputs.config.statistics.confidence
    resamples = inputs.extra.reclusters()
    return tuple(
        recluster_attribute(each, resamples, inputs.tested, confidence)
        for each in inputs.people
        if resamples
    )


_CLUSTERED = ("clustering.coordinates", "clustering.k", "embeddings.ok", "people")
REPLAY = Analysis(
    name="replay",
    record=Replay | None,
    run=_run_replay,
    subjects=lambda _: [()],
    join=_join_replay,
    needs=_CLUSTERED,
    settings=("replay", "replay_size", "reference", "confidence", "alpha"),
    findings=replay_findings,
    ledger=replay_ledger,
)
RECLUSTER = Analysis(
    name="recluster",
    record=tuple[Recluster, ...],
    run=_run_recluster,
    needs=(*_CLUSTERED, "tested"),
    settings=("recluster", "confidence"),
    findings=recluster_findings,
)
PUBLISHED = Analysis(
    name="published",
    record=tuple[PublishedValue, ...],
    run=lambda inputs: published_values(inputs.dataset),
    ledger=published_ledger,
)
