"""What would many small studies of this set have said, and how sure is V when clusters are estimated too?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import (
    Counts,
    cross_table,
    drop_empty,
    expected_counts,
    pearson_chi2,
    v_and_p,
)
from fer_audit.audit.types.claims import (
    Association,
    GroupSpread,
    Recluster,
    Replay,
    ReplayAttribute,
)
from fer_audit.cluster.types import Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute

FOUR_FIFTHS = 0.8
"""A group below this ratio to its target is called under-represented."""
DECIMALS = 6
"""Of the V of each study: for drawing, where 17 digits would only fill the file."""
_SPREADS = ("v", "v_low", "v_high", "v_corrected", "v_corrected_low", "v_corrected_high")
_HEADLINES = ("other_largest", "other_under_represented")


def replay(
    studies: Sequence[Study],
    attributes: Sequence[Attribute],
    associations: Sequence[Association],
    *,
    reference: Mapping[str, Mapping[str, int]],
    config: AuditConfig,
) -> Replay | None:
    """Return what the studies say beside the whole set; None without studies."""
    if not studies:
        return None
    whole = {each.attribute: each for each in associations}
    return Replay(
        studies=len(studies),
        size=max(len(each.rows) for each in studies),
        attributes=tuple(
            _replay_attribute(
                attribute,
                studies,
                whole.get(attribute.name),
                target=_target(attribute, reference.get(attribute.name)),
                config=config,
            )
            for attribute in attributes
        ),
    )


def recluster(
    resamples: Sequence[Study],
    attributes: Sequence[Attribute],
    *,
    tested: NDArray[np.bool_],
    confidence: float,
) -> tuple[Recluster, ...]:
    """Return the interval of the corrected V over bootstrap resamples that were clustered anew, if there are any.

    A resample's table holds the noise of the sample and as much again of the resample. So what Bergsma's
    correction takes off phi squared is taken off twice.
    """
    return tuple(
        _recluster_attribute(attribute, resamples, tested, confidence)
        for attribute in attributes
        if resamples
    )


def _replay_attribute(
    attribute: Attribute,
    studies: Sequence[Study],
    whole: Association | None,
    *,
    target: NDArray[np.float64],
    config: AuditConfig,
) -> ReplayAttribute:
    counts = attribute.counts()
    small = np.array([_group_counts(each, attribute) for each in studies])
    annotated = small.sum(axis=1) > 0
    shares = small[annotated] / small[annotated].sum(axis=1, keepdims=True)
    tables = [drop_empty(_study_table(each, attribute))[0] for each in studies]
    tested = [v_and_p(table) for table in tables if min(table.shape, default=0) > 1]
    tail = (1 - config.statistics.confidence) / 2
    missing: list[tuple[str, str]] = []
    spread: dict[str, float | None] = dict.fromkeys(_SPREADS)
    called = None
    v, corrected, p = np.array(tested).reshape(-1, 3).T
    if tested:
        for name, values in (("v", v), ("v_corrected", corrected)):
            low, high = np.quantile(values, (tail, 1 - tail))
            spread |= {name: float(values.mean()), f"{name}_low": float(low)}
            spread[f"{name}_high"] = float(high)
        called = float((p <= config.statistics.alpha).mean())
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
    full_p = None if whole is None else whole.p_asymptotic
    if full_p is None:
        missing.append(("full_called_different", "the whole set has no such test"))
    if whole is None or whole.v_corrected is None:
        missing.append(("v_full", "the whole set has no corrected V"))
    return ReplayAttribute(
        attribute=attribute.name,
        studies=len(tested),
        **spread,
        v_full=None if whole is None else whole.v_corrected,
        groups=_spreads(attribute, counts, shares, tail),
        **headlines,
        called_different=called,
        full_called_different=None if full_p is None else full_p <= config.statistics.alpha,
        not_computable=tuple(missing),
        v_studies=tuple(v.round(DECIMALS).tolist()),
        v_corrected_studies=tuple(corrected.round(DECIMALS).tolist()),
    )


def _recluster_attribute(
    attribute: Attribute,
    resamples: Sequence[Study],
    tested: NDArray[np.bool_],
    confidence: float,
) -> Recluster:
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
    """Return the corrected V of a resample: Bergsma 2013 with the bias of phi squared taken off twice."""
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
