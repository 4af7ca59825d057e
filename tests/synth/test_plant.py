"""What the labels and the drawings are tied to, and what they are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from inspect import signature
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from fer_audit.synth.draw import EXPRESSIONS, HAIRS, PLACES, draw_face
from fer_audit.synth.folder import drawn
from fer_audit.synth.plant import GROUPS, SESSIONS, Row, describe, plant_rows

ROWS = plant_rows(600)

Value = Callable[[Row], Hashable]


def age_bin(row: Row) -> int:
    return 0 if row.age < 10 else min(row.age // 10, 7)


def look(row: Row) -> tuple[str, str]:
    """Return what clusters can see."""
    return row.place, row.hair


def p_of(first: Value, second: Value, rows: Sequence[Row] = ROWS) -> float:
    """Return the p of independence of two columns."""
    pairs = Counter((first(row), second(row)) for row in rows)
    table = np.array([[pairs[a, b] for b in {b for _, b in pairs}] for a in {a for a, _ in pairs}])
    return float(chi2_contingency(table, correction=False).pvalue)


def share(rows: Sequence[Row], keep: Callable[[Row], bool]) -> float:
    return sum(map(keep, rows)) / len(rows)


def test_group_d_has_18_of_600() -> None:
    assert Counter(row.group for row in ROWS) == {"A": 270, "B": 180, "C": 132, "D": 18}


@pytest.mark.parametrize("n", [0, 1, 2, 7, 24, 101, 600])
def test_any_number_of_rows_can_be_planted(n: int) -> None:
    assert len(plant_rows(n)) == n


def test_sessions_differ_in_groups_and_each_has_all_of_them() -> None:
    pairs = Counter((row.session, row.group) for row in ROWS)

    assert p_of(lambda row: row.session, lambda row: row.group) < 1e-20
    assert min(pairs[session, group] for session in SESSIONS for group in GROUPS) >= 9


def test_a_session_has_its_place_and_a_gender_its_hair_though_not_always() -> None:
    first = [row for row in ROWS if row.session == "first"]
    women = [row for row in ROWS if row.gender == "female"]

    assert 0.90 < share(first, lambda row: row.place == "garden") < 0.97
    assert 0.88 < share(women, lambda row: row.hair == "long") < 0.96


def test_within_a_session_the_group_knows_nothing_of_the_look() -> None:
    for session in SESSIONS:
        rows = [row for row in ROWS if row.session == session]

        assert p_of(lambda row: row.group, look, rows) > 0.5, session


def test_without_the_session_the_group_seems_to_know_the_look() -> None:
    assert p_of(lambda row: row.group, look) < 1e-10


def test_the_gender_is_tied_to_neither_session_nor_group() -> None:
    assert p_of(lambda row: row.gender, lambda row: row.session) > 0.5
    assert p_of(lambda row: row.gender, lambda row: row.group) > 0.5


def test_people_come_several_times_and_keep_their_labels() -> None:
    people = Counter(row.person for row in ROWS)
    labels = {(row.person, row.group, row.gender, row.age, row.session, row.hair) for row in ROWS}

    assert sum(count > 1 for count in people.values()) > 140
    assert max(people.values()) == 4
    assert len(labels) == len(people)


def test_the_age_is_a_persons_and_seems_tied_to_the_look_only_where_images_are_counted() -> None:
    people = list({row.person: row for row in ROWS}.values())

    assert p_of(age_bin, look, people) > 0.2
    assert p_of(age_bin, look) < 0.01


@pytest.mark.parametrize("label", ["expression", "emotion"])
@pytest.mark.parametrize("name", ["group", "gender", "session", "place", "hair"])
def test_expression_and_emotion_are_tied_to_nothing(label: str, name: str) -> None:
    def told(row: Row) -> str:
        return str(getattr(row, label))

    assert p_of(told, lambda row: str(getattr(row, name))) > 0.2


def test_a_copy_is_another_persons_same_picture_and_many_differ_in_the_expression() -> None:
    first = {row.picture: row for row in ROWS if not row.is_copy}
    copies = [row for row in ROWS if row.is_copy]
    differ = [row for row in copies if row.expression != first[row.picture].expression]

    assert (len(copies), len(differ)) == (22, 14)
    for row in copies:
        one = first[row.picture]
        same = replace(one, person=row.person, expression=row.expression, is_copy=True)
        assert row == same
        assert row.person != one.person


def test_ages_are_spread_evenly_from_3_to_80_without_heaping() -> None:
    ages = [row.age for row in ROWS]
    round_ages = share(ROWS, lambda row: row.age % 5 == 0)

    assert 3 <= min(ages) < 6
    assert 77 < max(ages) <= 80
    assert round_ages == pytest.approx(16 / 78, abs=0.06)


def test_the_order_of_rows_tells_no_session() -> None:
    """So that --first takes some of everything."""
    assert 0.4 < share(ROWS[:100], lambda row: row.session == "first") < 0.6


def test_the_truth_says_how_many_rows_there_are_and_what_was_planted() -> None:
    truth = describe(ROWS)

    assert truth["drawn"] is True
    assert truth["n"] == 600
    assert truth["planted"][0]["words"] == "Group D is under-represented, 18 of 600."


def pixels(number: int = 3, person: int = 1, **changed: str) -> np.ndarray:
    look = {"place": "garden", "hair": "long", "expression": "happy", **changed}
    return np.asarray(draw_face(number, person=person, **look, seed=0)).astype(int)


def test_a_number_gives_its_picture_of_200_by_200_and_another_one_another() -> None:
    assert pixels().shape == (200, 200, 3)
    assert (pixels(3) == pixels(3)).all()
    assert (pixels(3) != pixels(4)).any()


def test_a_person_wears_one_shirt_in_every_picture() -> None:
    shirt = (slice(188, 198), slice(85, 115))
    one, same, other = pixels(3)[shirt], pixels(4)[shirt], pixels(3, person=2)[shirt]

    assert abs(one - same).mean() < 10 < abs(one - other).mean()


def test_only_copies_are_nearly_the_same_picture() -> None:
    rows = plant_rows(120)
    grey = np.array([np.asarray(drawn(row).convert("L").resize((32, 32))).ravel() for row in rows])
    alike = np.corrcoef(grey) > 0.97
    pairs = {
        (rows[a].picture, rows[b].picture)
        for a, b in np.argwhere(np.triu(alike, 1))
        if rows[a].person != rows[b].person
    }

    assert pairs == {(row.picture, row.picture) for row in rows if row.is_copy}


def test_no_group_age_or_session_reaches_the_pen() -> None:
    """What is not drawn cannot be seen: that makes `group` and `age` tied to pictures by the labels alone."""
    assert set(signature(draw_face).parameters) == {
        "number",
        "person",
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
