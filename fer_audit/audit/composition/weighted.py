"""What --weights does to a set: the shares of its groups, and what is left of their association with the clusters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.tables import Floats, corrected_v
from fer_audit.audit.stats.weights import kish_n
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.weighted import Weighted, WeightedShare
from fer_audit.dataset.types import Attribute


def _subjects(inputs: AuditInputs) -> Iterator[tuple[Attribute]]:
    if inputs.dataset.weights is not None:
        for each in inputs.compared:
            if each.kind in ("demographic", "label"):
                yield (each,)


def _run(inputs: AuditInputs, attribute: Attribute) -> Weighted:
    assert inputs.dataset.weights is not None  # noqa: S101 - no subjects without
    size = len(attribute.categories)
    counted = inputs.listed_once & (attribute.codes >= 0)
    codes, weights = attribute.codes[counted], inputs.dataset.weights[counted]
    n, counts = kish_n(weights), np.bincount(codes, minlength=size)
    strengths = ("v_corrected", "v_weighted")
    if not n:
        why = because("no image has a weight", *strengths)
        return Weighted(attribute.name, 0, 0.0, (), None, None, why)
    shares = np.minimum(np.bincount(codes, weights, size) / weights.sum(), 1.0)
    low, high = wilson_interval(shares * n, n, confidence=inputs.config.statistics.confidence)
    before, after = _strengths(inputs, attribute)
    return Weighted(
        attribute=attribute.name,
        n=int((weights > 0).sum()),
        effective_n=n,
        groups=tuple(
            WeightedShare(name, *map(float, numbers))
            for name, *numbers in zip(
                attribute.categories, counts / counts.sum(), shares, low, high, strict=True
            )
        ),
        v_corrected=before,
        v_weighted=after,
        not_computable=because(
            "there are no clusters, or no image of theirs has a label", *strengths
        )
        if before is None
        else because("no tested image has a weight", "v_weighted")
        if after is None
        else (),
    )


def _strengths(inputs: AuditInputs, attribute: Attribute) -> tuple[float | None, float | None]:
    """Return V~ of clusters and groups: as the images are, and of the weighted table at Kish's number of images."""
    if inputs.clustering is None or inputs.dataset.weights is None:
        return None, None
    labels = inputs.clustering.labels
    there = inputs.tested & (attribute.codes >= 0) & (labels >= 0)
    weights = inputs.dataset.weights[there]
    size = len(attribute.categories)
    flat = labels[there].astype(np.int64) * size + attribute.codes[there]

    def strength(weights: Floats) -> float | None:
        if not weights.any():
            return None
        cells = np.bincount(flat, weights, inputs.clustering.k * size if inputs.clustering else 0)
        table = cells.reshape(-1, size) * (kish_n(weights) / weights.sum())
        return float(corrected_v(table))

    return strength(np.ones(len(weights))), strength(weights)


ANALYSIS = Analysis(
    name="weighted",
    record=Weighted,
    run=_run,
    subjects=_subjects,
    needs=("listed_once", "tested", "dataset.weights", "clustering.labels", "clustering.k"),
    settings=("confidence",),
)
"""Only with --weights."""
