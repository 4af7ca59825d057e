"""Weights that take an association out of a set without removing an image, and what they cost in images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_audit.audit.stats.tables import Codes, Counts, Floats, expected_counts

MOST_ROUNDS = 500
CLOSE = 1e-9
"""Share of all weight by which a margin may still be off when raking stops."""


def reweighing(counts: Counts) -> Floats:
    """Return the weight of an image in each cell of (r, c) counts: n_r n_c / (n n_rc), NaN where the cell is empty.

    Weighted so, rows and columns are independent unless a cell is empty. Kamiran & Calders 2012.
    """
    weights = np.full(counts.shape, np.nan)
    np.divide(expected_counts(counts), counts, out=weights, where=counts > 0)
    return weights


def kish_n(weights: Floats) -> float:
    """Return the effective number of images of (n,) weights, (sum w)^2 / sum w^2; 0 where none has any. Kish 1965."""
    squares = float((weights * weights).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def rake(margins: Sequence[tuple[Codes, Floats]], n: int) -> tuple[Floats, float]:
    """Return (n,) weights of mean 1 under which every margin has its shares, and by how much the worst is still off.

    A margin is ((n,) codes, (categories,) shares that add up to 1). A category with a share must have an image;
    one without gets no weight. Iterative proportional fitting, Deming & Stephan 1940: it changes the weights least,
    and where the margins contradict each other the second number says so.
    """
    weights, off = np.ones(n), 0.0
    for _ in range(MOST_ROUNDS):
        off = 0.0
        for codes, shares in margins:
            have = np.bincount(codes, weights, minlength=len(shares)) / n
            off = max(off, float(np.abs(have - shares).max()))
            weights *= np.divide(shares, have, out=np.zeros(len(shares)), where=have > 0)[codes]
        if off < CLOSE:
            break
    return weights, off
