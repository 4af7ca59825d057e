"""What a gap between two groups is made of, and shares of few images drawn towards those of the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.conditional_mi import generalised_cmh
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


MOST_PRIOR = 1e6
"""Images that a prior may weigh; beyond, all groups have one share."""


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Shares drawn together: the posterior of each, under a prior of all."""

    a: float
    b: float
    mean: Floats
    low: Floats
    high: Floats
    complete: bool
    """Whether the likelihood has no finite maximum: nothing shows that shares differ, and all are the pooled one."""


def kleinman_rho(right: Counts, n: Counts) -> float:
    """Return the moment estimate of the correlation within groups, weights n; Kleinman 1973, JASA 68."""
    weights = n / n.sum()
    p = float((weights * right / n).sum())
    spread = float((weights * (right / n - p) ** 2).sum())
    noise = float((weights * (1 - weights) / n).sum())
    room = float((weights * (1 - weights)).sum()) - noise
    if not (0 < p < 1) or room <= 0:
        return 0.0
    return float((spread - p * (1 - p) * noise) / (p * (1 - p) * room))


def partial_pooling(right: Counts, n: Counts, *, confidence: float) -> Pooled:
    """Return the posterior of (g,) shares, right of n images, under the beta prior of greatest likelihood.

    n >= 1. Where the likelihood grows up to a prior of MOST_PRIOR images there is one share for all.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln
    from scipy.stats import beta

    pooled = float(right.sum() / n.sum())

    def loss(x: Floats) -> float:
        mean, size = 1 / (1 + np.exp(-x[0])), np.exp(x[1])
        a, b = mean * size, (1 - mean) * size
        return -float((betaln(right + a, n - right + b) - betaln(a, b)).sum())

    if len(n) < 2 or not 0 < pooled < 1:
        found, complete = None, True
    else:
        rho = min(max(kleinman_rho(right, n), 1e-3), 0.9)
        start = np.array([np.log(pooled / (1 - pooled)), np.log((1 - rho) / rho)])
        limits = [(-20.0, 20.0), (np.log(1e-3), np.log(MOST_PRIOR))]
        found = minimize(
            *(loss, start),
            bounds=limits,
            method="Nelder-Mead",  # L-BFGS-B waits for BLAS threads: 100 ms for two numbers
            options={"xatol": 1e-7, "fatol": 1e-10},
        )
        complete = bool(np.exp(found.x[1]) > MOST_PRIOR / 10)
    if found is None or complete:
        a, b = pooled * MOST_PRIOR, (1 - pooled) * MOST_PRIOR
        same = np.full(len(n), pooled)
        low, high = beta.interval(confidence, right.sum() + 0.5, (n - right).sum() + 0.5)
        return Pooled(a, b, same, np.full(len(n), low), np.full(len(n), high), complete=True)
    mean, size = 1 / (1 + np.exp(-found.x[0])), np.exp(found.x[1])
    a, b = float(mean * size), float((1 - mean) * size)
    low, high = beta.interval(confidence, right + a, n - right + b)
    return Pooled(a, b, (right + a) / (n + a + b), low, high, complete=False)
