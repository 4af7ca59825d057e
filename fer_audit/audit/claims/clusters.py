"""The partition that all tables of clusters refer to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.clusters import ClusterFacts, KVote, Starts, SweepEntry
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.cluster.types import Clustering
from fer_audit.text import counted, encodable, large

N_EXAMPLES = 5
NEAR_BEST = 0.001
"""Starts this close to the best inertia count as having found it."""


def cluster_facts(clustering: Clustering) -> ClusterFacts:
    """Return the partition the tables refer to, and how its starts differed."""
    labels = clustering.labels[clustering.labels >= 0]
    choice = clustering.choice
    starts = clustering.start_inertias or (clustering.inertia,)
    best = min(starts)
    return ClusterFacts(
        k=clustering.k,
        inertia=float(clustering.inertia),
        sizes=tuple(np.bincount(labels, minlength=clustering.k).tolist()),
        sweep=tuple(
            SweepEntry(k=each.k, inertia=float(each.inertia)) for each in clustering.sweep
        ),
        starts=Starts(
            n=len(clustering.start_inertias),
            inertia_min=float(best),
            inertia_max=float(max(starts)),
            near_best=sum(each <= best * (1 + NEAR_BEST) for each in clustering.start_inertias),
        ),
        votes=()
        if choice is None
        else (
            KVote("elbow", choice.elbow),
            KVote("silhouette", choice.silhouette),
            KVote("stability", choice.stability),
        ),
    )


def _findings(result: AuditResult) -> Iterator[Finding]:
    if result.clustering is None:
        return
    starts = result.clustering.starts
    if starts.n < 2 or starts.near_best * 2 > starts.n:
        return
    yield Finding(
        code="unstable_starts",
        severity="know",
        text="Other K-Means starts can end in other clusters.",
        effect=0.3,
        figures=(
            f"{starts.near_best} of {counted(starts.n, 'start')} within 0.1 % of the best inertia"
            f" ({large(starts.inertia_min)} to {large(starts.inertia_max)})"
        ),
        do="Give more starts (--starts), or another k.",
        values=(("near_best", float(starts.near_best)), ("starts", float(starts.n))),
    )


def _run(inputs: AuditInputs) -> ClusterFacts | None:
    if inputs.clustering is None:
        return None
    ids = inputs.dataset.ids
    nearest, farthest = [], []
    for cluster in range(inputs.clustering.k):
        rows = np.flatnonzero(inputs.tested & (inputs.clustering.labels == cluster))
        rows = rows[np.argsort(inputs.clustering.distances[rows], kind="stable")]
        near, far = rows[:N_EXAMPLES].tolist(), rows[::-1][:N_EXAMPLES].tolist()
        nearest.append(tuple(encodable(ids[row]) for row in near))
        farthest.append(tuple(encodable(ids[row]) for row in far))
    return replace(
        cluster_facts(inputs.clustering), nearest=tuple(nearest), farthest=tuple(farthest)
    )


ANALYSIS = Analysis(name="clustering", record=ClusterFacts | None, run=_run, findings=_findings)
