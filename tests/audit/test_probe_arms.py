"""Heads that treat groups alike, their measures, and the draws that compare them."""

from __future__ import annotations

import numpy as np
import pytest

from fer_audit.audit.stats.confusion import xu_f
from fer_audit.audit.stats.probe_arms import (
    AWARE,
    BASELINE,
    arms_of_fold,
    balanced_subsets,
    resampled_counts,
    shares_right,
    unit_folds,
)

RNG = np.random.default_rng


def test_f_is_the_golden_value_and_an_empty_cell_makes_it_unknown() -> None:
    recalls = np.array([[1, 0.75, 2 / 3], [2 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, np.nan]])

    assert xu_f(recalls[:, :2]) == pytest.approx(0.571429, abs=1e-6)
    assert xu_f(recalls[:2]) == pytest.approx(0.758621, abs=1e-6)
    assert np.isnan(xu_f(recalls))
    assert np.isnan(xu_f(np.zeros((2, 2))))


def test_rows_of_one_unit_share_a_fold() -> None:
    units = RNG(0).integers(0, 40, 300)

    folds = unit_folds(units, RNG(1))

    assert all(len(np.unique(folds[units == each])) == 1 for each in range(40))
    assert set(folds.tolist()) == set(range(5))


def test_balanced_subsets_have_as_many_of_each_group_and_class() -> None:
    rng = RNG(0)
    group, label = rng.integers(0, 2, 400), (rng.random(400) < 0.1).astype(int)
    counts = np.zeros((2, 2), int)
    np.add.at(counts, (group, label), 1)

    for rows in balanced_subsets(group, label, counts, rng):
        found = np.zeros((2, 2), int)
        np.add.at(found, (group[rows], label[rows]), 1)
        assert (found == counts.min()).all()


@pytest.mark.parametrize("people", [40, 400])
def test_whole_units_are_drawn_and_the_first_draw_is_what_was_seen(people: int) -> None:
    rng = RNG(0)
    units = np.arange(400) % people
    cells, right = units % 3, np.column_stack([rng.random(400) < 0.5] * 2)

    counts = resampled_counts(units, cells, right, draws=300, rng=rng)

    assert counts[0, :, 0].tolist() == np.bincount(cells).tolist()
    assert (counts[..., 1] == counts[..., 2]).all(), "the draws are paired"
    assert (counts[:, :, 0].sum(axis=1) == 400).all()
    assert (counts[..., 0] % (400 // people) == 0).all()
    seen = shares_right(counts)[1:, 0, 0].std()
    each = [right[(units == unit), 0].mean() for unit in range(people) if unit % 3 == 0]
    assert seen == pytest.approx(np.std(each) / len(each) ** 0.5, rel=0.2)


def test_a_head_of_each_group_repairs_a_cut_that_runs_the_other_way_there() -> None:
    rng = RNG(0)
    group, label = rng.integers(0, 2, 2000), rng.integers(0, 2, 2000)
    x = rng.normal(size=(2000, 6))
    x[:, 0] += 2 * (2 * label - 1) * np.where(group == 1, -1, 1) + 0.5 * label
    arms = arms_of_fold(x[:1000], label[:1000], group[:1000], rng)

    def accuracy(arm: str) -> float:
        answer = arms[arm]
        assert answer is not None
        return float((answer(x[1000:], group[1000:]) == label[1000:]).mean())

    assert accuracy(AWARE) > 0.9 > 0.7 > accuracy(BASELINE)


def test_a_group_without_a_class_shares_the_plain_head() -> None:
    rng = RNG(0)
    group = np.repeat([0, 1], 200)
    label = np.where(group == 1, 0, rng.integers(0, 2, 400))
    x = rng.normal(size=(400, 4)) + label[:, None]
    arms = arms_of_fold(x, label, group, rng)
    plain, aware = arms[BASELINE], arms[AWARE]
    assert plain is not None
    assert aware is not None

    same = plain(x, group) == aware(x, group)

    assert same[group == 1].all()
