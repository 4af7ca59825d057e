"""Strata of images whose style makes the same labels likely: what a label shares with style alone is alike within them.

Rosenbaum & Rubin 1983, for several groups: P(label | style) from models that have not seen the image, in cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from fer_audit.audit.stats.tables import Codes, Singles

CELLS = 40
FOLDS = 5
LEAST_ROWS = 1_000
MOST_ATTRIBUTES = 10
_LEAST_P = 1e-3
"""A probability below it is as good as none: its logarithm must not outweigh all others."""


def enough_for_propensity(labels: Codes, attributes: int) -> bool:
    """Return whether a model of so many labels can be made, and of so many attributes in reasonable time."""
    counts = np.bincount(labels)
    return (
        len(labels) >= LEAST_ROWS
        and attributes <= MOST_ATTRIBUTES
        and int((counts >= FOLDS).sum()) > 1
    )


def propensity_cells(
    measures: Singles, labels: Codes, units: Codes, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Return the (n,) cell of each row: K-Means on the log-probabilities that its (n, m) measures give to the labels.

    Gradient boosting on histograms, cross-fitted: rows of one unit are in one of five folds, and a row's probabilities come
    from the four others. Groups of fewer than five rows have no probability of their own.
    """
    from scipy.cluster.vq import kmeans2  # 0.9 s that a warm rerun would wait for
    from sklearn.ensemble import HistGradientBoostingClassifier

    counts = np.bincount(labels)
    groups = np.flatnonzero(counts >= FOLDS)
    column = np.full(len(counts), -1)
    column[groups] = np.arange(len(groups))
    numbered = np.unique(units, return_inverse=True)[1]
    fold = (rng.permutation(int(numbered.max()) + 1) % FOLDS)[numbered]
    seed = int(rng.integers(2**31))
    p = np.zeros((len(labels), len(groups)))
    for each in range(FOLDS):
        learnt = (fold != each) & (column[labels] >= 0)
        if len(np.unique(labels[learnt])) < 2:
            continue  # what one person alone has cannot be learnt from the others
        model = HistGradientBoostingClassifier(
            max_iter=40, max_leaf_nodes=15, early_stopping=False, random_state=seed
        )
        # one thread: on a busy machine two wait for each other, ten times as long
        with threadpool_limits(1):
            model.fit(measures[learnt], column[labels[learnt]])
            p[np.ix_(fold == each, model.classes_)] = model.predict_proba(measures[fold == each])
    logs = np.log(np.maximum(p, _LEAST_P))
    distinct, found = np.unique(logs, axis=0, return_inverse=True)
    if len(distinct) > CELLS:
        _, found = kmeans2(logs, CELLS, minit="++", missing="warn", rng=rng)
    return np.unique(found, return_inverse=True)[1].astype(np.int16)
