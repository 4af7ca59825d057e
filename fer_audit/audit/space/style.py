"""Are the groups photographed differently, and how much of the clusters is that?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.associations import associate_labels, how_shuffled
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.space.findings import photographed_differently, style_alone
from fer_audit.audit.stats.kruskal_null import eta_squared, h_statistic, rank_null
from fer_audit.audit.stats.resampling import adjusted_p, monte_carlo_p
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask, Singles
from fer_audit.audit.stats.units import Blocks, row_blocks
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import TOO_FEW, because
from fer_audit.audit.types.result import BENJAMINI_HOCHBERG, LedgerEntry
from fer_audit.audit.types.space import StyleBaseline, StyleTest
from fer_audit.dataset.types import Attribute
from fer_audit.pack.types import STYLE_NAMES
from fer_audit.rng import stage_rng
from fer_audit.text import unreached

DRAWS = 999
"""Shuffles of the images: unlike tables they cost n each, 1.5 ms for 24,000 images and ten measures. See `rank_null`
for more images than that."""
FEWER_DRAWS = 199
"""For columns that are not about people."""
_VALUES = ("eta_squared", "rank_effect", "p", "p_adjusted")
_GROUPS = ("lowest", "lowest_median", "highest", "highest_median")


def style_tests(inputs: AuditInputs, attribute: Attribute) -> tuple[StyleTest, ...]:
    """Return each style measure against one attribute; `corrected` adds the p over all attributes."""
    most = DRAWS if attribute.kind == "demographic" else FEWER_DRAWS
    known = inputs.tested & (attribute.codes >= 0)
    blocks = row_blocks(attribute.codes[known], inputs.exchanged[known])
    found = _tests_of(
        inputs.rows.style,
        attribute,
        known,
        draws=min(inputs.config.statistics.permutations, most),
        rng=stage_rng(inputs.config.seed, "audit", "style", attribute.name),
        blocks=blocks,
    )
    return tuple(replace(each, unit=inputs.unit_of(blocks)) for each in found)


def _corrected(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[StyleTest, ...]:
    """Return the tests of all attributes with Benjamini-Hochberg's p over all of them."""
    found = [test for piece in pieces for test in piece]
    adjusted = adjusted_p([each.p for each in found])
    return tuple(replace(x, p_adjusted=p) for x, p in zip(found, adjusted, strict=True))


def associate_style(inputs: AuditInputs, attribute: Attribute) -> Association | None:
    """Return the association of an attribute with clusters made from style alone; None without such clusters."""
    labels = inputs.extra.style_labels()
    if labels is None:
        return None
    return associate_labels(labels, attribute, inputs, "style baseline")


def style_baseline(
    by_style: Association, embedded: Association | None, *, alpha: float
) -> StyleBaseline:
    """Return how far clusters of style measures alone follow an attribute, compared with the embedding's."""
    whole = None if embedded is None else embedded.v_corrected
    pair = (("style", by_style), ("the embedding", embedded))
    # one noise over another is any number
    silent = [whose for whose, each in pair if each is None or not _above_chance(each, alpha)]
    why = f"the clusters of {' and of '.join(silent)} are not above chance" if silent else ""
    reproduced = None
    if not silent and by_style.v_corrected is not None and whole:
        reproduced = by_style.v_corrected / whole
    kept = ("v_corrected", "low", "high")
    return StyleBaseline(
        attribute=by_style.attribute,
        n=by_style.n,
        k=len(by_style.table),
        v_corrected=by_style.v_corrected,
        low=by_style.low,
        high=by_style.high,
        p=by_style.p_permutation,
        permutations=by_style.permutations,
        unit=by_style.unit,
        embedding_v=whole,
        reproduced=reproduced,
        not_computable=(
            *(each for each in by_style.not_computable if each[0] in kept),
            *because(why, "reproduced"),
        ),
    )


def _baselines(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[StyleBaseline, ...]:
    embedded = {each.attribute: each for each in parts["associations"]}
    alpha = inputs.config.statistics.alpha
    return tuple(
        style_baseline(each, embedded.get(each.attribute), alpha=alpha)
        for each in pieces
        if each is not None
    )


def _above_chance(association: Association, alpha: float) -> bool:
    """Return whether rungs 1 to 3 hold; without Holm where there was no family to correct for."""
    v, null_95, low = association.v, association.null_95, association.low
    p = association.p_permutation if association.p_holm is None else association.p_holm
    if v is None or null_95 is None or low is None or p is None:
        return False
    return v > null_95 and low > 0 and p <= alpha


def _tests_of(
    style: Singles,
    attribute: Attribute,
    known: Mask,
    *,
    draws: int,
    rng: np.random.Generator,
    blocks: Blocks | None,
) -> list[StyleTest]:
    """Return the tests of one attribute; one shuffle serves every measure."""
    groups = attribute.codes[known]
    values = style[known].astype(np.float64)
    sizes = np.bincount(groups, minlength=len(attribute.categories))
    varies = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1], np.bool_)
    n, seen = len(values), int((sizes > 0).sum())
    reason = _why_untestable(n, seen)
    same = reason or "the measure is the same in all images"
    missing = because(same, *_VALUES, *_GROUPS)
    tests = {
        name: StyleTest(name, attribute.name, n, not_computable=missing) for name in STYLE_NAMES
    }
    if reason or not varies.any():
        return list(tests.values())
    from scipy.stats import rankdata  # 0.9 s that a warm rerun would wait for

    columns = np.flatnonzero(varies).tolist()
    ranks = [rankdata(values[:, column]) for column in columns]
    statistics, drawn = rank_null(ranks, groups, sizes, draws=draws, rng=rng, blocks=blocks)
    for index, column in enumerate(columns):
        name, own = STYLE_NAMES[column], ranks[index]
        tests[name] = StyleTest(
            measure=name,
            attribute=attribute.name,
            n=n,
            eta_squared=eta_squared(values[:, column], groups, sizes),
            rank_effect=_epsilon_squared(h_statistic(own, groups, sizes), n, seen),
            p=monte_carlo_p(drawn[:, index], float(statistics[index])),
            permutations=draws,
            **_extremes(values[:, column], own, groups, attribute, sizes),
        )
    return list(tests.values())


def _epsilon_squared(h: float, n: int, groups: int) -> float:
    """Return (H - g + 1) / (n - g), at least 0: Kelley's correction on ranks; Tomczak & Tomczak 2014."""
    return max(0.0, (h - groups + 1) / (n - groups))


def _extremes(
    values: Floats, ranks: Floats, groups: Codes, attribute: Attribute, sizes: Counts
) -> dict[str, Any]:
    """Return the groups with the lowest and the highest mean rank, among those that are large enough."""
    shown = np.flatnonzero(sizes >= TOO_FEW)
    if len(shown) < 2:
        return {
            "not_computable": because(f"fewer than two groups have {TOO_FEW} images", *_GROUPS)
        }
    means = np.bincount(groups, weights=ranks, minlength=len(sizes))[shown] / sizes[shown]
    low, high = int(shown[means.argmin()]), int(shown[means.argmax()])
    return {
        "lowest": attribute.categories[low],
        "lowest_median": float(np.median(values[groups == low])),
        "highest": attribute.categories[high],
        "highest_median": float(np.median(values[groups == high])),
    }


def _why_untestable(n: int, groups: int) -> str:
    if groups == 0:
        return "no image has this label"
    if groups < 2:
        return "all images are in one group"
    return "every image is a group of its own" if n <= groups else ""


def _tests_ledger(tests: Sequence[StyleTest]) -> Iterator[LedgerEntry]:
    for attribute in dict.fromkeys(each.attribute for each in tests):
        done = [each for each in tests if each.attribute == attribute and each.p is not None]
        if done:
            least = min(done, key=lambda each: (each.p or 0.0, -(each.rank_effect or 0.0)))
            yield LedgerEntry(
                family="style",
                subject=f"{least.measure} by {attribute}, smallest of {len(done)} measures",
                method=f"{how_shuffled(least.permutations, least.unit, 'shuffles')}, Kruskal-Wallis H",
                p=least.p or 0.0,
                p_corrected=least.p_adjusted,
                correction=BENJAMINI_HOCHBERG,
                tests=len(done),
                at_most=unreached(least.p, least.permutations),
            )


def _baselines_ledger(baselines: Sequence[StyleBaseline]) -> Iterator[LedgerEntry]:
    for each in baselines:
        if each.p is not None:
            subject = f"{each.attribute} x style cluster"
            method = f"{how_shuffled(each.permutations, each.unit)}, Pearson's chi-squared"
            at_most = unreached(each.p, each.permutations)
            yield LedgerEntry("style-only clusters", subject, method, each.p, at_most=at_most)


TESTS = Analysis(
    name="style_tests",
    record=tuple[StyleTest, ...],
    run=style_tests,
    subjects=lambda inputs: [(each,) for each in inputs.for_tests],
    join=_corrected,
    needs=("rows.style", "tested", "exchanged", "units"),
    settings=("permutations",),
    findings=photographed_differently,
    ledger=_tests_ledger,
)
BASELINES = Analysis(
    name="style_baselines",
    record=Association | None,
    run=associate_style,
    subjects=lambda inputs: [(each,) for each in inputs.people],
    join=_baselines,
    needs=(
        *("rows.style", "embeddings.ok", "clustering.k", "clustering.coordinates"),
        *("tested", "units"),
    ),
    settings=("permutations", "bootstraps", "confidence"),
    findings=style_alone,
    ledger=_baselines_ledger,
)
