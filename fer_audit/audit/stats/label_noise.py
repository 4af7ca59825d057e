"""Labels that several people gave, labels with known errors, and two classifiers that call the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.audit.stats.units import Codes, unit_variance


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
