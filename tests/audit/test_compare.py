"""Two runs side by side: what is the same must be called the same, and what is not must be found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from fer_audit.audit.compare.agreement import (
    adjusted_rand,
    measure_agreement,
    measure_vectors,
    vectors_agree,
)
from fer_audit.audit.compare.run import ReadRun, compare_runs
from fer_audit.audit.compare.sets import match_rows, share_p
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.claim import Claim, LeftAt
from fer_audit.audit.types.compare import Comparison
from fer_audit.audit.types.result import GateRule
from tests.audit.compared import GENDERS, QUICK, run_of
from tests.known import known

N = 600
RNG = np.random.default_rng(1)
GENDER = RNG.integers(0, 2, N)
CLUSTERS = np.where(RNG.random(N) < 0.3, RNG.integers(0, 3, N), GENDER)
IDS = tuple(f"{i:04d}.jpg" for i in range(N))
GROUPS = {"gender": (GENDER, GENDERS)}
BESIDE = {
    "fail_on": ("gender.rung>3",),
    "given": (("hour",),),
    "replay": 9,
    "replay_size": 50,
    "recluster": 7,
}


@cache
def base() -> ReadRun:
    return run_of(GROUPS, CLUSTERS, ids=IDS)


def part_of(rows: np.ndarray, *, gender: np.ndarray = GENDER, prefix: str = "") -> ReadRun:
    """Return a run on some of the images."""
    ids = [f"{prefix}{IDS[i]}" for i in rows]
    return run_of({"gender": (gender[rows], GENDERS)}, CLUSTERS[rows], ids=ids)


def codes(found: Comparison) -> set[str]:
    return {finding.code for finding in found.findings}


def text_of(found: Comparison, code: str) -> str:
    return next(finding.text for finding in found.findings if finding.code == code)


def test_a_run_beside_itself_has_not_changed() -> None:
    found = compare_runs(base(), base())

    (gender,) = found.attributes
    assert found.agreement.ari == 1
    assert found.agreement.matched == found.agreement.n == N
    assert gender.reading == "same images, shares equal"
    assert [(group.difference, group.p) for group in gender.groups] == [(0, None), (0, None)]
    assert (found.differences, found.cosines) == ((), (1, 1, 1))
    assert all(each.first == each.second for each in found.claims)
    assert "nothing_changed" in codes(found)
    assert {finding.severity for finding in found.findings} == {"fine"}


def figures_of(found: Comparison, code: str) -> str:
    return next(finding.figures for finding in found.findings if finding.code == code)


def test_the_numbers_of_the_clusters_do_not_matter() -> None:
    renumbered = run_of(GROUPS, np.array([2, 0, 1])[CLUSTERS], ids=IDS)

    found = compare_runs(base(), renumbered)

    assert found.agreement.ari == 1
    assert found.agreement.matches == ((0, 2), (1, 0), (2, 1))
    assert "are the same partition" in text_of(found, "agreement")


def test_the_order_of_the_images_does_not_matter() -> None:
    turned = part_of(np.arange(N)[::-1])

    found = compare_runs(base(), turned)

    assert found.agreement.ari == 1
    assert found.images.same == found.images.common == N


def test_unrelated_clusters_are_called_different() -> None:
    other = run_of(GROUPS, np.random.default_rng(2).integers(0, 3, N), ids=IDS)

    found = compare_runs(base(), other)

    ari, low, high = found.agreement.ari, found.agreement.low, found.agreement.high
    assert ari is not None
    assert low is not None
    assert high is not None
    assert abs(ari) < 0.02
    assert low <= 0 <= high
    assert "are different partitions, no more alike than shuffled labels" in text_of(
        found, "agreement"
    )
    assert "600 common images" in figures_of(found, "agreement")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=80))
@settings(deadline=None)
def test_ari_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    table = cross_table(first, second, n_rows=5, n_cols=4)

    assert adjusted_rand(table) == pytest.approx(adjusted_rand_score(first, second), abs=1e-9)


def test_a_stack_of_tables_gives_the_indices_of_each() -> None:
    tables = RNG.integers(0, 9, (6, 3, 4))

    assert adjusted_rand(tables).tolist() == [float(adjusted_rand(table)) for table in tables]


def test_the_interval_of_the_ari_holds_the_truth_as_often_as_it_says() -> None:
    """Samples of 300 from one table; the truth is the index of the table itself."""
    p = np.array([[0.3, 0.05, 0.05], [0.05, 0.25, 0.02], [0.03, 0.05, 0.2]])
    truth = float(adjusted_rand(np.round(p * 1_000_000).astype(np.int64)))
    rng = np.random.default_rng(5)

    held = 0
    for _ in range(60):
        table = rng.multinomial(300, p.ravel()).reshape(3, 3)
        found = measure_agreement(table, confidence=0.95, rng=rng)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high

    assert held >= 53


def test_sets_without_a_common_image_are_tested_as_two_samples() -> None:
    many_men = np.where(np.arange(N) % 4 == 0, 1, 0)
    other = part_of(np.arange(N), gender=many_men, prefix="other/")

    found = compare_runs(base(), other)

    (gender,) = found.attributes
    assert found.images.common == 0
    assert found.agreement.ari is None
    assert dict(found.agreement.not_computable)["ari"] == "no image has a cluster in both runs"
    assert gender.draws
    male = gender.groups[0]
    assert male.difference == pytest.approx(0.75 - np.mean(GENDER == 0))
    assert known(male.low) > 0
    assert known(male.p_adjusted) < 0.001
    assert "more than chance allows" in text_of(found, "shares")


def test_a_fair_part_of_a_set_is_not_called_different() -> None:
    half = part_of(np.arange(0, N, 2))

    (gender,) = compare_runs(base(), half).attributes

    assert gender.common == N // 2
    assert all(group.p_adjusted is not None and group.p_adjusted > 0.05 for group in gender.groups)


def test_an_unfair_part_of_a_set_is_found() -> None:
    men = np.flatnonzero(GENDER == 0)
    chosen = np.sort(np.concatenate([men[:200], np.flatnonzero(GENDER == 1)[:100]]))

    (gender,) = compare_runs(base(), part_of(chosen)).attributes

    assert all(group.p_adjusted is not None and group.p_adjusted < 0.01 for group in gender.groups)


def test_the_test_of_two_samples_is_fishers() -> None:
    """Without common images the draw is Fisher's; ordered by difference, for two equal sizes the p is the same."""
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(0)

    p = share_p((9, 18, 0), (40, 40, 0), draws=19_999, rng=rng)

    assert p == pytest.approx(fisher_exact([[9, 31], [18, 22]]).pvalue, abs=0.005)


def test_shared_images_count_once_under_no_difference() -> None:
    """Two overlapping draws from one crowd: p stays uniform, where a two-sample test would be far too shy."""
    rng = np.random.default_rng(4)

    p = []
    for _ in range(300):
        crowd = rng.random(350) < 0.4
        counts = int(crowd[:300].sum()), int(crowd[50:].sum()), int(crowd[50:300].sum())
        p.append(share_p(counts, (300, 300, 250), draws=199, rng=rng))

    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09
    assert 0.2 <= np.mean(np.array(p) <= 0.25) <= 0.32


def test_a_changed_label_is_counted_and_not_tested() -> None:
    relabelled = GENDER.copy()
    relabelled[:30] = 1 - relabelled[:30]

    found = compare_runs(base(), part_of(np.arange(N), gender=relabelled))

    (gender,) = found.attributes
    assert (gender.common, gender.relabelled, gender.draws) == (N, 30, 0)
    assert figures_of(found, "relabelled") == "5.0 % (30 of 600)"


def test_renamed_and_rewritten_files_are_told_apart() -> None:
    """Bytes say more than names: "b" now holds what "a" held, and "c" is another picture."""
    gender = {"gender": (np.array([0, 1, 0]), GENDERS)}
    clusters = np.array([0, 1, 0])
    first = run_of(gender, clusters, ids=("a", "b", "c"), content=("A", "B", "C"))
    second = run_of(gender, clusters, ids=("b", "c", "d"), content=("A", "X", "B"))

    pairs, facts = match_rows(first.rows, second.rows)

    assert pairs.tolist() == [[0, 0], [1, 2], [2, 1]]
    assert (facts.same, facts.renamed, facts.changed) == (0, 2, 1)
    assert "other bytes" in text_of(compare_runs(first, second), "changed_files")


def test_copies_pair_up_one_to_one() -> None:
    gender = {"gender": (np.array([0, 1, 0]), GENDERS)}
    first = run_of(gender, None, ids=("a", "b", "c"), content=("A", "A", "A"))
    second = run_of(gender, None, ids=("b", "x", "y"), content=("A", "A", "B"))

    pairs, _ = match_rows(first.rows, second.rows)

    assert pairs.tolist() == [[0, 1], [1, 0]]


def test_attributes_and_groups_of_one_run_only_are_named() -> None:
    race = np.arange(N) % 2
    first = run_of({**GROUPS, "race": (race, ("White", "Black"))}, CLUSTERS, ids=IDS)
    second = run_of(
        {"race": (race, ("White", "Asian")), "age": (race, GENDERS)}, CLUSTERS, ids=IDS
    )

    found = compare_runs(first, second)

    only = [(x.name, x.first, x.second) for x in found.differences if x.kind == "attribute"]
    assert only == [("gender", "there", None), ("age", None, "there")]
    (shared,) = found.attributes
    groups = {group.name: group for group in shared.groups}
    assert list(groups) == ["White", "Black", "Asian"]
    assert groups["Black"].second is None
    assert groups["Asian"].first is None
    assert groups["Asian"].difference is None


def test_a_run_without_clusters_is_compared_as_far_as_it_goes() -> None:
    unclustered = run_of(GROUPS, None, ids=IDS)

    found = compare_runs(base(), unclustered)

    (gender,) = found.claims
    assert found.agreement.ari is None
    assert "the second run has no clusters" in text_of(found, "no_agreement")
    assert found.second.k is None
    assert gender.second is None
    assert gender.intervals_overlap is None
    assert "nothing_changed" not in codes(found)


def test_settings_that_change_no_compared_number_are_not_listed() -> None:
    run = base()
    asked = replace(run.result, config=run.result.config.having(**BESIDE))

    found = compare_runs(run, replace(run, result=asked))

    assert asked.config != run.result.config
    assert found.differences == ()
    assert "nothing_changed" in codes(found)


def test_settings_model_and_versions_that_differ_are_listed() -> None:
    other = run_of(GROUPS, CLUSTERS, ids=IDS, config=replace(QUICK, seed=7))
    model_name = known(other.result.model).name
    model = replace(known(other.result.model), name="int8", precision="int8")
    other = replace(other, result=replace(other.result, model=model, versions=(("numpy", "9"),)))

    found = compare_runs(base(), other)

    assert [(each.kind, each.name, each.first, each.second) for each in found.differences] == [
        *(("model", "name", model_name, "int8"), ("model", "precision", "fp32", "int8")),
        *(("setting", "seed", "0", "7"), ("version", "numpy", None, "9")),
    ]
    assert text_of(found, "settings").startswith("3 things differ between the runs")


def test_a_model_that_was_asked_for_by_another_name_is_no_difference() -> None:
    run = base()
    asked = replace(run.result, config=run.result.config.having(model="folder/a.onnx"))

    assert compare_runs(run, replace(run, result=asked)).differences == ()


def test_a_rule_that_fires_in_one_run_only_is_named() -> None:
    first, second = (
        replace(
            base(), result=replace(base().result, gate=(GateRule("gender.v>0.5", 0.5, hit, ""),))
        )
        for hit in (True, False)
    )

    assert (
        figures_of(compare_runs(first, second), "rules")
        == "gender.v>0.5: crossed, then not crossed"
    )


def claim(*grades: str, v: float = 0.4, kept: float = 0.8, back: str = "yes") -> Claim:
    left = tuple(
        LeftAt(f"level{at}", True, kept, 0.9, 0.8, 0.7, 0.9, None, 0.9, grade)
        for at, grade in enumerate(grades)
    )
    return Claim(
        "cluster", "gender", "demographic", N, "clear", v, 0.1, v - 0.05, v + 0.05, "image",
        None, None, "", 0, left, "", back, "",
    )  # fmt: skip


def test_a_claim_is_told_with_what_is_left_at_the_level_that_leaves_least() -> None:
    made = (claim("most", "part"), claim("most", "trace", v=0.6, back="no"))
    runs = [replace(base(), result=base().result.having(claims=(each,))) for each in made]

    found = compare_runs(*runs)

    (gender,) = found.claims
    told = [
        (x.left.level, x.left.grade, x.holds)
        for x in (gender.first, gender.second)
        if x and x.left
    ]
    assert told == [("level1", "part", True), ("level1", "trace", False)]
    assert gender.intervals_overlap is False
    assert text_of(found, "claim") == (
        "Clusters and gender: clear (V~ .400, left: part) in the first run, clear (V~ .600, left: trace, does not come back) in"
        " the second."
    )


def test_with_another_k_the_clusters_cannot_agree_fully() -> None:
    finer = run_of(GROUPS, CLUSTERS * 2 + np.arange(N) % 2, ids=IDS)

    found = compare_runs(base(), finer)

    assert "with k = 3 and 6 they cannot agree fully" in figures_of(found, "agreement")
    assert all(each.first != each.second for each in found.claims)


def test_vectors_are_measured_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = RNG.random((50, 8), dtype=np.float32) * (RNG.random((50, 8)) < 0.6)
    vectors = vectors.astype(np.float32)
    ok = np.arange(50) % 5 > 0
    monkeypatch.setattr("fer_audit.audit.compare.agreement.BLOCK_BYTES", 7 * 8 * 4)

    zeros, mean, deviation = measure_vectors(vectors, ok)
    rows = np.stack([np.arange(50), np.arange(50)[::-1]], axis=1)
    cosines = vectors_agree(vectors, vectors[::-1] * 3, rows)
    unlike = vectors_agree(np.eye(2), np.eye(2), np.array([[0, 0], [0, 1]]))

    assert zeros == np.mean(vectors[ok] == 0)
    norms = np.linalg.norm(vectors[ok].astype(np.float64), axis=1)
    assert (mean, deviation) == pytest.approx((norms.mean(), norms.std()))
    assert cosines == pytest.approx((1, 1, 1))
    assert (unlike[0], unlike[2]) == (0.5, 0)
    assert vectors_agree(vectors, vectors[:, :3], rows) == vectors_agree(None, vectors, rows) == ()


def test_the_comparison_is_the_same_every_time() -> None:
    other = part_of(np.arange(100, N), prefix="")

    assert compare_runs(base(), other) == compare_runs(base(), other)
