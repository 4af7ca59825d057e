"""What a classifier gets right, by group: from confusion matrices, (groups, true classes, predicted classes) counts.

Where a group has no image of a class there is no recall: NaN, never 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask


def confusions(group: Codes, label: Codes, prediction: Codes, shape: tuple[int, int]) -> Counts:
    """Return the (g, c, c) counts of (n,) codes, (g, c) = shape; a row with a negative code is left out."""
    groups, classes = shape
    known = (group >= 0) & (label >= 0) & (prediction >= 0)
    flat = (group[known].astype(np.int64) * classes + label[known]) * classes + prediction[known]
    return np.bincount(flat, minlength=groups * classes**2).reshape(groups, classes, classes)


def ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Floats:
    """Return part / whole, NaN where whole is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    bottom = whole.astype(np.float64)
    nothing = np.full(bottom.shape, np.nan)
    return np.asarray(np.divide(part.astype(np.float64), bottom, out=nothing, where=bottom > 0))


def recalls(confusion: Counts) -> Floats:
    """Return the (g, c) share of the images of a class that are predicted so."""
    return ratio(np.diagonal(confusion, axis1=1, axis2=2), confusion.sum(axis=2))


def accuracies(confusion: Counts) -> Floats:
    """Return the (g,) share of images predicted right."""
    return ratio(np.trace(confusion, axis1=1, axis2=2), confusion.sum(axis=(1, 2)))


def prediction_rates(confusion: Counts) -> Floats:
    """Return the (g, c) share of images predicted as each class."""
    return ratio(confusion.sum(axis=1), confusion.sum(axis=(1, 2))[:, None])


def false_positive_rates(confusion: Counts) -> Floats:
    """Return the (g, c) share of the images of other classes that are predicted as the class."""
    right = np.diagonal(confusion, axis1=1, axis2=2)
    others = confusion.sum(axis=(1, 2))[:, None] - confusion.sum(axis=2)
    return ratio(confusion.sum(axis=1) - right, others)


def macro_f1(confusion: Counts, classes: Mask | None = None) -> Floats:
    """Return the (g,) mean F1 over the classes that have images in the group, or over the given (c,) classes.

    scikit-learn's default also counts as 0 a class that is predicted and has no image.
    """
    right = np.diagonal(confusion, axis1=1, axis2=2)
    f1 = ratio(2 * right, confusion.sum(axis=1) + confusion.sum(axis=2))
    counted = confusion.sum(axis=2) > 0
    if classes is not None:
        counted &= classes
    return ratio(np.where(counted, f1, 0.0).sum(axis=1), counted.sum(axis=1))


def widest(values: Floats) -> Floats:
    """Return the (c,) greatest less the least of (g, c) values; NaN where fewer than two groups have one."""
    enough = np.isfinite(values).sum(axis=0) >= 2
    filled = np.where(enough, values, 0.0)
    return np.where(enough, np.nanmax(filled, axis=0) - np.nanmin(filled, axis=0), np.nan)


def xu_f(recalls: Floats) -> Floats:
    """Return the least over the greatest sum of recalls of a group, of (..., g, c); Xu et al. 2020, ECCV-W. 1 is fair.

    The classes must be those that all groups have; NaN where one is missing, or nothing is right.
    """
    if not recalls.size:
        return np.full(recalls.shape[:-2], np.nan)
    sums = recalls.sum(axis=-1)
    return ratio(sums.min(axis=-1), sums.max(axis=-1))


def intraclass_disparity(recall: Floats) -> Floats:
    """Return ID_c = 1 / (G_c - 1) sum_g (1 - R_gc / max_g R_gc), (c,); Dominguez-Catena 2022. 0 is fair.

    G_c groups have a recall; NaN where fewer than two have, or none is right.
    """
    has = np.isfinite(recall)
    best = np.where(has, recall, 0.0).max(axis=0)
    lost = np.where(has, 1 - ratio(np.where(has, recall, 0.0), best), 0.0).sum(axis=0)
    return np.where(best > 0, ratio(lost, has.sum(axis=0) - 1), np.nan)
