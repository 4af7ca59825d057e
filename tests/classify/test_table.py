"""Somebody's predictions are joined line by line, mapped by an explicit scheme, and never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.classify.table import PredictionColumns, prediction_columns, table_predictions
from fer_audit.classify.types import Predictions, Predictor
from fer_audit.dataset.maps import MAPS, GroupMap
from fer_audit.errors import ConfigError

(EIGHT,) = (each for each in MAPS if each.name == "expression8" and isinstance(each, GroupMap))
(SIX,) = (each for each in MAPS if each.name == "expression6" and isinstance(each, GroupMap))
PYFEAT = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
DEEPFACE = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def joined(
    cells: dict[str, list[str | None]],
    where: PredictionColumns,
    rows: list[int],
    n: int,
    scheme: GroupMap = EIGHT,
) -> Predictions:
    return table_predictions(
        *(cells, where, np.array(rows, np.intp), n),
        about="expression",
        classes=scheme.groups,
        target=scheme.target,
        by=Predictor("t.csv", "table", "ab"),
        fingerprint="print",
    )


@pytest.mark.parametrize(
    ("columns", "label", "classes"),
    [
        (("frame", "FaceScore", *PYFEAT), None, PYFEAT),
        (("dominant_emotion", *(f"emotion.{each}" for each in DEEPFACE)), None, PYFEAT),
        (("dominant_emotion", "face_confidence"), "dominant_emotion", ()),
        (("face", "Emotion "), "Emotion ", ()),
        (("expression", "predicted_expression"), "predicted_expression", ()),
        (("p_happy", "p_sad", "label"), None, ("happiness", "sadness")),
    ],
)
def test_columns_are_known_by_the_names_tools_give_them(
    columns: tuple[str, ...], label: str | None, classes: tuple[str, ...]
) -> None:
    found = prediction_columns(columns, "expression", EIGHT.target, table="t.csv")

    assert (found.label, set(found.probabilities)) == (label, set(classes))
    assert set(found.needed()) <= set(columns)


def test_columns_that_leave_a_choice_are_refused() -> None:
    for columns, scheme, words in (
        (("a", "b"), EIGHT, "No column of t.csv is known to hold the predicted expression"),
        (("happy", "happiness", "sad"), EIGHT, "both mean happiness"),
        (("happy", "sad", "neutral"), SIX, "has no counterpart"),
    ):
        with pytest.raises(ConfigError, match=words):
            prediction_columns(columns, "expression", scheme.target, table="t.csv")
    with pytest.raises(ConfigError, match=r't\.csv has no column "mood"'):
        prediction_columns(("a",), "expression", EIGHT.target, table="t.csv", asked="mood")
    assert (
        prediction_columns(("a",), "expression", EIGHT.target, table="t.csv", asked="a").label
        == "a"
    )


def test_lines_say_a_class_or_why_they_do_not() -> None:
    words: list[str | None] = ["Happy", "calm", "bored", None, "sad", "joy", "fear", "anger"]
    rows = [0, 1, 2, 3, -1, 5, 6, 6]

    said = joined({"x": words}, PredictionColumns("x", {}), rows, 8)

    assert [EIGHT.groups[code] if code >= 0 else "" for code in said.codes] == [
        *("happiness", "", "", "", "", "happiness", "", "")
    ]
    assert said.reasons.tolist() == [
        *("", "class_without_counterpart", "unknown_class", "no_prediction", "no_prediction"),
        *("", "conflicting_predictions", "no_prediction"),
    ]
    assert said.probabilities is None
    none = joined({"x": []}, PredictionColumns("x", {}), [], 2)
    assert (none.codes.tolist(), none.notes) == ([-1, -1], ("2 images have no line.",))
    known = ", ".join(f'"{each}"' for each in EIGHT.groups)
    assert said.notes == (
        f'1 line with a class that is not known: "bored"; known are {known}.',
        "1 line names no image of the set.",
        "2 images have no line.",
        "1 line repeats an image.",
        "1 image has lines that contradict each other, and no class.",
    )


@given(st.lists(st.lists(st.floats(0.01, 1), min_size=7, max_size=7), min_size=1, max_size=6))
def test_percentages_and_shares_mean_the_same_and_agree_with_the_largest(
    weights: list[list[float]],
) -> None:
    shares = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    where = prediction_columns(DEEPFACE, "expression", EIGHT.target, table="t.csv")
    n = len(shares)

    def said(factor: float) -> Predictions:
        columns = zip(DEEPFACE, (shares * factor).T, strict=True)
        cells: dict[str, list[str | None]] = {
            name: [repr(float(x)) for x in column] for name, column in columns
        }
        return joined(cells, where, list(range(n)), n)

    one, hundred = said(1), said(100)

    assert one.ok.all()
    assert hundred.ok.all()
    assert one.classes == tuple(name for name in EIGHT.groups if name != "contempt")
    assert one.probabilities is not None
    assert hundred.probabilities is not None
    assert np.allclose(one.probabilities, hundred.probabilities)
    assert np.array_equal(one.codes, one.probabilities.argmax(axis=1))
    named = [EIGHT.target(DEEPFACE[i]) for i in shares.astype(np.float32).argmax(axis=1)]
    assert [one.classes[code] for code in one.codes] == named
    assert any("in percent" in note for note in hundred.notes)
    assert not one.notes


def test_numbers_that_are_no_probabilities_give_no_class() -> None:
    where = prediction_columns(("happy", "sad"), "expression", EIGHT.target, table="t.csv")
    happy: list[str | None] = ["0.5", "-0.5", "0.9", "much", None, "0.25"]
    sad: list[str | None] = ["0.5", "1.5", "0.9", "0.1", None, "0.75"]

    said = joined({"happy": happy, "sad": sad}, where, list(range(6)), 6)

    odd = "probabilities_do_not_sum_to_one"
    assert said.reasons.tolist() == ["", odd, odd, odd, "no_prediction", ""]
    assert said.codes.tolist() == [0, -1, -1, -1, -1, 1]
    assert said.notes == ("3 lines with probabilities that do not add up to 1, and so no class.",)
