"""Groups that are photographed differently, and clusters of style alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, kruskal, rankdata

from fer_audit.audit.claims.contingency import associate
from fer_audit.audit.space.style import BASELINES, TESTS
from fer_audit.audit.stats import kruskal_null as rank_null
from fer_audit.audit.stats.kruskal_null import h_statistic
from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.space import StyleBaseline, StyleTest
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.pack.types import STYLE_NAMES
from tests.audit.inputs import (
    Codes,
    association_of,
    attribute,
    dataset_of,
    inputs_of,
    part_of,
    rows_of,
)

CONFIG = AuditConfig.of(permutations=199, bootstraps=50)


def measured(style: np.ndarray, *attributes: Attribute) -> dict[tuple[str, str], StyleTest]:
    rows = rows_of(len(style))
    rows.style[:] = style
    found = part_of(TESTS, inputs_of(dataset_of(*attributes), rows, config=CONFIG))
    return {(each.measure, each.attribute): each for each in found}


def baseline(
    labels: np.ndarray, attribute: Attribute, *associations: Association
) -> StyleBaseline:
    inputs = inputs_of(dataset_of(attribute), config=CONFIG, style_labels=labels)
    (found,) = part_of(BASELINES, inputs, associations=associations)
    assert isinstance(found, StyleBaseline)
    return found


@pytest.fixture
def style() -> np.ndarray:
    return (
        np.random.default_rng(0).normal(size=(300, len(STYLE_NAMES))).round(1).astype(np.float32)
    )


def test_the_effect_on_ranks_is_that_of_kruskal_and_wallis(style: np.ndarray) -> None:
    """Ties included: the measures are rounded to a tenth."""
    codes = np.arange(300) % 3
    style[codes == 2, 0] += 1

    found = measured(style, attribute("race", codes, "xyz"))[("luma_mean", "race")]

    h = kruskal(*[style[codes == g, 0] for g in range(3)]).statistic
    assert found.rank_effect == pytest.approx((h - 2) / 297, rel=1e-6)
    assert found.p == 1 / 200
    assert found.highest == "z"
    assert found.highest_median == pytest.approx(np.median(style[codes == 2, 0]), abs=1e-6)


def test_eta_squared_is_the_share_of_variance_between_groups(style: np.ndarray) -> None:
    codes = np.arange(300) % 2

    found = measured(style, attribute("gender", codes, "xy"))[("sharpness", "gender")]

    values = style[:, STYLE_NAMES.index("sharpness")]
    means = np.array([values[codes == 0].mean(), values[codes == 1].mean()])[codes]
    assert found.eta_squared == pytest.approx(means.var() / values.var(), rel=1e-5)


def test_shuffled_groups_differ_as_often_as_alpha_says() -> None:
    rng = np.random.default_rng(1)
    p = []
    for _ in range(20):
        style = rng.normal(size=(90, len(STYLE_NAMES)))
        found = measured(style, attribute("race", rng.integers(0, 3, 90), "xyz"))
        p += [each.p for each in found.values() if each.p is not None]

    assert len(p) == 200
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.045)


def test_a_measure_that_never_varies_has_no_test(style: np.ndarray) -> None:
    style[:, 8] = 0

    found = measured(style, attribute("race", np.arange(300) % 3, "xyz"))[("grey", "race")]

    assert found.p is None
    assert dict(found.not_computable)["p"] == "the measure is the same in all images"


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ([-1] * 300, "no image has this label"),
        ([1] * 300, "all images are in one group"),
        (np.arange(300), "every image is a group of its own"),
    ],
)
def test_groups_that_cannot_be_compared_say_why(
    style: np.ndarray, codes: Codes, reason: str
) -> None:
    found = measured(style, attribute("race", codes, [str(i) for i in range(300)]))

    assert {dict(each.not_computable)["p"] for each in found.values()} == {reason}


def test_small_groups_are_tested_and_not_named(style: np.ndarray) -> None:
    codes = np.zeros(300, dtype=np.int64)
    codes[:29] = 1

    found = measured(style, attribute("race", codes, "xy"))[("luma_mean", "race")]

    assert found.p is not None
    assert found.lowest is None
    assert dict(found.not_computable)["lowest"] == "fewer than two groups have 30 images"


def test_style_clusters_that_are_the_clusters_reproduce_everything() -> None:
    rng = np.random.default_rng(2)
    race = attribute("race", rng.integers(0, 3, 600), "xyz")
    labels = np.where(rng.random(600) < 0.5, race.codes, rng.integers(0, 3, 600))
    association = associate(
        cross_table(labels, race.codes, n_rows=3, n_cols=3),
        attribute="race",
        kind="demographic",
        groups=race.categories,
        rng=rng,
        permutations=99,
        bootstraps=20,
        confidence=0.95,
    )

    same, noise = (baseline(each, race, association) for each in (labels, rng.integers(0, 3, 600)))

    assert same.reproduced == pytest.approx(1)
    assert noise.reproduced is None
    assert dict(noise.not_computable)["reproduced"] == "the clusters of style are not above chance"
    assert (same.k, same.n) == (3, 600)


def test_an_association_at_chance_has_no_ratio() -> None:
    """One noise over another would be any number, such as 1545 %."""
    rng = np.random.default_rng(4)
    race = attribute("race", rng.integers(0, 3, 600), "xyz")
    noise = association_of(cross_table(rng.integers(0, 3, 600), race.codes, n_rows=3, n_cols=3))

    found = baseline(race.codes, race, noise)

    assert found.v_corrected == pytest.approx(1)
    assert found.reproduced is None
    assert dict(found.not_computable)["reproduced"] == (
        "the clusters of the embedding are not above chance"
    )


def test_a_baseline_without_clusters_to_compare_with_says_so() -> None:
    race = attribute("race", [0, 1] * 30, "xy")

    found = baseline(np.zeros(60, dtype=np.int32), race)

    assert found.v_corrected is None
    assert dict(found.not_computable)["v_corrected"] == "all images are in one cluster"
    assert "reproduced" in dict(found.not_computable)


DRAWS = 1500


@pytest.fixture
def groups() -> NDArray[np.int16]:
    """Give 3,000 codes of four groups, one of them small and one empty in between."""
    rng = np.random.default_rng(1)
    return rng.choice([0, 1, 3, 4], 3000, p=[0.5, 0.3, 0.19, 0.01]).astype(np.int16)


@pytest.mark.parametrize("most_shuffled", [10, 10_000])
def test_the_null_is_chi_squared_where_nothing_goes_together(
    groups: NDArray[np.int16], most_shuffled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rank_null, "MOST_SHUFFLED", most_shuffled)
    rng = np.random.default_rng(2)
    ranks = [rankdata(rng.random(3000)), rankdata(rng.integers(0, 7, 3000))]

    _, drawn = rank_null.rank_null(ranks, groups, np.bincount(groups), draws=DRAWS, rng=rng)

    assert drawn.shape == (DRAWS, 2)
    for column in drawn.T:
        assert column.mean() == pytest.approx(3, abs=5 * np.sqrt(6 / DRAWS))
        for share in (0.5, 0.9, 0.99):
            below = float((column <= chi2.ppf(share, 3)).mean())
            assert below == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / DRAWS))


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.3])
def test_tables_of_ranks_see_what_shuffled_labels_see(
    groups: NDArray[np.int16], shift: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    ranks = [rankdata(rng.standard_normal(3000) + shift * (groups == 1))]
    p = []
    for most_shuffled in (10, 10_000):
        monkeypatch.setattr(rank_null, "MOST_SHUFFLED", most_shuffled)
        seen, drawn = rank_null.rank_null(
            ranks, groups, np.bincount(groups), draws=DRAWS, rng=np.random.default_rng(4)
        )
        assert seen[0] == pytest.approx(
            h_statistic(ranks[0], groups, np.bincount(groups)), rel=0.02
        )
        p.append(monte_carlo_p(drawn[:, 0], float(seen[0])))

    assert p[0] == pytest.approx(p[1], abs=5 * np.sqrt(2 * p[1] * (1 - p[1]) / DRAWS) + 1e-3)


def test_the_statistic_is_scipys_with_and_without_ties(groups: NDArray[np.int16]) -> None:
    rng = np.random.default_rng(5)
    sizes = np.bincount(groups)
    for values in (rng.random(3000), rng.integers(0, 5, 3000).astype(float)):
        wanted = kruskal(*(values[groups == g] for g in np.flatnonzero(sizes))).statistic

        assert h_statistic(rankdata(values), groups, sizes) == pytest.approx(wanted)


def test_hundreds_of_groups_keep_their_own_rows_of_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Codes are int16: times the number of bins they would overflow."""
    monkeypatch.setattr(rank_null, "MOST_SHUFFLED", 10)
    groups = np.repeat(np.arange(300, dtype=np.int16), 20)
    ranks = [np.arange(1.0, 6001.0)]

    seen, drawn = rank_null.rank_null(
        ranks, groups, np.bincount(groups), draws=20, rng=np.random.default_rng(6)
    )

    assert seen[0] == pytest.approx(h_statistic(ranks[0], groups, np.bincount(groups)), rel=0.01)
    assert drawn.max() < seen[0] / 5
