"""What the numbers of a classifier's network say: its vectors, cut into its heads."""

from __future__ import annotations

import numpy as np

from fer_audit.classify.types import NONE_SAID, PredictedNumbers, Predictions, Predictor, Said
from fer_audit.embed.types import Embeddings
from fer_audit.encoders.types import ModelSpec


def predictions_of(found: Embeddings, spec: ModelSpec) -> tuple[Said, ...]:
    """Return what each head of a classifier says of n images.

    `found`: (n, spec.dim) numbers as the network gave them, made as vectors are: of a pack of the model's own size,
    resumed, on the provider that was asked for. The results are views of them.
    """
    model = found.model
    by = Predictor(
        *(spec.name, "model", model.sha256, spec.trained_on, spec.caveat),
        *(model.provider, model.precision),
    )
    said: list[Said] = []
    start = 0
    for head in spec.heads:
        numbers = found.vectors[:, start : start + head.width]
        start += head.width
        facts = (found.ok, found.reasons, by, found.fingerprint)
        if not head.classes:
            said.append(PredictedNumbers(head.name, numbers[:, 0], *facts))
            continue
        codes = np.where(found.ok, numbers.argmax(axis=1), NONE_SAID).astype(np.int16)
        said.append(Predictions(head.name, head.classes, codes, numbers, *facts))
    return tuple(said)
