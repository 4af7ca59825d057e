"""What is fitted on a set's own vectors predicts nothing that it has seen, nor its like."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_audit.classify.heldout import FOLDS, NO_LABEL, TRAINING_PART, Apart, held_out_predictions
from fer_audit.classify.types import Predictions, Predictor
from fer_audit.dataset.types import Attribute
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.errors import ConfigError

BY = Predictor("svm on drawn", "heldout", "")
PEOPLE, SHOTS = 60, 6


def embeddings(vectors: NDArray[np.floating]) -> Embeddings:
    n, d = vectors.shape
    facts = ModelFacts("drawn", "", "", "fp32", d)
    return Embeddings(
        vectors.astype(np.float32), np.ones(n, np.bool_), np.full(n, "", "U32"), facts, ""
    )


def labels(codes: NDArray[np.integer], *names: str) -> Attribute:
    return Attribute("expression", names or ("a", "b"), codes.astype(np.int16), "label")


def leak(seed: int = 0) -> tuple[Embeddings, Attribute, NDArray[np.int64]]:
    """Return vectors that say who is on an image and nothing else; each person always has one random label."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(PEOPLE), SHOTS)
    centres = rng.standard_normal((PEOPLE, 100))
    vectors = centres[person] + 0.01 * rng.standard_normal((len(person), 100))
    return embeddings(vectors), labels(rng.permutation(PEOPLE)[person] % 2), person


def accuracy(said: Predictions, truth: Attribute) -> float:
    return float((said.codes[said.ok] == truth.codes[said.ok]).mean())


@pytest.mark.parametrize("method", ["svm", "linear"])
def test_who_is_on_an_image_is_worth_nothing_when_people_are_held_out(method: str) -> None:
    found, truth, person = leak()

    by_person = held_out_predictions(method, found, truth, Apart(person, "subject"), seed=0, by=BY)
    by_image = held_out_predictions(
        method, found, truth, Apart(np.arange(len(person)), "image"), seed=0, by=BY
    )

    assert accuracy(by_image, truth) > 0.9
    assert abs(accuracy(by_person, truth) - 0.5) < 4 * 0.5 / np.sqrt(PEOPLE)
    assert (by_person.unit, by_image.unit) == ("subject", "image")
    assert (by_person.probabilities is None) == (method == "svm")


@given(st.integers(0, 2**16), st.integers(2, 4), st.integers(5, 12))
@settings(max_examples=15, deadline=None)
def test_each_image_is_predicted_once_and_no_unit_is_divided(
    seed: int, n_classes: int, n_units: int
) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    units = np.concatenate([np.arange(n_units), rng.integers(0, n_units, n - n_units)])
    codes = rng.permutation(n) % n_classes
    codes[rng.random(n) < 0.1] = -1
    found = embeddings(rng.standard_normal((n, 3)))
    truth = labels(codes, *"abcd"[:n_classes])
    units[codes < 0] = units[0]
    if len(np.unique(units[codes >= 0])) < FOLDS:
        return

    said = held_out_predictions("linear", found, truth, Apart(units, "unit"), seed=seed, by=BY)
    again = held_out_predictions("linear", found, truth, Apart(units, "unit"), seed=seed, by=BY)

    assert (said.ok == (codes >= 0)).all()
    assert set(said.reasons[~said.ok].tolist()) <= {NO_LABEL}
    assert said.folds is not None
    for unit in np.unique(units[said.ok]):
        assert len(np.unique(said.folds[said.ok & (units == unit)])) == 1
    assert said.probabilities is not None
    assert np.allclose(said.probabilities[said.ok].sum(axis=1), 1, atol=1e-5)
    assert (said.codes[said.ok] == said.probabilities[said.ok].argmax(axis=1)).all()
    assert (said.codes == again.codes).all()
    assert (said.folds == again.folds).all()


def test_the_sets_own_parts_are_kept_and_what_leaks_is_not_fitted_on() -> None:
    found, truth, person = leak()
    training = np.arange(len(person)) % SHOTS < SHOTS - 1  # one image of everybody is outside
    training[person < PEOPLE // 2] = True  # but for the first half

    said = held_out_predictions(
        "svm", found, truth, Apart(person, "subject", training), seed=0, by=BY
    )

    assert (said.ok == ~training).all()
    assert set(said.reasons[training].tolist()) == {TRAINING_PART}
    assert said.unit == "split"
    assert any("150 images of the training part are not fitted on" in x for x in said.notes)
    assert accuracy(said, truth) < 0.8, "it knows everybody outside from the training part"
    every = replace(found, ok=np.ones(len(person), np.bool_))
    with pytest.raises(ConfigError, match="nothing to fit on"):
        held_out_predictions(
            "svm",
            every,
            truth,
            Apart(np.zeros(len(person), np.int64), "subject", training),
            seed=0,
            by=BY,
        )


@pytest.mark.parametrize(
    ("codes", "units", "match"),
    [([0] * 20, range(20), "two of its classes"), ([0, 1] * 10, [0] * 10 + [1] * 10, "5 subject")],
)
def test_what_cannot_be_held_out_is_said(codes: list[int], units: list[int], match: str) -> None:
    apart = Apart(np.array([*units]), "subject")
    found = embeddings(np.random.default_rng(0).standard_normal((20, 3)))
    with pytest.raises(ConfigError, match=match):
        held_out_predictions("svm", found, labels(np.array(codes)), apart, seed=0, by=BY)
