"""Intersections beyond what every pair of attributes tells; oracle: Poisson regression in statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from fer_audit.audit.composition.intersections import intersect, more_images
from fer_audit.audit.stats.loglinear import _design, fit_pairs, pair_residuals
from tests.audit.inputs import attribute
from tests.known import known


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
