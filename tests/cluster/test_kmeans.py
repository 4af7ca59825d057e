"""Lloyd in blocks is Lloyd, and a start from a stream is nearly as good as one from the whole."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from fer_audit.cluster import kmeans, reduce, threads
from fer_audit.cluster.kmeans import best_partition, best_start, mini_batch_centers
from fer_audit.cluster.lloyd import center_distances, lloyd
from fer_audit.cluster.reduce import principal_space, reduce_rows
from tests.cluster.clouds import clouds, rows_of


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("block_rows", [50, 4096])
def test_lloyd_in_blocks_is_sklearns_kmeans_from_the_same_centres(
    seed: int, block_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduce, "BLOCK_ROWS", block_rows)
    vectors, _ = clouds(seed, spread=2.0)
    first = vectors[np.random.default_rng(seed).choice(len(vectors), 4, replace=False)]
    oracle = KMeans(4, init=first, n_init=1, tol=0, max_iter=300, algorithm="lloyd").fit(vectors)

    found = lloyd(rows_of(vectors), first)

    assert np.array_equal(found.labels, oracle.labels_)
    assert np.allclose(found.centers, oracle.cluster_centers_, atol=1e-4)
    assert found.inertia == pytest.approx(oracle.inertia_, rel=1e-5)


def test_lloyd_stops_where_no_row_would_change_its_cluster() -> None:
    vectors, _ = clouds(1, spread=3.0)
    found = lloyd(rows_of(vectors), vectors[:5])

    squares = np.square(vectors[:, None] - found.centers).sum(axis=2)
    means = np.stack([vectors[found.labels == c].mean(axis=0) for c in range(5)])

    assert np.array_equal(squares.argmin(axis=1), found.labels)
    assert np.allclose(means, found.centers, atol=1e-4)
    assert found.inertia == pytest.approx(squares.min(axis=1).sum(), rel=1e-5)


def test_distances_are_euclidean_and_square_to_the_inertia() -> None:
    vectors, _ = clouds(2)
    found = lloyd(rows_of(vectors), vectors[:3])

    distances = center_distances(rows_of(vectors), found.centers, found.labels)

    wanted = np.linalg.norm(vectors - found.centers[found.labels], axis=1)
    assert np.allclose(distances, wanted, rtol=1e-5)
    assert np.square(distances, dtype=np.float64).sum() == pytest.approx(found.inertia)


def test_an_empty_cluster_keeps_its_centre_and_takes_no_row() -> None:
    vectors, _ = clouds(4)
    far = np.full((1, vectors.shape[1]), 1e4, np.float32)

    found = lloyd(rows_of(vectors), np.concatenate([vectors[:2], far]))

    assert np.array_equal(found.centers[2], far[0])
    assert set(found.labels) == {0, 1}


def test_starts_from_a_draw_cost_hardly_more_than_starts_from_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a million rows a start sees a uniform draw; within 2 % of the inertia, also in class order."""
    vectors, kinds = clouds(5, n=6000, spread=2.0)
    vectors = vectors[np.argsort(kinds, kind="stable")]
    rows = rows_of(vectors)
    whole, _ = best_partition(rows, vectors, 4, [1, 2, 3])

    monkeypatch.setattr(kmeans, "MAX_START_ROWS", 1500)
    monkeypatch.setattr(kmeans, "MINI_BATCH_ROWS", 256)
    drawn, inertias = best_start(vectors, 4, [1, 2, 3])
    polished, _ = best_partition(rows, vectors, 4, [1, 2, 3])

    assert len(drawn.labels) == len(vectors)
    assert drawn.inertia < 1.02 * whole.inertia
    assert min(inertias) == pytest.approx(drawn.inertia, rel=0.05)
    assert polished.inertia == pytest.approx(whole.inertia, rel=1e-4)


@pytest.mark.parametrize("cores", [2, 5])
def test_how_many_threads_there_are_changes_no_bit(
    cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors, _ = clouds(8, n=6000, d=40, spread=4.0)
    monkeypatch.setattr(reduce, "BLOCK_ROWS", 700)
    found = []
    for count in (1, cores):
        monkeypatch.setattr(threads, "usable_cores", lambda count=count: count)
        rows = rows_of(vectors)
        reduced = reduce_rows(rows, principal_space(rows, components=10))
        partition, starts = best_partition(rows, reduced, 4, [1, 2, 3, 4])
        found.append((reduced.tobytes(), partition.centers.tobytes(), partition.labels, starts))

    assert found[0][:2] == found[1][:2]
    assert np.array_equal(found[0][2], found[1][2])
    assert found[0][3] == found[1][3]


def test_the_best_start_is_kept_and_every_start_is_reported() -> None:
    vectors, kinds = clouds(6)

    partition, starts = best_partition(rows_of(vectors), vectors, 4, [1, 2, 3, 4, 5])

    assert len(starts) == 5
    assert partition.inertia <= min(starts) * (1 + 1e-6)
    assert adjusted_rand_score(kinds, partition.labels) == 1


def test_a_start_depends_on_its_seed_alone() -> None:
    vectors, _ = clouds(7)

    one, two = (mini_batch_centers(vectors, 4, 9) for _ in range(2))

    assert one.tobytes() == two.tobytes()
    assert one.tobytes() != mini_batch_centers(vectors, 4, 10).tobytes()
