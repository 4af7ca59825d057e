"""Erase an attribute from vectors: no linear probe can read it on the rows that the eraser was fitted on.

LEACE (Belrose et al. 2023, arXiv 2306.03819) moves the vectors as little as that takes; SPLINCE (Holstege et al. 2025,
arXiv 2506.10703) leaves their covariance with another label as it is. Both are oblique projections.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.tables import Codes, Floats

ZERO = 1e-9
"""Of the largest singular value: what is smaller is none."""
APART = 1e-3
"""Least squared sine between what is erased and what is kept; below it, one cannot go without the other."""
ENOUGH_ROWS = 10
"""Rows a dimension from which the covariance of the rows is used as it is; with fewer it is shrunk."""


@dataclass(frozen=True, slots=True, eq=False)
class Eraser:
    """An affine map that removes an attribute."""

    mean: Floats
    """(d,)"""
    removed: Floats
    """(d, d): what it takes off is (x - mean) @ removed."""
    rank: int
    """Dimensions it removes."""
    shrunk: bool
    """Whether the covariance was shrunk (Ledoit & Wolf 2004)."""

    def __call__(self, x: Floats) -> Floats:
        """Return (n, d) vectors without the attribute."""
        return x - (x - self.mean) @ self.removed


def fit_eraser(
    x: Floats, codes: Codes, keep: Codes | None = None, *, shrink: bool | None = None
) -> Eraser | None:
    """Return the eraser of (n,) group codes from (n, d) vectors, LEACE's, or SPLINCE's where `keep` is a label to keep.

    All codes are known. `shrink` None = where there are fewer than `ENOUGH_ROWS` rows a dimension; the erasure is exact
    on these rows either way. None where the label lies in the directions that would be removed.
    """
    n, d = x.shape
    mean = x.mean(axis=0)
    centred = x - mean
    shrunk = n < ENOUGH_ROWS * d if shrink is None else shrink
    covariance = centred.T @ centred / n
    if shrunk:
        from sklearn.covariance import ledoit_wolf  # 0.9 s that a warm rerun would wait for

        covariance = ledoit_wolf(centred, assume_centered=True)[0]
    values, axes = np.linalg.eigh(covariance)
    real = values > ZERO * values[-1]
    scales = np.sqrt(values[real])
    whiten = (axes[:, real] / scales) @ axes[:, real].T
    colour = (axes[:, real] * scales) @ axes[:, real].T
    erased = _directions(whiten @ _covariance(centred, codes))
    through = erased.T
    if keep is not None:
        kept = _directions(whiten @ _covariance(centred, keep))
        through = through - (through @ kept) @ kept.T
        if erased.shape[1] and np.linalg.eigvalsh(through @ erased)[0] < APART:
            return None
    projection = erased @ np.linalg.solve(through @ erased, through)
    return Eraser(mean, (colour @ projection @ whiten).T, erased.shape[1], shrunk)


def _covariance(centred: Floats, codes: Codes) -> Floats:
    """Return the (d, groups) covariance of centred vectors with membership in each group."""
    return centred.T @ one_hot(codes) / len(centred)


def one_hot(codes: Codes) -> Floats:
    """Return (n, groups) membership, of the groups that occur."""
    return np.asarray(codes[:, None] == np.unique(codes)[None, :], dtype=np.float64)


def _directions(columns: Floats) -> Floats:
    """Return an orthonormal basis of what the columns span."""
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, values > ZERO * max(float(values[0]), ZERO)]
