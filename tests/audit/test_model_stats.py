"""Statistics of predictions by group: the golden toy, its traps, and the packages that compute the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, f1_score, recall_score
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.inter_rater import cohens_kappa

from fer_audit.audit.stats.confusion import (
    accuracies,
    confusions,
    false_positive_rates,
    intraclass_disparity,
    macro_f1,
    prediction_rates,
    recalls,
    widest,
    xu_f,
)
from fer_audit.audit.stats.decomposition import (
    kitagawa,
    kleinman_rho,
    mantel_haenszel,
    partial_pooling,
)
from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.group_gaps import (
    distance_to_rest,
    expected_extremes,
    max_gap,
    right_tables,
    shuffled_tables,
    step_down_max_t,
)
from fer_audit.audit.stats.label_noise import (
    calibration,
    equal_mass_edges,
    kappa,
    soft_scores,
    without_label_noise,
)
from fer_audit.audit.stats.units import (
    design_effect,
    intraclass_correlation,
    resampled_shares,
    unit_interval_of_shares,
)
from tests.known import known

HAP, NEU, SAD = range(3)
TOY = (
    *("a hap hap .92 s1", "a hap hap .81 s1", "a neu neu .66 s1", "a neu hap .55 s2", "a sad sad .71 s2"),
    *("a sad neu .48 s2", "a hap hap .97 s3", "a neu neu .74 s3", "a sad sad .88 s3", "a neu neu .59 s3"),
    *("b hap hap .85 s4", "b hap neu .52 s4", "b neu neu .61 s4", "b neu sad .57 s5", "b sad sad .69 s5"),
    *("b sad hap .45 s5", "b hap hap .78 s6", "b neu neu .83 s6", "c hap neu .63 s7", "c hap hap .72 s7"),
    *("c neu neu .91 s7", "c neu hap .58 s8", "c neu sad .41 s8", "c hap hap .67 s8"),
)  # fmt: skip
"""Group, label, prediction, confidence, subject; group c has no `sad`."""
_COLUMNS = list(zip(*(row.split() for row in TOY), strict=True))
GROUP, LABEL, SAID, SUBJECT = (
    np.unique(_COLUMNS[at], return_inverse=True)[1] for at in (0, 1, 2, 4)
)
SURE = np.array(_COLUMNS[3], dtype=np.float64)
RIGHT = (LABEL == SAID).astype(np.int64)
CONFUSION = confusions(GROUP, LABEL, SAID, (3, 3))
COMMON = np.array([True, True, False])


def six(values: object) -> object:
    """Return what equals the golden values, which have six digits."""
    return pytest.approx(values, abs=6e-7, nan_ok=True)


def test_recall_of_an_empty_cell_is_not_zero() -> None:
    nan = np.nan
    expected = [[1, 0.75, 0.666667], [0.666667, 0.666667, 0.5], [0.666667, 0.333333, nan]]
    found = recalls(CONFUSION)

    assert found == six(np.array(expected))
    assert wilson_interval(np.array([2]), 3, confidence=0.95) == six((0.20766, 0.938508))
    assert accuracies(CONFUSION) == six(np.array([0.8, 0.625, 0.5]))
    for group in range(3):
        mine = group == GROUP
        theirs = recall_score(
            LABEL[mine], SAID[mine], labels=range(3), average=None, zero_division=np.nan
        )
        assert found[group] == six(theirs)


def test_macro_f1_counts_the_classes_that_are_there() -> None:
    mine = GROUP == 2
    trap = f1_score(LABEL[mine], SAID[mine], average="macro")

    assert macro_f1(CONFUSION) == six(np.array([0.802381, 0.611111, 0.533333]))
    assert macro_f1(CONFUSION, COMMON) == six(np.array([0.803571, 0.666667, 0.533333]))
    assert trap == six(0.355556), "scikit-learn counts a class without an image as 0"


def test_xus_f_is_over_classes_that_all_groups_have() -> None:
    recall = recalls(CONFUSION)

    assert xu_f(recall[:, COMMON]) == six(0.571429)
    assert xu_f(recall[:2]) == six(0.758621)
    assert np.isnan(xu_f(recall))
    assert xu_f(np.nan_to_num(recall)) == six(0.413793), "the trap"


def test_disparities_leave_out_groups_without_the_class() -> None:
    recall = recalls(CONFUSION)
    false = widest(false_positive_rates(CONFUSION))

    assert intraclass_disparity(recall) == six(np.array([1 / 3, 1 / 3, 0.25]))
    assert intraclass_disparity(recall).mean() == six(0.305556)
    assert widest(prediction_rates(CONFUSION)) == six(np.array([0.125, 0.066667, 0.083333]))
    assert widest(recall) == six(np.array([0.333333, 0.416667, 0.166667]))
    assert false == six(np.array([0.190476, 0.166667, 0.166667]))
    assert np.maximum(widest(recall), false).max() == six(0.416667)
    assert np.isnan(widest(recall[:1])).all(), "one group has no gap"


def test_parity_and_odds_are_fairlearns_where_no_cell_is_empty() -> None:
    metrics = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed")
    for label in (HAP, NEU):
        truth, said = label == LABEL, label == SAID
        odds = metrics.equalized_odds_difference(truth, said, sensitive_features=GROUP)
        parity = metrics.demographic_parity_difference(truth, said, sensitive_features=GROUP)
        gaps = widest(recalls(CONFUSION))[label], widest(false_positive_rates(CONFUSION))[label]
        assert odds == six(max(gaps))
        assert parity == six(widest(prediction_rates(CONFUSION))[label])


def test_a_gap_of_recalls_is_judged_within_classes() -> None:
    seen = right_tables(GROUP, RIGHT, LABEL, (3, 3))
    by_class = []
    for label, gap in ((HAP, 0.25), (NEU, 0.742857), (SAD, 0.4)):
        mine = label == LABEL
        one = [
            max_gap(right_tables(np.array(x), RIGHT[mine], np.zeros(len(x), int), (1, 3)))
            for x in distinct(GROUP[mine])
        ]
        reached = np.mean(np.array(one) >= max_gap(seen) - 1e-9)
        assert reached == six(gap)
        by_class.append(1 - reached)
    exact = 1 - np.prod(by_class)
    drawn = shuffled_tables(
        *(GROUP, RIGHT, LABEL, np.arange(24), (3, 3)),
        draws=20_000,
        unit_draws=1,
        rng=np.random.default_rng(0),
    )

    assert max_gap(seen) == six(0.416667)
    assert exact == six(0.884286)
    gaps = np.concatenate([max_gap(each) for each in drawn])
    assert np.mean(gaps >= 0.416667 - 1e-6) == pytest.approx(exact, abs=0.01)


def distinct(labels: NDArray[np.integer]) -> list[tuple[int, ...]]:
    """Return every different order of some labels."""
    return list(set(itertools.permutations(labels.tolist())))


EIGHT, HITS = np.array([0, 0, 0, 1, 1, 1, 2, 2]), np.array([1, 1, 1, 1, 0, 0, 0, 0])


def all_of_eight() -> NDArray[np.int64]:
    zero = np.zeros(8, int)
    return np.stack([right_tables(np.array(x), HITS, zero, (1, 3)) for x in distinct(EIGHT)])


def test_the_largest_gap_of_accuracy_is_judged_by_every_assignment() -> None:
    gaps = max_gap(all_of_eight())

    assert (len(gaps), int((gaps >= 1 - 1e-9).sum())) == (560, 128)
    assert np.mean(gaps >= 1 - 1e-9) == six(0.228571)


def test_the_worst_group_has_the_p_of_westfall_and_young() -> None:
    drawn = distance_to_rest(all_of_eight())[:, 0]
    seen = distance_to_rest(right_tables(EIGHT, HITS, np.zeros(8, int), (1, 3)))[0]

    p, adjusted = step_down_max_t(seen, drawn, exact=True)

    assert seen == six(np.array([0.8, 0.266667, 0.666667]))
    assert p == six(np.array([0.142857, 1, 0.428571]))
    assert adjusted == six(np.array([0.228571, 1, 0.485714]))


def test_images_of_one_person_are_shuffled_together() -> None:
    """Ten people with ten images each, right or wrong all together: no gap of two groups of five is beyond chance."""
    units = np.repeat(np.arange(10), 10)
    group, right = units // 5, np.repeat([0, 0, 0, 1, 1, 0, 1, 1, 1, 1], 10)
    zero = np.zeros(100, int)
    p = []
    for each in (units, np.arange(100)):
        drawn = shuffled_tables(
            *(group, right, zero, each, (1, 2)),
            draws=999,
            unit_draws=999,
            rng=np.random.default_rng(1),
        )
        gaps = np.concatenate([max_gap(x) for x in drawn])
        p.append(np.mean(gaps >= max_gap(right_tables(group, right, zero, (1, 2))) - 1e-9))

    assert p[0] > 0.3
    assert p[1] < 0.01


def test_equal_groups_have_a_gap_by_chance() -> None:
    low, high = expected_extremes(np.array([10, 20, 30, 40]), 0.8)

    assert (low, high, high - low) == six((0.704328, 0.890174, 0.185846))
    coarse = expected_extremes(np.array([60_000, 60_000]), 0.5)
    spread = np.sqrt(0.25 / 60_000) / np.sqrt(np.pi)
    assert coarse == pytest.approx((0.5 - spread, 0.5 + spread), abs=1e-5)


def test_people_are_drawn_whole() -> None:
    right, n = np.array([2, 1, 2]), np.array([3, 3, 2])
    draws = np.array(list(itertools.product(range(3), repeat=3)))
    weights = (draws[:, :, None] == np.arange(3)).sum(axis=1)

    shares = resampled_shares(weights, right, n)

    assert (len(shares), shares.mean(), shares.std()) == six((27, 0.637566, 0.150895))
    ends = np.quantile(shares, (0.025, 0.975), method="inverted_cdf")
    assert ends == six(np.array([0.333333, 1]))
    low, high = unit_interval_of_shares(
        right, n, draws=4000, confidence=0.95, rng=np.random.default_rng(0)
    )
    assert (float(low), float(high)) == six((0.333333, 1.0))


def test_images_of_one_person_say_less() -> None:
    right = np.array([1, 1, 0, 0, 0, 1, 1, 1, 0, 1])
    units = np.repeat(np.arange(4), [3, 2, 3, 2])

    assert intraclass_correlation(right, units) == six(0.31117)
    assert intraclass_correlation(right, np.arange(10)) is None
    assert design_effect(np.array([1, 1, 2, 3, 3]), 0.5) == six(1.7)


def test_few_images_are_drawn_towards_the_others() -> None:
    right, n = np.array([45, 18, 6, 2, 0]), np.array([50, 25, 10, 5, 2])

    found = partial_pooling(right, n, confidence=0.95)

    assert (found.a, found.b) == pytest.approx((3.973664, 2.222884), abs=2e-4)
    means = [0.871471, 0.704362, 0.615789, 0.533527, 0.484797]
    assert found.mean == pytest.approx(np.array(means), abs=1e-5)
    assert (found.low[0], found.high[4]) == pytest.approx((0.77326, 0.800983), abs=1e-5)
    assert kleinman_rho(right, n) == six(0.254754)
    assert not found.complete


def test_groups_that_do_not_differ_have_one_share() -> None:
    found = partial_pooling(np.array([10, 20, 30]), np.array([20, 40, 60]), confidence=0.95)

    assert found.complete
    assert found.mean == six(np.full(3, 0.5))


def test_a_gap_is_composition_and_treatment() -> None:
    n_a, n_b = np.array([40, 40, 20]), np.array([20, 30, 50])

    found = known(kitagawa(n_a, np.array([36, 28, 12]), n_b, np.array([17, 21, 25])))

    assert (found.gap, found.composition, found.within) == six((0.13, 0.08, 0.05))
    assert (found.composition_se, found.within_se) == six((0.028436, 0.066088))
    assert kitagawa(n_a, n_a, np.array([1, 0, 2]), np.array([1, 0, 2])) is None


def test_a_gap_may_turn_round_within_clusters() -> None:
    tables = np.array([[[81, 6], [234, 36]], [[192, 71], [55, 25]]])

    found = known(mantel_haenszel(tables))

    oracle = StratifiedTable([table.astype(float) for table in tables])
    assert (found.risk_difference, found.odds_ratio) == six((0.053836, 1.446847))
    assert found.odds_ratio == six(oracle.oddsratio_pooled)
    assert found.p == six(oracle.test_null_odds(correction=False).pvalue)
    assert found.p == six(0.118741)


def test_calibration_without_its_bias() -> None:
    edges = np.array([0.6, 0.75, 1.0])
    found = calibration(SURE, RIGHT > 0, edges)
    parts = [calibration(SURE[g == GROUP], RIGHT[g == GROUP] > 0, edges) for g in range(3)]

    assert (found.l1, found.squared, found.debiased) == six((0.240417, 0.07026, 0.059843))
    assert (found.error, found.signed) == six((0.244629, 0.022083))
    assert [x.debiased for x in parts] == [six(0.010293), six(0.141592), None], "a bin of one"
    assert [x.signed for x in parts] == six([-0.069, 0.0375, 0.153333])


def test_bins_hold_equally_many_and_equal_confidences_share_one() -> None:
    assert len(equal_mass_edges(np.full(100, 0.5))) == 2
    edges = equal_mass_edges(np.linspace(0, 1, 150))
    counts = np.bincount(np.searchsorted(edges, np.linspace(0, 1, 150)))
    assert counts.tolist() == [10] * 15


def test_votes_bound_what_can_be_right() -> None:
    shares = np.array([[0.7, 0.3, 0], [0.5, 0.5, 0], [0, 0.2, 0.8], [0.1, 0.6, 0.3]])

    found = soft_scores(shares, np.array([0, 1, 2, 1]))

    assert (found.accuracy, found.ceiling) == six((0.65, 0.65))
    assert found.recall == six(np.array([0.538462, 0.6875, 0.727273]))
    assert found.n_effective == six(np.array([2.253333, 3.459459, 1.657534]))


def test_known_label_errors_are_taken_out() -> None:
    noise = np.array([[0.9, 0.1], [0.2, 0.8]])

    found = known(without_label_noise(np.array([[50, 10], [12, 28]]), noise))

    assert np.diagonal(found) / found.sum(axis=1) == six(np.array([0.94, 0.806667]))
    assert without_label_noise(np.array([[1, 50], [40, 9]]), noise) is None, "a negative count"
    assert without_label_noise(np.array([[1, 5], [4, 9]]), np.full((2, 2), 0.5)) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=60))
def test_kappa_is_that_of_scikit_learn_with_the_error_of_statsmodels(
    pairs: list[tuple[int, int]],
) -> None:
    first, second = np.array(pairs).T
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)

    found = kappa(first, second, np.arange(len(first)))

    if found is None:
        assert len(set(first) | set(second)) == 1
        return
    n = len(first)
    assert found[0] == pytest.approx(cohen_kappa_score(first, second))
    with np.errstate(all="ignore"):  # its z is 0 / 0 where one of the two never varies
        theirs = np.nan_to_num(cohens_kappa(table).std_kappa)  # the root of -1e-17 is no number
    assert found[1] == pytest.approx(theirs * np.sqrt(n / (n - 1)), abs=1e-7)
