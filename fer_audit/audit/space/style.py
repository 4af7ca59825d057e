"""Are the groups photographed differently, and how much of the clusters is that?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from fer_audit.audit.claims.association import associate
from fer_audit.audit.stats.kruskal_null import eta_squared, h_statistic, rank_null
from fer_audit.audit.stats.multiple_testing import benjamini_hochberg
from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Floats, cross_table
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.audit.types.space import StyleBaseline, StyleTest
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.rng import stage_rng

DRAWS = 999
"""Shuffles of the images: unlike tables they cost n each, 1.5 ms for 24,000 images and ten measures. See `rank_null`
for more images than that."""
FEWER_DRAWS = 199
"""For columns that are not about people."""
_VALUES = ("eta_squared", "rank_effect", "p", "p_adjusted")
_GROUPS = ("lowest", "lowest_median", "highest", "highest_median")


def style_tests(
    rows: PackRows,
    attributes: Sequence[Attribute],
    *,
    tested: NDArray[np.bool_],
    config: AuditConfig,
) -> tuple[StyleTest, ...]:
    """Return each style measure against each attribute, corrected over all of them."""
    found = [
        test
        for attribute in attributes
        for test in _tests_of(
            rows.style,
            attribute,
            tested & (attribute.codes >= 0),
            draws=min(
                config.statistics.permutations,
                DRAWS if attribute.kind == "demographic" else FEWER_DRAWS,
            ),
            rng=stage_rng(config.seed, "audit", "style", attribute.name),
        )
    ]
    p = np.array([each.p for each in found if each.p is not None], dtype=np.float64)
    adjusted = iter(benjamini_hochberg(p).tolist() if len(p) else [])
    return tuple(
        each if each.p is None else replace(each, p_adjusted=next(adjusted)) for each in found
    )


def style_baselines(
    style_labels: NDArray[np.integer],
    attributes: Sequence[Attribute],
    associations: Sequence[Association],
    *,
    tested: NDArray[np.bool_],
    config: AuditConfig,
) -> tuple[StyleBaseline, ...]:
    """Return how far clusters of style measures alone go together with each attribute.

    `style_labels` = (n,) clusters, -1 where not ok. `associations` are the embedding's, for comparison.
    """
    embedded = {each.attribute: each for each in associations}
    k = max(1, int(style_labels.max(initial=0)) + 1)
    found = []
    for attribute in attributes:
        table = cross_table(
            style_labels[tested],
            attribute.codes[tested],
            n_rows=k,
            n_cols=len(attribute.categories),
        )
        by_style = associate(
            table,
            attribute=attribute.name,
            kind=attribute.kind,
            groups=attribute.categories,
            rng=stage_rng(config.seed, "audit", "style baseline", attribute.name),
            permutations=config.statistics.permutations,
            bootstraps=config.statistics.bootstraps,
            confidence=config.statistics.confidence,
        )
        other = embedded.get(attribute.name)
        whole = None if other is None else other.v_corrected
        missing = [
            (name, why)
            for name, why in by_style.not_computable
            if name in ("v_corrected", "low", "high")
        ]
        reproduced = None
        if reason := _why_no_ratio(by_style, other, config.statistics.alpha):
            missing.append(("reproduced", reason))
        elif by_style.v_corrected is not None and whole:
            reproduced = by_style.v_corrected / whole
        found.append(
            StyleBaseline(
                attribute=attribute.name,
                n=by_style.n,
                k=k,
                v_corrected=by_style.v_corrected,
                low=by_style.low,
                high=by_style.high,
                p=by_style.p_permutation,
                permutations=by_style.permutations,
                embedding_v=whole,
                reproduced=reproduced,
                not_computable=tuple(missing),
            )
        )
    return tuple(found)


def _why_no_ratio(by_style: Association, other: Association | None, alpha: float) -> str:
    """Return why the two corrected V have no ratio, "" where they have: one noise over another is any number."""
    silent = [
        whose
        for whose, each in (("style", by_style), ("the embedding", other))
        if each is None or not _above_chance(each, alpha)
    ]
    return f"the clusters of {' and of '.join(silent)} are not above chance" if silent else ""


def _above_chance(association: Association, alpha: float) -> bool:
    """Return whether rungs 1 to 3 hold; without Holm where there was no family to correct for."""
    v, null_95, low = association.v, association.null_95, association.low
    p = association.p_permutation if association.p_holm is None else association.p_holm
    if v is None or null_95 is None or low is None or p is None:
        return False
    return v > null_95 and low > 0 and p <= alpha


def _tests_of(
    style: NDArray[np.float32],
    attribute: Attribute,
    known: NDArray[np.bool_],
    *,
    draws: int,
    rng: np.random.Generator,
) -> list[StyleTest]:
    """Return the tests of one attribute; one shuffle serves every measure."""
    groups = attribute.codes[known]
    values = style[known].astype(np.float64)
    sizes = np.bincount(groups, minlength=len(attribute.categories))
    varies = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1], np.bool_)
    reason = _why_untestable(len(values), int((sizes > 0).sum()))
    if reason or not varies.any():
        return [
            _missing(
                name, attribute, len(values), reason or "the measure is the same in all images"
            )
            for name in STYLE_NAMES
        ]
    ranks = [rankdata(column) for column in values[:, varies].T]
    h = [h_statistic(column, groups, sizes) for column in ranks]
    seen, drawn = rank_null(ranks, groups, sizes, draws=draws, rng=rng)
    tests, column = [], 0
    for index, name in enumerate(STYLE_NAMES):
        if not varies[index]:
            tests.append(
                _missing(name, attribute, len(values), "the measure is the same in all images")
            )
            continue
        tests.append(
            StyleTest(
                measure=name,
                attribute=attribute.name,
                n=len(values),
                eta_squared=eta_squared(values[:, index], groups, sizes),
                rank_effect=_epsilon_squared(h[column], len(values), int((sizes > 0).sum())),
                p=monte_carlo_p(drawn[:, column], float(seen[column])),
                p_adjusted=None,
                permutations=draws,
                **_extremes(values[:, index], ranks[column], groups, attribute, sizes),
            )
        )
        column += 1
    return tests


def _epsilon_squared(h: float, n: int, groups: int) -> float:
    """Return (H - g + 1) / (n - g), at least 0: Kelley's correction on ranks; Tomczak & Tomczak 2014."""
    return max(0.0, (h - groups + 1) / (n - groups))


def _extremes(
    values: Floats,
    ranks: Floats,
    groups: NDArray[np.integer],
    attribute: Attribute,
    sizes: NDArray[np.int64],
) -> dict[str, Any]:
    """Return the groups with the lowest and the highest mean rank, among those that are large enough."""
    shown = np.flatnonzero(sizes >= TOO_FEW)
    if len(shown) < 2:
        reason = f"fewer than two groups have {TOO_FEW} images"
        return {
            **dict.fromkeys(_GROUPS),
            "not_computable": tuple((name, reason) for name in _GROUPS),
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


def _missing(measure: str, attribute: Attribute, n: int, reason: str) -> StyleTest:
    fields = (*_VALUES, *_GROUPS)
    return StyleTest(
        measure=measure,
        attribute=attribute.name,
        n=n,
        permutations=0,
        **dict.fromkeys(fields),
        not_computable=tuple((name, reason) for name in fields),
    )
