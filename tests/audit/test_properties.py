"""What must hold for every table, whatever is in it."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from fer_audit.audit.composition.representation import diversity_indices
from fer_audit.audit.stats.resampling import corrected_v_interval, null_band
from fer_audit.audit.stats.tables import corrected_v
from fer_audit.audit.types.claims import Association
from tests.audit.inputs import TABLE_ONE, association_of, picked

few = settings(max_examples=30, deadline=None)
any_table = arrays(
    np.int64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 30)
)


@given(st.integers(1, 40), st.integers(1, 9))
def test_effective_groups_of_k_equal_groups_is_k(k: int, size: int) -> None:
    found = diversity_indices(np.full(k, size))

    known = {"R": k, "ENS": k, "inverse_D": k, "IR": 1}
    if k > 1:
        known |= {"SEI": 1, "NSD": 0}
    assert picked(found, *known) == pytest.approx(known)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_a_group_without_images_changes_no_index(counts: list[int]) -> None:
    assert diversity_indices(np.array([*counts, 0])) == diversity_indices(np.array(counts))


@few
@given(any_table, st.randoms(use_true_random=False))
def test_renaming_clusters_changes_nothing(table: NDArray[np.int64], random: object) -> None:
    order = np.random.default_rng(table.sum()).permutation(len(table))

    before, after = association_of(table), association_of(table[order])

    # A bootstrap draws cell by cell, so its interval moves within its own noise.
    for field in fields(Association):
        if field.name not in ("low", "high", "cells", "table", "not_computable"):
            one, other = getattr(before, field.name), getattr(after, field.name)
            assert one == pytest.approx(other, abs=1e-9), field.name
    moved = {(int(order[cell.cluster]), cell.group): cell.residual for cell in after.cells}
    for cell in before.cells:
        assert moved[cell.cluster, cell.group] == pytest.approx(cell.residual, abs=1e-9)


@few
@given(any_table)
def test_counts_add_up_and_every_none_has_a_reason(table: NDArray[np.int64]) -> None:
    found = association_of(table, permutations=20, bootstraps=20)

    assert sum(cell.count for cell in found.cells) == found.n == table.sum()
    assert found.table == tuple(tuple(row) for row in table.tolist())
    explained = dict(found.not_computable)
    not_asked = ("p_holm", "other_low", "other_high")  # of one table: no family, no batches
    for field in fields(Association):
        if getattr(found, field.name) is None and field.name not in not_asked:
            assert explained[field.name], field.name
    for cell in found.cells:
        values = [getattr(cell, field.name) for field in fields(cell)]
        assert not any(isinstance(value, float) and not math.isfinite(value) for value in values)
        if None in values:
            assert "cells" in explained


@few
@given(any_table)
def test_measures_stay_in_their_range(table: NDArray[np.int64]) -> None:
    found = association_of(table, permutations=20, bootstraps=20)

    for name in ("v", "v_corrected", "low", "high", "null_mean", "null_95", "balance"):
        value = getattr(found, name)
        assert value is None or 0 <= value <= 1, name
    for name in (
        *("p_permutation", "p_asymptotic"),
        *("u_group_from_cluster", "u_cluster_from_group", "u_corrected"),
    ):
        value = getattr(found, name)
        assert value is None or 0 <= value <= 1, name
    for cell in found.cells:
        assert cell.npmi is None or -1 <= cell.npmi <= 1
        assert cell.ducher_z is None or -1 - 1e-12 <= cell.ducher_z <= 1 + 1e-12


def test_independent_columns_have_no_corrected_v() -> None:
    rng = np.random.default_rng(0)
    shares = np.outer([0.4, 0.35, 0.2, 0.05], [0.43, 0.19, 0.15, 0.16, 0.07]).ravel()
    tables = rng.multinomial(2_000, shares, size=200).reshape(-1, 4, 5)

    found = corrected_v(tables)

    assert found.mean() < 0.015
    assert np.quantile(found, 0.95) < 0.05


def test_a_proportional_table_is_exactly_independent() -> None:
    found = association_of(np.outer([10, 20, 30], [4, 6]))

    assert (found.v, found.v_corrected, found.low) == (0, 0, 0)
    assert found.p_permutation == 1
    assert found.balance == 1
    assert all(cell.lift == 1 and cell.ducher_z == 0 for cell in found.cells)


def test_clusters_that_are_groups_share_everything() -> None:
    found = association_of(np.diag([40, 50, 60]), permutations=99)

    assert found.v == pytest.approx(1)
    assert found.v_corrected == pytest.approx(1)
    assert found.u_group_from_cluster == pytest.approx(1)
    assert found.u_cluster_from_group == pytest.approx(1)
    assert found.ami == pytest.approx(1)
    assert found.p_permutation == 0.01
    assert found.balance == 0


def test_what_chance_knows_is_taken_off() -> None:
    """200 images, 30 clusters, 9 groups: U alone would say that clusters know a third of unrelated labels."""
    rng = np.random.default_rng(6)
    tables = [rng.multinomial(200, np.full(270, 1 / 270)).reshape(30, 9) for _ in range(40)]

    found = [association_of(table, permutations=9, bootstraps=9) for table in tables]

    assert np.mean([each.u_group_from_cluster or 0 for each in found]) > 0.25
    assert np.mean([each.u_corrected or 0 for each in found]) < 0.02


def test_the_permutation_p_is_uniform_when_nothing_goes_together() -> None:
    rng = np.random.default_rng(5)
    shares = np.outer([0.5, 0.3, 0.2], [0.6, 0.3, 0.1]).ravel()
    tables = rng.multinomial(300, shares, size=300).reshape(-1, 3, 3)

    p = np.array([null_band(table, draws=99, rng=rng).p for table in tables])

    assert np.mean(p <= 0.05) < 0.1
    assert abs(np.mean(p) - 0.5) < 0.06


def test_the_interval_of_v_excludes_zero_rarely_without_association() -> None:
    """A bootstrap of the table as it is would do so in 28 of 100 samples."""
    rng = np.random.default_rng(2)
    shares = np.outer([0.4, 0.36, 0.2, 0.04], [0.43, 0.19, 0.15, 0.16, 0.07]).ravel()
    tables = rng.multinomial(500, shares, size=150).reshape(-1, 4, 5)

    lows = [
        corrected_v_interval(table, draws=200, confidence=0.95, rng=rng)[0] for table in tables
    ]

    assert np.mean(np.array(lows) > 0) <= 0.05


def test_the_interval_of_v_covers_a_known_association() -> None:
    rng = np.random.default_rng(3)
    shares = np.array([[0.30, 0.10, 0.10], [0.10, 0.15, 0.25]])
    expected = np.outer(shares.sum(1), shares.sum(0))
    truth = np.sqrt(((shares - expected) ** 2 / expected).sum())
    tables = rng.multinomial(500, shares.ravel(), size=150).reshape(-1, 2, 3)

    covered = 0
    for table in tables:
        low, high = corrected_v_interval(table, draws=200, confidence=0.95, rng=rng)
        covered += low <= truth <= high

    assert covered >= 0.88 * len(tables)


def test_more_permutations_do_not_move_the_bootstrap() -> None:
    short = association_of(TABLE_ONE * 3, permutations=10)
    long = association_of(TABLE_ONE * 3, permutations=500)

    assert (short.low, short.high) == (long.low, long.high)


@few
@given(any_table)
def test_every_field_without_a_value_has_one_reason(table: NDArray[np.int64]) -> None:
    """The JSON document keeps reasons by field, so a second one would be lost."""
    names = [name for name, _ in association_of(table).not_computable]

    assert len(names) == len(set(names))
