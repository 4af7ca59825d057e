"""Studies are drawn from the usable rows only, the same again for the same seed, and clustered as well as scikit-learn does."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from fer_audit.cluster.batched_kmeans import batched_kmeans, kmeans_plus_plus
from fer_audit.cluster.studies import bootstrap_studies, sample_studies
from fer_audit.cluster.types import NotClusterable
from tests.cluster.clouds import all_ok, clouds, noise


def test_a_study_is_a_sample_of_usable_rows_without_repeats() -> None:
    points, kinds = clouds(0, n=300)
    ok = np.random.default_rng(0).random(300) > 0.3
    studies = sample_studies(points, ok, studies=6, size=120, k=4, seed=0)

    assert len({study.rows.tobytes() for study in studies}) == 6
    for study in studies:
        assert len(set(study.rows.tolist())) == 120
        assert ok[study.rows].all()
        assert adjusted_rand_score(kinds[study.rows], study.labels) == 1
        sizes = np.bincount(study.labels, minlength=4)
        assert (np.diff(sizes) <= 0).all()


def test_every_usable_row_is_drawn_equally_often() -> None:
    points = noise(0, n=60, d=3)
    studies = sample_studies(points, all_ok(points), studies=300, size=20, k=2, seed=1)
    drawn = np.bincount(np.concatenate([study.rows for study in studies]), minlength=60)

    # 100 expected, standard deviation sqrt(300 / 3 * 2 / 3) = 8
    assert abs(drawn - 100).max() < 5 * 8.2


def test_more_studies_leave_the_first_ones_as_they_were() -> None:
    points = noise(1)
    few = sample_studies(points, all_ok(points), studies=2, size=50, k=3, seed=4)
    many = sample_studies(points, all_ok(points), studies=5, size=50, k=3, seed=4)

    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one.rows, other.rows)
        assert np.array_equal(one.labels, other.labels)


def test_a_resample_has_as_many_rows_as_are_usable_and_repeats_some() -> None:
    points, kinds = clouds(2)
    ok = np.arange(400) % 5 > 0
    one, other = bootstrap_studies(points, ok, resamples=2, k=4, seed=0)

    assert len(one.rows) == ok.sum()
    assert ok[one.rows].all()
    assert 0.55 < len(np.unique(one.rows)) / ok.sum() < 0.7
    assert adjusted_rand_score(kinds[one.rows], one.labels) == 1
    assert not np.array_equal(one.rows, other.rows)


def test_studies_that_cannot_be_drawn_are_refused_and_none_are_no_error() -> None:
    points = noise(2, n=20)
    ok = np.arange(20) < 10

    assert sample_studies(points, ok, studies=0, size=5, k=2, seed=0) == ()
    with pytest.raises(NotClusterable, match="10 usable images cannot make a study of 11"):
        sample_studies(points, ok, studies=1, size=11, k=2, seed=0)
    with pytest.raises(NotClusterable, match="study of 3"):
        sample_studies(points, ok, studies=1, size=3, k=4, seed=0)
    with pytest.raises(NotClusterable, match="10 usable"):
        bootstrap_studies(points, ok, resamples=1, k=11, seed=0)


@pytest.mark.parametrize("seed", range(3))
def test_batched_starts_are_sklearns_starts_one_by_one(seed: int) -> None:
    points = noise(seed, n=200)
    seeds = [3, 1, 4]
    first = kmeans_plus_plus(points, 5, seeds)

    centers, labels, inertias = batched_kmeans(points, 5, seeds)

    for i in range(3):
        oracle = KMeans(5, init=first[i], n_init=1, tol=0, algorithm="lloyd").fit(points)
        assert np.array_equal(labels[i], oracle.labels_)
        assert np.allclose(centers[i], oracle.cluster_centers_, atol=1e-5)
        assert inertias[i] == pytest.approx(oracle.inertia_, rel=1e-5)


def test_first_centres_are_distinct_points_while_there_are_any() -> None:
    points = np.repeat(noise(5, n=3), 4, axis=0)

    centers = kmeans_plus_plus(points, 5, list(range(20)))

    for start in centers:
        assert len(np.unique(start[:3], axis=0)) == 3
        assert {row.tobytes() for row in start} <= {row.tobytes() for row in points}
