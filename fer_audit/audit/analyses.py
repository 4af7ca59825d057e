"""THE list of analyses. Adding one: a file in its room, and a row here."""

from __future__ import annotations

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims import associations, batch_leakage, ladders, replay, stability, summary
from fer_audit.audit.composition import (
    dataset_facts,
    duplicates,
    intersections,
    representation,
    split_leakage,
    subset,
    weighted,
)
from fer_audit.audit.models import audited
from fer_audit.audit.remedies import erasure, mitigation
from fer_audit.audit.remedies import suspects as label_suspects
from fer_audit.audit.space import cluster_style, overlap, style

ANALYSES: tuple[Analysis, ...] = (
    *(representation.REPRESENTATION, representation.AGE_HEAPING, intersections.ANALYSIS),
    *(duplicates.COPIES, duplicates.NEAR, split_leakage.SUBJECTS, split_leakage.LEAKS),
    *(dataset_facts.VOTES, subset.ANALYSIS, weighted.ANALYSIS, stability.CLUSTERS),
    *(associations.ANALYSIS, associations.OF_LABELS, associations.OF_PREDICTIONS),
    *(stability.STABILITY, ladders.ANALYSIS, summary.ANALYSIS, audited.ANALYSIS),
    *(batch_leakage.ANALYSIS, style.TESTS, style.BASELINES, overlap.ANALYSIS),
    *(replay.REPLAY, replay.RECLUSTER, cluster_style.STYLES, cluster_style.AXES),
    *(label_suspects.ANALYSIS, erasure.ANALYSIS, mitigation.ANALYSIS),
    replay.PUBLISHED,
)
"""In the order in which they are made: a `join` sees the parts of those before it."""
