"""Two runs in, one `Comparison` out: who is in them, whether their clusters agree, what was set differently."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from fer_audit.audit.compare.agreement import measure_agreement
from fer_audit.audit.compare.attributes import compare_attribute
from fer_audit.audit.compare.findings import find_changes
from fer_audit.audit.compare.matching import Matching, match_rows
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.compare import (
    COMPARISON_SCHEMA,
    Agreement,
    Comparison,
    RunFacts,
    RunRows,
    TextDifference,
    VectorFacts,
)
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import setting_texts
from fer_audit.rng import stage_rng

STAGE = "compare"
_BESIDE = frozenset(
    {"fail_on", "given", "what_if", "mitigate", "replay", "replay_size", "recluster"}
)
"""Settings that ask for more than the audit: no number that is compared depends on them."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadRun:
    """One finished run, as it was read back."""

    name: str
    """The last folders of the run directory's path: as many as tell the two runs apart."""
    result: AuditResult
    rows: RunRows
    vectors: VectorFacts | None = None


def compare_runs(first: ReadRun, second: ReadRun) -> Comparison:
    """Return what two runs say about each other. The same runs give the same comparison, to the last digit.

    Images are matched by their bytes and names, so the runs may list different images in any order.
    """
    matching = match_rows(first.rows, second.rows)
    confidence = first.result.config.statistics.confidence
    alpha = first.result.config.statistics.alpha
    names_1 = [each.attribute for each in first.result.representation]
    names_2 = [each.attribute for each in second.result.representation]
    comparison = Comparison(
        schema=COMPARISON_SCHEMA,
        first=_facts(first),
        second=_facts(second),
        images=matching.facts,
        agreement=_agreement(first, second, matching, confidence),
        attributes=tuple(
            compare_attribute(
                name,
                (first.result, first.rows),
                (second.result, second.rows),
                matching,
                confidence=confidence,
                rng=stage_rng(0, STAGE, "shares", ascii(name)),
            )
            for name in names_1
            if name in names_2
        ),
        only_first=tuple(name for name in names_1 if name not in names_2),
        only_second=tuple(name for name in names_2 if name not in names_1),
        model=differences(_model(first.result), _model(second.result)),
        settings=differences(_settings(first.result), _settings(second.result)),
        versions=differences(first.result.versions, second.result.versions),
        findings=(),
        confidence=confidence,
        alpha=alpha,
    )
    return replace(comparison, findings=tuple(find_changes(comparison)))


def differences(
    first: Iterable[tuple[str, str]], second: Iterable[tuple[str, str]]
) -> tuple[TextDifference, ...]:
    """Return the entries that are not the same in both, in the order of the first, then those only the second has."""
    one, two = dict(first), dict(second)
    return tuple(
        TextDifference(name, one.get(name), two.get(name))
        for name in dict.fromkeys((*one, *two))
        if one.get(name) != two.get(name)
    )


def _settings(result: AuditResult) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value) for name, value in setting_texts(result.config) if name not in _BESIDE
    )


def _facts(run: ReadRun) -> RunFacts:
    result = run.result
    return RunFacts(
        name=run.name,
        dataset=result.dataset.name,
        fingerprint=result.dataset.fingerprint,
        listed=result.dataset.listed,
        ok=result.dataset.ok,
        failed=result.dataset.failed,
        model=result.model,
        k=None if result.clustering is None else result.clustering.k,
        inertia=None if result.clustering is None else result.clustering.inertia,
        seed=str(result.config.seed),
        vectors=run.vectors,
    )


def _agreement(
    first: ReadRun, second: ReadRun, matching: Matching, confidence: float
) -> Agreement:
    sizes = [
        0 if run.result.clustering is None else run.result.clustering.k for run in (first, second)
    ]
    missing = [side for side, k in zip(("first", "second"), sizes, strict=True) if k == 0]
    table = cross_table(
        first.rows.clusters[matching.first],
        second.rows.clusters[matching.second],
        n_rows=sizes[0],
        n_cols=sizes[1],
    ) if not missing else np.zeros(sizes, dtype=np.int64)  # fmt: skip
    return measure_agreement(
        table,
        confidence=confidence,
        rng=stage_rng(0, STAGE, "agreement"),
        absent="; ".join(f"the {side} run has no clusters" for side in missing),
    )


def _model(result: AuditResult) -> tuple[tuple[str, str], ...]:
    model = result.model
    if model is None:
        return ()
    return (
        ("name", model.name),
        ("sha256", model.sha256),
        ("precision", model.precision),
        ("provider", model.provider),
        ("dim", str(model.dim)),
        ("caveat", model.caveat),
    )
