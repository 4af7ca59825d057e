"""Shares of few images, drawn towards those of the others: empirical Bayes with a beta prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.tables import Counts, Floats

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
