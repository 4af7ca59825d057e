"""Which labels a model finds wrong: confident learning, Northcutt et al. 2021, JAIR 70. Out-of-fold probabilities only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Counts, Floats

_ROUNDING = 1e-6
"""A mean of equal numbers may come out larger than each of them."""


def thresholds(probabilities: Floats, given: NDArray[np.integer]) -> Floats:
    """Return (k,) t_j, the mean probability of class j among the images that are given j; NaN where nobody is.

    `probabilities` is (n, k), `given` (n,) in 0..k-1.
    """
    counts = np.bincount(given, minlength=probabilities.shape[1])
    own = np.take_along_axis(probabilities, given[:, None].astype(np.intp), axis=1)[:, 0]
    sums = np.bincount(given, own, minlength=len(counts))
    return np.asarray(np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0))


def confident_classes(
    probabilities: Floats, given: NDArray[np.integer]
) -> tuple[NDArray[np.int64], int]:
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
