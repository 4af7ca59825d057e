"""Can a straight cut tell two groups apart in the latent space? A cross-validated linear probe.

The direction is the least-squares one, (X'X + lambda)^-1 X'y with y = +-1: for two groups that is Fisher's
discriminant. It is solved for the labels seen and for all shuffled ones at once, because only y differs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Floats, Mask, Places

FOLDS = 5
RIDGE = 0.01
"""Of the mean variance of a coordinate, times n: keeps 128 coordinates solvable from 60 images."""


@dataclass(frozen=True, slots=True)
class Probe:
    """How well two groups are distinguished, on images the probe has not seen."""

    auc: float
    low: float
    """Lower end of the interval of `auc`."""
    high: float
    balanced_accuracy: float
    null_95: float
    p: float


def probe_pair(
    x: Floats, is_second: Mask, *, draws: int, confidence: float, rng: np.random.Generator
) -> Probe:
    """Return the probe of (n, m) coordinates of independent images; each group needs at least `FOLDS` of them.

    Folds are stratified, and labels are shuffled within them, so that every shuffle has the same folds.
    The AUC is the mean over folds: pooled scores of different folds do not compare.
    """
    folds = _stratified_folds(is_second, rng)
    labels = np.repeat(is_second[:, None], draws + 1, axis=1)
    for fold in range(FOLDS):
        rows = np.flatnonzero(folds == fold)
        labels[rows, 1:] = rng.permuted(labels[rows, 1:], axis=0)
    auc = np.zeros(draws + 1)
    accuracy = np.zeros(draws + 1)
    for fold in range(FOLDS):
        held = folds == fold
        scores, cut = _fit(x[~held], labels[~held], x[held])
        auc += _auc(scores, labels[held]) / FOLDS
        accuracy += _balanced_accuracy(scores > cut, labels[held]) / FOLDS
    n_second = int(is_second.sum())
    sizes = len(is_second) - n_second, n_second
    # Folds share most of what they learn from: the AUC varies more than of so many independent scores.
    excess = max(1.0, float(auc[1:].var()) / _variance(0.5, *sizes)) if draws else 1.0
    low, high = auc_interval(float(auc[0]), *sizes, confidence=confidence, excess=excess)
    return Probe(
        auc=float(auc[0]),
        low=low,
        high=high,
        balanced_accuracy=float(accuracy[0]),
        null_95=float(np.quantile(auc[1:], 0.95)),
        p=monte_carlo_p(auc[1:], float(auc[0])),
    )


def auc_interval(
    auc: float, n_first: int, n_second: int, *, confidence: float, excess: float = 1.0
) -> tuple[float, float]:
    """Return the score interval of an AUC, in [0, 1]: the values x with (AUC - x)^2 <= z^2 `excess` Var(x).

    Newcombe 2006, Statistics in Medicine 25, method 5. It has a width also where the two groups do not mix.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    z = float(norm.ppf((1 + confidence) / 2))

    def beyond(x: float) -> float:
        return abs(auc - x) - z * float(np.sqrt(excess * _variance(x, n_first, n_second)))

    # Not the AUC itself: at 0 and 1 it solves the equation, too.
    low = brentq(beyond, 0.0, auc - 1e-12) if auc > 0 else 0.0
    high = brentq(beyond, auc + 1e-12, 1.0) if auc < 1 else 1.0
    return float(low), float(high)


def _variance(auc: float, n_first: int, n_second: int) -> float:
    """Return the variance of an AUC (Hanley & McNeil 1982, both groups of the mean size); at .5 that of Mann & Whitney."""
    pairs = (n_first + n_second) / 2 - 1
    spread = 1 + pairs * ((1 - auc) / (2 - auc) + auc / (1 + auc))
    return auc * (1 - auc) * spread / (n_first * n_second)


def _stratified_folds(is_second: Mask, rng: np.random.Generator) -> Places:
    folds = np.empty(len(is_second), dtype=np.intp)
    for group in (False, True):
        rows = np.flatnonzero(is_second == group)
        folds[rows] = rng.permutation(np.arange(len(rows)) % FOLDS)
    return folds


def _fit(x: Floats, labels: Mask, unseen: Floats) -> tuple[Floats, Floats]:
    """Return the (n, draws) scores of unseen images and the (draws,) cut halfway between the class means."""
    centre = x.mean(axis=0)
    x = x - centre
    gram = x.T @ x
    gram[np.diag_indices_from(gram)] += RIDGE * np.trace(gram) / len(gram) + 1e-12
    n_second = labels.sum(axis=0)
    # Centred rows sum to 0, so one product gives the means of both classes.
    sums = x.T @ labels.astype(np.float64)
    first, second = -sums / (len(x) - n_second), sums / n_second
    # X'y of centred x is a positive multiple of the difference of class means.
    directions = np.linalg.solve(gram, second - first)
    cut = ((first + second) / 2 * directions).sum(axis=0)
    return (unseen - centre) @ directions, cut


def _auc(scores: Floats, labels: Mask) -> Floats:
    """Return the (draws,) area under the ROC curve, ties shared: Mann & Whitney's U over its maximum."""
    from scipy.stats import rankdata  # 0.9 s that a warm rerun would wait for

    second = labels.sum(axis=0)
    first = len(labels) - second
    ranks = rankdata(scores, axis=0)
    u = (ranks * labels).sum(axis=0) - second * (second + 1) / 2
    return np.asarray(u / (first * second))


def _balanced_accuracy(called: Mask, labels: Mask) -> Floats:
    right_second = (called & labels).sum(axis=0) / labels.sum(axis=0)
    right_first = (~called & ~labels).sum(axis=0) / (~labels).sum(axis=0)
    return np.asarray((right_first + right_second) / 2)
