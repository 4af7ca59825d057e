"""Equal to the established packages on random tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import binomtest, chisquare, contingency
from sklearn.metrics import adjusted_mutual_info_score
from statsmodels.api import GLM, families
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.multitest import multipletests

from fer_audit.audit.claims.contingency import lift_with_interval
from fer_audit.audit.composition.intersections import mutual_residuals
from fer_audit.audit.composition.representation import diversity_indices
from fer_audit.audit.stats.goodness_of_fit import (
    fit_chi2,
    jensen_shannon,
    ratio_interval,
    wilson_interval,
)
from fer_audit.audit.stats.information import (
    adjusted_mutual_information,
    duchers_z,
    npmi,
    theils_u,
)
from fer_audit.audit.stats.resampling import benjamini_hochberg, holm
from fer_audit.audit.stats.tables import adjusted_residuals, drop_empty
from tests.audit.inputs import TABLE_ONE, association_of, labels_of

with warnings.catch_warnings():
    # Its docstrings hold invalid escapes, and it imports pyplot.
    warnings.simplefilter("ignore")
    import dataset_bias_metrics as dbm

Counts = NDArray[np.int64]
few = settings(max_examples=25, deadline=None)
"""Each example builds a data frame: dozens are enough."""


@st.composite
def tables(draw: st.DrawFn, smallest: int = 0) -> Counts:
    """Draw a table with two or more rows and columns, none of them empty."""
    shape = draw(st.tuples(st.integers(2, 5), st.integers(2, 5)))
    table = draw(arrays(np.int64, shape, elements=st.integers(smallest, 40)))
    kept, _, _ = drop_empty(table)
    if min(kept.shape) < 2:
        kept = np.array([[2, 1], [0, 3]])
    return kept


def frame(table: Counts) -> pd.DataFrame:
    rows, cols = labels_of(table)
    return pd.DataFrame({"x": rows, "y": cols})


@pytest.fixture(autouse=True)
def quiet_oracles() -> Iterator[None]:
    """Let the oracles divide by zero: ours must not, theirs may."""
    with np.errstate(all="ignore"):
        yield


@few
@given(arrays(np.int64, st.integers(2, 8), elements=st.integers(1, 200)))
def test_indices_equal_dataset_bias_metrics(counts: Counts) -> None:
    column = pd.DataFrame({"x": np.repeat(np.arange(len(counts)), counts)})

    found = diversity_indices(counts)

    for name, theirs in (
        *(("R", dbm.richness), ("ENS", dbm.ens), ("D", dbm.simpsons)),
        *(("inverse_D", dbm.simpsons_reciprocal), ("H", dbm.shannon_diversity)),
        *(("SEI", dbm.shannon_evenness), ("NSD", dbm.nsd), ("IR", dbm.imbalanceRatio)),
        ("BP", dbm.bergerparker_index),
    ):
        assert getattr(found, name) == pytest.approx(theirs(column, "x"), abs=1e-9), name


@few
@given(tables())
def test_cell_measures_equal_dataset_bias_metrics(table: Counts) -> None:
    data = frame(table)

    assert npmi(table) == pytest.approx(dbm.npmi(data, "x", "y").to_numpy(), abs=1e-9)
    assert duchers_z(table) == pytest.approx(dbm.duchersz(data, "x", "y").to_numpy(), abs=1e-9)


@few
@given(tables())
def test_directed_measures_equal_dataset_bias_metrics(table: Counts) -> None:
    data = frame(table)

    assert theils_u(table.T) == pytest.approx(dbm.theilsu(data, "x", "y"), abs=1e-9)
    assert theils_u(table) == pytest.approx(dbm.theilsurev(data, "x", "y"), abs=1e-9)


@few
@given(tables())
def test_chi2_and_v_equal_scipy(table: Counts) -> None:
    chi2, p, df, expected = contingency.chi2_contingency(table, correction=False)

    found = association_of(table, permutations=5, bootstraps=5)

    assert found.chi2 == pytest.approx(chi2, abs=1e-9)
    assert found.p_asymptotic == pytest.approx(p)
    assert found.df == df
    assert found.expected_min == pytest.approx(expected.min())
    assert found.v == pytest.approx(contingency.association(table, method="cramer"), abs=1e-9)
    if min(table.shape) > 2:  # SciPy's correction is Yates', which only a 2 x 2 table has
        assert found.v == pytest.approx(dbm.cramersv(frame(table), "x", "y"), abs=1e-9)


@few
@given(tables(smallest=1))
def test_adjusted_residuals_equal_statsmodels(table: Counts) -> None:
    theirs = np.asarray(Table(table, shift_zeros=False).standardized_resids)

    assert adjusted_residuals(table) == pytest.approx(theirs, abs=1e-9)
    assert mutual_residuals(table)[1] == pytest.approx(theirs, abs=1e-9)


def test_residuals_of_three_attributes_equal_those_of_the_log_linear_model() -> None:
    """Adjusted residuals are Pearson's over sqrt(1 - leverage) of the Poisson model of independence."""
    table = np.random.default_rng(0).integers(1, 60, (3, 2, 4))
    indices = np.indices(table.shape).reshape(3, -1)
    columns = [np.ones(table.size)] + [
        (axis == level).astype(float) for axis in indices for level in range(1, axis.max() + 1)
    ]
    fit = GLM(table.ravel(), np.stack(columns, axis=1), family=families.Poisson()).fit(tol=1e-12)
    leverage = fit.get_influence(observed=False).hat_matrix_diag

    expected, residuals = mutual_residuals(table)

    assert expected.ravel() == pytest.approx(fit.fittedvalues)
    assert residuals.ravel() == pytest.approx(fit.resid_pearson / np.sqrt(1 - leverage))


@few
@given(tables())
def test_ami_equals_scikit_learn(table: Counts) -> None:
    theirs = adjusted_mutual_info_score(*labels_of(table))

    assert adjusted_mutual_information(table) == pytest.approx(theirs, abs=1e-9)


def test_ami_of_a_large_table_equals_scikit_learn() -> None:
    """Sums stop 12 standard deviations from the mean; nothing is lost there."""
    table = TABLE_ONE * 50 + np.arange(20).reshape(4, 5)

    theirs = adjusted_mutual_info_score(*labels_of(table))

    assert adjusted_mutual_information(table) == pytest.approx(theirs, abs=1e-10)


@few
@given(st.lists(st.integers(0, 30), min_size=1, max_size=6).filter(any))
def test_wilson_intervals_equal_scipy(counts: list[int]) -> None:
    total = sum(counts)

    low, high = wilson_interval(np.array(counts), total, confidence=0.9)

    for index, count in enumerate(counts):
        theirs = binomtest(count, total).proportion_ci(0.9, method="wilson")
        assert (low[index], high[index]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_ratio_interval_is_katz_with_an_endless_second_sample() -> None:
    endless = 10**12
    theirs = contingency.relative_risk(13, 500, endless // 5, endless)
    interval = theirs.confidence_interval(0.95)

    ratio, low, high = ratio_interval(
        np.array([13, 487]), 500, np.array([0.2, 0.8]), confidence=0.95
    )

    assert ratio[0] == pytest.approx(theirs.relative_risk)
    assert (low[0], high[0]) == pytest.approx((interval.low, interval.high), rel=1e-5)


def test_lift_interval_has_the_spread_of_resampled_lifts() -> None:
    table = np.array([[60, 40, 100], [90, 110, 200]])
    draws = np.random.default_rng(0).multinomial(600, table.ravel() / 600, 20_000)
    stack = draws.reshape(-1, 2, 3)
    logs = np.log(stack * 600 / (stack.sum(2, keepdims=True) * stack.sum(1, keepdims=True)))

    lift, low, high = lift_with_interval(table, confidence=0.95)

    assert lift[0, 0] == pytest.approx(60 * 600 / (200 * 150))
    assert np.log(high / low) / (2 * 1.959964) == pytest.approx(logs.std(axis=0), rel=0.03)


@pytest.mark.parametrize("p", [[0.2], [0.04, 0.01, 0.03], [0.5, 0.5, 0.001, 0.9, 0.02]])
def test_holm_equals_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_benjamini_hochberg_equals_statsmodels() -> None:
    p = np.random.default_rng(0).random((4, 5)) ** 3

    theirs = multipletests(p.ravel(), method="fdr_bh")[1].reshape(4, 5)

    assert benjamini_hochberg(p) == pytest.approx(theirs)


@few
@given(arrays(np.int64, 4, elements=st.integers(0, 50)).filter(np.any))
def test_distances_to_a_target_equal_scipy(counts: Counts) -> None:
    target = np.array([0.4, 0.3, 0.2, 0.1])
    p = counts / counts.sum()

    assert jensen_shannon(p, target) == pytest.approx(
        jensenshannon(p, target, base=2) ** 2, abs=1e-12
    )
    assert fit_chi2(counts, target) == pytest.approx(
        chisquare(counts, target * counts.sum()).statistic
    )
