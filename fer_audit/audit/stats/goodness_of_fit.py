"""How well counts fit shares that were fixed beforehand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Codes, Counts, Floats
from fer_audit.audit.types.composition import TargetDistance
from fer_audit.audit.types.not_computable import because


def wilson_interval(
    counts: Counts | Floats, total: Counts | float, *, confidence: float
) -> tuple[Floats, Floats]:
    """Return the Wilson score intervals of counts / total, (low, high) in [0, 1].

    Unlike the normal interval it never leaves [0, 1] and never has width zero.
    E. B. Wilson, JASA 22 (1927), eq. 4. `total` is at least 1.
    """
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    z = norm.ppf((1 + confidence) / 2)
    p = counts / total
    centre = p + z**2 / (2 * total)
    half = z * np.sqrt(p * (1 - p) / total + z**2 / (4 * total**2))
    scale = 1 + z**2 / total
    # At 0 and at `total` the ends are exactly 0 and 1; rounding would leave 1e-17.
    low = np.where(counts == 0, 0.0, (centre - half) / scale)
    high = np.where(counts == total, 1.0, (centre + half) / scale)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def ratio_interval(
    counts: Counts, total: int, target: Floats, *, confidence: float
) -> tuple[Floats, Floats, Floats]:
    """Return share / target share and its log-interval, NaN where either is 0.

    Katz et al. 1978: Var ln ratio = 1/x - 1/n. The term of the second sample is left out: a target is
    what the set is measured against and has no sampling error.
    """
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    usable = (counts > 0) & (target > 0)
    x = np.where(usable, counts, 1)
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(np.maximum(0.0, 1 / x - 1 / total))
    ratio = np.divide(counts / total, target, out=np.full(len(counts), np.nan), where=target > 0)
    low = np.where(usable, ratio * np.exp(-half), np.nan)
    high = np.where(usable, ratio * np.exp(half), np.nan)
    return ratio, low, high


def total_variation(p: Floats, q: Floats) -> float:
    """Return 1/2 sum |p - q|, in [0, 1]."""
    return float(min(1.0, np.abs(p - q).sum() / 2))


def jensen_shannon(p: Floats, q: Floats) -> float:
    """Return the Jensen-Shannon divergence in bits, in [0, 1]; SciPy's function gives its root."""
    from scipy.special import rel_entr  # 0.2 s that a warm rerun would wait for

    middle = (p + q) / 2
    bits = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / (2 * np.log(2))
    return float(np.clip(bits, 0.0, 1.0))


def fit_chi2(counts: Codes, shares: Floats) -> Floats:
    """Return Pearson's chi-squared of (..., g) counts against shares, over groups with a share."""
    expected = np.asarray(counts.sum(axis=-1, keepdims=True) * shares, dtype=np.float64)
    gap = counts - expected
    return np.asarray(
        np.divide(gap * gap, expected, out=np.zeros(gap.shape), where=expected > 0).sum(axis=-1)
    )


def multinomial_p(
    counts: Counts, shares: Floats, *, draws: int, rng: np.random.Generator
) -> float:
    """Return the Monte-Carlo p of the chi-squared: how often `shares` give a worse fit than this."""
    chances = fit_chi2(rng.multinomial(int(counts.sum()), shares, size=draws), shares)
    return monte_carlo_p(chances, float(fit_chi2(counts, shares)))


def why_no_fit(counts: Counts, shares: Floats) -> str:
    """Return why counts cannot be tested against shares, "" if they can."""
    if counts.sum() == 0:
        return "no image is annotated"
    if not np.any(shares > 0):
        return "the target has no counts"
    if np.any((shares == 0) & (counts > 0)):
        return "images belong to groups that the target does not have"
    return "the target has one group" if np.count_nonzero(shares) < 2 else ""


def target_distance(
    counts: Counts,
    shares: Floats,
    *,
    target: str,
    tested: Counts,
    untested: str,
    draws: int,
    rng: np.random.Generator,
) -> TargetDistance:
    """Return how far (g,) counts are from the (g,) shares of a target.

    Distances describe all `counts`; chi2 and p are about `tested`, the counts of one copy of each
    image. `untested` says why there is nothing to test, "" if there is.
    DS = 1 - TV: Dominguez-Catena et al. 2023 (DSAP), arXiv 2312.14626.
    """
    found = TargetDistance(target, n=int(tested.sum()))
    nothing = "" if counts.sum() and np.any(shares > 0) else why_no_fit(counts, shares)
    untested = untested or why_no_fit(tested, shares)
    if not nothing:
        seen, present = counts / counts.sum(), counts > 0
        tv = total_variation(seen, shares)
        ds_e = 1 - total_variation(seen, present / present.sum())
        found = replace(found, tv=tv, ds_r=1 - tv, ds_e=ds_e, jsd=jensen_shannon(seen, shares))
    if not untested:
        p = multinomial_p(tested, shares, draws=draws, rng=rng)
        found = replace(found, chi2=float(fit_chi2(tested, shares)), p=p)
    missing = because(nothing, "tv", "ds_r", "ds_e", "jsd")
    return replace(found, not_computable=(*missing, *because(untested, "chi2", "p")))
