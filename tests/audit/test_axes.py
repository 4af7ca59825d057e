"""Shares of the variance on the principal axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from fer_audit.audit.space.cluster_style import principal_axes
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import Clustering, SweepPoint
from fer_audit.config import AuditConfig, ClusterSettings
from fer_audit.progress import Silent
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of
from tests.known import known


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
