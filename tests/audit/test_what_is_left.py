"""What is left among alike images: definitions by brute force, influences, intervals, the lagged control."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from fer_audit.audit.composition.intersections import intersect, more_images
from fer_audit.audit.stats.loglinear import _design, fit_pairs, pair_residuals
from fer_audit.audit.stats.units import unit_variance
from fer_audit.audit.stats.what_is_left import (
    between_units,
    interval,
    lagged,
    unit_interval,
    what_is_left,
)
from tests.audit.inputs import attribute
from tests.known import known

Ints = NDArray[np.int64]


def inside(c: Ints, a: Ints, z: Ints) -> float:
    """Return I(C; A | Z): the mean over strata, by images."""
    return float(
        sum((z == s).mean() * mutual_info_score(c[z == s], a[z == s]) for s in np.unique(z))
    )


def shuffled_within(a: Ints, z: Ints) -> list[Ints]:
    """Return every order of the labels within strata."""
    found = [a]
    for s in np.unique(z):
        rows = np.flatnonzero(z == s)
        found = [np.r_[each] for each in found]
        longer = []
        for each in found:
            for order in permutations(rows):
                moved = each.copy()
                moved[rows] = each[list(order)]
                longer.append(moved)
        found = longer
    return found


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_its_definitions_say(seed: int) -> None:
    """What is kept = (I(C; A | Z) - E) / (I(C; A) - E), E over every order of the labels; H(A | Z) / H(A)."""
    rng = np.random.default_rng(seed)
    z = np.array([0, 0, 0, 1, 1, 1])
    c = np.array([0, 0, 1, 0, 1, 1])
    a = np.where(rng.random(6) < 0.7, c, rng.integers(0, 3, 6))
    chance = np.mean([inside(c, x, z) for x in shuffled_within(a, z)])
    whole_chance = np.mean([mutual_info_score(c, np.array(x)) for x in permutations(a)])
    whole = mutual_info_score(c, a) - whole_chance
    h = entropy(np.bincount(a))
    left = sum((z == s).mean() * entropy(np.bincount(a[z == s])) for s in (0, 1)) / h

    found = what_is_left(c, a, z)

    if whole <= 0:
        assert found is None
        return
    found = known(found)
    assert found.marginal == pytest.approx(whole)
    assert found.conditional == pytest.approx(inside(c, a, z) - chance)
    assert found.kept == pytest.approx((inside(c, a, z) - chance) / whole)
    assert found.entropy_left == pytest.approx(left)
    assert found.per_entropy == pytest.approx(found.kept / left)


def test_per_entropy_compares_shares_of_the_entropy() -> None:
    """Without chance: I(C; A | Z) / H(A | Z) over I(C; A) / H(A)."""
    c, a, z = drawn(400)
    h = entropy(np.bincount(a))
    h_given = sum((z == s).mean() * entropy(np.bincount(a[z == s])) for s in range(4))

    found = known(what_is_left(c, a, z, chance=(0.0, 0.0)))

    ratio = (inside(c, a, z) / h_given) / (mutual_info_score(c, a) / h)
    assert found.per_entropy == pytest.approx(ratio)


def drawn(n: int, seed: int = 0) -> tuple[Ints, Ints, Ints]:
    """Return clusters, labels and strata that all depend on each other."""
    rng = np.random.default_rng(seed)
    z = rng.integers(0, 4, n)
    a = np.where(rng.random(n) < 0.4, z % 3, rng.integers(0, 3, n))
    c = np.where(rng.random(n) < 0.4, a, rng.integers(0, 3, n))
    return c, a, z


def test_a_row_counts_as_much_as_its_influence_says() -> None:
    """Against the counts with one row a little heavier: a derivative by hand."""
    c, a, z = drawn(60)
    found = known(what_is_left(c, a, z, chance=(0.0, 0.0)))
    step = 1e-6

    def of(weights: NDArray[np.float64]) -> tuple[float, float]:
        p = np.zeros((4, 3, 3))
        np.add.at(p, (z, c, a), weights)
        p /= p.sum()

        def h(x: NDArray[np.float64]) -> float:
            x = x[x > 0]
            return float(-(x * np.log(x)).sum())

        ca, ac = p.sum(axis=0), p.sum(axis=(0, 1))
        whole = h(ca.sum(axis=1)) + h(ac) - h(ca)
        zs, za = p.sum(axis=(1, 2)), p.sum(axis=1)
        within = h(p.sum(axis=2)) + h(za) - h(p) - h(zs)
        kept = within / whole
        return kept, kept / ((h(za) - h(zs)) / h(ac))

    for row in range(0, 60, 7):
        heavier = np.full(60, (1 - step) / 60)
        heavier[row] += step
        kept, per = of(heavier)
        assert (kept - found.kept) / step == pytest.approx(found.kept_influence[row], abs=1e-3)
        assert (per - found.per_entropy) / step == pytest.approx(
            found.per_influence[row], abs=1e-3
        )
    assert found.kept_influence.mean() == pytest.approx(0, abs=1e-12)
    assert found.per_influence.mean() == pytest.approx(0, abs=1e-12)


def test_rows_without_all_three_labels_count_for_nothing() -> None:
    c, a, z = drawn(300)
    holes = [np.where(np.arange(300) % 7 == place, -1, x) for place, x in enumerate((c, a, z))]
    rest = np.arange(300) % 7 > 2

    with_holes, without = (
        known(what_is_left(*columns)) for columns in (holes, (c[rest], a[rest], z[rest]))
    )

    assert with_holes.known.tolist() == rest.tolist()
    assert with_holes.kept == without.kept
    assert with_holes.per_influence.tolist() == without.per_influence.tolist()


def test_a_stratum_that_fixes_the_label_leaves_no_entropy() -> None:
    _, a, _ = drawn(200)

    found = known(what_is_left(a, a, a))

    assert (found.entropy_left, found.kept) == (0.0, 0.0)
    assert np.isnan(found.per_entropy)


def test_a_label_of_one_group_has_no_answer() -> None:
    assert what_is_left(np.arange(9) % 2, np.zeros(9, np.int64), np.zeros(9, np.int64)) is None


@pytest.mark.parametrize("value", [-0.2, 0.1, 0.15, 0.4, 1.1])
def test_zero_lies_outside_exactly_when_the_value_exceeds_what_chance_gives(value: float) -> None:
    low, high = interval(value, 0.01, 0.05**2, 1.96)

    assert (low > 0) == (value > 1.96 * 0.05)
    assert low < value < high
    assert high - value == pytest.approx(1.96 * np.sqrt(0.01 + 0.05**2))


def test_few_units_have_a_wider_interval_than_many() -> None:
    few, many = (unit_interval(0.5, 0.01, units, 0.95) for units in (5, 10_000))

    assert few == pytest.approx((0.5 - 0.2776, 0.5 + 0.2776), abs=1e-4)  # t of 4 df: 2.776
    assert many == pytest.approx((0.5 - 0.196, 0.5 + 0.196), abs=1e-3)


def test_units_of_one_row_are_rows_and_whole_units_add_up() -> None:
    influence = np.random.default_rng(0).normal(size=120)
    influence -= influence.mean()
    thirds = np.arange(120) // 3

    one = unit_variance(influence, np.arange(120))

    assert one == pytest.approx(influence.var(ddof=1) / 120)
    sums = influence.reshape(40, 3).sum(axis=1)
    assert unit_variance(influence, thirds) == pytest.approx(40 / 39 * (sums**2).sum() / 120**2)
    twins = unit_variance(np.repeat(influence, 5), np.repeat(np.arange(120), 5))
    assert twins == pytest.approx(one), "copies bring nothing"
    everywhere = np.ones(120, dtype=np.bool_)
    assert between_units(influence, np.where(thirds < 0, 0, thirds), everywhere)[1] == 40
    assert between_units(influence, np.where(thirds == 1, -1, thirds), everywhere)[1] == 39


def test_the_lagged_label_is_the_next_one_collected_in_the_same_stratum() -> None:
    """Order of collection, not of files; no wrapping; rows without a label are passed over."""
    labels = np.array([10, 11, 12, 13, 14, 15, -1, 17])
    strata = np.array([0, 1, 0, 1, 0, 0, 0, -1])
    order = np.array([5, 1, 3, 2, 9, 7, 6, 0])
    # stratum 0 in order: rows 2, 0, (6), 5, 4; stratum 1: rows 1, 3

    assert lagged(labels, strata, order, 1).tolist() == [15, 13, 10, -1, -1, 14, -1, -1]
    assert lagged(labels, strata, order, 2).tolist() == [14, -1, 15, -1, -1, -1, -1, -1]
    people = np.array([7, 1, 2, 3, 4, 7, 5, 6])
    assert lagged(labels, strata, order, 1, people).tolist() == [-1, 13, 10, -1, -1, 14, -1, -1]
    assert set(lagged(labels, strata, order, 50).tolist()) == {-1}


def test_images_of_one_time_stay_in_the_order_of_the_listing() -> None:
    assert lagged(np.arange(4), np.zeros(4, np.int64), np.zeros(4, np.int64), 1).tolist() == [
        1,
        2,
        3,
        -1,
    ]


def three_way(table: np.ndarray) -> list[np.ndarray]:
    return [np.repeat(axis.ravel(), table.ravel()) for axis in np.indices(table.shape)]


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(0).poisson(40, size=(5, 2, 4))


def test_fit_and_residuals_are_those_of_a_poisson_regression(table: np.ndarray) -> None:
    fitted, converged = fit_pairs(table)
    residuals = pair_residuals(table, fitted)

    model = sm.GLM(table.ravel(), _design(table.shape), family=sm.families.Poisson()).fit()
    hat = model.get_influence().hat_matrix_diag
    gap = table.ravel() - model.mu
    assert converged
    assert fitted.ravel() == pytest.approx(model.mu, rel=1e-6)
    assert residuals.ravel() == pytest.approx(gap / np.sqrt(model.mu * (1 - hat)), rel=1e-4)


def test_every_two_way_table_is_kept(table: np.ndarray) -> None:
    fitted, _ = fit_pairs(table)

    for axis in range(3):
        assert fitted.sum(axis=axis) == pytest.approx(table.sum(axis=axis).astype(float))


def test_a_group_without_images_is_fitted_by_nothing(table: np.ndarray) -> None:
    table[2] = 0

    fitted, converged = fit_pairs(table)
    residuals = pair_residuals(table, fitted)

    assert converged
    assert not fitted[2].any()
    assert np.isnan(residuals[2]).all()
    assert np.isfinite(residuals[[0, 1, 3, 4]]).all()


def test_a_planted_gap_is_the_worst_cell(table: np.ndarray) -> None:
    table[3, 1, 2] = 2
    codes = three_way(table)

    found = known(
        intersect(
            [
                attribute("race", codes[0], "abcde"),
                attribute("gender", codes[1], "mf"),
                attribute("age", codes[2], "wxyz"),
            ]
        )
    )

    worst = found.beyond_pairs[0]
    assert worst.groups == ("d", "f", "y")
    assert known(worst.residual_pairs) < -4
    assert known(worst.p_adjusted) < 0.001
    assert worst.more_images == -(-28 * found.n // 2)


def test_two_attributes_have_nothing_beyond_their_pair() -> None:
    found = known(
        intersect([attribute("race", [0, 1, 1], "xy"), attribute("gender", [0, 0, 1], "mf")])
    )

    assert found.beyond_pairs == ()
    assert dict(found.not_computable)["beyond_pairs"].startswith("two attributes")


@pytest.mark.parametrize(
    ("count", "expected", "more"),
    [(30, 5.0, 0), (29, 5.0, 35), (10, 0.0, 2000), (0, 2.0, 15_000), (0, 0.0, None)],
)
def test_images_to_collect_until_thirty(count: int, expected: float, more: int | None) -> None:
    assert more_images(count, expected, 1000) == more
