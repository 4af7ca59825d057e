"""One partition of a set: numbered by size, the same for the same seed, the same without rows that failed."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from fer_audit.cluster.kmeans import polish
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.run import (
    cluster_embeddings,
    cluster_fingerprint,
    load_clustering,
    never_rising,
    save_clustering,
)
from fer_audit.cluster.stability import as_alternative
from fer_audit.cluster.studies import cluster_style
from fer_audit.cluster.types import Alternative, Clustering, NotClusterable
from fer_audit.config import ClusterSettings
from fer_audit.progress import Silent
from fer_audit.store.stage import StageFolder
from tests.cluster.clouds import all_ok, clouds
from tests.known import known


def cluster(
    vectors: NDArray[np.float32],
    ok: NDArray[np.bool_] | None = None,
    *,
    k: int = 4,
    seed: int = 0,
    sweep_max: int = 1,
) -> Clustering:
    return cluster_embeddings(
        vectors,
        all_ok(vectors) if ok is None else ok,
        ClusterSettings(k=k, starts=4, sweep_max=sweep_max),
        seed=seed,
        progress=Silent(),
    )


def assert_same(one: object, two: object) -> None:
    """Compare two records field by field: arrays by their bytes."""
    if dataclasses.is_dataclass(one):
        assert type(one) is type(two)
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(two, field.name))
    elif isinstance(one, tuple):
        assert isinstance(two, tuple)
        for a, b in zip(one, two, strict=True):
            assert_same(a, b)
    elif isinstance(one, np.ndarray):
        assert isinstance(two, np.ndarray)
        assert (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())
    else:
        assert one == two


def test_clouds_are_found_and_numbered_by_size_largest_first() -> None:
    vectors, kinds = clouds(0)

    found = cluster(vectors)

    assert np.array_equal(found.labels, kinds)
    assert np.bincount(found.labels).tolist() == [160, 120, 80, 40]
    means = np.stack([vectors[kinds == c].mean(axis=0) for c in range(4)])
    assert np.allclose(found.centers, means, atol=1e-3)


def test_the_same_seed_gives_the_same_bytes() -> None:
    vectors, _ = clouds(1, spread=6.0)

    assert_same(cluster(vectors, seed=3, sweep_max=5), cluster(vectors, seed=3, sweep_max=5))


def test_rows_that_are_not_ok_never_matter() -> None:
    """Whatever lies in them, also what is not a number, and also when they are taken out."""
    vectors, _ = clouds(2, spread=6.0)
    ok = np.random.default_rng(0).random(len(vectors)) < 0.8
    zeros, garbage = vectors.copy(), vectors.copy()
    zeros[~ok] = 0
    garbage[~ok] = np.random.default_rng(1).choice([np.nan, np.inf, 1e30], (~ok).sum())[:, None]

    clean, dirty, alone = cluster(zeros, ok), cluster(garbage, ok), cluster(vectors[ok])

    assert_same(clean, dirty)
    assert (dirty.labels[~ok] == -1).all()
    assert not dirty.distances[~ok].any()
    assert not known(dirty.coordinates)[~ok].any()
    assert np.isfinite(dirty.centers).all()
    assert np.array_equal(dirty.labels[ok], alone.labels)
    assert dirty.inertia == pytest.approx(alone.inertia, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_permuting_the_rows_permutes_the_labels(seed: int) -> None:
    vectors, _ = clouds(seed)
    order = np.random.default_rng(seed).permutation(len(vectors))

    straight, shuffled = cluster(vectors), cluster(np.ascontiguousarray(vectors[order]))

    assert np.array_equal(straight.labels[order], shuffled.labels)
    assert straight.inertia == pytest.approx(shuffled.inertia, rel=1e-5)


def test_moving_and_scaling_the_vectors_changes_no_label() -> None:
    vectors, _ = clouds(4)

    assert np.array_equal(cluster(vectors).labels, cluster(vectors * 2 + 1).labels)


def test_one_cluster_costs_the_total_variance() -> None:
    vectors, _ = clouds(5, spread=6.0)

    found = cluster(vectors, k=1, sweep_max=3)

    total = np.square(vectors - vectors.mean(axis=0, dtype=np.float64)).sum()
    assert found.inertia == pytest.approx(total, rel=1e-5)
    assert not found.labels.any()


def test_as_many_clusters_as_images_cost_nothing() -> None:
    vectors, _ = clouds(6, n=10)

    found = cluster(vectors, k=10)

    assert sorted(found.labels) == list(range(10))
    assert found.inertia == pytest.approx(0, abs=1e-3)


def test_the_sweep_falls_holds_k_and_never_asks_for_more_clusters_than_images() -> None:
    vectors, _ = clouds(7, spread=4.0)

    found = cluster(vectors, k=4, sweep_max=8)

    ks = [point.k for point in found.sweep]
    inertias = [point.inertia for point in found.sweep]
    assert ks == list(range(1, 9))
    assert inertias[3] == found.inertia
    assert all(after <= before for before, after in pairwise(inertias))
    assert [p.k for p in cluster(vectors[:6], k=2, sweep_max=10).sweep] == [1, 2, 3, 4, 5, 6]
    assert [p.k for p in cluster(vectors, k=9, sweep_max=3).sweep] == [1, 2, 3, 9]


def test_inertia_never_rises_with_k_in_a_small_set_without_clusters() -> None:
    """Starts on 28 images can miss: one cluster more was worse in some seeds."""
    for seed in range(20):
        vectors = np.random.default_rng(seed).normal(size=(28, 16)).astype(np.float32)
        inertias = [point.inertia for point in cluster(vectors, seed=seed, sweep_max=12).sweep]
        assert all(after <= before * (1 + 1e-6) for before, after in pairwise(inertias)), seed


def test_where_one_cluster_more_was_worse_the_farthest_image_is_one() -> None:
    vectors = np.array([[0.0], [1.0], [10.0], [11.0], [30.0]], np.float32)
    rows = Rows(vectors, all_ok(vectors))
    two = as_alternative(rows, polish(rows, np.array([0, 0, 0, 0, 1], np.int32), 2), 2, 0)
    worse = Alternative(3, 0, np.array([0, 1, 2, 0, 0], np.int32), 1e6)
    sweep = {2: two, 3: worse}

    mended = never_rising(rows, sweep, 0)

    assert sweep[3].inertia == mended[3].inertia <= two.inertia
    assert never_rising(rows, sweep, 0) == {}


def test_the_sweep_does_not_change_the_partition() -> None:
    vectors, _ = clouds(9, spread=6.0)

    alone, swept = cluster(vectors, sweep_max=1), cluster(vectors, sweep_max=7)

    assert_same(alone, dataclasses.replace(swept, sweep=alone.sweep))


def test_more_clusters_than_usable_images_are_refused() -> None:
    vectors, _ = clouds(0, n=10)

    with pytest.raises(NotClusterable, match="3 usable images cannot make 4 clusters"):
        cluster(vectors, np.arange(10) < 3)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 123.456, 1e20])
def test_vectors_that_are_all_the_same_are_refused(value: float) -> None:
    with pytest.raises(NotClusterable, match="the same vector"):
        cluster(np.full((20, 5), value, np.float32))
    with pytest.raises(NotClusterable, match="the same vector"):
        cluster(np.full((1, 5), value, np.float32), k=1)


def test_fewer_distinct_vectors_than_clusters_leave_clusters_empty_without_a_warning() -> None:
    """Any warning is an error here."""
    distinct = np.array([[0, 0], [9, 9]], np.float32)
    vectors = np.repeat(distinct, [7, 3], axis=0)

    found = cluster(vectors, k=4, sweep_max=5)

    assert found.inertia == pytest.approx(0, abs=1e-6)
    assert found.k == 4
    assert adjusted_rand_score(vectors[:, 0], found.labels) == 1
    assert np.isfinite(found.centers).all()


def test_a_single_outlier_is_no_reason_to_fail() -> None:
    vectors = np.zeros((50, 4), np.float32)
    vectors[7] = 5

    found = cluster(vectors, k=2, sweep_max=3)

    assert np.bincount(found.labels).tolist() == [49, 1]
    assert found.labels[7] == 1


@pytest.fixture(scope="module")
def everything() -> Clustering:
    """Give a partition with everything measured, of a set with a failed row."""
    points, _ = clouds(0, n=120)
    return cluster_embeddings(
        points,
        np.arange(120) != 7,
        ClusterSettings(k_auto=True, sweep_max=5, starts=2),
        stability=True,
        fingerprint="f" * 64,
        progress=Silent(),
    )


def test_the_reported_partition_is_among_its_alternatives(everything: Clustering) -> None:
    mine = next(each for each in known(everything.stability).ks if each.k == everything.k)

    assert np.array_equal(mine.labels, everything.labels)
    assert mine.inertia == everything.inertia
    assert [point.k for point in everything.sweep] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("measured", [True, False])
def test_a_partition_survives_the_cache(
    everything: Clustering, measured: bool, tmp_path: Path
) -> None:
    made = everything if measured else dataclasses.replace(everything, stability=None, choice=None)
    folder = StageFolder.open(tmp_path, "cluster", "f" * 64)
    assert load_clustering(folder) == ""

    save_clustering(folder, made)

    assert_same(load_clustering(folder), made)


def test_the_fingerprint_knows_everything_that_changes_a_label() -> None:
    def fingerprint(changes: dict[str, Any]) -> str:
        others = {"embed": "e", "seed": 0, "versions": ("1",), **changes}
        embed, seed, versions = (others.pop(name) for name in ("embed", "seed", "versions"))
        return cluster_fingerprint(embed, ClusterSettings(**others), seed=seed, versions=versions)

    changes: list[dict[str, Any]] = [
        *({}, {"k": 5}, {"starts": 9}, {"sweep_max": 9}, {"seed": 1}, {"k_auto": True}),
        *({"embed": "f"}, {"versions": ("2",)}),
    ]

    assert len({fingerprint(change) for change in changes}) == len(changes)
    assert fingerprint({"k": 3, "k_auto": True}) == fingerprint({"k": 5, "k_auto": True})


def test_units_and_constant_columns_make_no_difference() -> None:
    style, kinds = clouds(0, k=3, d=4)
    scaled = style * np.array([1, 1e3, 1e-2, 1], np.float32)
    scaled = np.column_stack([scaled, np.full(len(scaled), 7, np.float32)]).astype(np.float32)

    plain = cluster_style(style, all_ok(style), k=3, seed=0)
    other = cluster_style(scaled, all_ok(style), k=3, seed=0)

    assert np.array_equal(plain, other)
    assert adjusted_rand_score(kinds, plain) > 0.98
    assert (np.diff(np.bincount(plain)) <= 0).all()


def test_rows_that_are_not_ok_are_outside_and_change_nothing() -> None:
    style, _ = clouds(1, k=3, d=4)
    ok = np.arange(len(style)) % 4 > 0
    spoilt = style.copy()
    spoilt[~ok] = np.nan

    labels = cluster_style(spoilt, ok, k=3, seed=0)

    assert (labels[~ok] == -1).all()
    assert np.array_equal(labels[ok], cluster_style(style[ok], ok[ok], k=3, seed=0))


def test_style_that_never_varies_has_no_clusters() -> None:
    style = np.ones((20, 3), np.float32)

    with pytest.raises(NotClusterable, match="no style measure varies"):
        cluster_style(style, all_ok(style), k=2, seed=0)
    with pytest.raises(NotClusterable, match="1 usable"):
        cluster_style(style, np.arange(20) == 0, k=2, seed=0)
