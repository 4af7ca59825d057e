"""Does an association come back: from other seeds, with another k, in the half that was not clustered?"""

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
    what_is_drawn,
)
from fer_audit.audit.claims.pairs import CLUSTER, least_shuffles, too_few_shuffles
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.multiple_testing import holm
from fer_audit.audit.types.claims import (
    UNSTABLE,
    Association,
    AttributeStability,
    ClusterStability,
    Rung,
    StabilityFacts,
    VariantV,
)
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.result import HOLM, AuditResult, Finding, LedgerEntry
from fer_audit.cluster.types import Alternative, Stability
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import coefficient, counted, listed, p_phrase, span, unreached

NULL_DRAWS = 999
"""Shuffles behind each null band: its 95 % quantile is wanted, not a small p."""
AGREE = 0.75
"""Median adjusted Rand index below which seeds do not find the same clusters."""
HALF = 0.5
"""Of the reported V, that must be there in every other partition."""
K_BELOW, K_ABOVE = 1, 2
"""Rung 7 looks at k - 1 .. k + 2."""


def stability_facts(
    stability: Stability, families: Sequence[Sequence[AttributeStability]], *, alpha: float
) -> StabilityFacts:
    """Return how the partition and each attribute's association vary, with Holm's p of the held-out half by family."""
    ari = np.asarray(stability.ari, dtype=np.float64)
    no_seed = tuple((name, "no other seed") for name in ("ari_median", "ari_min", "ari_max"))
    return StabilityFacts(
        seeds=len(stability.seeds),
        ari_median=float(np.median(ari)) if len(ari) else None,
        ari_min=float(ari.min()) if len(ari) else None,
        ari_max=float(ari.max()) if len(ari) else None,
        clusters=tuple(
            ClusterStability(cluster, float(each), bool(each >= UNSTABLE))
            for cluster, each in enumerate(stability.jaccard)
        ),
        attributes=tuple(x for family in families for x in _corrected(family, alpha)),
        not_computable=() if len(ari) else no_seed,
    )


def _corrected(
    members: Sequence[AttributeStability], alpha: float
) -> Iterator[AttributeStability]:
    adjusted = holm([each.half_p for each in members if each.half_p is not None])
    holms = iter(adjusted)
    for each in members:
        why = too_few_shuffles(each.half_permutations, len(adjusted), alpha)
        p = None if each.half_p is None else next(holms)
        missing = (*each.not_computable, *((("half_p_holm", why),) if why and p else ()))
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
        not_computable=_half_missing(half),
        half_null_95=half.v_corrected_null_95,
        unit=half.unit,
    )


def stable(
    facts: StabilityFacts | None,
    association: Association,
    *,
    n: int,
    why_not: str = "one partition only",
) -> Rung:
    """Return rung 7: is the corrected V at least half the reported one in every seed and for k - 1 .. k + 2?

    Above chance it would nearly always be in a large set. Other partitions are of the same images as the reported one:
    `n` is its association's.
    """
    found, k = _of(facts, association.attribute), len(association.table)
    near = [] if found is None else [x for x in found.ks if -K_BELOW <= x.k - k <= K_ABOVE]
    others = [x for x in near if x.k != k]
    reported = association.v_corrected
    if found is None or not found.seeds or not others or reported is None:
        reason = why_not
        if found is not None:
            reason = "no other seed was tried" if not found.seeds else "no other k was tried"
        if reported is None:
            reason = "the association cannot be computed"
        return _unanswered(7, "stable", reason, n=n)
    variants = [*found.seeds, *near]
    lost = [x for x in variants if x.v_corrected <= x.null_95 or x.v_corrected < HALF * reported]
    v = [x.v_corrected for x in variants]
    agreement = ""
    if facts is not None and facts.ari_median is not None:
        agreement = (
            f"; partitions of two seeds agree with ARI {coefficient(facts.ari_median)} (median; "
            f"{span(facts.ari_min, facts.ari_max)})"
        )
    where = "all" if not lost else f"{len(variants) - len(lost)} of the"
    ks = sorted({x.k for x in near})
    return Rung(
        number=7,
        name="stable",
        holds=not lost,
        value=min(v),
        low=min(v),
        high=max(v),
        p=None,
        n_effective=n,
        reading=(
            f"corrected V is at least half of {coefficient(reported)}, and above chance, in {where} {len(variants)}"
            f" partitions ({counted(len(found.seeds), 'other seed')}, k = {ks[0]}-{ks[-1]}): "
            f"{span(min(v), max(v))}{agreement}"
        ),
    )


def replicated(
    facts: StabilityFacts | None,
    attribute: str,
    alpha: float,
    *,
    why_not: str = "no held-out half",
) -> Rung:
    """Return rung 8: do rungs 2 and 3 hold in the half that the clusters were not made from?"""
    found = _of(facts, attribute)
    if found is None:
        return _unanswered(8, "replicated", why_not)
    v, low, high, p = found.half_v, found.half_low, found.half_high, found.half_p_holm
    if v is None or low is None or high is None or p is None:
        missing = dict(found.not_computable)
        reason = missing.get("half_v") or missing.get("half_p_holm", "not tested")
        return _unanswered(8, "replicated", reason, n=found.half_n)
    at_most = unreached(found.half_p, found.half_permutations)
    return Rung(
        number=8,
        name="replicated",
        holds=low > 0 and p <= alpha,
        value=v,
        low=low,
        high=high,
        p=p,
        n_effective=found.half_n,
        reading=(
            f"in the half that was not clustered, each image in the nearest cluster of the other half, corrected V is "
            f"{coefficient(v)} ({span(low, high)}), {p_phrase(p, at_most=at_most)} after Holm, {counted(found.half_n, 'image')}"
        ),
        at_most=at_most,
    )


def _of(facts: StabilityFacts | None, attribute: str) -> AttributeStability | None:
    found = () if facts is None else facts.attributes
    return next((each for each in found if each.attribute == attribute), None)


def _unanswered(number: int, name: str, reason: str, *, n: int = 0) -> Rung:
    return Rung(number, name, None, None, None, None, None, n, f"not computable: {reason}")


def _variants(
    partitions: Sequence[Alternative], attribute: Attribute, inputs: AuditInputs
) -> tuple[VariantV, ...]:
    """Return the corrected V of each partition; one with fewer than two clusters or groups has none."""
    found = []
    draws = min(NULL_DRAWS, inputs.config.statistics.permutations)
    for each in partitions:
        table = label_table(each.labels, attribute, inputs.tested)
        words = ("variant", attribute.name, str(each.k), str(each.seed))
        drawn = what_is_drawn(each.labels, attribute, inputs, table.shape)
        null = drawn.null(table, draws, stage_rng(inputs.config.seed, "audit", *words))
        if null is not None:
            found.append(VariantV(each.k, each.seed, null.corrected, null.corrected_95))
    return tuple(sorted(found, key=lambda x: (x.k, x.seed)))


def _half_missing(half: Association) -> NotComputable:
    names = {
        "v_corrected": "half_v",
        "low": "half_low",
        "high": "half_high",
        "p_permutation": "half_p",
    }
    missing = [(names[field], why) for field, why in half.not_computable if field in names]
    if "half_p" in dict(missing):
        missing.append(("half_p_holm", dict(missing)["half_p"]))
    why_no_v = dict(missing).get("half_v")
    return (*missing, *((("half_null_95", why_no_v),) if why_no_v else ()))


def _findings(result: AuditResult) -> Iterator[Finding]:
    facts = result.stability
    if facts is None:
        return
    if facts.ari_median is not None and facts.ari_median < AGREE:
        yield Finding(
            code="seeds_disagree",
            severity="notice",
            text=(
                f"Other seeds make other clusters: two partitions agree with a median adjusted Rand index "
                f"of {coefficient(facts.ari_median)} ({span(facts.ari_min, facts.ari_max)}, "
                f"{counted(facts.seeds, 'other seed')}; 1 = the same). Rung 7 asks which claims hold in all."
            ),
            effect=0.35,
        )
    unstable = [each for each in facts.clusters if not each.stable]
    if unstable:
        named = listed([f"{each.cluster} ({coefficient(each.jaccard)})" for each in unstable])
        yield Finding(
            code="unstable_clusters",
            severity="notice",
            text=(
                f"{counted(len(unstable), 'cluster')} of {len(facts.clusters)} "
                f"{'does' if len(unstable) == 1 else 'do'} not come back in resamples: {named}, mean Jaccard "
                f"similarity below 0.6. No sentence here rests on them alone."
            ),
            effect=0.34,
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


ANALYSIS = Analysis(
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
    findings=_findings,
    ledger=_ledger,
)
