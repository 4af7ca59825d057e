"""The partition that all tables of clusters refer to, and whether an association comes back from other seeds, k, and a held-out half."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.associations import (
    CLAIMED,
    associate_labels,
    how_shuffled,
    label_table,
    least_shuffles,
    too_few_shuffles,
    what_is_drawn,
)
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.resampling import holm
from fer_audit.audit.types import stability as records
from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import NotComputable, because
from fer_audit.audit.types.result import HOLM, AuditResult, Finding, LedgerEntry
from fer_audit.audit.types.stability import AttributeStability, StabilityFacts
from fer_audit.cluster.types import Alternative, Clustering, Stability
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import coefficient, counted, encodable, large, span, unreached

N_EXAMPLES = 5
NEAR_BEST = 0.001
"""Starts this close to the best inertia count as having found it."""


def cluster_facts(clustering: Clustering) -> records.ClusterFacts:
    """Return the partition the tables refer to, and how its starts differed."""
    labels = clustering.labels[clustering.labels >= 0]
    choice, starts = clustering.choice, clustering.start_inertias
    best, worst = (f(starts or (clustering.inertia,)) for f in (min, max))
    near_best = sum(each <= best * (1 + NEAR_BEST) for each in starts)
    votes = () if choice is None else ("elbow", "silhouette", "stability")
    return records.ClusterFacts(
        k=clustering.k,
        inertia=float(clustering.inertia),
        sizes=tuple(np.bincount(labels, minlength=clustering.k).tolist()),
        sweep=tuple(records.SweepEntry(x.k, float(x.inertia)) for x in clustering.sweep),
        starts=records.Starts(len(starts), float(best), float(worst), near_best),
        votes=tuple(records.KVote(name, getattr(choice, name)) for name in votes),
    )


def _clusters_findings(result: AuditResult) -> Iterator[Finding]:
    if result.clustering is None:
        return
    starts = result.clustering.starts
    if starts.n < 2 or starts.near_best * 2 > starts.n:
        return
    text = "Other K-Means starts can end in other clusters."
    figures = (
        f"{starts.near_best} of {counted(starts.n, 'start')} within 0.1 % of the best inertia"
        f" ({large(starts.inertia_min)} to {large(starts.inertia_max)})"
    )
    do = "Give more starts (--starts), or another k."
    values = (("near_best", float(starts.near_best)), ("starts", float(starts.n)))
    yield Finding("unstable_starts", "know", text, None, 0.3, figures, do, "", values)


def _run_clusters(inputs: AuditInputs) -> records.ClusterFacts | None:
    if inputs.clustering is None:
        return None
    ids = inputs.dataset.ids
    nearest: list[tuple[str, ...]] = []
    farthest: list[tuple[str, ...]] = []
    for cluster in range(inputs.clustering.k):
        rows = np.flatnonzero(inputs.tested & (inputs.clustering.labels == cluster))
        rows = rows[np.argsort(inputs.clustering.distances[rows], kind="stable")]
        for ends, some in ((nearest, rows), (farthest, rows[::-1])):
            ends.append(tuple(encodable(ids[row]) for row in some[:N_EXAMPLES].tolist()))
    facts = cluster_facts(inputs.clustering)
    return replace(facts, nearest=tuple(nearest), farthest=tuple(farthest))


CLUSTERS = Analysis(
    name="clustering",
    record=records.ClusterFacts | None,
    run=_run_clusters,
    findings=_clusters_findings,
)


NULL_DRAWS = 999
"""Shuffles behind each null band: its 95 % quantile is wanted, not a small p."""
NO_HALF = "not known, one of the units that the halves are made of has nearly all images"


def stability_facts(
    stability: Stability, families: Sequence[Sequence[AttributeStability]], *, alpha: float
) -> StabilityFacts:
    """Return how the partition and each attribute's association vary, with Holm's p of the held-out half by family."""
    ari = np.asarray(stability.ari, np.float64)
    names = ("ari_median", "ari_min", "ari_max")
    ends = (np.median(ari), ari.min(), ari.max()) if len(ari) else ()
    return StabilityFacts(
        seeds=len(stability.seeds),
        **(dict.fromkeys(names) | {x: float(y) for x, y in zip(names, ends, strict=False)}),
        clusters=tuple(
            records.ClusterStability(cluster, float(each), bool(each >= records.UNSTABLE))
            for cluster, each in enumerate(stability.jaccard)
        ),
        attributes=tuple(x for family in families for x in _corrected(family, alpha)),
        not_computable=because("" if len(ari) else "no other seed", *names),
    )


def _corrected(
    members: Sequence[AttributeStability], alpha: float
) -> Iterator[AttributeStability]:
    adjusted = holm([each.half_p for each in members if each.half_p is not None])
    holms = iter(adjusted)
    for each in members:
        why = too_few_shuffles(each.half_permutations, len(adjusted), alpha)
        p = None if each.half_p is None else next(holms)
        missing = (*each.not_computable, *because(why if p else "", "half_p_holm"))
        yield replace(each, half_p_holm=None if why else p, not_computable=missing)


def attribute_stability(
    inputs: AuditInputs, attribute: Attribute, least: int = 0
) -> AttributeStability:
    """Return how an attribute's association varies over the other partitions; without Holm's p."""
    stability = inputs.once(_stability)
    assert stability is not None  # noqa: S101 - no pieces without it
    half = associate_labels(stability.half_b_labels, attribute, inputs, "half", least=least)
    return AttributeStability(
        attribute=attribute.name,
        seeds=_variants(stability.seeds, attribute, inputs),
        ks=_variants(stability.ks, attribute, inputs),
        half_n=half.n,
        half_v=half.v_corrected,
        half_low=half.low,
        half_high=half.high,
        half_p=half.p_permutation,
        half_p_holm=None,
        half_permutations=half.permutations,
        not_computable=_half_missing(half, "" if stability.half_a.any() else NO_HALF),
        half_null_95=half.v_corrected_null_95,
        unit=half.unit,
    )


def _variants(
    partitions: Sequence[Alternative], attribute: Attribute, inputs: AuditInputs
) -> tuple[records.VariantV, ...]:
    """Return the corrected V of each partition; one with fewer than two clusters or groups has none."""
    found = []
    draws = min(NULL_DRAWS, inputs.config.statistics.permutations)
    for each in partitions:
        table = label_table(each.labels, attribute, inputs.tested)
        words = ("variant", attribute.name, str(each.k), str(each.seed))
        drawn = what_is_drawn(each.labels, attribute, inputs, table.shape)
        null = drawn.null(table, draws, stage_rng(inputs.config.seed, "audit", *words))
        if null is not None:
            found.append(records.VariantV(each.k, each.seed, null.corrected, null.corrected_95))
    return tuple(sorted(found, key=lambda x: (x.k, x.seed)))


def _half_missing(half: Association, no_half: str) -> NotComputable:
    names = {
        "v_corrected": "half_v",
        "low": "half_low",
        "high": "half_high",
        "p_permutation": "half_p",
    }
    missing = {
        names[field]: no_half or why for field, why in half.not_computable if field in names
    }
    for name, same in (("half_p_holm", "half_p"), ("half_null_95", "half_v")):
        if same in missing:
            missing[name] = missing[same]
    return tuple(missing.items())


def _stability_findings(result: AuditResult) -> Iterator[Finding]:
    facts = result.stability
    if facts is None:
        return
    if facts.ari_median is not None and facts.ari_median < records.AGREE:
        yield Finding(
            code="seeds_disagree",
            severity="know",
            text="Other seeds make other clusters.",
            effect=0.35,
            figures=(
                f"median adjusted Rand index {coefficient(facts.ari_median)} ({span(facts.ari_min, facts.ari_max)}),"
                f" {counted(facts.seeds, 'other seed')}; 1 = the same clusters"
            ),
            do="Claim only what comes back with every seed.",
            values=(("ari", facts.ari_median),),
        )
    unstable = [each for each in facts.clusters if not each.stable]
    if unstable:
        one = len(unstable) == 1
        yield Finding(
            code="unstable_clusters",
            severity="know",
            text=f"{len(unstable)} of {counted(len(facts.clusters), 'cluster')} {'does' if one else 'do'} not come back in resamples.",
            effect=0.34,
            figures=", ".join(f"cluster {x.cluster}: {coefficient(x.jaccard)}" for x in unstable)
            + "; mean Jaccard similarity below 0.6",
            do="Rest nothing on them alone.",
            values=tuple((f"jaccard.{x.cluster}", x.jaccard) for x in unstable),
        )


def _ledger(facts: StabilityFacts | None) -> Iterator[LedgerEntry]:
    for half in () if facts is None else facts.attributes:
        if half.half_p is not None:
            yield LedgerEntry(
                family="association in the held-out half",
                subject=f"{half.attribute} x nearest centre",
                method=f"{how_shuffled(half.half_permutations, half.unit)}, Pearson's chi-squared",
                p=half.half_p,
                p_corrected=half.half_p_holm,
                correction=HOLM,
                at_most=unreached(half.half_p, half.half_permutations),
            )


def _stability(inputs: AuditInputs) -> Stability | None:
    return None if inputs.clustering is None else inputs.clustering.stability


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> StabilityFacts | None:
    stability = inputs.once(_stability)
    if stability is None:
        return None
    kinds = {each.name: each.kind for each in inputs.for_tests}
    families = [[x for x in pieces if kinds[x.attribute] == kind] for kind in CLAIMED]
    return stability_facts(stability, families, alpha=inputs.config.statistics.alpha)


STABILITY = Analysis(
    name="stability",
    record=AttributeStability,
    run=attribute_stability,
    subjects=lambda inputs: [
        (each, least_shuffles(CLUSTER, each.kind, inputs))
        for each in inputs.for_tests
        if each.kind in CLAIMED and inputs.once(_stability)
    ],
    join=_join,
    needs=("clustering.stability", "tested", "units"),
    settings=("permutations", "bootstraps", "confidence"),
    findings=_stability_findings,
    ledger=_ledger,
)
