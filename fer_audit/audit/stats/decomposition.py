"""What a gap between two groups is made of: other images, or other treatment of the same kind of image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.cmh import generalised_cmh
from fer_audit.audit.stats.tables import Counts, Floats


@dataclass(frozen=True, slots=True)
class Split:
    """A gap between two rates: `gap` = `composition` + `within`."""

    gap: float
    composition: float
    """Because the groups have other shares of the strata."""
    within: float
    """Because rates differ within strata."""
    composition_se: float
    within_se: float


def kitagawa(n_a: Counts, right_a: Counts, n_b: Counts, right_b: Counts) -> Split | None:
    """Return what rate(a) - rate(b) is made of, over (z,) strata; Kitagawa 1955, JASA 50. None where a cell is empty.

    Standard errors by the delta method; shares of strata are multinomial, rates binomial.
    """
    if not (n_a > 0).all() or not (n_b > 0).all():
        return None
    w_a, w_b = n_a / n_a.sum(), n_b / n_b.sum()
    r_a, r_b = right_a / n_a, right_b / n_b
    of_rates = (r_a * (1 - r_a) / n_a, r_b * (1 - r_b) / n_b)
    middle, half = (r_a + r_b) / 2, (r_a - r_b) / 2

    def variance(slope: Floats, weight: Floats) -> float:
        shares = sum(
            float((w * slope**2).sum() - (w * slope).sum() ** 2) / int(n.sum())
            for w, n in ((w_a, n_a), (w_b, n_b))
        )
        return shares + sum(float((weight**2 * each).sum()) for each in of_rates)

    return Split(
        gap=float((w_a * r_a).sum() - (w_b * r_b).sum()),
        composition=float(((w_a - w_b) * middle).sum()),
        within=float(((r_a - r_b) * (w_a + w_b) / 2).sum()),
        composition_se=float(np.sqrt(variance(middle, (w_a - w_b) / 2))),
        within_se=float(np.sqrt(variance(half, (w_a + w_b) / 2))),
    )


@dataclass(frozen=True, slots=True)
class AcrossStrata:
    """A gap between two groups within strata, all of them weighed together."""

    risk_difference: float
    odds_ratio: float | None
    """None where no stratum has a wrong one of the first and a right one of the second."""
    p: float
    """Cochran-Mantel-Haenszel, without continuity correction."""


def mantel_haenszel(tables: Counts) -> AcrossStrata | None:
    """Return the gap of (z, 2, 2) tables: two groups, right and wrong; Mantel & Haenszel 1959. None where no stratum tells."""
    x = tables[(tables.sum(axis=2) > 0).all(axis=1)].astype(np.float64)
    varies = x[(x.sum(axis=1) > 0).all(axis=1)]
    if not len(varies):
        return None
    n = x.sum(axis=(1, 2))
    first, second = x[:, 0].sum(axis=1), x[:, 1].sum(axis=1)
    gaps = x[:, 0, 0] / first - x[:, 1, 0] / second
    weights = first * second / n
    below = float((x[:, 0, 1] * x[:, 1, 0] / n).sum())
    above = float((x[:, 0, 0] * x[:, 1, 1] / n).sum())
    _, _, p = generalised_cmh(varies.astype(np.int64))
    return AcrossStrata(
        float((weights * gaps).sum() / weights.sum()), above / below if below else None, p
    )
