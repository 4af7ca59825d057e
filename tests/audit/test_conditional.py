"""What is left of an association among images that are alike: counted, shuffled, corrected."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2 as chi2_law
from scipy.stats import hypergeom
from sklearn.metrics import mutual_info_score
from statsmodels.stats.contingency_tables import StratifiedTable

from fer_audit.audit.stats.conditional_mi import (
    conditional_information,
    covariance,
    generalised_cmh,
    pseudo_inverse,
    stratify,
    summed_gaps,
)
from fer_audit.audit.stats.information import expected_mutual_information
from fer_audit.audit.stats.tables import drop_empty
from tests.audit.questions import Columns, asked, linked
from tests.known import known


@pytest.fixture
def columns() -> Columns:
    return linked()


def test_conditional_information_is_the_mean_over_strata(columns: Columns) -> None:
    c, a, z = columns
    strata = stratify(c, a, z, k=3, n_groups=4)

    found = conditional_information(strata, draws=199, rng=np.random.default_rng(0))

    by_hand = sum((z == s).mean() * mutual_info_score(c[z == s], a[z == s]) for s in range(6))
    assert found.counted == pytest.approx(by_hand, abs=1e-12)


def test_chance_is_the_exact_expectation_within_strata(columns: Columns) -> None:
    """Vinh's formula is exact; 2,000 shuffles come within their own error of it."""
    strata = stratify(*columns, k=3, n_groups=4)

    found = conditional_information(strata, draws=2000, rng=np.random.default_rng(0))

    exact = sum(
        table.sum() / strata.n * expected_mutual_information(table.sum(axis=1), table.sum(axis=0))
        for table, _, _ in map(drop_empty, strata.stack)
    )
    assert found.chance == pytest.approx(exact, abs=4 * found.sd / np.sqrt(2000))


def test_strata_of_one_group_say_nothing_and_are_counted() -> None:
    strata = stratify(
        np.array([0, 1, 0, 1, 0, 1, -1]),
        np.array([0, 0, 0, 1, 1, 0, 0]),
        np.array([5, 5, 7, 7, 7, -1, 7]),
        k=2,
        n_groups=2,
    )

    assert (strata.n, strata.count, len(strata.stack), strata.n_effective) == (5, 2, 1, 3)
    assert strata.marginal().tolist() == [[2, 1], [1, 1]]


def test_a_stratum_for_each_group_leaves_nothing_to_tell() -> None:
    a = np.arange(100) % 4

    found = asked(np.arange(100) % 3, a, a)

    assert (found.p, found.grade, found.n_effective) == (None, "cannot tell", 0)
    assert dict(found.not_computable)["kept"] == "in no stratum do both vary"


def test_fewer_than_thirty_informative_images_are_too_few() -> None:
    found = asked([0, 1] * 10, [0, 0, 1, 1] * 5, [0] * 20)

    assert dict(found.not_computable)["p"] == "20 images in informative strata are too few"


def test_one_stratum_keeps_everything(columns: Columns) -> None:
    c, a, _ = columns

    found = asked(c, a, np.zeros(4000, dtype=np.int64), permutations=1999)

    assert found.kept == pytest.approx(1.0, abs=0.02)
    assert found.p_mi == found.p_cmh == 1 / 2000
    assert found.p == 2 / 2000
    assert (found.grade, found.entropy_left) == ("most", 1.0)


def test_a_condition_that_is_noise_keeps_about_everything(columns: Columns) -> None:
    c, a, _ = columns

    found = asked(c, a, np.random.default_rng(9).integers(0, 50, 4000))

    assert known(found.low) < 1 < known(found.high)
    # what a count without debiasing would have claimed
    strata = stratify(c, a, np.random.default_rng(9).integers(0, 50, 4000), k=3, n_groups=4)
    counted = conditional_information(strata, draws=9, rng=np.random.default_rng(0)).counted
    assert counted > 1.5 * known(found.mi_debiased)


def test_an_attribute_that_only_follows_the_day_keeps_nothing() -> None:
    rng = np.random.default_rng(3)
    z = rng.integers(0, 5, 5000)
    c = np.where(rng.random(5000) < 0.5, z % 3, rng.integers(0, 3, 5000))
    a = np.where(rng.random(5000) < 0.5, z % 4, rng.integers(0, 4, 5000))

    found = asked(c, a, z)

    assert found.kept == pytest.approx(0.0, abs=0.05)
    assert known(found.p) > 0.05
    assert found.grade == "trace"
    assert "of the association is left" in found.reading


def test_a_column_that_fixes_the_attribute_is_said_to() -> None:
    """Little is left there whatever the clusters do: the reader must not take it for an explanation."""
    rng = np.random.default_rng(6)
    a = rng.integers(0, 4, 3000)
    c = np.where(rng.random(3000) < 0.5, np.minimum(a, 2), rng.integers(0, 3, 3000))
    z = np.where(rng.random(3000) < 0.8, a, rng.integers(0, 4, 3000))

    found = asked(c, a, z)

    table = np.histogram2d(z, a, bins=4)[0] / 3000
    within = -sum((row * np.log(row / row.sum())).sum() for row in table)
    assert found.entropy_left == pytest.approx(within / np.log(4), abs=0.01)
    assert re.search(r"and day alone fixes \d+\.\d % of race$", found.reading)


def test_nothing_is_kept_of_an_association_that_is_chance() -> None:
    rng = np.random.default_rng(4)

    found = asked(rng.integers(0, 3, 500), rng.integers(0, 4, 500), rng.integers(0, 2, 500))

    assert found.kept is None
    assert found.p is not None
    assert "at chance" in dict(found.not_computable)["kept"]


def information(c: np.ndarray, a: np.ndarray) -> float:
    """Return I(C; A); scikit-learn takes 2 ms for it."""
    table = np.bincount(3 * a + c, minlength=12).reshape(4, 3) / len(a)
    law = table.sum(axis=1)[:, None] * table.sum(axis=0)
    return float((table[table > 0] * np.log(table[table > 0] / law[table > 0])).sum())


def test_the_null_band_is_that_of_labels_shuffled_within_strata(columns: Columns) -> None:
    """Against shuffling the images themselves, stratum by stratum."""
    c, a, z = (column[:600] for column in columns)
    rng = np.random.default_rng(8)
    order = np.argsort(z, kind="stable")
    bounds = np.flatnonzero(np.diff(z[order])) + 1
    shuffled = []
    for _ in range(1500):
        parts = [rng.permutation(part) for part in np.split(a[order], bounds)]
        inside = zip(np.split(c[order], bounds), parts, strict=True)
        shuffled.append(sum(len(y) / 600 * information(x, y) for x, y in inside))

    found = asked(c, a, z, permutations=1500)

    low, high = (np.quantile(shuffled, (0.025, 0.975)) - np.mean(shuffled)) / known(found.marginal)
    assert found.null_low == pytest.approx(low, rel=0.15)
    assert found.null_high == pytest.approx(high, rel=0.15)


def test_what_is_kept_of_an_attribute_that_only_follows_the_day_lies_in_the_null_band() -> None:
    """In about 95 % of sets; here in at least 33 of 40."""
    inside = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        z = rng.integers(0, 5, 800)
        c = np.where(rng.random(800) < 0.5, z % 3, rng.integers(0, 3, 800))
        a = np.where(rng.random(800) < 0.5, z % 4, rng.integers(0, 4, 800))

        found = asked(c, a, z)

        assert found.kept is not None
        assert found.null_low is not None
        assert found.null_high is not None
        assert found.null_low < 0 < found.null_high
        inside += found.null_low <= found.kept <= found.null_high

    assert inside >= 33


def test_a_band_of_more_confidence_is_wider(columns: Columns) -> None:
    strata = stratify(*columns, k=3, n_groups=4)

    narrow, wide = (
        conditional_information(
            strata, draws=499, rng=np.random.default_rng(0), confidence=confidence
        )
        for confidence in (0.8, 0.99)
    )

    assert wide.low < narrow.low < 0 < narrow.high < wide.high
    assert wide.p == narrow.p


def test_without_what_is_kept_there_is_no_null_band() -> None:
    rng = np.random.default_rng(4)
    at_chance = asked(rng.integers(0, 3, 500), rng.integers(0, 4, 500), rng.integers(0, 2, 500))
    silent = asked(np.arange(100) % 3, np.arange(100) % 4, np.arange(100) % 4)

    for found in (at_chance, silent):
        assert (found.kept, found.null_low, found.null_high) == (None, None, None)
        why = dict(found.not_computable)
        assert why["null_low"] == why["null_high"] == why["kept"]


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
    tables = [drop_empty(x)[0] for x in stratify(c, a, z, k=3, n_groups=4).stack]

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
