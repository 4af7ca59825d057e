"""Shuffled labels and drawn tables of ranks are the same null, and it is Kruskal and Wallis'."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, kruskal, rankdata

from fer_audit.audit.stats import kruskal_null as rank_null
from fer_audit.audit.stats.kruskal_null import h_statistic
from fer_audit.audit.stats.resampling import monte_carlo_p

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
