"""Two runs in, one `Comparison` out: may they be compared, do clusters and claims agree, and who is in them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from fer_audit.audit.compare.agreement import (
    Vectors,
    measure_agreement,
    measure_vectors,
    vectors_agree,
)
from fer_audit.audit.compare.claims import compare_claims, compare_models
from fer_audit.audit.compare.findings import find_changes
from fer_audit.audit.compare.sets import compare_attribute, count_images, match_rows
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.compare import (
    COMPARISON_SCHEMA,
    Comparison,
    DifferenceKind,
    RunFacts,
    RunRows,
    TextDifference,
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
    vectors: Vectors | None = None
    """Row i is image i; None when they were removed."""


def compare_runs(first: ReadRun, second: ReadRun) -> Comparison:
    """Return what two runs say about each other. The same runs give the same comparison, to the last digit.

    Images are matched by their bytes and names, so the runs may list different images in any order.
    """
    runs, results = (first, second), (first.result, second.result)
    pairs, images = match_rows(first.rows, second.rows)
    statistics = first.result.config.statistics
    sets = [{each.attribute: each for each in result.representation} for result in results]
    ks = [0 if result.clustering is None else result.clustering.k for result in results]
    missing = [side for side, k in zip(("first", "second"), ks, strict=True) if k == 0]
    clusters = [run.rows.clusters[at] for run, at in zip(runs, pairs.T, strict=True)]
    table = np.zeros(ks, dtype=np.int64)
    if not missing:
        table = cross_table(*clusters, n_rows=ks[0], n_cols=ks[1])
    keep_copies = any(result.config.statistics.keep_duplicates for result in results)
    embedded = first.rows.ok[pairs[:, 0]] & second.rows.ok[pairs[:, 1]]
    comparison = Comparison(
        schema=COMPARISON_SCHEMA,
        first=_facts(first),
        second=_facts(second),
        images=images,
        agreement=measure_agreement(
            table,
            confidence=statistics.confidence,
            rng=stage_rng(0, STAGE, "agreement"),
            absent="; ".join(f"the {side} run has no clusters" for side in missing),
        ),
        cosines=vectors_agree(first.vectors, second.vectors, pairs[embedded]),
        claims=compare_claims(*results),
        models=compare_models(*results),
        attributes=tuple(
            compare_attribute(
                *(about, sets[1][name]),
                count_images(name, (first.rows, second.rows), pairs, keep_copies=keep_copies),
                confidence=statistics.confidence,
                rng=stage_rng(0, STAGE, "shares", ascii(name)),
            )
            for name, about in sets[0].items()
            if name in sets[1]
        ),
        differences=_differences(*results),
        findings=(),
        confidence=statistics.confidence,
        alpha=statistics.alpha,
    )
    return replace(comparison, findings=tuple(find_changes(comparison)))


def _facts(run: ReadRun) -> RunFacts:
    dataset, clustering = run.result.dataset, run.result.clustering
    zeros, mean, deviation = measure_vectors(run.vectors, run.rows.ok)
    return RunFacts(
        name=run.name,
        dataset=dataset.name,
        fingerprint=dataset.fingerprint,
        listed=dataset.listed,
        ok=dataset.ok,
        model=run.result.model,
        k=None if clustering is None else clustering.k,
        inertia=None if clustering is None else clustering.inertia,
        zero_share=zeros,
        norm_mean=mean,
        norm_sd=deviation,
    )


def _differences(first: AuditResult, second: AuditResult) -> tuple[TextDifference, ...]:
    """Return what is not the same in both, kind by kind: entries in the order of the first run, then those only the second has.

    A model that was asked for by another name and is the same file is the same; rules are compared where both runs were asked.
    """
    files = [None if result.model is None else result.model.sha256 for result in (first, second)]
    one, two = _texts(first), _texts(second)
    for both in (one, two):
        if files[0] == files[1]:
            both["setting"].pop("model", None)
    asked = one["rule"].keys() & two["rule"].keys()  # rules that both runs were asked
    return tuple(
        TextDifference(kind, name, entries.get(name), two[kind].get(name))
        for kind, entries in one.items()
        for name in dict.fromkeys((*entries, *two[kind]))
        if entries.get(name) != two[kind].get(name) and (kind != "rule" or name in asked)
    )


def _texts(result: AuditResult) -> dict[DifferenceKind, dict[str, str]]:
    model = {} if result.model is None else asdict(result.model)
    settings = setting_texts(result.config)
    return {
        "model": {name: str(value) for name, value in model.items()},
        "setting": {name: value for name, value in settings if name not in _BESIDE},
        "version": dict(result.versions),
        "rule": {
            x.rule: "crossed" if x.crossed else "no value" if x.value is None else "not crossed"
            for x in result.gate
        },
        "attribute": dict.fromkeys((x.attribute for x in result.representation), "there"),
    }
