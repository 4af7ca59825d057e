"""What was measured about a partition comes back from the cache as it went in."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fer_audit.cluster.run import (
    cluster_embeddings,
    cluster_fingerprint,
    load_clustering,
    save_clustering,
)
from fer_audit.cluster.types import Clustering
from fer_audit.progress import Silent
from fer_audit.store.stage import StageFolder
from tests.cluster.clouds import clouds


@pytest.fixture(scope="module")
def clustering() -> Clustering:
    """Give a partition with everything measured, of a set with a failed row."""
    points, _ = clouds(0, n=120)
    ok = np.arange(120) != 7
    return cluster_embeddings(
        points, ok, k_auto=True, sweep_max=5, starts=2, stability=True, progress=Silent()
    )


def test_a_kept_clustering_is_the_same_in_every_field(
    clustering: Clustering, tmp_path: Path
) -> None:
    folder = StageFolder.open(tmp_path, "cluster", "f" * 64)
    save_clustering(folder, clustering)
    found = load_clustering(folder)

    assert isinstance(found, Clustering)
    assert found.choice == clustering.choice
    assert found.stability is not None
    assert clustering.stability is not None
    assert found.coordinates is not None
    assert np.array_equal(found.coordinates, clustering.coordinates)  # type: ignore[arg-type]  # never None here
    for field in dataclasses.fields(clustering.stability):
        kept, given = (getattr(x.stability, field.name) for x in (found, clustering))
        if field.name in ("seeds", "ks"):
            for one, other in zip(kept, given, strict=True):
                assert (one.k, one.seed, one.inertia) == (other.k, other.seed, other.inertia)
                assert np.array_equal(one.labels, other.labels)
        else:
            assert np.array_equal(kept, given)


def test_a_clustering_without_stability_has_none_when_it_comes_back(
    clustering: Clustering, tmp_path: Path
) -> None:
    folder = StageFolder.open(tmp_path, "cluster", "f" * 64)
    save_clustering(folder, dataclasses.replace(clustering, stability=None, choice=None))
    found = load_clustering(folder)

    assert isinstance(found, Clustering)
    assert found.stability is None
    assert found.choice is None


def test_coordinates_are_zero_where_a_row_failed(clustering: Clustering) -> None:
    assert clustering.coordinates is not None
    assert clustering.coordinates.shape[0] == 120
    assert not clustering.coordinates[7].any()
    assert clustering.coordinates[8].any()


def test_the_reported_partition_is_among_its_alternatives(clustering: Clustering) -> None:
    assert clustering.stability is not None
    mine = next(each for each in clustering.stability.ks if each.k == clustering.k)

    assert np.array_equal(mine.labels, clustering.labels)
    assert mine.inertia == clustering.inertia
    assert [point.k for point in clustering.sweep] == [1, 2, 3, 4, 5]


def fingerprint(*, k: int = 4, k_auto: bool = False, stability: bool = False) -> str:
    return cluster_fingerprint(
        "e",
        k=k,
        k_auto=k_auto,
        stability=stability,
        starts=10,
        sweep_max=10,
        seed=0,
        versions=(),
    )


def test_the_fingerprint_names_the_choice_of_k_and_the_stability() -> None:
    prints = {fingerprint(), fingerprint(k_auto=True), fingerprint(stability=True)}

    assert len(prints) == 3
    assert fingerprint(k=3, k_auto=True) == fingerprint(k=5, k_auto=True)
