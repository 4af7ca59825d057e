"""Numbers that are known beforehand: published counts, the paper's Table I, hand-checked toys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims.replay import TABLE, published_values
from fer_audit.audit.composition.representation import age_heaping, diversity_indices
from fer_audit.audit.composition.subset import check_subset
from fer_audit.audit.stats.goodness_of_fit import target_distance
from fer_audit.audit.stats.information import theils_u
from fer_audit.audit.stats.resampling import null_band
from fer_audit.audit.stats.tables import cross_table
from fer_audit.config import AuditConfig
from tests.audit.inputs import (
    RACES,
    TABLE_ONE,
    association_of,
    attribute,
    audit_dataset,
    dataset_of,
    picked,
    rows_of,
)

PUBLISHED = np.array([10078, 4526, 3434, 3975, 1692])
"""UTKFace's race counts as its papers print them."""


def test_the_papers_table_is_what_chance_gives() -> None:
    found = association_of(TABLE_ONE, permutations=10_000, bootstraps=2_000)

    assert found.n == 500
    assert found.chi2 == pytest.approx(12.1678, abs=5e-5)
    assert found.df == 12
    assert found.p_asymptotic == pytest.approx(0.43230, abs=5e-6)
    assert found.p_permutation == pytest.approx(0.42, abs=0.02)
    assert found.v == pytest.approx(0.09007, abs=5e-6)
    assert found.v_corrected == pytest.approx(0.00982, abs=5e-6)
    assert found.expected_min == pytest.approx(0.494)
    assert found.low == 0
    assert found.permutations == 10_000


def test_the_papers_largest_residual_is_cluster_2_asian() -> None:
    found = association_of(TABLE_ONE)

    largest = max(found.cells, key=lambda cell: abs(cell.residual or 0))

    assert (largest.cluster, RACES[int(largest.group[1:])]) == (2, "Asian")
    assert largest.residual == pytest.approx(2.38, abs=0.005)
    assert largest.too_few
    assert min(cell.p_adjusted or 0 for cell in found.cells) > 0.05


def test_the_papers_sample_is_no_fair_draw_of_utkface() -> None:
    sample = dict(zip(RACES, (271, 13, 84, 78, 54), strict=True))
    whole = dict(zip(RACES, (10077, 4524, 3434, 3975, 1692), strict=True))

    check = check_subset(
        sample,
        whole,
        attribute="race",
        reference_name="UTKFace",
        holds_sample=True,
        draws=10_000,
        rng=np.random.default_rng(0),
    )

    assert check.chi2 == pytest.approx(98.905, abs=5e-4)
    assert check.p_asymptotic == pytest.approx(1.7e-20, rel=0.03)
    assert check.p == 1 / 10_001
    assert check.worst is not None
    assert (check.worst.name, check.worst.count) == ("Black", 13)
    assert check.worst.p == pytest.approx(2.7e-29, rel=0.03)
    assert check.tv == pytest.approx(0.1766, abs=5e-5)


def test_indices_of_the_published_utkface_counts() -> None:
    found = diversity_indices(PUBLISHED)

    known = {"R": 5, "ENS": 4.2525, "inverse_D": 3.6846, "SEI": 0.8994, "NSD": 0.2987}
    assert picked(found, *known) == pytest.approx(known, abs=5e-5)
    assert picked(found, "IR") == pytest.approx({"IR": 5.956}, abs=5e-4)
    assert found.not_computable == ()


def test_distance_of_the_published_utkface_counts_from_even_shares() -> None:
    found = target_distance(
        PUBLISHED,
        np.full(5, 0.2),
        target="uniform",
        tested=PUBLISHED,
        untested="",
        draws=99,
        rng=np.random.default_rng(0),
    )

    assert found.ds_r == pytest.approx(0.7749, abs=5e-5)
    assert found.ds_e == found.ds_r
    assert found.tv == pytest.approx(1 - 0.7749, abs=5e-5)
    assert found.p == 0.01


def test_the_toy_columns_of_dataset_bias_metrics() -> None:
    a = np.array(["ABC".index(letter) for letter in "AAAAAABBBC"])
    b = np.array(["xy".index(letter) for letter in "xxxxyyyyxx"])

    indices = diversity_indices(np.bincount(a))
    table = cross_table(a, b, n_rows=3, n_cols=2)

    known = {"R": 3, "ENS": 2.454556, "D": 0.46, "inverse_D": 2.173913, "H": 0.897946}
    known |= {"SEI": 0.817345, "NSD": 0.435890, "IR": 6, "BP": 0.6}
    assert picked(indices, *known) == pytest.approx(known, abs=5e-7)
    assert association_of(table).v == pytest.approx(0.408248, abs=5e-7)
    assert theils_u(table.T) == pytest.approx(0.111531, abs=5e-7)
    assert theils_u(table) == pytest.approx(0.148807, abs=5e-7)


def test_a_column_of_one_group_has_no_evenness() -> None:
    found = diversity_indices(np.array([7, 0]))

    assert (found.R, found.ENS, found.IR, found.BP) == (1, 1, 1, 1)
    assert (found.SEI, found.NSD) == (None, None)
    assert [name for name, _ in found.not_computable] == ["SEI", "NSD"]


@pytest.mark.parametrize(
    ("n", "k", "mean", "top"),
    [
        *((500, 4, 0.089, 0.118), (500, 8, 0.118, 0.144), (500, 20, 0.195, 0.221)),
        *((5_000, 4, 0.028, 0.037), (5_000, 8, 0.037, 0.045), (5_000, 20, 0.062, 0.070)),
        *((23_705, 4, 0.013, 0.017), (23_705, 8, 0.017, 0.021), (23_705, 20, 0.028, 0.032)),
    ],
)
def test_noise_floor_of_v_with_five_groups(n: int, k: int, mean: float, top: float) -> None:
    groups = np.floor(PUBLISHED / PUBLISHED.sum() * n).astype(np.int64)
    groups[0] += n - groups.sum()
    clusters = np.full(k, n // k)
    clusters[0] += n - clusters.sum()
    table = np.zeros((k, 5), dtype=np.int64)
    left = groups.copy()
    for i in range(k):
        room = int(clusters[i])
        for j in range(5):
            table[i, j] = min(room, left[j])
            room -= table[i, j]
            left[j] -= table[i, j]

    band = null_band(table, draws=2_000, rng=np.random.default_rng(1))

    assert band.mean == pytest.approx(mean, abs=0.0016)
    assert band.quantile_95 == pytest.approx(top, abs=0.004)


def test_whipples_index_is_100_without_preference_and_500_with_nothing_else() -> None:
    every = age_heaping(np.arange(0, 100, dtype=np.int16))
    rounded = age_heaping(np.array([25, 30, 60, 18, -1], dtype=np.int16))

    assert (every.whipple, every.n) == (100, 40)
    assert (rounded.whipple, rounded.n) == (500, 3)


def test_the_published_values_are_the_golden_ones() -> None:
    faces = replace(dataset_of(attribute("race", [0], RACES)), format="utkface")

    (found,) = published_values(faces)

    assert found.source == "The origin study: 500 UTKFace images, K-Means k = 4, its Table I"
    assert (found.attribute, found.n, found.k) == ("race", 500, 4)
    assert found.v == pytest.approx(0.09007, abs=5e-6)
    assert found.v_corrected == pytest.approx(0.00982, abs=5e-6)
    assert found.p == pytest.approx(0.43230, abs=5e-6)


def test_the_table_is_the_papers() -> None:
    assert TABLE_ONE.tolist() == [list(row) for row in TABLE]


def test_nothing_is_published_on_any_other_set() -> None:
    faces = dataset_of(attribute("race", [0], RACES))

    assert published_values(faces) == ()
    assert published_values(replace(faces, format="table")) == ()


def test_a_set_without_race_is_not_spoken_of() -> None:
    assert published_values(replace(dataset_of(n=1), format="utkface")) == ()


def test_the_audit_of_utkface_carries_them() -> None:
    faces = replace(dataset_of(attribute("race", [0, 1], RACES)), format="utkface")

    found = audit_dataset(faces, rows_of(2), config=AuditConfig.of(permutations=19, bootstraps=9))

    assert found.published == published_values(faces)
