"""Does a classifier know how often it is right? Its confidence against its hits, in bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.tables import Floats

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


def calibration(confidence: Floats, right: NDArray[np.bool_], edges: Floats) -> Calibration:
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
