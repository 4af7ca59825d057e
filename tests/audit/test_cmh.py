"""The generalised Cochran-Mantel-Haenszel test, against numbers worked out elsewhere and against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2 as chi2_law
from scipy.stats import hypergeom
from statsmodels.stats.contingency_tables import StratifiedTable

from fer_audit.audit.stats.conditional_mi import (
    conditional_information,
    covariance,
    generalised_cmh,
    pseudo_inverse,
    stratify,
    summed_gaps,
)


def test_two_strata_of_two_by_three() -> None:
    """Q by direct matrix formula, without code of ours."""
    found = generalised_cmh([np.array([[10, 5, 5], [4, 8, 8]]), np.array([[6, 9, 3], [2, 7, 11]])])

    assert found == pytest.approx((8.757266, 2, 0.012542), abs=1e-6)


def test_on_two_by_two_tables_it_is_the_test_of_the_textbook() -> None:
    """(sum of a - E[a])^2 / sum of Var(a), hypergeometric; statsmodels has it too."""
    rng = np.random.default_rng(0)
    tables = rng.integers(1, 15, (7, 2, 2))
    off = expected = variance = 0.0
    for (a, b), (c, d) in tables:
        law = hypergeom(a + b + c + d, a + c, a + b)
        off, expected, variance = off + a, expected + law.mean(), variance + law.var()

    q, df, p = generalised_cmh(tables)

    assert q == pytest.approx((off - expected) ** 2 / variance)
    assert df == 1
    oracle = StratifiedTable(list(tables)).test_null_odds()
    assert (q, p) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_the_covariance_is_that_of_all_tables_with_the_same_margins() -> None:
    """Every assignment of 3 groups to 5 images in 2 clusters, each as likely: 5! orders of the labels."""
    rows, cols = np.array([0, 0, 0, 1, 1]), (2, 2, 1)
    labels = np.repeat(np.arange(3), cols)
    drawn = []
    for order in product(range(3), repeat=5):
        if np.bincount(order, minlength=3).tolist() == list(cols):
            table = np.zeros((2, 3))
            np.add.at(table, (rows, np.array(order)), 1)
            drawn.append(table.ravel())
    seen = np.zeros((1, 2, 3), dtype=np.int64)
    np.add.at(seen[0], (rows, labels), 1)

    assert len(drawn) == 30
    assert covariance(seen) == pytest.approx(np.cov(np.array(drawn).T, bias=True))
    assert summed_gaps(seen).ravel() == pytest.approx(seen.ravel() - np.mean(drawn, axis=0))
    assert pseudo_inverse(covariance(seen))[1] == 2


def test_a_weak_link_that_is_the_same_in_many_small_strata_is_seen_by_it_alone() -> None:
    """Conditional information adds 300 strata's chance; the summed gaps add 300 times the same direction."""
    rng = np.random.default_rng(1)
    z = np.repeat(np.arange(300), 8)
    c = rng.integers(0, 3, len(z))
    a = np.where(rng.random(len(z)) < 0.11, c, rng.integers(0, 3, len(z)))

    found = conditional_information(stratify(c, a, z, k=3, n_groups=3), draws=999, rng=rng)

    assert found.p_cmh <= 0.002
    assert found.p > 0.01
    assert found.p_both == min(1.0, 2 * found.p_cmh)


def test_its_permutation_p_is_that_of_chi_squared_in_a_large_sample() -> None:
    rng = np.random.default_rng(3)
    z, c, a = rng.integers(0, 4, 3000), rng.integers(0, 3, 3000), rng.integers(0, 4, 3000)
    a = np.where(rng.random(3000) < 0.03, c, a)
    tables = stratify(c, a, z, k=3, n_groups=4).tables

    q, df, p = generalised_cmh(tables)
    found = conditional_information(
        stratify(c, a, z, k=3, n_groups=4), draws=4000, rng=np.random.default_rng(0)
    )

    assert df == 6
    assert p == pytest.approx(chi2_law.sf(q, 6))
    assert found.p_cmh == pytest.approx(p, abs=4 * np.sqrt(p / 4000) + 0.001)


def test_a_stratum_of_one_image_says_nothing() -> None:
    table = np.array([[7, 3], [2, 9]])

    assert generalised_cmh([table, np.array([[1, 0], [0, 0]])]) == generalised_cmh([table])
