"""Groups in the latent space: neighbours, cuts, centres, against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from fer_audit.audit.space.overlap import ANALYSIS, SUBSAMPLE
from fer_audit.audit.stats.linear_probe import auc_interval, probe_pair
from fer_audit.audit.types.space import LatentOverlap
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from tests.audit.inputs import attribute, dataset_of, inputs_of, part_of, rows_of

CONFIG = AuditConfig.of(permutations=199, bootstraps=20)


def overlap(
    x: np.ndarray, *attributes: Attribute, content: list[str] | None = None
) -> LatentOverlap:
    rows = rows_of(len(x), content=content)
    inputs = inputs_of(dataset_of(*attributes), rows, config=CONFIG, coordinates=x)
    found: tuple[LatentOverlap, ...] = part_of(ANALYSIS, inputs)
    return found[0]


def blobs(n: int, gap: float, seed: int = 0) -> tuple[np.ndarray, Attribute]:
    """Return two groups of points whose centres are `gap` standard deviations apart."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    x = rng.normal(size=(n, 5))
    x[:, 0] += gap * codes
    return x, attribute("race", codes, "xy")


def noisy(n: int, gap: float, seed: int) -> tuple[np.ndarray, Attribute]:
    """Return such groups in 64 directions, as principal coordinates are: each narrower than the one before."""
    _, groups = blobs(n, gap, seed)
    x = np.random.default_rng(seed).normal(size=(n, 64)) * np.arange(1, 65) ** -0.7
    x[:, 0] += gap * groups.codes
    return x, groups


def test_neighbours_agree_with_scikit_learn() -> None:
    x, groups = blobs(300, 1.5)

    found = overlap(x, groups)

    nearest = NearestNeighbors(n_neighbors=11).fit(x).kneighbors(x, return_distance=False)[:, 1:]
    same = groups.codes[nearest] == groups.codes[:, None]
    assert found.homophily == pytest.approx(same.mean())
    assert found.groups[0].homophily == pytest.approx(same[groups.codes == 0].mean())
    assert found.expected == pytest.approx(149 / 299)
    assert found.p == 1 / 200


def test_the_probe_is_fishers_discriminant() -> None:
    x, groups = blobs(2000, 1.0)

    found = probe_pair(
        x, groups.codes == 1, draws=99, confidence=0.95, rng=np.random.default_rng(0)
    )

    half = np.arange(2000) < 1000
    fisher = LinearDiscriminantAnalysis().fit(x[half], groups.codes[half])
    auc = roc_auc_score(groups.codes[~half], fisher.decision_function(x[~half]))
    assert found.auc == pytest.approx(auc, abs=0.02)
    assert found.balanced_accuracy == pytest.approx(
        fisher.score(x[~half], groups.codes[~half]), abs=0.03
    )
    assert found.p == 0.01
    assert found.null_95 < 0.55


def test_a_rare_group_does_not_win_by_its_rarity() -> None:
    rng = np.random.default_rng(0)
    rare = np.arange(1000) % 20 == 0

    found = probe_pair(rng.normal(size=(1000, 5)), rare, draws=99, confidence=0.95, rng=rng)

    assert found.balanced_accuracy == pytest.approx(0.5, abs=0.1)
    assert found.p > 0.01


@pytest.mark.parametrize("gap", [0.0, 1.5])
def test_the_interval_of_the_probe_covers_where_that_of_independent_scores_does_not(
    gap: float,
) -> None:
    found = []
    for seed in range(150):
        x, groups = noisy(80, gap, seed)
        rng = np.random.default_rng(seed)
        found.append(probe_pair(x, groups.codes == 1, draws=99, confidence=0.95, rng=rng))
    truth = float(np.mean([each.auc for each in found]))
    naive = [auc_interval(each.auc, 40, 40, confidence=0.95) for each in found]

    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert covered > 0.9
    assert np.mean([low <= truth <= high for low, high in naive]) < covered


def test_an_auc_of_one_has_an_interval_of_some_width() -> None:
    low, high = auc_interval(1.0, 40, 40, confidence=0.95)

    hanley = low * (1 - low) * (1 + 39 * ((1 - low) / (2 - low) + low / (1 + low))) / 1600
    assert (1 - low) ** 2 == pytest.approx(1.959964**2 * hanley)
    assert 0.9 < low < high == 1


def test_a_small_group_is_compared_on_all_images_not_on_the_subsample() -> None:
    """In 128 directions a pair of small groups is learned from few: its AUC would say how many there are."""
    rng = np.random.default_rng(0)
    n = 4 * SUBSAMPLE
    codes = np.where(np.arange(n) < 400, np.arange(n) % 2, 2)
    x = rng.normal(size=(n, 20))
    x[codes == 1, 0] += 2

    pairs = overlap(x, attribute("race", codes, "abc")).pairs

    assert (pairs[0].n_first, pairs[0].n_second, pairs[1].n_second) == (200, 200, 5_000)
    assert pairs[0].auc == pytest.approx(pairs[2].auc, abs=0.04)
    first, other = pairs[0], pairs[2].auc
    assert None not in (first.low, first.high, other)
    assert (first.low or 1.0) < (other or 0.0) < (first.high or 0.0)


def test_a_person_is_never_their_own_neighbour() -> None:
    """Ten pictures of every person would make every neighbour that person."""
    x, groups = blobs(1000, 0.0)
    person = np.arange(1000) // 10
    who = attribute("person", person, [f"p{i}" for i in range(100)], "subject")
    race = attribute("race", groups.codes[person], "xy")
    x = x[person] + 0.01 * x

    found = overlap(x, race, who)

    assert (found.n, found.drawn_from, found.pairs[0].n_first) == (100, 100, 50)
    assert found.homophily == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
def test_p_of_the_probe_is_uniform_when_groups_are_noise() -> None:
    p = []
    for seed in range(200):
        x, groups = blobs(60, 0.0, seed)
        rng = np.random.default_rng(seed)
        p.append(probe_pair(x, groups.codes == 1, draws=99, confidence=0.95, rng=rng).p)

    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.035)


def test_more_coordinates_than_images_are_no_trouble() -> None:
    x = np.random.default_rng(0).normal(size=(64, 128))

    found = overlap(x, attribute("race", np.arange(64) % 2, "xy"))

    assert found.pairs[0].auc == pytest.approx(0.5, abs=0.25)


def test_centres_are_told_in_units_of_dispersion() -> None:
    x, groups = blobs(1000, 4.0)

    pair = overlap(x, groups).pairs[0]

    assert pair.centroid_distance == pytest.approx(4, abs=0.2)
    assert pair.relative_distance == pytest.approx(4 / np.sqrt(5), abs=0.1)


def test_a_copy_is_never_its_own_neighbour() -> None:
    """Ten copies of every image would make every neighbour a twin."""
    x, groups = blobs(100, 0.0)
    copies = np.repeat(np.arange(100), 10)
    repeated = attribute("race", groups.codes[copies], "xy")

    found = overlap(x[copies], repeated, content=[str(i) for i in copies])

    assert (found.n, found.drawn_from) == (100, 100)
    assert found.homophily == pytest.approx(0.5, abs=0.1)


def test_a_large_set_is_sampled_and_says_so() -> None:
    x, groups = blobs(SUBSAMPLE + 500, 1.0)

    found = overlap(x, groups)

    assert (found.n, found.drawn_from, found.dimensions) == (SUBSAMPLE, SUBSAMPLE + 500, 5)


@pytest.mark.parametrize("n", [0, 1, 4, 29])
def test_few_images_are_too_few(n: int) -> None:
    x, groups = blobs(n, 1.0)

    found = overlap(x, groups)

    assert dict(found.not_computable)["homophily"] == f"{n} images in the subsample are too few"
    assert (found.groups, found.pairs) == ((), ())


def test_small_groups_are_rows_without_numbers() -> None:
    x, _ = blobs(100, 1.0)
    codes = np.zeros(100, dtype=np.int64)
    codes[:40], codes[40:44] = 1, 2

    found = overlap(x, attribute("race", codes, "abcd"))

    assert [(each.n, each.homophily is None) for each in found.groups] == [
        (56, False),
        (40, False),
        (4, True),
        (0, True),
    ]
    assert [(each.first, each.second) for each in found.pairs] == [("a", "b")]


def test_images_that_are_all_alike_are_at_chance() -> None:
    found = overlap(np.zeros((80, 4)), attribute("race", np.arange(80) % 2, "xy"))

    assert found.pairs[0].auc == 0.5
    assert found.pairs[0].relative_distance is None
