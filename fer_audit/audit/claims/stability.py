"""Does an association come back: from other seeds, with another k, in the half that was not clustered?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.association import associate, correct_for_attributes
from fer_audit.audit.stats.resampling import corrected_null_95
from fer_audit.audit.stats.tables import Counts, corrected_v, cross_table, drop_empty
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
from fer_audit.cluster.types import Alternative, Stability
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import counted, p_phrase

NULL_DRAWS = 999
"""Tables behind each null band: its 95 % quantile is wanted, not a small p."""
K_BELOW, K_ABOVE = 1, 2
"""Rung 7 looks at k - 1 .. k + 2."""


def stability_facts(
    stability: Stability,
    attributes: Sequence[Attribute],
    *,
    tested: NDArray[np.bool_],
    config: AuditConfig,
) -> StabilityFacts:
    """Return how the partition and each attribute's association vary; over the `tested` rows."""
    tables = [_table(stability.half_b_labels, attribute, tested) for attribute in attributes]
    halves = correct_for_attributes(
        [
            _half(attribute, table, config)
            for attribute, table in zip(attributes, tables, strict=True)
        ]
    )
    ari = np.asarray(stability.ari, dtype=np.float64)
    missing: NotComputable = ()
    if not len(ari):
        missing = tuple((name, "no other seed") for name in ("ari_median", "ari_min", "ari_max"))
    return StabilityFacts(
        seeds=len(stability.seeds),
        ari_median=float(np.median(ari)) if len(ari) else None,
        ari_min=float(ari.min()) if len(ari) else None,
        ari_max=float(ari.max()) if len(ari) else None,
        clusters=tuple(
            ClusterStability(cluster, float(each), bool(each >= UNSTABLE))
            for cluster, each in enumerate(stability.jaccard)
        ),
        attributes=tuple(
            AttributeStability(
                attribute=attribute.name,
                seeds=_variants(stability.seeds, attribute, tested, config),
                ks=_variants(stability.ks, attribute, tested, config),
                half_n=half.n,
                half_v=half.v_corrected,
                half_low=half.low,
                half_high=half.high,
                half_p=half.p_permutation,
                half_p_holm=half.p_holm,
                half_permutations=half.permutations,
                not_computable=_half_missing(half),
                half_null_95=None
                if half.v_corrected is None
                else _null_95(table, ("half null", attribute.name), config),
            )
            for attribute, half, table in zip(attributes, halves, tables, strict=True)
        ),
        not_computable=missing,
    )


def stable(
    facts: StabilityFacts | None,
    attribute: str,
    k: int,
    *,
    n: int,
    why_not: str = "one partition only",
) -> Rung:
    """Return rung 7: is the corrected V above its null band in every seed and for k - 1 .. k + 2?

    Other partitions are of the same images as the reported one: `n` is its association's.
    """
    found = _of(facts, attribute)
    near = [] if found is None else [x for x in found.ks if -K_BELOW <= x.k - k <= K_ABOVE]
    others = [x for x in near if x.k != k]
    if found is None or not found.seeds or not others:
        reason = why_not
        if found is not None:
            reason = "no other seed was tried" if not found.seeds else "no other k was tried"
        return _unanswered(7, "stable", reason, n=n)
    variants = [*found.seeds, *near]
    lost = [x for x in variants if x.v_corrected <= x.null_95]
    v = [x.v_corrected for x in variants]
    agreement = ""
    if facts is not None and facts.ari_median is not None:
        agreement = (
            f"; partitions of two seeds agree with ARI {facts.ari_median:.2f} (median; "
            f"{facts.ari_min:.2f}-{facts.ari_max:.2f})"
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
            f"corrected V is above its null band in {where} {len(variants)} partitions "
            f"({counted(len(found.seeds), 'other seed')}, k = {ks[0]}-{ks[-1]}): "
            f"{min(v):.3f}-{max(v):.3f}{agreement}"
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
        reason = dict(found.not_computable).get("half_v", "not tested")
        return _unanswered(8, "replicated", reason, n=found.half_n)
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
            f"in the half that was not clustered, put to the nearest centre of the other, corrected V is "
            f"{v:.3f} ({low:.3f}-{high:.3f}), {p_phrase(p)} after Holm, {counted(found.half_n, 'image')}"
        ),
    )


def unstable_clusters(facts: StabilityFacts | None) -> tuple[int, ...]:
    """Return the clusters that no claim may rest on."""
    return () if facts is None else tuple(x.cluster for x in facts.clusters if not x.stable)


def _of(facts: StabilityFacts | None, attribute: str) -> AttributeStability | None:
    found = () if facts is None else facts.attributes
    return next((each for each in found if each.attribute == attribute), None)


def _unanswered(number: int, name: str, reason: str, *, n: int = 0) -> Rung:
    return Rung(number, name, None, None, None, None, None, n, f"not computable: {reason}")


def _variants(
    partitions: Sequence[Alternative],
    attribute: Attribute,
    tested: NDArray[np.bool_],
    config: AuditConfig,
) -> tuple[VariantV, ...]:
    """Return the corrected V of each partition; one with fewer than two clusters or groups has none."""
    found = []
    for each in partitions:
        table, _, _ = drop_empty(_table(each.labels, attribute, tested))
        if min(table.shape) < 2:
            continue
        words = ("variant", attribute.name, str(each.k), str(each.seed))
        null = _null_95(table, words, config)
        found.append(VariantV(each.k, each.seed, float(corrected_v(table)), null))
    return tuple(sorted(found, key=lambda x: (x.k, x.seed)))


def _null_95(table: Counts, words: tuple[str, ...], config: AuditConfig) -> float:
    return corrected_null_95(
        drop_empty(table)[0],
        draws=min(NULL_DRAWS, config.statistics.permutations),
        rng=stage_rng(config.seed, "audit", *words),
    )


def _table(labels: NDArray[np.int32], attribute: Attribute, tested: NDArray[np.bool_]) -> Counts:
    return cross_table(
        labels[tested],
        attribute.codes[tested],
        n_rows=max(1, int(labels.max(initial=0)) + 1),
        n_cols=len(attribute.categories),
    )


def _half(attribute: Attribute, table: Counts, config: AuditConfig) -> Association:
    return associate(
        table,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(config.seed, "audit", "half", attribute.name),
        permutations=config.statistics.permutations,
        bootstraps=config.statistics.bootstraps,
        confidence=config.statistics.confidence,
    )


def _half_missing(half: Association) -> NotComputable:
    names = {
        "v_corrected": "half_v",
        "low": "half_low",
        "high": "half_high",
        "p_permutation": "half_p",
        "p_holm": "half_p_holm",
    }
    missing = [(names[field], why) for field, why in half.not_computable if field in names]
    why_no_v = dict(missing).get("half_v")
    return (*missing, *((("half_null_95", why_no_v),) if why_no_v else ()))
