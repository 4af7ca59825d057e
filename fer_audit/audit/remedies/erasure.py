"""What if an attribute were erased from the vectors: what would clusters and probes still find, and what would it cost?

Only linear probes are promised to find nothing, and only on the rows that the eraser was fitted on. So each half of the units
is erased as the other half says, and probes are fitted and asked there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.claims.associations import associate_labels
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies.remedy_findings import erasure_findings
from fer_audit.audit.stats.leace import Eraser, fit_eraser
from fer_audit.audit.stats.probe_arms import (
    fit_head,
    held_out,
    nearest_answers,
    resampled_counts,
    shares_right,
    unit_folds,
)
from fer_audit.audit.stats.tables import Floats
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.remedies import BeforeAfter, Erasure, Estimate
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import display

MOST_OTHERS = 6
"""Other attributes of which the cost is measured: each takes as long as the erased one."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The rows that a remedy is tried out on: with a vector, one copy of each, and all the labels it needs."""

    rows: NDArray[np.intp]
    x: Floats
    """(m, d) principal coordinates."""
    units: NDArray[np.int64]
    """(m,)"""
    folds: NDArray[np.int64]
    """(m,) rows of one unit share it."""
    halves: NDArray[np.int64]
    """(m,) 0 or 1; the same."""

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return len(np.unique(self.units))


def sample_of(inputs: AuditInputs, *needed: Attribute) -> Sample:
    """Return the tested rows with coordinates that carry these labels, in folds of whole units."""
    assert inputs.clustering is not None  # noqa: S101 - no subjects without
    assert inputs.clustering.coordinates is not None  # noqa: S101 - as above
    known = inputs.tested & np.all([each.codes >= 0 for each in needed], axis=0)
    rows = np.flatnonzero(known)
    x = inputs.clustering.coordinates[rows].astype(np.float64)
    finite = np.isfinite(x).all(axis=1)
    rows, x = rows[finite], x[finite]
    units = inputs.units.people(len(known))[rows]
    names = [each.name for each in needed]
    rng = stage_rng(inputs.config.seed, "audit", "remedies", "folds", *names)
    return Sample(rows, x, units, unit_folds(units, rng), unit_folds(units, rng, 2))


def why_silent(sample: Sample, *needed: Attribute) -> str:
    """Return why a remedy cannot be tried out; "" where it can."""
    if sample.n_units < TOO_FEW:
        return f"{sample.n_units} units are too few"
    if not np.ptp(sample.x, axis=0).any():
        return "all images have the same vector"
    for each in needed:
        if len(np.unique(each.codes[sample.rows])) < 2:
            return f"all images have one {display(each.name)}"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Erased:
    """The vectors of a sample without an attribute: those of each half erased as the other half says."""

    method: str
    x: Floats
    erasers: tuple[Eraser, ...]

    @property
    def shrunk(self) -> bool:
        """Whether the covariance was shrunk."""
        return any(each.shrunk for each in self.erasers)


def erased_sample(
    sample: Sample, codes: NDArray[np.integer], keep: NDArray[np.integer] | None = None
) -> Erased | None:
    """Return the sample without the attribute of (m,) codes; None where the label `keep` cannot be kept."""
    after, erasers = sample.x.copy(), []
    for half in (0, 1):
        fitted = sample.halves != half
        eraser = fit_eraser(
            sample.x[fitted], codes[fitted], None if keep is None else keep[fitted]
        )
        if eraser is None:
            return None
        after[~fitted] = eraser(sample.x[~fitted])
        erasers.append(eraser)
    return Erased("LEACE" if keep is None else "SPLINCE", after, tuple(erasers))


def erased_probes(
    sample: Sample,
    inputs: AuditInputs,
    attribute: Attribute,
    erased: Erased,
    probes: Sequence[str] = ("linear", "neighbours"),
) -> Iterator[BeforeAfter]:
    """Yield what each probe reads of an attribute before and after an erasure.

    It is fitted and asked, fold by fold, on units that the eraser did not see.
    """
    codes = attribute.codes[sample.rows].astype(np.int64)
    known = codes >= 0
    groups = np.unique(codes[known])
    settings = inputs.config.statistics
    if len(groups) < 2 or len(np.unique(sample.units[known])) < TOO_FEW:
        return
    for probe in probes:
        rng = stage_rng(
            inputs.config.seed, "audit", "remedies", erased.method, probe, attribute.name
        )
        right = np.zeros((len(codes), 2), np.bool_)
        for fitted, out in held_out(sample.folds):
            for half in (0, 1):
                inside = known & (sample.halves == half)
                fit, ask = fitted & inside, out & inside
                for side, x in enumerate((sample.x, erased.x) if fit.any() and ask.any() else ()):
                    if probe == "linear":
                        answers = fit_head(x[fit], codes[fit], balanced=True).answers(x[ask])
                    else:
                        answers = nearest_answers(x[fit], codes[fit], x[ask], rng)
                    right[ask, side] = answers == codes[ask]
        counts = resampled_counts(
            *(sample.units[known], codes[known], right[known]), draws=settings.bootstraps, rng=rng
        )
        recalls = shares_right(counts)[:, groups]
        accuracy = recalls[np.isfinite(recalls).all(axis=(1, 2))].mean(axis=1)
        yield BeforeAfter(
            attribute=attribute.name,
            method=erased.method,
            by=probe,
            n=int(known.sum()),
            before=estimate(accuracy[:, 0], settings.confidence),
            after=estimate(accuracy[:, 1], settings.confidence),
            chance=1 / len(groups),
        )


def estimate(values: Floats, confidence: float) -> Estimate:
    """Return the first of (1 + draws,) values with the percentile interval of the others."""
    drawn = values[1:] if len(values) > 1 else values
    low, high = np.quantile(drawn, ((1 - confidence) / 2, (1 + confidence) / 2))
    return Estimate(float(values[0]), float(low), float(high))


def _subjects(inputs: AuditInputs) -> Iterator[tuple[Attribute, tuple[Attribute, ...]]]:
    """Yield (attribute, ()) for LEACE, and (attribute, (label,)) for SPLINCE where the set has a label."""
    clustering, asked = inputs.clustering, inputs.config.statistics.what_if
    if clustering is None or clustering.coordinates is None:
        return
    labels = [each for each in inputs.for_tests if each.kind == "label"]
    for attribute in inputs.for_tests:
        if attribute.name in asked:
            yield attribute, ()
            yield from ((attribute, (each,)) for each in labels[:1] if each.name != attribute.name)


def _run(inputs: AuditInputs, attribute: Attribute, kept: tuple[Attribute, ...]) -> Erasure:
    with threadpool_limits(1):  # small products, and digits that depend on no number of threads
        return _erase(inputs, attribute, kept)


def _erase(inputs: AuditInputs, attribute: Attribute, kept: tuple[Attribute, ...]) -> Erasure:
    sample = sample_of(inputs, attribute, *kept)
    whole = Erasure(
        attribute=attribute.name,
        method="SPLINCE" if kept else "LEACE",
        keeps="".join(each.name for each in kept),
        n=len(sample.rows),
        unit=inputs.units.exchanged,
        units=sample.n_units,
        dimensions=sample.x.shape[1],
    )
    if reason := why_silent(sample, attribute, *kept):
        return replace(whole, not_computable=(("removed", reason),))
    keep = kept[0].codes[sample.rows] if kept else None
    erased = erased_sample(sample, attribute.codes[sample.rows], keep)
    if erased is None:
        reason = f"{display(attribute.name)} and {display(whole.keeps)} lie in the same directions"
        return replace(whole, not_computable=(("removed", reason),))
    others = [
        x for x in inputs.for_tests if x.kind in ("demographic", "label") and x is not attribute
    ]
    others = [*kept, *(x for x in others if x not in kept)][:MOST_OTHERS]
    found = list(_clusters(inputs, sample, erased, [attribute, *others]))
    found += erased_probes(sample, inputs, attribute, erased)
    for each in others:
        found += erased_probes(sample, inputs, each, erased, ("linear",))
    return replace(
        whole,
        removed=max(each.rank for each in erased.erasers),
        variance_removed=float(
            np.clip(1 - erased.x.var(axis=0).sum() / sample.x.var(axis=0).sum(), 0, 1)
        ),
        shrunk=erased.shrunk,
        found=tuple(found),
    )


def _clusters(
    inputs: AuditInputs, sample: Sample, erased: Erased, attributes: Sequence[Attribute]
) -> Iterator[BeforeAfter]:
    again = inputs.extra.clusters_of
    if again is None:
        return
    partitions = []
    for x in (sample.x, erased.x):
        labels = np.full(len(inputs.tested), -1, np.int32)
        labels[sample.rows] = again(x.astype(np.float32))
        partitions.append(labels)
    for attribute in attributes:
        before, after = (
            associate_labels(labels, attribute, inputs, f"what if {side}")
            for side, labels in enumerate(partitions)
        )
        ends = _strength(before), _strength(after)
        if ends[0] is not None and ends[1] is not None:
            chance = after.v_corrected_null_95
            yield BeforeAfter(
                attribute.name, "clusters", erased.method, after.n, ends[0], ends[1], chance
            )


def _strength(found: Association) -> Estimate | None:
    if found.v_corrected is None or found.low is None or found.high is None:
        return None
    return Estimate(found.v_corrected, found.low, found.high)


ANALYSIS = Analysis(
    name="erasures",
    record=Erasure,
    run=_run,
    subjects=_subjects,
    needs=("clustering.coordinates", "clustering.k", "tested", "units", "for_tests"),
    settings=("starts", "permutations", "bootstraps", "confidence"),
    findings=erasure_findings,
)
"""Only what --what-if names."""
