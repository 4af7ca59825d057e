"""Clusters whose images were taken in another way than the rest of the set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.decomposition import PCA

from fer_audit.audit.space.cluster_style import cluster_styles, principal_axes
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import Clustering, SweepPoint
from fer_audit.config import AuditConfig, ClusterSettings
from fer_audit.pack.types import STYLE_NAMES
from fer_audit.progress import Silent
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of
from tests.known import known

N = 500


@pytest.fixture
def style() -> np.ndarray:
    return np.random.default_rng(0).gamma(2.0, size=(N, len(STYLE_NAMES))).astype(np.float32)


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(1).choice(3, N, p=[0.6, 0.3, 0.1]).astype(np.int32)


def measured(
    style: np.ndarray, labels: np.ndarray, tested: np.ndarray | None = None, *, k: int = 3
) -> dict[tuple[int, str], ClusterStyle]:
    everything = labels >= 0
    found = cluster_styles(
        style,
        clustering_of(labels, k=k),
        tested=everything if tested is None else tested,
        confidence=0.95,
    )
    return {(each.cluster, each.measure): each for each in found}


def test_every_cluster_has_every_measure_in_order(style: np.ndarray, labels: np.ndarray) -> None:
    found = measured(style, labels)

    assert list(found) == [(cluster, name) for cluster in range(3) for name in STYLE_NAMES]


def test_the_difference_and_its_interval_are_those_of_numpy(
    style: np.ndarray, labels: np.ndarray
) -> None:
    found = measured(style, labels)[(1, "sharpness")]

    values = style[:, STYLE_NAMES.index("sharpness")].astype(np.float64)
    own, rest = values[labels == 1], values[labels != 1]
    gap = (own.mean() - rest.mean()) * len(rest) / N
    error = np.sqrt(np.var(own, ddof=1) / len(own) + np.var(rest, ddof=1) / len(rest))
    reach = norm.ppf(0.975) * error * len(rest) / N
    sd = values.std()
    assert found.n == len(own)
    assert found.mean == pytest.approx(own.mean())
    assert found.set_mean == pytest.approx(values.mean())
    assert found.difference == pytest.approx(gap / sd)
    assert found.low == pytest.approx((gap - reach) / sd)
    assert found.high == pytest.approx((gap + reach) / sd)


def test_differences_weighted_by_images_sum_to_nothing(
    style: np.ndarray, labels: np.ndarray
) -> None:
    found = measured(style, labels)

    for name in STYLE_NAMES:
        each = [found[(cluster, name)] for cluster in range(3)]
        assert sum(x.n for x in each) == N
        assert sum(x.n * (x.difference or 0) for x in each) == pytest.approx(0, abs=1e-6)


def test_only_tested_rows_count(style: np.ndarray, labels: np.ndarray) -> None:
    tested = np.arange(N) % 2 == 0

    some = measured(style, labels, tested)

    assert some == measured(style[tested], labels[tested])


def test_clusters_made_by_chance_hold_zero_as_often_as_confidence_says() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(40):
        style = rng.normal(size=(400, len(STYLE_NAMES))).astype(np.float32)
        found = measured(style, rng.integers(0, 2, 400).astype(np.int32), k=2)
        held += [(x.low or 0) <= 0 <= (x.high or 0) for x in found.values() if x.cluster == 0]

    assert np.mean(held) == pytest.approx(0.95, abs=0.035)


def test_a_measure_that_never_varies_has_a_mean_and_no_difference(
    style: np.ndarray, labels: np.ndarray
) -> None:
    style[:, STYLE_NAMES.index("grey")] = 0.5

    found = measured(style, labels)[(0, "grey")]

    assert (found.mean, found.set_mean) == (0.5, 0.5)
    assert (found.difference, found.low, found.high) == (None, None, None)
    assert dict(found.not_computable) == dict.fromkeys(
        ("difference", "low", "high"), "the measure is the same in all images"
    )


@pytest.mark.parametrize(
    ("sizes", "cluster", "missing", "reason"),
    [
        ((9, 0), 1, {"mean", "difference", "low", "high"}, "no image of this cluster is tested"),
        ((9, 1), 1, {"low", "high"}, "fewer than two images are in this cluster"),
        ((9, 1), 0, {"low", "high"}, "fewer than two images are outside this cluster"),
        ((9, 0), 0, {"low", "high"}, "fewer than two images are outside this cluster"),
        ((0, 0), 0, {"mean", "difference", "low", "high"}, "no image of this cluster is tested"),
    ],
)
def test_clusters_that_cannot_be_compared_say_why(
    sizes: tuple[int, int], cluster: int, missing: set[str], reason: str
) -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), sizes)
    style = np.random.default_rng(0).normal(size=(len(labels), len(STYLE_NAMES)))

    found = measured(style.astype(np.float32), labels, k=2)[(cluster, "luma_mean")]

    why = dict(found.not_computable)
    assert {name for name in why if why[name] == reason} == missing
    assert all(getattr(found, name) is None for name in why)
    assert ("set_mean" in why) is (sum(sizes) == 0)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Return 300 vectors of 20 numbers, of which every tenth is not ok."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 20)) @ np.diag(np.linspace(4, 0.5, 20)) + 3
    x[::10] = 0
    return x.astype(np.float32)


def usable(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors.any(axis=1))


@pytest.fixture(scope="module")
def clustering(vectors: np.ndarray) -> Clustering:
    return cluster_embeddings(
        vectors, usable(vectors), ClusterSettings(k=3, starts=2, sweep_max=4), progress=Silent()
    )


def test_shares_are_those_of_scikit_learns_pca(
    vectors: np.ndarray, clustering: Clustering
) -> None:
    found = principal_axes(known(clustering.coordinates), clustering)

    pca = PCA(svd_solver="full").fit(vectors[usable(vectors)].astype(np.float64))
    assert found.dimensions == 20
    assert found.shares == pytest.approx(pca.explained_variance_ratio_[:10].tolist(), rel=1e-4)
    assert found.total == pytest.approx(1, abs=1e-4)
    assert found.not_computable == ()


def test_coordinates_that_are_not_centred_have_the_same_shares(clustering: Clustering) -> None:
    """Axes of many images are found from some of them, whose mean is not that of all."""
    assert clustering.coordinates is not None
    moved = clustering.coordinates.astype(np.float64) + 5

    found = principal_axes(moved, clustering)

    assert found.shares == pytest.approx(principal_axes(clustering.coordinates, clustering).shares)


def test_fewer_axes_hold_less(clustering: Clustering) -> None:
    found = principal_axes(known(clustering.coordinates)[:, :4], clustering)

    assert (found.dimensions, len(found.shares)) == (4, 4)
    assert found.total == pytest.approx(sum(found.shares))
    assert found.total is not None
    assert found.total < 0.9


@pytest.mark.parametrize(
    ("sweep", "reason"),
    [
        ((), "the sweep over k does not hold k = 1, whose inertia is the total variance"),
        ((SweepPoint(2, 9.0),), "the sweep over k does not hold k = 1"),
        ((SweepPoint(1, 0.0),), "all images have the same vector"),
    ],
)
def test_without_a_total_there_are_no_shares(sweep: tuple[SweepPoint, ...], reason: str) -> None:
    partition = replace(clustering_of([0, 0, 1], k=2), sweep=sweep)

    found = principal_axes(np.zeros((3, 2)), partition)

    assert (found.shares, found.total) == ((), None)
    why = dict(found.not_computable)
    assert set(why) == {"shares", "total"}
    assert why["total"].startswith(reason)


def test_an_audit_without_coordinates_has_no_axes() -> None:

    found = audit_dataset(
        dataset_of(attribute("race", [0, 1, 0, 1], "xy")),
        clustering=clustering_of([0, 0, 1, 1], k=2),
        config=AuditConfig.of(permutations=19, bootstraps=9),
    )

    assert found.principal_axes is None
    assert len(found.cluster_styles) == 20
