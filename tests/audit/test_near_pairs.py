"""Near-identical images: no pair is missed, the threshold is the golden one, and a group holds pairs only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from fer_audit.audit.composition.duplicates import NEAR
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.run import audit
from fer_audit.audit.stats import near_pairs
from fer_audit.audit.stats.near_pairs import (
    complete_linkage,
    correlations,
    largest_cosines,
    threshold,
)
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.types.lists import NEAR_DUPLICATES
from fer_audit.audit.units import choose_pairs
from fer_audit.config import AuditConfig
from tests.audit.inputs import attribute, dataset_of, embeddings_of, inputs_of, part_of, rows_of
from tests.report.results import bare

COSINES = np.array([0.99, 0.985, 0.98, 0.975, 0.97, 0.965, 0.96, 0.955, 0.95, 0.945])
CONFIRMED = np.array([1, 1, 1, 1, 0, 1, 0, 0, 1, 0], np.bool_)


@pytest.mark.parametrize(("precision", "expected"), [(0.8, 0.965), (0.95, 0.975)])
def test_the_threshold_is_the_golden_one(precision: float, expected: float) -> None:
    backwards = np.arange(len(COSINES))[::-1]

    assert threshold(COSINES, CONFIRMED, precision=precision) == expected
    assert threshold(COSINES[backwards], CONFIRMED[backwards], precision=precision) == expected


def test_pairs_of_one_cosine_count_together_and_there_may_be_no_threshold() -> None:
    assert threshold(np.array([0.99, 0.99, 0.98]), np.array([True, False, True])) is None
    assert threshold(np.empty(0), np.empty(0, np.bool_)) is None


@pytest.mark.parametrize("dimensions", [2, 6, 300])
@pytest.mark.parametrize("most", [40, 10_000])
@pytest.mark.parametrize("block", [16, 4_096])
def test_the_pairs_are_those_that_a_comparison_of_all_finds(
    dimensions: int, most: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near_pairs, "BLOCK", block)
    rng = np.random.default_rng(dimensions)
    centers = rng.standard_normal((9, dimensions))
    spread = 0.3 * rng.random((90, 1)) * rng.standard_normal((90, dimensions))
    vectors = (np.repeat(centers, 10, axis=0) + spread).astype(np.float32)
    vectors[5] = 0
    rows = np.flatnonzero(rng.random(90) < 0.9)
    person = np.where(rng.random(90) < 0.5, -1, np.arange(90) % 3).astype(np.int16)

    found = largest_cosines(vectors, rows, (person,), most=most)

    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    cosines = vectors.astype(np.float64) @ vectors.T / np.maximum(np.outer(lengths, lengths), 1e-9)
    expected = {
        (i, j): cosines[i, j]
        for i in rows.tolist()
        for j in rows.tolist()
        if i < j and cosines[i, j] > found.floor + 1e-9 and not (person[i] == person[j] >= 0)
    }
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    assert found.floor == 0.9 or most == 40
    assert 0 < len(pairs) <= most
    assert set(pairs) == expected.keys()
    assert found.cosine == pytest.approx([expected[pair] for pair in pairs], abs=1e-6)
    assert (np.diff(found.cosine) <= 0).all()


def test_a_chain_is_no_group() -> None:
    assert complete_linkage(np.array([0, 1]), np.array([1, 2])) == [(0, 1)]
    assert complete_linkage(np.array([0, 1, 0]), np.array([1, 2, 2])) == [(0, 1, 2)]


@given(st.integers(2, 12), st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_the_groups_are_those_of_scipy(n: int, seed: int, cut: float) -> None:
    distances = np.random.default_rng(seed).random(n * (n - 1) // 2)
    first, second = np.triu_indices(n, 1)
    near = np.flatnonzero(distances <= cut)
    near = near[np.argsort(distances[near])]

    found = complete_linkage(first[near], second[near])

    codes = fcluster(linkage(distances, "complete"), cut, "distance")
    groups = [tuple(np.flatnonzero(codes == code).tolist()) for code in np.unique(codes)]
    assert found == sorted(group for group in groups if len(group) > 1)
    square = squareform(distances)
    assert all(square[i, j] <= cut for group in found for i in group for j in group)


def test_the_correlation_is_pearsons_and_none_for_an_image_of_one_shade() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 1024), dtype=np.uint8)
    images[2] = 7

    found = correlations(images, np.array([0, 0, 0]), np.array([0, 1, 2]))

    assert found == pytest.approx([1, np.corrcoef(images[0], images[1])[0, 1], 0])


def pairs_of(pairs: Sequence[tuple[int, int]], cosine: float, correlation: float) -> NearPairs:
    first, second = np.array(pairs, np.int64).T
    alike, same = (np.full(len(pairs), each) for each in (cosine, correlation))
    return NearPairs(first, second, alike, same, floor=0.9, all_pixels=True)


@pytest.mark.parametrize(
    ("cosine", "correlation", "counts"),
    [(0.999, 0.8, False), (0.98, 0.95, True), (0.96, 0.95, False), (0.91, 0.98, True)],
)
def test_where_few_are_confirmed_a_cosine_does_not_suffice(
    cosine: float, correlation: float, *, counts: bool
) -> None:
    chosen, cut, _ = choose_pairs(pairs_of([(0, 1)], cosine, correlation))

    assert (chosen.tolist(), cut) == ([counts], 0.97)


def test_a_set_chooses_its_own_threshold_where_enough_are_confirmed() -> None:
    many = pairs_of([(2 * i, 2 * i + 1) for i in range(100)], 0.95, 0.92)
    many.cosine[90:], many.correlation[90:] = 0.94, 0.5
    many.correlation[:3] = 0.2
    mixed = replace(many, correlation=np.where(np.arange(100) < 30, 0.2, 0.92))

    chosen, cut, _ = choose_pairs(many)

    assert (cut, chosen.sum()) == (0.95, 90)
    assert choose_pairs(mixed)[1] is None
    assert not choose_pairs(mixed)[0].any()


def photographed() -> AuditInputs:
    """Give 40 images: 0 to 19 are each the photo of image i + 20, and image 20 has a byte-identical copy, 39."""
    content = [str(i) for i in range(40)]
    content[39] = content[20]
    rows = rows_of(40, content=content)
    codes = np.arange(40) % 20 % 2
    codes[20:26] = 1 - codes[20:26]
    ages = np.arange(40) % 20
    ages[20:23] += [4, 5, 60]
    dataset = dataset_of(
        attribute("race", codes, "ab"),
        attribute("split", np.arange(40) // 20, ("train", "test"), "split"),
        ages=ages,
    )
    pairs = pairs_of([(i, i + 20) for i in range(19)], 0.98, 0.95)
    inputs = inputs_of(
        dataset, rows, embeddings_of(rows), config=AuditConfig.of(permutations=9, bootstraps=9)
    )
    return replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: pairs))


def test_labels_of_one_photo_are_compared_and_the_finding_says_where_they_differ() -> None:
    inputs = photographed()

    result = audit(inputs)

    near = result.near_duplicates
    assert near is not None
    assert (near.compared, near.groups, near.images, near.pairs, near.precision) == (
        39,
        19,
        38,
        19,
        1,
    )
    found = {each.attribute: (each.pairs, each.differ, each.groups) for each in near.disagreements}
    assert found == {"race": (19, 6, 6), "age": (19, 2, 2)}
    (finding,) = [each for each in result.findings if each.code == "near_duplicates_disagree"]
    assert (
        finding.text
        == "Nearly identical photos carry different labels: race differs in 32 % of 19 pairs."
    )
    assert finding.figures == (
        "race 31.6 %, age (by 5 years or more) 10.5 % of 19 confirmed pairs; 19 groups, 38 images"
    )
    assert finding.files == NEAR_DUPLICATES
    assert dict(finding.values) == {
        "groups": 19,
        "images": 38,
        "differ.race": pytest.approx(6 / 19),
        "differ.age": pytest.approx(2 / 19),
    }
    groups = inputs.near_groups
    assert groups is not None
    assert groups.tolist() == [*range(19), -1, *range(19), 0]
    leak = next(each for each in result.split_leaks if each.near_identical)
    assert (leak.groups, leak.images) == (19, 39)


@pytest.mark.parametrize(("least", "shown"), [(2, 2), (5, 0)])
def test_few_photos_with_other_labels_are_withheld(least: int, shown: int) -> None:
    near = withhold(audit(photographed()), least).near_duplicates

    assert near is not None
    assert (len(near.disagreements), near.examples, near.groups) == (shown, (), 19)


@pytest.mark.parametrize("alike", [330, 480])
def test_pairs_that_are_cut_are_said(alike: int) -> None:
    """330 images with one vector are 54,285 pairs; 480 are more than twice as many as are kept while looking."""
    vectors = np.zeros((600, 8), np.float32)
    vectors[:, 0] = 1
    vectors[alike:] = np.random.default_rng(0).normal(size=(600 - alike, 8))

    pairs = largest_cosines(vectors, np.arange(600))
    near = NearPairs(pairs.first, pairs.second, pairs.cosine, pairs.cosine * 0, pairs.floor, True)
    rows = rows_of(600)
    dataset = dataset_of(attribute("race", np.zeros(600, int), "a"))
    inputs = inputs_of(dataset, rows, embeddings_of(rows), config=AuditConfig.of(permutations=9))
    inputs = replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: near))
    found = part_of(NEAR, inputs)

    assert (len(pairs.first), pairs.floor) == (0, 1.0)
    assert "above .900: as they are equal, none was looked at" in found.cut
    codes = [each.code for each in NEAR.findings(bare().having(near_duplicates=found))]
    assert codes == ["near_duplicates_cut"]


@pytest.mark.parametrize(("floor", "said"), [(0.9, False), (0.92, False), (0.975, True)])
def test_pairs_below_the_threshold_may_be_cut(floor: float, *, said: bool) -> None:
    """Fewer than 50 pairs are confirmed, so .97 is the threshold: a floor above it may have cut some that count."""
    inputs = photographed()
    pairs = pairs_of([(i, i + 20) for i in range(19)], 0.98, 0.95)
    cosine = np.where(np.arange(19) < 9, 0.98, max(floor + 0.001, 0.94))
    pairs = replace(pairs, cosine=cosine, floor=floor)
    inputs = replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: pairs))

    assert bool(part_of(NEAR, inputs).cut) is said


def test_nothing_embedded_is_nothing_compared() -> None:
    inputs = inputs_of(dataset_of(n=3), config=AuditConfig())

    assert inputs.near_groups is None
    assert audit(inputs).near_duplicates is None
