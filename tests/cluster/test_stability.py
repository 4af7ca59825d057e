"""Stability is near 1 where clusters are real, low where they are not, and never about rows that failed; so are studies."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from fer_audit.cluster.kmeans import batched_kmeans, best_partition, kmeans_plus_plus, start_seeds
from fer_audit.cluster.reduce import Rows, principal_space, reduce_rows
from fer_audit.cluster.stability import (
    _image_numbers,
    as_alternative,
    best_jaccard,
    bootstrap_jaccard,
    measure_stability,
    split_half,
)
from fer_audit.cluster.studies import bootstrap_studies, sample_studies
from fer_audit.cluster.types import NotClusterable, Stability
from fer_audit.progress import Silent
from tests.cluster.clouds import all_ok, clouds, noise, rows_of


def stability_of(rows: Rows, k: int, *, seed: int = 0) -> Stability:
    reduced = reduce_rows(rows, principal_space(rows))
    found, _ = best_partition(rows, reduced, k, start_seeds(seed, k, 10))
    reported = as_alternative(rows, found, k, seed)
    return measure_stability(rows, reduced, reported, seed=seed, progress=Silent())


def test_real_clusters_are_found_by_every_seed_resample_and_half() -> None:
    points, kinds = clouds(0)
    found = stability_of(rows_of(points), 4)

    assert found.ari == (1.0,) * 55
    assert len(found.jaccard) == 4
    assert min(found.jaccard) > 0.99
    in_b = ~found.half_a
    assert adjusted_rand_score(kinds[in_b], found.half_b_labels[in_b]) == 1


def test_clusters_of_noise_do_not_come_back() -> None:
    points = noise(0)
    found = stability_of(rows_of(points), 4)

    assert np.median(found.ari) < 0.9
    assert np.mean(found.jaccard) < 0.6


def test_a_cluster_torn_in_two_is_the_unstable_one() -> None:
    """Hennig's point: one number for a partition hides which of its clusters is made up."""
    points, kinds = clouds(1, k=3, n=600)
    rows = rows_of(points)
    reduced = reduce_rows(rows, principal_space(rows))
    found, _ = best_partition(rows, reduced, 4, start_seeds(0, 4, 10))
    whole = [c for c in range(4) if (found.labels == c).sum() in np.bincount(kinds)]

    jaccard = bootstrap_jaccard(reduced, found.labels, 4, seed=0)

    assert len(whole) == 2
    assert min(jaccard[c] for c in whole) > 0.7
    assert max(jaccard[c] for c in range(4) if c not in whole) < min(jaccard[c] for c in whole)


def test_rows_that_are_not_ok_are_in_no_alternative_and_in_neither_half() -> None:
    points, _ = clouds(2)
    ok = np.random.default_rng(0).random(len(points)) > 0.2
    points[~ok] = 1e6
    found = stability_of(Rows(points, ok), 4)

    assert {each.k for each in found.ks} == {3, 4, 5, 6}
    for each in (*found.seeds, *found.ks):
        assert (each.labels[~ok] == -1).all()
        assert (each.labels[ok] >= 0).all()
    assert not found.half_a[~ok].any()
    assert (found.half_b_labels[~ok] == -1).all()
    assert np.array_equal(found.half_b_labels >= 0, ok & ~found.half_a)
    assert min(found.jaccard) > 0.99


def test_halves_are_halves_and_depend_on_the_seed_alone() -> None:
    points, _ = clouds(3, n=401)

    in_a, labels = split_half(points, 4, seed=5)
    again, labels_again = split_half(points, 4, seed=5)
    other, _ = split_half(points, 4, seed=6)

    assert in_a.sum() == 200
    assert np.array_equal(in_a, again)
    assert np.array_equal(labels, labels_again)
    assert not np.array_equal(in_a, other)


def test_other_seeds_are_what_a_run_with_that_seed_would_find() -> None:
    points, _ = clouds(4)
    rows = rows_of(points)
    found = stability_of(rows, 4, seed=10)
    best, _ = best_partition(
        rows, reduce_rows(rows, principal_space(rows)), 4, start_seeds(11, 4, 4)
    )

    assert [each.seed for each in found.seeds] == list(range(11, 21))
    assert np.array_equal(found.seeds[0].labels, as_alternative(rows, best, 4, 11).labels)
    assert found.seeds[0].inertia == pytest.approx(best.inertia)


def test_copies_of_one_image_are_never_held_out_from_themselves() -> None:
    points = np.random.default_rng(8).normal(size=(200, 3)).astype(np.float32)
    twice = np.concatenate([points, points])

    in_a, labels = split_half(twice, 3, seed=1)

    assert np.array_equal(in_a[:200], in_a[200:])
    assert np.array_equal(labels == -1, in_a)


@pytest.mark.parametrize("seed", range(5))
def test_images_are_numbered_as_sorted_distinct_rows_are(seed: int) -> None:
    """Few values, so that rows are equal in their first columns, in all of them, or differ in the last only."""
    drawn = np.random.default_rng(seed).integers(-1, 2, (300, 4 + seed))
    points = (drawn / 64).astype(np.float32)

    wanted = np.unique(np.round(points, 3), axis=0, return_inverse=True)[1]

    assert np.array_equal(_image_numbers(points), wanted.ravel())


@pytest.mark.parametrize(
    ("old", "new", "similarity"),
    [
        ([0, 0, 0, 0, 1, 1, 1, 2], [2, 2, 2, 0, 0, 0, 0, 1], [0.75, 0.75, 1.0]),
        ([0, 0, 2], [0, 0, 1], [1.0, 0.0, 1.0]),
    ],
)
def test_best_jaccard_by_hand_and_zero_for_an_empty_cluster(
    old: list[int], new: list[int], similarity: list[float]
) -> None:
    found = best_jaccard(np.array(old, np.int32), np.array(new, np.int32), 3, 3)

    assert found.tolist() == similarity


@pytest.mark.parametrize(("n", "times", "k"), [(2, 1, 2), (3, 1, 2), (5, 1, 2), (2, 10, 3)])
def test_a_handful_of_rows_is_enough_also_with_fewer_distinct_ones_than_clusters(
    n: int, times: int, k: int
) -> None:
    points = np.repeat(noise(1, n=n), times, axis=0)
    found = stability_of(rows_of(points), k)

    assert all(0 <= x <= 1 for x in found.jaccard)
    assert all(similarity == 0 for similarity in found.jaccard[n:])
    assert set(found.seeds[0].labels.tolist()) == set(range(min(n, k)))
    assert found.half_a.sum() >= 1
    assert max(each.k for each in found.ks) <= len(points)


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


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("size", "halves"), [(380, False), (300, True)])
def test_one_huge_unit_is_a_half_or_there_is_none(size: int, seed: int, *, halves: bool) -> None:
    """Wherever it is drawn, the part that is not clustered is neither empty nor a handful."""
    reduced = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    units = np.where(np.arange(400) < size, 0, np.arange(400))

    in_a, labels = split_half(reduced, 3, seed=seed, units=units)

    held_out = int((labels >= 0).sum())
    if halves:
        assert min(held_out, int(in_a.sum())) >= 80
        assert np.array_equal(labels >= 0, ~in_a)
    else:
        assert (held_out, bool(in_a.any())) == (0, False)


def test_halves_are_made_of_whole_units_and_a_row_of_no_unit_is_alone() -> None:
    reduced = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    units = np.repeat(np.arange(40), 10)
    units[:10] = -1

    in_a, _ = split_half(reduced, 3, seed=0, units=units)

    assert 200 <= in_a.sum() < 210
    assert all(len(set(in_a[units == unit].tolist())) == 1 for unit in range(1, 40))
    assert len(set(in_a[:10].tolist())) == 2
