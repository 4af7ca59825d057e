"""How sure an answer of rungs 4 to 6 is, and of what: these images, people, another collection, a control."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims.conditional_tests import affordable, informative
from fer_audit.audit.claims.ladders import corrected_over_attributes
from tests.audit.questions import Columns, asked, linked
from tests.known import known


@pytest.fixture
def columns() -> Columns:
    return linked()


def test_p_of_an_attribute_is_its_largest_and_holm_is_over_attributes_of_one_kind(
    columns: Columns,
) -> None:
    """All questions must hold, so the largest p decides (Berger 1982); those that cannot tell are left out before."""
    one = replace(asked(*columns), p=0.001)
    race = [one, replace(one, p=0.02), replace(one, p=0.9, n_effective=1, grade="cannot tell")]
    others = {("cluster", "age"): [replace(one, p=0.04)], ("cluster", "smile"): [one]}
    kinds = {("cluster", "race"): "demographic", ("cluster", "age"): "demographic"}
    kinds[("cluster", "smile")] = "label"

    found = corrected_over_attributes({("cluster", "race"): race, **others}, kinds)

    assert found["cluster", "race"] == {6: pytest.approx(0.04)}
    assert found["cluster", "age"] == {6: pytest.approx(0.04)}
    assert found["cluster", "smile"] == {6: pytest.approx(0.001)}


def test_copies_of_people_widen_the_interval_and_shuffle_with_them() -> None:
    """Five equal images of each of 400 people say as much as one image of each."""
    rng = np.random.default_rng(2)
    z, a = rng.integers(0, 3, 400), rng.integers(0, 3, 400)
    c = np.where(rng.random(400) < 0.4, a, rng.integers(0, 3, 400))
    five = [np.repeat(x, 5) for x in (c, a, z)]

    once = asked(c, a, z, permutations=999)
    known_people = asked(*five, permutations=999, people=np.repeat(np.arange(400), 5))
    unknown = asked(*five, permutations=999)

    width = [known(x.per_high) - known(x.per_low) for x in (once, known_people, unknown)]
    assert 0.95 * width[0] < width[1] < 1.4 * width[0], "chance is not taken off by unit: wider"
    assert width[2] < 0.6 * width[0]
    assert known_people.kept == pytest.approx(known(once.kept), abs=0.05)


def test_another_collection_has_an_interval_of_its_units(columns: Columns) -> None:
    """Rows in random batches differ as rows do; where half of the batches have no link, another collection may differ."""
    c, a, z = columns
    batches = np.arange(4000) % 40
    broken = np.where(batches < 20, np.random.default_rng(5).permutation(c), c)

    even, uneven = (asked(x, a, z, collection=batches) for x in (c, broken))

    for found in (even, uneven):
        assert known(found.other_low) < known(found.kept) < known(found.other_high)
    spread = [
        (known(x.per_other_high) - known(x.per_other_low)) / (known(x.per_high) - known(x.per_low))
        for x in (even, uneven)
    ]
    assert 0.6 < spread[0] < 1.5
    assert asked(c, a, z).per_other_low is None


def test_the_control_is_on_the_scale_of_the_real_label() -> None:
    """A label that only the day gives: what its neighbour's keeps is no less. A label of the image: far less."""
    rng = np.random.default_rng(7)
    z = np.repeat(np.arange(20), 150)
    drift = np.repeat(rng.integers(0, 3, 300), 10)
    c = np.where(rng.random(3000) < 0.5, drift, rng.integers(0, 3, 3000))
    by_time = np.where(rng.random(3000) < 0.5, drift, rng.integers(0, 3, 3000))
    by_image = np.where(rng.random(3000) < 0.6, c, rng.integers(0, 3, 3000))

    collected, own = asked(c, by_time, z), asked(c, by_image, z)

    assert [each.lag for each in collected.controls] == [1, 5, 50]
    assert [each.n for each in collected.controls] == [3000 - 20 * lag for lag in (1, 5, 50)]
    assert known(collected.controls[0].kept) == pytest.approx(known(collected.kept), rel=0.4)
    assert known(collected.controls[2].kept) < 0.25 * known(collected.kept)
    assert known(own.controls[0].kept) < 0.35 * known(own.kept)
    assert [
        each.lag for each in asked(c[:900], by_image[:900], np.arange(900) // 20).controls
    ] == [1, 5]
    assert asked(c, by_image, z, rung=4).controls == ()


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.0, 0.5])
def test_the_interval_of_what_is_kept_covers(strength: float) -> None:
    """At least 93 % of 200 samples at a nominal 95 %; 0 lies below it in at most 5 % when nothing is left."""
    rng = np.random.default_rng(0)
    law = rng.dirichlet(np.ones(20))[:, None, None] * np.ones((20, 4, 5))
    for z in range(20):
        cell = np.outer(rng.dirichlet(np.full(4, 2.0)), rng.dirichlet(np.full(5, 2.0)))
        cell = cell * np.exp(strength * np.random.default_rng(1).normal(size=(4, 5)))
        law[z] *= cell / cell.sum()
    inside = sum(law[z].sum() * _information(law[z]) for z in range(20))
    truth = inside / _information(law.sum(axis=0))
    covered = above = 0
    for _ in range(200):
        x = rng.multinomial(20_000, law.ravel())
        at = np.unravel_index(np.repeat(np.arange(x.size), x), law.shape)
        found = asked(at[1], at[2], at[0], permutations=99, rung=4)
        covered += known(found.low) <= truth <= known(found.high)
        above += known(found.low) > 0

    assert covered >= 186
    assert above <= 10 or strength > 0


def _information(p: np.ndarray) -> float:
    p = p / p.sum()
    return float((p * np.log(p / np.outer(p.sum(axis=1), p.sum(axis=0)))).sum())


def test_the_control_of_people_takes_off_what_chance_gives_people() -> None:
    """Ten rounds of 60 people: another person's label fits by chance as one of 60, not of 600."""
    kept = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 3, 60)
        home = np.where(rng.random(60) < 0.7, label, rng.integers(0, 3, 60))
        people = np.tile(np.arange(60), 10)
        found = asked(home[people], label[people], people % 2, people=people)
        kept.append(known(found.controls[0].kept))

    error = float(np.std(kept) / np.sqrt(len(kept)))
    assert abs(np.mean(kept)) < 3 * error
    assert error < 0.05


def test_people_at_chance_have_nothing_to_keep() -> None:
    """So many images would be sure of what so few people show."""
    silent = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        label, home = rng.integers(0, 3, 80), rng.integers(0, 3, 80)
        people = np.repeat(np.arange(80), 10)
        found = asked(home[people], label[people], people % 2, people=people)
        silent += found.kept is None

    assert silent >= 17


def test_many_cells_get_fewer_shuffles_and_never_less_than_a_thousand() -> None:
    assert affordable(360, 10_000) == 10_000
    assert affordable(2000, 10_000) == 2000
    assert affordable(10**6, 10_000) == 999
    assert affordable(10**6, 200) == 200


@pytest.mark.parametrize(("clips", "told"), [(4, False), (40, True)])
def test_a_few_clips_a_person_in_a_stratum_cannot_tell(clips: int, told: bool) -> None:
    """Each stratum is a session of one person; the clusters follow the clip's label, so that all of it is left."""
    rng = np.random.default_rng(0)
    session = np.repeat(np.arange(40), clips * 3)
    label = np.repeat(rng.integers(0, 3, 40 * clips), 3)
    clusters = np.where(rng.random(len(label)) < 0.8, label, rng.integers(0, 3, len(label)))

    found = asked(clusters, label, session, people=session)

    assert (found.grade != "cannot tell") is told
    assert informative(found) is told
