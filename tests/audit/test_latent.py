"""Groups in the latent space: neighbours, cuts, centres, silhouettes, against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score, silhouette_samples
from sklearn.neighbors import NearestNeighbors

from fer_audit.audit.space.overlap import ANALYSIS, SUBSAMPLE, silhouette
from fer_audit.audit.stats.linear_probe import probe_pair
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


def test_neighbours_agree_with_scikit_learn() -> None:
    x, groups = blobs(300, 1.5)

    found = overlap(x, groups)

    nearest = NearestNeighbors(n_neighbors=11).fit(x).kneighbors(x, return_distance=False)[:, 1:]
    same = groups.codes[nearest] == groups.codes[:, None]
    assert found.homophily == pytest.approx(same.mean())
    assert found.groups[0].homophily == pytest.approx(same[groups.codes == 0].mean())
    assert found.expected == pytest.approx(149 / 299)
    assert found.p == 1 / 200


def test_silhouettes_agree_with_scikit_learn() -> None:
    x, _ = blobs(200, 1.0)
    codes = np.arange(200) % 3
    codes[0] = 3  # a group of one has silhouette 0
    distances = np.linalg.norm(x[:, None] - x[None], axis=2).astype(np.float32)

    assert silhouette(distances, codes, 5) == pytest.approx(silhouette_samples(x, codes), abs=1e-5)


def test_the_probe_is_fishers_discriminant() -> None:
    x, groups = blobs(2000, 1.0)

    found = probe_pair(x, groups.codes == 1, draws=99, rng=np.random.default_rng(0))

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

    found = probe_pair(rng.normal(size=(1000, 5)), rare, draws=99, rng=rng)

    assert found.balanced_accuracy == pytest.approx(0.5, abs=0.1)
    assert found.p > 0.01


@pytest.mark.slow
def test_p_of_the_probe_is_uniform_when_groups_are_noise() -> None:
    p = []
    for seed in range(200):
        x, groups = blobs(60, 0.0, seed)
        rng = np.random.default_rng(seed)
        p.append(probe_pair(x, groups.codes == 1, draws=99, rng=rng).p)

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
    assert found.groups[0].silhouette == 0
