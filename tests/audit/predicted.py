"""Predictions made by hand, and a set of which is known whom they fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import AuditInputs
from fer_audit.classify.types import Predictions, Predictor
from fer_audit.config import AuditConfig
from tests.audit.inputs import attribute, dataset_of, inputs_of

CLASSES = ("happy", "neutral", "sad")
LABELS = ("Happiness", "Neutral", "Sadness", "Contempt")
QUICK = AuditConfig.of(permutations=999, bootstraps=99, replay=0)


def predictions_of(
    codes: Sequence[int] | NDArray[np.integer],
    *,
    name: str = "fer-mini",
    classes: tuple[str, ...] = CLASSES,
    about: str = "expression",
    sure: NDArray[np.floating] | None = None,
    **by: str,
) -> Predictions:
    """Return predictions of those codes; -1 = none. `sure` is the probability of the predicted class."""
    said = np.asarray(codes, dtype=np.int16)
    probabilities = None
    if sure is not None:
        rest = (1 - sure) / (len(classes) - 1)
        probabilities = np.repeat(rest[:, None], len(classes), axis=1).astype(np.float32)
        probabilities[np.arange(len(said)), said] = sure
    return Predictions(
        about=about,
        classes=classes,
        codes=said,
        probabilities=probabilities,
        ok=said >= 0,
        reasons=np.where(said >= 0, "", "no_prediction"),
        by=Predictor(name, "model", "ab" * 32, **by),
        fingerprint="f" * 64,
    )


def planted(n: int = 3000, *, labelled: bool = True, **more: Any) -> AuditInputs:  # noqa: ANN401 - fields of AuditInputs
    """Return a set whose model is right about 90 % of all, but about half of the sad faces of race B; women smile more."""
    rng = np.random.default_rng(5)
    race, gender = rng.integers(0, 3, n), rng.integers(0, 2, n)
    happy = rng.random(n) < np.where(gender == 1, 0.6, 0.3)
    label = np.where(happy, 0, rng.integers(1, 3, n))
    right = rng.random(n) < np.where((race == 1) & (label == 2), 0.5, 0.9)
    said = np.where(right, label, (label + rng.integers(1, 3, n)) % 3)
    columns = [
        attribute("race", race, ("A", "B", "C")),
        attribute("gender", gender, ("male", "female")),
    ]
    if labelled:
        columns.append(attribute("expression", label, LABELS, "label"))
    predictions = more.pop("predictions", None) or (
        predictions_of(said, sure=0.5 + 0.4 * rng.random(n)),
    )
    return inputs_of(dataset_of(*columns), config=QUICK, predictions=predictions, **more)
