"""How far a classifier, its confidence and its labels can be trusted: bins of confidence, confident learning, votes, kappa."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask
from fer_audit.audit.stats.units import unit_variance

BINS = 15


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence and hits are apart."""

    l1: float
    """Mean distance over the bins, as it is usually printed: biased upwards where bins hold few images."""
    squared: float
    """Mean squared distance, biased as well."""
    debiased: float | None
    """The same without its bias; None where a bin holds one image."""
    signed: float
    """Confidence less hits: above 0 = overconfident."""

    @property
    def error(self) -> float | None:
        """The root of `debiased`, 0 where that is negative."""
        return None if self.debiased is None else float(np.sqrt(max(0.0, self.debiased)))


def equal_mass_edges(confidence: Floats, bins: int = BINS) -> Floats:
    """Return the upper ends of at most so many bins of about equally many of (n,) confidences; equal ones share a bin."""
    inner = np.quantile(confidence, np.arange(1, bins) / bins, method="inverted_cdf")
    return np.unique(np.append(inner, np.inf))


def calibration(confidence: Floats, right: Mask, edges: Floats) -> Calibration:
    """Return the calibration of n >= 1 images in bins (-, e_0], (e_0, e_1], ...; Kumar, Liang & Ma 2019, NeurIPS."""
    bins = np.searchsorted(edges, confidence, side="left")
    n = np.bincount(bins, minlength=len(edges))
    held = n > 0
    n = n[held]
    apart = ratio(np.bincount(bins, weights=confidence - right, minlength=len(edges))[held], n)
    hits = ratio(np.bincount(bins, weights=right, minlength=len(edges))[held], n)
    share = n / n.sum()
    squared = float((share * apart**2).sum())
    debiased = None
    if n.min() > 1:
        debiased = squared - float((share * hits * (1 - hits) / (n - 1)).sum())
    return Calibration(
        float((share * np.abs(apart)).sum()), squared, debiased, float((share * apart).sum())
    )


_ROUNDING = 1e-6
"""A mean of equal numbers may come out larger than each of them."""


def thresholds(probabilities: Floats, given: Codes) -> Floats:
    """Return (k,) t_j, the mean probability of class j among the images that are given j; NaN where nobody is.

    `probabilities` is (n, k), `given` (n,) in 0..k-1.
    """
    counts = np.bincount(given, minlength=probabilities.shape[1])
    own = np.take_along_axis(probabilities, given[:, None].astype(np.intp), axis=1)[:, 0]
    sums = np.bincount(given, own, minlength=len(counts))
    return np.asarray(np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0))


def confident_classes(probabilities: Floats, given: Codes) -> tuple[Counts, int]:
    """Return the (n,) class with the largest probability among those that reach their t_j, -1 where none does, and the ties.

    Of equal probabilities the lowest class counts; ties are the images where that decided.
    """
    reached = np.where(
        probabilities >= thresholds(probabilities, given) - _ROUNDING, probabilities, -1.0
    )
    best = reached.max(axis=1)
    ties = int((((reached == best[:, None]).sum(axis=1) > 1) & (best >= 0)).sum())
    return np.where(best >= 0, reached.argmax(axis=1), -1), ties


def calibrated_joint(joint: Counts, given: Counts) -> Floats:
    """Return the (k, k) shares of (given, confident) whose rows add up to the shares of the (k,) given labels.

    `joint` are the counts of both; a row without a count stays empty. One less the trace estimates the share of wrong labels.
    """
    sums = joint.sum(axis=1, keepdims=True)
    rows = np.divide(joint, sums, out=np.zeros(joint.shape), where=sums > 0) * given[:, None]
    total = rows.sum()
    return np.asarray(rows / total if total else rows)


@dataclass(frozen=True, slots=True, eq=False)
class SoftScores:
    """How predictions agree with shares of votes."""

    accuracy: float
    """Mean share of the votes that the predicted class has."""
    ceiling: float
    """Mean share of the winning class: what nobody can exceed."""
    recall: Floats
    """(c,) of the votes for a class, those on images predicted so; NaN without a vote."""
    n_effective: Floats
    """(c,) images that the votes for a class are worth."""


def soft_scores(shares: Floats, prediction: Codes) -> SoftScores:
    """Return the scores of n >= 1 predictions against (n, c) shares of votes that sum to 1."""
    said = np.take_along_axis(shares, prediction[:, None].astype(np.intp), axis=1)[:, 0]
    votes = shares.sum(axis=0)
    hits = np.bincount(prediction, weights=said, minlength=shares.shape[1])
    return SoftScores(
        float(said.mean()),
        float(shares.max(axis=1).mean()),
        ratio(hits, votes),
        ratio(votes**2, (shares**2).sum(axis=0)),
    )


def without_label_noise(counts: Counts | Floats, given_true: Floats) -> Floats | None:
    """Return the (true, predicted) counts behind (given, predicted) ones, P(given | true) known; None where that is impossible.

    counts(true) = (T')^-1 counts(given), if predictions depend on the true label alone. A negative count is impossible.
    """
    if np.linalg.matrix_rank(given_true) < len(given_true):
        return None
    found = np.asarray(np.linalg.solve(given_true.T, counts), dtype=np.float64)
    return None if (found < -1e-9).any() else found


def kappa(first: Codes, second: Codes, units: Codes) -> tuple[float, float] | None:
    """Return Cohen's kappa of two (n,) columns of codes and its standard error, rows of one unit together.

    Delta method (Fleiss, Cohen & Everitt 1969), with the sandwich of units. None where agreement by chance is perfect.
    """
    size = int(max(first.max(initial=0), second.max(initial=0))) + 1
    rows, cols = (np.bincount(x, minlength=size) / max(len(x), 1) for x in (first, second))
    chance = float(rows @ cols)
    if not len(first) or chance >= 1 - 1e-12:
        return None
    same = (first == second).astype(np.float64)
    agree = float(same.mean())
    by_chance = cols[first] + rows[second]
    influence = same / (1 - chance) - (1 - agree) * by_chance / (1 - chance) ** 2
    found = (agree - chance) / (1 - chance)
    return found, float(np.sqrt(unit_variance(influence, units)))
