"""Results of the classify package: what somebody or something said of every image; a network, by numbers cut into its heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.embed.types import Embeddings
from fer_audit.encoders.types import ModelSpec, columns_of

NONE_SAID = -1


@dataclass(frozen=True, slots=True)
class Predictor:
    """Who or what made the predictions."""

    name: str
    """Of the model, or of the table's file."""
    kind: Literal["model", "table", "heldout"]
    """A network that was run here, a table that somebody made, or a classifier fitted here on other images of the set."""
    sha256: str
    """Of the model's file, or of the table's."""
    trained_on: str = ""
    """Data it has seen, as far as that is known; "" when nothing is."""
    seen: str = ""
    """The known set that it was trained on, where that is this set; "" else."""
    caveat: str = ""
    """What a reader has to know of it; empty when there is nothing."""
    provider: str = ""
    """Execution provider that ran the network; "" for a table and for a classifier fitted here."""
    precision: str = ""
    """Numeric precision of the network's weights; "" for a table and for a classifier fitted here."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The predicted class of every image. Row i is image i."""

    about: str
    """What is predicted: expression, gender."""
    classes: tuple[str, ...]
    codes: NDArray[np.int16]
    """(n,) the class, that of the largest probability and of several the first; -1 where not ok."""
    probabilities: NDArray[np.float32] | None
    """(n, classes) zero where not ok; None where only the class is known."""
    ok: NDArray[np.bool_]
    reasons: NDArray[np.str_]
    """(n,) why there is no prediction; "" where ok."""
    by: Predictor
    fingerprint: str
    folds: NDArray[np.int16] | None = None
    """(n,) the fold an image was held out in, -1 in none; None where nothing was fitted here."""
    unit: str = ""
    """What no fold divides, e.g. subject or image; "split" where the set's own parts were kept; "" where nothing was fitted."""
    notes: tuple[str, ...] = ()
    """Sentences: what was repaired or left out, with counts."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedNumbers:
    """A predicted number of every image, such as the age in years. Row i is image i."""

    about: str
    values: NDArray[np.float32]
    """(n,) zero where not ok."""
    ok: NDArray[np.bool_]
    reasons: NDArray[np.str_]
    """(n,) why there is none; "" where ok."""
    by: Predictor
    fingerprint: str


Said = Predictions | PredictedNumbers


def predictions_of(found: Embeddings, spec: ModelSpec, seen: str = "") -> tuple[Said, ...]:
    """Return what each head of a classifier says of n images.

    `found`: (n, spec.dim) numbers as the network gave them, made as vectors are: of a pack of the model's own size,
    resumed, on the provider that was asked for; `seen`: the known set that this one is and that it was trained on. The
    results are views of them.
    """
    model = found.model
    by = Predictor(
        *(spec.name, "model", model.sha256, spec.trained_on, seen, spec.caveat),
        *(model.provider, model.precision),
    )
    said: list[Said] = []
    for head, place in columns_of(spec.heads):
        numbers = found.vectors[:, place]
        facts = (found.ok, found.reasons, by, found.fingerprint)
        if not head.classes:
            said.append(PredictedNumbers(head.name, numbers[:, 0], *facts))
            continue
        codes = np.where(found.ok, numbers.argmax(axis=1), NONE_SAID).astype(np.int16)
        said.append(Predictions(head.name, head.classes, codes, numbers, *facts))
    return tuple(said)
