"""THE list of analyses. Adding one: a file in its room, and a row here."""

from __future__ import annotations

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims import (
    associations,
    batch_leakage,
    clusters,
    ladders,
    replay,
    stability,
    summary,
)
from fer_audit.audit.composition import (
    duplicates,
    intersections,
    near_duplicates,
    representation,
    split_leakage,
    subjects,
    subset,
    votes,
    weighted,
)
from fer_audit.audit.models import audited
from fer_audit.audit.remedies import erasure, mitigation
from fer_audit.audit.remedies import suspects as label_suspects
from fer_audit.audit.space import axes, cluster_style, overlap, style

ANALYSES: tuple[Analysis, ...] = (
    representation.REPRESENTATION,
    representation.AGE_HEAPING,
    intersections.ANALYSIS,
    duplicates.ANALYSIS,
    near_duplicates.ANALYSIS,
    subjects.ANALYSIS,
    split_leakage.ANALYSIS,
    votes.ANALYSIS,
    subset.ANALYSIS,
    weighted.ANALYSIS,
    clusters.ANALYSIS,
    associations.ANALYSIS,
    associations.OF_LABELS,
    associations.OF_PREDICTIONS,
    stability.ANALYSIS,
    ladders.ANALYSIS,
    summary.ANALYSIS,
    audited.ANALYSIS,
    batch_leakage.ANALYSIS,
    style.TESTS,
    style.BASELINES,
    overlap.ANALYSIS,
    replay.REPLAY,
    replay.RECLUSTER,
    cluster_style.ANALYSIS,
    axes.ANALYSIS,
    label_suspects.ANALYSIS,
    erasure.ANALYSIS,
    mitigation.ANALYSIS,
    replay.PUBLISHED,
)
"""In the order in which they are made: a `join` sees the parts of those before it."""
