"""What mends a set: plans against every other plan, weights and label suspects against golden values, draws and splits."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.audit.analysis import NoCache
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies.draw import draw_removals, spread_copies
from fer_audit.audit.remedies.lists import LISTS
from fer_audit.audit.remedies.parts import connected, split_units, torn
from fer_audit.audit.remedies.plan import MODES, Mode, balance_plan, target_shares
from fer_audit.audit.remedies.suspects import ANALYSIS, find_suspects, suspect_rows
from fer_audit.audit.stats.label_noise import calibrated_joint, confident_classes, thresholds
from fer_audit.audit.stats.tables import Counts, corrected_v, cross_table
from fer_audit.audit.stats.weights import kish_n, rake, reweighing
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig
from fer_audit.errors import ConfigError
from tests.audit.inputs import attribute, dataset_of, rows_of

COUNTS = np.array([[12, 6, 2], [3, 9, 8]])
TARGET = np.array([0.4, 0.4, 0.2])
GROUPS = ("a", "b", "c")
RNG = np.random.default_rng(5)


def plan(counts: Counts, mode: Mode, tolerance: float = 0.05) -> tuple[Counts, Counts]:
    strata = [f"cluster {number}" for number in range(len(counts))]
    return balance_plan(counts, TARGET, tolerance, mode, strata=strata, groups=GROUPS)


def test_the_golden_plans() -> None:
    removed, none = plan(COUNTS, "remove")
    assert (COUNTS - removed).tolist() == [[5, 5, 2], [3, 3, 2]]
    assert not none.any()
    none, added = plan(COUNTS, "add")
    assert (COUNTS + added).tolist() == [[12, 10, 5], [12, 12, 8]]
    assert not none.any()
    removed, added = plan(COUNTS, "both")
    assert (removed + added).sum(axis=1).tolist() == [6, 8]


@given(st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any), st.sampled_from(MODES))
def test_no_other_plan_changes_less_or_adds_less(have: list[int], mode: Mode) -> None:
    n, tolerance = np.array(have), 0.1
    ends = [
        range(low if mode == "add" else 0, (low if mode == "remove" else low + 9) + 1)
        for low in have
    ]
    after = np.array(list(product(*ends)))
    total = after.sum(axis=1, keepdims=True)
    fits = ((np.abs(after - TARGET * total) <= tolerance * total + 1e-9) & (total > 0)).all(axis=1)
    costs = sorted(
        (int(np.abs(n - x).sum()), int(np.maximum(x - n, 0).sum())) for x in after[fits]
    )

    if not costs:
        with pytest.raises(ConfigError):
            plan(n[None], mode, tolerance)
        return
    removed, added = plan(n[None], mode, tolerance)
    assert (removed.sum() + added.sum(), added.sum()) == costs[0]
    assert not (removed * added).any()


def test_what_cannot_be_planned_says_which_group_is_missing_where() -> None:
    with pytest.raises(ConfigError, match="cluster 1: it has no image of b and c, which removals"):
        plan(np.array([[4, 4, 2], [7, 0, 0]]), "remove")
    with pytest.raises(ConfigError, match='names "d"'):
        target_shares(COUNTS.sum(axis=0), GROUPS, {"a": 1, "d": 1}, "race")
    assert target_shares(np.array([3, 0, 9]), GROUPS, "uniform", "race").tolist() == [0.5, 0, 0.5]


def test_the_golden_weights_and_what_an_empty_cell_leaves() -> None:
    counts = np.array([[20, 10, 0], [5, 15, 10]])
    weights = reweighing(counts)
    assert weights[1] == pytest.approx([2.5, 0.833333, 0.5], abs=1e-6)
    assert weights[0, :2] == pytest.approx([0.625, 1.25])
    assert np.isnan(weights[0, 2])
    each = np.repeat(np.nan_to_num(weights).ravel(), counts.ravel())
    assert [each.sum(), kish_n(each)] == pytest.approx([55, 44.745763], abs=1e-6)
    whole = np.array([[20, 10, 4], [5, 15, 10]])
    assert corrected_v(whole * reweighing(whole)) == 0


def test_raking_holds_every_margin_and_says_where_margins_contradict_each_other() -> None:
    first, second = RNG.integers(0, 3, 500), RNG.integers(0, 2, 500)
    weights, off = rake([(first, TARGET), (second, np.array([0.3, 0.7]))], 500)
    assert off < 1e-8
    assert np.bincount(first, weights) / 500 == pytest.approx(TARGET)
    assert np.bincount(second, weights) / 500 == pytest.approx([0.3, 0.7])
    _, off = rake([(second, np.array([0.3, 0.7])), (second, np.array([0.7, 0.3]))], 500)
    assert off == pytest.approx(0.4)


def test_the_golden_confident_joint() -> None:
    odds = np.array(
        [[8, 1, 1], [7, 2, 1], [3, 6, 1], [2, 7, 1], [1, 8, 1], [1, 5, 4], [1, 2, 7], [6, 1, 3],
         [2, 2, 6], [3, 3, 4]]
    ) / 10  # fmt: skip
    said = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    found, ties = confident_classes(odds, said)
    joint = cross_table(said, found, n_rows=3, n_cols=3)
    assert thresholds(odds, said) == pytest.approx([0.6, 0.666667, 0.5], abs=1e-6)
    assert joint.tolist() == [[2, 0, 0], [0, 2, 0], [1, 0, 2]]
    assert (np.flatnonzero((found >= 0) & (found != said)).tolist(), ties) == ([7], 0)
    assert 1 - np.trace(calibrated_joint(joint, np.bincount(said))) == pytest.approx(2 / 15)


def test_equal_probabilities_go_to_the_lowest_class_and_are_counted() -> None:
    found, ties = confident_classes(np.full((4, 2), 0.5), np.array([0, 0, 1, 1]))
    assert (found.tolist(), ties) == ([0] * 4, 4)


def test_copies_go_first_then_contradicting_labels_then_the_lot() -> None:
    cell = np.repeat([0, 1, -1], 20)
    copies, conflicting = np.zeros(60, np.bool_), np.zeros(60, np.bool_)
    copies[:3], conflicting[3:5] = True, True
    reasons = draw_removals(cell, np.array([9, 0]), copies, conflicting, np.random.default_rng(1))
    assert reasons[:5].tolist() == ["copy"] * 3 + ["contradicting_label"] * 2
    assert [(reasons == word).sum() for word in ("drawn", "")] == [4, 51]
    assert not reasons[20:].any()


def test_no_image_stands_in_more_than_four_times() -> None:
    cell, kept = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 0, 1, 1, 0], np.bool_)
    found, left = spread_copies(cell, kept, np.array([3, 20, 5]), np.random.default_rng(1))
    assert sorted(each.copies for each in found if each.row < 2) == [1, 2]
    assert [each.copies for each in found if each.row >= 2] == [4, 4]
    assert left == 12 + 5


def test_parts_share_no_unit_have_their_size_and_are_alike() -> None:
    unit, race = RNG.integers(0, 400, 4000), RNG.integers(0, 5, 4000)
    part = split_units(unit, [race], np.array([0.8, 0.1, 0.1]), np.random.default_rng(1))
    assert len(np.unique(np.stack([unit, part]), axis=1)[0]) == len(np.unique(unit))
    assert np.bincount(part) / 4000 == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    for number in range(3):
        shares = np.bincount(race[part == number]) / (part == number).sum()
        assert shares == pytest.approx(np.bincount(race) / 4000, abs=0.02)


def test_units_are_chains_and_a_torn_photo_stays_in_one_part() -> None:
    people, photos = np.array([0, 0, 1, -1, -1]), np.array([5, 6, 6, 7, 8])
    assert connected(5, [people, photos]).tolist() == [0, 0, 0, 1, 2]
    part = np.array([0, 0, 1, 0, 1, 0])
    assert np.flatnonzero(torn(np.array([0, 0, 0, 1, 1, 2]), part)).tolist() == [2, 3]


def wrong_labels() -> tuple[AuditInputs, list[int]]:
    """Return 300 images of two far groups, of which the first five have the other's label."""
    truth = np.arange(300) % 2
    given, wrong = truth.copy(), [0, 1, 2, 3, 4]
    given[wrong] = 1 - truth[wrong]
    points = np.random.default_rng(2).normal(size=(300, 8)) + 6 * truth[:, None]
    none = np.zeros(300, np.float32)
    clustering = Clustering(
        truth.astype(np.int32), np.zeros((2, 8), np.float32), none, 0.0, (), (), "",
        points.astype(np.float32),
    )  # fmt: skip
    labels = attribute("gender", given, ("man", "woman"))
    rows = rows_of(300)
    dataset = dataset_of(labels)
    return AuditInputs(
        dataset=dataset, rows=rows, clustering=clustering, config=AuditConfig()
    ), wrong


def test_a_held_out_probe_finds_the_labels_that_were_changed() -> None:
    inputs, wrong = wrong_labels()
    found = find_suspects(inputs)
    flagged = {line[1] for line in suspect_rows(found, inputs.dataset.ids)}
    assert flagged == {inputs.dataset.ids[row] for row in wrong}
    assert (found[0].recall() > 0.97).all()
    (said,) = ANALYSIS.audit(inputs, {}, NoCache())
    assert (said.flagged, said.listed) == (5, 5)
    assert find_suspects(replace(inputs, clustering=None)) == ()


def test_a_probe_that_answers_by_chance_lists_no_label() -> None:
    inputs, _ = wrong_labels()
    lot = np.random.default_rng(3).integers(0, 2, 300)
    labels = attribute("gender", lot, ("man", "woman"))
    (said,) = ANALYSIS.audit(replace(inputs, dataset=dataset_of(labels)), {}, NoCache())
    assert said.flagged > 100
    assert said.listed == 0


def test_the_copy_with_most_labels_then_bytes_then_sha256_is_kept_and_conflicts_say_what_is_emptied() -> (
    None
):
    race = attribute("race", [0, 1, 0, -1, 1, 1], ("White", "Black"))
    gender = attribute("gender", [0, 0, 0, 0, 1, -1], ("male", "female"))
    rows = rows_of(6, content=["a", "a", "b", "b", "c", "d"])
    inputs = AuditInputs(dataset=dataset_of(race, gender), rows=rows, config=AuditConfig())
    tables = {each.path: each.table(inputs) for each in LISTS}
    dropped = [line[0] for line in tables["lists/drop.txt"][1]]
    assert dropped == ["00001.jpg", "00003.jpg"], "the later of two, and the one without a race"
    columns, lines = tables["lists/conflicts.csv"]
    assert [dict(zip(columns, line, strict=True))["emptied"] for line in lines] == ["race"] * 2
