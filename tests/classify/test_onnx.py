"""A classifier's numbers are cut into its heads, and a failed image has no class."""

from __future__ import annotations

import numpy as np

from fer_audit.classify.types import PredictedNumbers, Predictions, predictions_of
from fer_audit.embed.types import CPU, Embeddings, ModelFacts
from fer_audit.encoders.catalog import catalog_entry


def test_heads_are_cut_in_their_order_and_failed_rows_have_none() -> None:
    spec = catalog_entry("agegender-faceapi").spec
    numbers = np.array([[31, 0.9, 0.1], [0, 0, 0], [7, 0.5, 0.5], [60, 0.2, 0.8]], np.float32)
    ok = np.array([True, False, True, True])
    reasons = np.where(ok, "", "truncated")
    facts = ModelFacts(spec.name, "ab", CPU, "fp32", 3)

    age, gender = predictions_of(Embeddings(numbers, ok, reasons, facts, "print"), spec)

    assert isinstance(age, PredictedNumbers)
    assert age.values.tolist() == [31, 0, 7, 60]
    assert isinstance(gender, Predictions)
    assert (age.about, gender.about, gender.classes) == ("age", "gender", ("male", "female"))
    assert gender.codes.tolist() == [0, -1, 0, 1], "of equal probabilities the first class is said"
    assert gender.probabilities is not None
    assert np.array_equal(gender.probabilities, numbers[:, 1:])
    for said in (age, gender):
        assert said.ok.tolist() == ok.tolist()
        assert said.reasons.tolist() == ["", "truncated", "", ""]
        assert (said.by.sha256, said.fingerprint) == ("ab", "print")
        assert "UTKFace" in said.by.trained_on
