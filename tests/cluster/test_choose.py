"""`--k auto`: a known number of clouds is found, and no single criterion decides."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.cluster.choose import elbow, subsample_ari
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import Clustering
from fer_audit.config import ClusterSettings
from fer_audit.errors import ConfigError
from fer_audit.progress import Silent
from tests.cluster.clouds import all_ok, clouds, noise


def clustered(points: NDArray[np.float32]) -> Clustering:
    return cluster_embeddings(
        points,
        all_ok(points),
        ClusterSettings(k_auto=True, sweep_max=8, starts=4),
        progress=Silent(),
    )


@pytest.mark.parametrize("k", [3, 4, 5])
def test_the_number_of_clouds_is_chosen(k: int) -> None:
    points, _ = clouds(k - 3, k=k, n=600, apart=12)
    found = clustered(points)

    assert found.k == k
    assert found.choice is not None
    assert (found.choice.silhouette, found.choice.stability) == (k, k)
    assert found.choice.elbow in (k - 1, k)  # the last cloud is small and bends the curve little
    assert [point.k for point in found.choice.points] == list(range(1, 9))
    assert found.choice.points[0].silhouette is None


def test_the_choice_is_the_median_of_the_votes_on_noise_too() -> None:
    choice = clustered(noise(0)).choice

    assert choice is not None
    cast = sorted(v for v in (choice.elbow, choice.silhouette, choice.stability) if v is not None)
    assert choice.k == cast[(len(cast) - 1) // 2]


def test_the_same_seed_chooses_the_same() -> None:
    points = noise(3)

    assert clustered(points).choice == clustered(points).choice


def test_when_every_criterion_abstains_the_largest_k_stands() -> None:
    points = noise(0, n=2)
    found = clustered(points)

    assert found.choice is not None
    assert (found.choice.elbow, found.choice.silhouette, found.choice.stability) == (None,) * 3
    assert found.k == 2


@pytest.mark.parametrize("seed", range(20))
def test_the_elbow_is_where_kneed_sees_it(seed: int) -> None:
    kneed = pytest.importorskip("kneed")
    rng = np.random.default_rng(seed)
    ks = list(range(1, int(rng.integers(5, 15))))
    falls = np.sort(rng.exponential(1, len(ks)) ** 2)[::-1]
    curve = (100 - np.cumsum(falls) + rng.normal(0, 0.02, len(ks))).tolist()

    wanted = kneed.KneeLocator(ks, curve, curve="convex", direction="decreasing").knee

    assert elbow(ks, curve) == wanted


def test_a_curve_with_a_corner_has_its_elbow_there() -> None:
    assert elbow([1, 2, 3, 4, 5, 6, 7], [10, 5, 2, 1.8, 1.6, 1.5, 1.4]) == 3


@pytest.mark.parametrize("curve", [[4, 3, 2, 1], [5, 5, 5, 5], [2, 1], []])
def test_a_line_a_plateau_and_too_few_points_have_no_elbow(curve: list[float]) -> None:
    assert elbow(range(1, len(curve) + 1), curve) is None


def test_subsamples_agree_on_clouds_and_not_on_one_cloud_too_many() -> None:
    points, _ = clouds(6, n=600, apart=12)
    right, too_many = (subsample_ari(points, k, seed=0) for k in (4, 7))

    assert right == 1
    assert too_many is not None
    assert too_many < 0.9


def test_choosing_among_one_k_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to choose from"):
        ClusterSettings(k_auto=True, sweep_max=1)
