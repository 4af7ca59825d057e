"""Classifiers fitted on the vectors of a set itself: every image is predicted by one that has not seen it, nor its like."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.classify.types import NONE_SAID, Predictions, Predictor
from fer_audit.dataset.types import Attribute
from fer_audit.embed.types import Embeddings
from fer_audit.errors import ConfigError
from fer_audit.rng import stage_rng
from fer_audit.text import counted, encodable

FOLDS = 5
STRENGTH = {"svm": 1e-3, "linear": 1e-2}
"""C of each method, on standardised vectors: of 2,048 numbers and a thousand images."""
STEPS = 1_000

NO_LABEL = "no_label"
TRAINING_PART = "training_part"
_Pair = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows to fit on, rows to predict."""


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """What must not stand on both sides of a fold."""

    units: NDArray[np.int64]
    """(n,) images of one number stay together."""
    name: str
    """What the units are: subject, image."""
    training: NDArray[np.bool_] | None = None
    """(n,) the set's own training part; None = it has none."""


def held_out_predictions(
    method: str, found: Embeddings, labels: Attribute, apart: Apart, *, seed: int, by: Predictor
) -> Predictions:
    """Return what a classifier says of n images: `svm`, a linear SVM, or `linear`, a logistic regression.

    Where the set has a training part, it is fitted on that, less the images whose unit is also on the other side, and says
    nothing of it; else five seeded folds of whole units are held out in turn. The SVM gives no probabilities. Images without a
    vector or a label get a reason. Raises ConfigError for fewer than two labels, or too few units.
    """
    usable = found.ok & (labels.codes >= 0)
    reasons = np.where(found.ok, np.where(usable, "", NO_LABEL), found.reasons).astype("U64")
    rows = np.flatnonzero(usable)
    x, y = found.vectors[rows], labels.codes[rows]
    training = None if apart.training is None else apart.training[rows]
    classes, units = np.unique(y), apart.units[rows]
    too_few = "two of its classes" if len(classes) < 2 else ""
    if (training is None and len(np.unique(units)) < FOLDS) or len(rows) < FOLDS:
        too_few = counted(FOLDS, encodable(apart.name))
    if too_few:
        raise ConfigError(f"--classify {method} needs {encodable(labels.name)} of {too_few}")
    scores = np.zeros((len(rows), len(labels.categories)), np.float32)
    folds = np.full(len(labels.codes), -1, np.int16)
    notes = [_how(method, found, apart)]
    pairs = [*_parts(training, units)] if training is not None else [*_folds(y, units, seed)]
    if not all(len(seen) for seen, _ in pairs):
        raise ConfigError(
            f"--classify {method} has nothing to fit on: of every image of the training part the same "
            f"{encodable(apart.name)}, or a copy, is outside it"
        )
    slow = 0
    for fold, (seen, unseen) in enumerate(pairs):
        folds[rows[unseen]] = fold
        slow += _fit(method, x, y, seen, unseen, scores)
    if training is not None:
        reasons[rows[training]] = TRAINING_PART
        lost = int(training.sum()) - len(pairs[0][0])
        if lost:
            count = counted(
                lost, "image of the training part is", "images of the training part are"
            )
            notes.append(
                f"{count} not fitted on: the same {encodable(apart.name)}, or a copy, is outside it."
            )
    if slow:
        notes.append(f"{counted(slow, 'fit')} stopped after {STEPS:,} steps.")
    ok = folds >= 0
    codes = np.full(len(ok), NONE_SAID, np.int16)
    codes[rows] = np.where(ok[rows], scores.argmax(axis=1), NONE_SAID)
    shares = None
    if method == "linear":
        shares = np.zeros((len(ok), scores.shape[1]), np.float32)
        shares[rows] = scores
    unit = "split" if training is not None else apart.name
    return Predictions(
        *(labels.name, labels.categories, codes, shares, ok, reasons, by, ""),
        folds=folds,
        unit=unit,
        notes=tuple(notes),
    )


def _how(method: str, found: Embeddings, apart: Apart) -> str:
    kind = "a linear SVM" if method == "svm" else "a logistic regression"
    where = (
        f"in turn without one of {FOLDS} folds, which it then predicts; one {encodable(apart.name)} and its copies are in one fold"
        if apart.training is None
        else "of the set's training part, and predicts the others"
    )
    return f"Held out: {kind} was fitted on the {found.model.name} vectors {where}."


def _folds(y: NDArray[np.int16], units: NDArray[np.int64], seed: int) -> Iterator[_Pair]:
    from sklearn.model_selection import StratifiedGroupKFold

    number = int(stage_rng(seed, "heldout", "folds").integers(2**31))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=number)
    yield from folds.split(y[:, None], y, units)


def _parts(training: NDArray[np.bool_], units: NDArray[np.int64]) -> Iterator[_Pair]:
    also_outside = np.isin(units, units[~training])
    yield np.flatnonzero(training & ~also_outside), np.flatnonzero(~training)


def _fit(
    method: str,
    x: NDArray[np.float32],
    y: NDArray[np.int16],
    seen: NDArray[np.intp],
    unseen: NDArray[np.intp],
    scores: NDArray[np.float32],
) -> bool:
    """Write the scores of the unseen rows, 0 for a class that was not seen; return whether the fit stopped before its end."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    known = np.unique(y[seen])
    if len(known) < 2 or not len(unseen):
        scores[np.ix_(unseen, known)] = 1
        return False
    kind: Any = LinearSVC if method == "svm" else LogisticRegression
    model = kind(C=STRENGTH[method], max_iter=STEPS, random_state=0)
    whole = make_pipeline(StandardScaler(), model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it did not converge is said in words
        whole.fit(x[seen], y[seen])
    if method == "linear":
        scores[np.ix_(unseen, known)] = whole.predict_proba(x[unseen])
    else:
        scores[unseen, whole.predict(x[unseen])] = 1
    return bool(np.max(model.n_iter_) >= STEPS)
