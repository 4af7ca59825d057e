"""What a picture depends on."""

from __future__ import annotations

from inspect import signature
from itertools import product

import numpy as np
import pytest

from fer_audit.synth.backdrop import PLACES
from fer_audit.synth.draw import EXPRESSIONS, HAIRS, draw_face


def pixels(number: int = 3, **changed: str) -> np.ndarray:
    look = {"place": "garden", "hair": "long", "expression": "happy", **changed}
    return np.asarray(draw_face(number, **look, seed=0)).astype(int)


def test_a_number_gives_its_picture_of_200_by_200_and_another_one_another() -> None:
    assert pixels().shape == (200, 200, 3)
    assert (pixels(3) == pixels(3)).all()
    assert (pixels(3) != pixels(4)).any()


def test_no_group_age_or_session_reaches_the_pen() -> None:
    """What is not drawn cannot be seen: that makes `group` and `age` tied to pictures by the labels alone."""
    assert set(signature(draw_face).parameters) == {
        "number",
        "place",
        "hair",
        "expression",
        "seed",
    }


@pytest.mark.parametrize("look", list(product(PLACES, HAIRS, EXPRESSIONS)), ids="-".join)
def test_every_look_can_be_drawn(look: tuple[str, str, str]) -> None:
    place, hair, expression = look

    assert pixels(place=place, hair=hair, expression=expression).std() > 20


def test_the_expression_changes_the_face_and_nothing_around_it() -> None:
    differs = (pixels(expression="happy") != pixels(expression="sad")).any(axis=2)

    rows, columns = np.nonzero(differs)
    assert differs.any()
    assert rows.min() > 60
    assert rows.max() < 150
    assert columns.min() > 50
    assert columns.max() < 150


def test_the_place_changes_the_corners() -> None:
    gap = abs(pixels(place="garden")[-8:, :8] - pixels(place="studio")[-8:, :8])

    assert gap.mean() > 30
