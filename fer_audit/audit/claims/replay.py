"""What would many small studies of this set have said, and how sure is V when clusters are estimated too?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.tables import (
    Counts,
    Floats,
    Mask,
    corrected_from_chi2,
    cross_table,
    drop_empty,
    expected_counts,
    pearson_chi2,
    v_and_p,
)
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import FOUR_FIFTHS
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.result import AuditResult, Finding, LedgerEntry
from fer_audit.audit.types.stability import (
    GroupSpread,
    PublishedValue,
    Recluster,
    Replay,
    ReplayAttribute,
)
from fer_audit.cluster.types import Study
from fer_audit.config import StatisticsSettings
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.text import about, coefficient, counted, display, percent, span

DECIMALS = 6
"""Of the V of each study: for drawing, where 17 digits would only fill the file."""
ORIGIN = "The origin study: 500 UTKFace images, K-Means k = 4, its Table I"
TABLE = ((117, 6, 28, 26, 22), (51, 3, 20, 14, 12), (7, 0, 7, 4, 1), (96, 4, 29, 34, 19))
"""Clusters 0-3 x (White, Black, Asian, Indian, Other)."""
_SPREADS = ("v", "v_low", "v_high", "v_corrected", "v_corrected_low", "v_corrected_high")
_HEADLINES = ("other_largest", "other_under_represented")


def replay_attribute(
    attribute: Attribute, studies: Sequence[Study], *, target: Floats, settings: StatisticsSettings
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
    said: dict[str, Any] = {}
    v, corrected, p = np.array(tested).reshape(-1, 3).T
    if tested:
        for name, values in (("v", v), ("v_corrected", corrected)):
            low, high = np.quantile(values, (tail, 1 - tail))
            said |= {
                name: float(values.mean()),
                f"{name}_low": float(low),
                f"{name}_high": float(high),
            }
        said |= {
            "called_different": float((p <= settings.alpha).mean()),
            "least_p": float(p.min()),
        }
    else:
        missing += because(
            "no study has two clusters and two groups", *_SPREADS, "called_different"
        )
    if counts.sum() and len(shares):
        full = counts / counts.sum()
        low_full = full < FOUR_FIFTHS * target
        low_small = shares < FOUR_FIFTHS * target
        said["other_largest"] = float((shares.argmax(axis=1) != full.argmax()).mean())
        said["other_under_represented"] = float((low_small != low_full).any(axis=1).mean())
        low, high = np.quantile(shares, (tail, 1 - tail), axis=0)
        means = [column.mean() for column in shares.T]
        spreads = zip(attribute.categories, full, low, means, high, strict=True)
        said["groups"] = tuple(GroupSpread(name, *map(float, each)) for name, *each in spreads)
    else:
        missing += because("no image has this label", *_HEADLINES)
    return ReplayAttribute(
        attribute=attribute.name,
        studies=len(tested),
        not_computable=tuple(missing),
        v_studies=tuple(v.round(DECIMALS).tolist()),
        v_corrected_studies=tuple(corrected.round(DECIMALS).tolist()),
        **said,
    )


def compare_with_full_set(
    each: ReplayAttribute, whole: Association | None, *, alpha: float
) -> ReplayAttribute:
    """Return what the studies say, compared with the association of the whole set."""
    v = None if whole is None else whole.v_corrected
    p = None if whole is None else whole.p_asymptotic
    return replace(
        each,
        v_full=v,
        full_called_different=None if p is None else p <= alpha,
        not_computable=(
            *each.not_computable,
            *because(
                "the whole set has no such test" if p is None else "", "full_called_different"
            ),
            *because("the whole set has no corrected V" if v is None else "", "v_full"),
        ),
    )


def recluster_attribute(
    attribute: Attribute, resamples: Sequence[Study], tested: Mask, confidence: float
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
        missing = because(reason, "v_corrected", "low", "high")
        return Recluster(attribute.name, 0, not_computable=missing)
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, (tail, 1 - tail))
    return Recluster(attribute.name, len(values), float(np.mean(values)), float(low), float(high))


def _twice_corrected_v(table: Counts) -> float:
    """Return the corrected V of a resample: Bergsma 2013 with twice the bias of phi squared subtracted."""
    n, (r, c) = int(table.sum()), table.shape
    once_more = n * (r - 1) * (c - 1) / max(n - 1, 1)
    chi2 = pearson_chi2(table, expected_counts(table)) - once_more
    return float(corrected_from_chi2(chi2, n=n, rows=r, cols=c))


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


def _target(names: tuple[str, ...], reference: Mapping[str, int]) -> Floats:
    """Return the share each group should have: even, or the reference's."""
    whole = sum(reference.values())
    return np.array([reference.get(x, 0) / whole if whole else 1 / len(names) for x in names])


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
                target=_target(each.categories, inputs.reference.get(each.name, {})),
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
    alpha, each = inputs.config.statistics.alpha, found.attributes
    compared = (compare_with_full_set(x, whole.get(x.attribute), alpha=alpha) for x in each)
    return replace(found, attributes=tuple(compared))


def _run_recluster(inputs: AuditInputs) -> tuple[Recluster, ...]:
    confidence = inputs.config.statistics.confidence
    resamples = inputs.extra.reclusters()
    return tuple(
        recluster_attribute(each, resamples, inputs.tested, confidence)
        for each in inputs.people
        if resamples
    )


SHAKY = 0.05
"""Share of small studies with another headline from which it is worth a sentence."""


def replay_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield how often small studies would say something else."""
    if result.replay is None:
        return
    size, studies = result.replay.size, result.replay.studies
    for each in result.replay.attributes:
        told = list(_other_headlines(each))
        if not told or each.v is None or each.v_low is None or each.v_high is None:
            continue
        share, words = max(told)
        text = f"With {size:,} images, {about(share)} of all studies {words}."
        figures = (
            f"{percent(share)} of {counted(studies, 'random sample')}; {display(each.attribute)} V {coefficient(each.v)} on average"
            f" ({span(each.v_low, each.v_high)}), corrected {coefficient(each.v_corrected)}; the whole set's corrected V"
            f" {coefficient(each.v_full)}"
        )
        do = f"Quote a study of {size:,} images with its interval."
        values = (("share", share), ("v", each.v))
        yield Finding("small_studies", "know", text, each.attribute, 0.45, figures, do, "", values)


def _other_headlines(each: ReplayAttribute) -> Iterator[tuple[float, str]]:
    """Yield the share of small studies that say something else than the whole set, and what."""
    name, whole = display(each.attribute), each.full_called_different
    wrong = 0.0
    if each.called_different is not None and whole is not None:
        wrong = 1 - each.called_different if whole else each.called_different
    verb, does = ("find no", "does") if whole else ("find a", "does not")
    for share, words in (
        (each.other_largest, f"name another largest group of {name}"),
        (each.other_under_represented, f"would name other under-represented groups of {name}"),
        (wrong, f"{verb} difference between clusters in {name} where the whole set {does}"),
    ):
        if share is not None and share >= SHAKY:
            yield share, words


def recluster_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield the interval of V when clusters are estimated too."""
    found = [each for each in result.recluster if each.v_corrected is not None]
    if found:
        told = ", ".join(
            f"{display(each.attribute)} {coefficient(each.v_corrected)} ({span(each.low, each.high)})"
            for each in found
        )
        text = f"Clustering {counted(found[0].resamples, 'resample')} again gives intervals that hold for the clusters too."
        figures = f"strength {told}, drawn by image; intervals elsewhere hold the clusters fixed"
        do = "Nothing; quote these where the clusters themselves are in question."
        values = tuple((each.attribute, each.v_corrected or 0.0) for each in found)
        yield Finding("reclustered", "fine", text, None, 0.3, figures, do, "", values)


def replay_ledger(found: Replay | None) -> Iterator[LedgerEntry]:
    """Yield one entry for the studies of each attribute."""
    for each in () if found is None else found.attributes:
        if each.least_p is not None:
            subject = f"{each.attribute} x cluster, smallest of {counted(each.studies, 'study', 'studies')}"
            method = "Pearson's chi-squared, asymptotic"
            yield LedgerEntry("small studies", subject, method, each.least_p, tests=each.studies)


def published_ledger(values: Sequence[PublishedValue]) -> Iterator[LedgerEntry]:
    """Yield one entry for each published table."""
    for each in values:
        method = "Pearson's chi-squared, asymptotic"
        yield LedgerEntry("published table", f"{each.attribute} x cluster", method, each.p)


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
