"""Shares of images when whole people are drawn, and how much less people's images say than as many of strangers."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.audit.stats.units import Codes

CHUNK = 4_000_000
"""Weights drawn at a time."""


def resampled_shares(weights: Counts, right: Counts, n: Counts) -> Floats:
    """Return the (draws, ...) ratio of sums for (draws, u) weights of units with (u, ...) right of n images; NaN for none."""
    flat = ratio(
        weights @ right.reshape(len(right), -1).astype(np.float64),
        weights @ n.reshape(len(n), -1).astype(np.float64),
    )
    return flat.reshape(len(weights), *n.shape[1:])


def unit_interval_of_shares(
    right: Counts, n: Counts, *, draws: int, confidence: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the percentile interval of (u, ...) shares, (...), when u units are drawn with replacement.

    Draws without an image of a cell are left out; NaN where all are.
    """
    units = len(n)
    chunk = max(1, CHUNK // max(units, 1))
    found = [
        resampled_shares(
            rng.multinomial(units, np.full(units, 1 / units), size=min(chunk, draws - start)),
            right,
            n,
        )
        for start in range(0, draws, chunk)
    ]
    shares = np.concatenate(found)
    known = np.isfinite(shares).any(axis=0)
    shares = np.where(known, shares, 0.0)
    low, high = np.nanquantile(shares, ((1 - confidence) / 2, (1 + confidence) / 2), axis=0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def intraclass_correlation(right: Codes, units: Codes) -> float | None:
    """Return the ANOVA estimate (MSB - MSW) / (MSB + (n0 - 1) MSW) of (n,) outcomes 0 and 1 in units; Fleiss 1981.

    None where every unit has one image, there is one unit, or nothing varies.
    """
    numbered = np.unique(units, return_inverse=True)[1]
    sizes = np.bincount(numbered)
    n, k = len(right), len(sizes)
    if k < 2 or n == k:
        return None
    means = np.bincount(numbered, weights=right) / sizes
    between = float((sizes * (means - right.mean()) ** 2).sum()) / (k - 1)
    within = float((sizes * means * (1 - means)).sum()) / (n - k)
    n0 = (n - (sizes**2).sum() / n) / (k - 1)
    scale = between + (n0 - 1) * within
    return float((between - within) / scale) if scale > 0 else None


def design_effect(sizes: Counts, icc: float) -> float:
    """Return 1 + (m - 1) ICC, m = sum n_i^2 / n: how many times the variance of as many strangers; Kish 1965."""
    return float(1 + ((sizes**2).sum() / sizes.sum() - 1) * icc)
