"""The rungs as a reader sees them: what stops a claim, what is skipped, what comes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fer_audit.audit.claims.associations import correct_for_attributes
from fer_audit.audit.claims.batch_leakage import left_out_accuracy
from fer_audit.audit.claims.rungs import climb
from fer_audit.audit.claims.stability import NO_HALF, STABILITY
from fer_audit.audit.types.claims import Ladder, Rung
from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.types import Alternative, Stability
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import FaceDataset
from fer_audit.errors import ConfigError
from tests.audit.inputs import (
    TABLE_ONE,
    association_of,
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    inputs_of,
    part_of,
)
from tests.known import known

Faces = tuple[FaceDataset, np.ndarray]
N = 1500


def stability_of(labels: np.ndarray, *, agree: bool = True, k: int = 3) -> Stability:
    """Return seeds and ks with those labels (or with noise), and half B with the labels themselves."""
    rng = np.random.default_rng(5)
    half = np.arange(len(labels)) % 2 == 0

    def other(k: int, seed: int) -> Alternative:
        own = labels if agree else rng.integers(0, k, len(labels))
        return Alternative(k, seed, np.asarray(own % k, dtype=np.int32), 1.0)

    return Stability(
        seeds=tuple(other(k, seed) for seed in range(3)),
        ks=tuple(other(x, 0) for x in range(1, k + 3)),
        ari=(0.9, 0.8, 0.7),
        jaccard=(0.9, 0.5, 0.7),
        half_a=half,
        half_b_labels=np.where(half, -1, labels).astype(np.int32),
    )


@pytest.fixture
def faces() -> Faces:
    """Return faces whose clusters follow age; race follows age, gender nothing, smile the hour."""
    rng = np.random.default_rng(0)
    age = rng.integers(0, 3, N)
    race = np.where(rng.random(N) < 0.8, age, rng.integers(0, 3, N))
    clusters = np.where(rng.random(N) < 0.7, age, rng.integers(0, 3, N))
    dataset = dataset_of(
        attribute("race", race, "xyz"),
        attribute("age_bin", age, ("0-29", "30-59", "60+")),
        attribute("gender", rng.integers(0, 2, N), ("male", "female")),
        attribute("hour", rng.integers(0, 5, N), "abcde", "batch"),
    )
    return dataset, clusters


def audited(
    faces: Faces,
    stability: Stability | None = None,
    **config: Any,  # noqa: ANN401 - whatever AuditConfig takes
) -> AuditResult:
    dataset, clusters = faces
    return audit_dataset(
        dataset,
        clustering=clustering_of(clusters, k=3),
        config=AuditConfig.of(**{"permutations": 299, "bootstraps": 99, **config}),
        stability=stability,
    )


def ladder_of(result: AuditResult, name: str) -> Ladder:
    return next(each for each in result.ladders if each.attribute == name)


def test_a_claim_that_is_another_attributes_stops_at_rung_four(faces: Faces) -> None:
    found = audited(faces, stability_of(faces[1]))

    race, age = ladder_of(found, "race"), ladder_of(found, "age_bin")
    assert race.highest == 3
    assert race.stopped.startswith("rung 4: given age group × gender")
    assert dict(race.lost)["age_bin x gender"] > 0.8
    assert age.highest == 8
    assert age.stopped == ""


def test_a_ladder_without_style_or_batch_passes_over_those_rungs(faces: Faces) -> None:
    dataset, clusters = faces
    plain = dataset_of(dataset.attributes[1], dataset.attributes[2])

    ladder = ladder_of(audited((plain, clusters), stability_of(clusters)), "age_bin")

    assert [rung.skipped for rung in ladder.rungs] == [False] * 4 + [True, True, False, False]
    assert ladder.rungs[5].reading == "skipped: no batch attribute"
    assert ladder.highest == 8


def test_a_single_attribute_has_no_others_to_hold_fixed(faces: Faces) -> None:
    alone = dataset_of(faces[0].attributes[1])

    ladder = ladder_of(audited((alone, faces[1])), "age_bin")

    assert ladder.rungs[3].skipped
    assert ladder.highest == 3
    assert ladder.stopped == "rung 7: not computable: one partition only"


def test_a_batch_that_is_unique_to_each_image_stops_the_climb(faces: Faces) -> None:
    dataset, clusters = faces
    serial = attribute("serial", np.arange(N), [str(i) for i in range(N)], "batch")

    ladder = ladder_of(audited((dataset_of(dataset.attributes[1], serial), clusters)), "age_bin")

    assert ladder.rungs[5].holds is None
    assert "in no stratum do both vary" in ladder.rungs[5].reading
    assert ladder.highest == 3


def test_a_partition_that_other_seeds_do_not_find_falls_at_rung_seven(faces: Faces) -> None:
    ladder = ladder_of(audited(faces, stability_of(faces[1], agree=False)), "age_bin")

    assert ladder.highest == 6
    assert ladder.rungs[6].holds is False
    assert "ARI .800 (median; .700-.900)" in ladder.rungs[6].reading


def test_rung_seven_counts_all_images_and_rung_eight_the_half(faces: Faces) -> None:
    rungs = ladder_of(audited(faces, stability_of(faces[1])), "age_bin").rungs

    assert (rungs[6].n_effective, rungs[7].n_effective) == (N, N // 2)


def test_a_half_in_which_nothing_is_left_falls_at_rung_eight(faces: Faces) -> None:
    stability = stability_of(faces[1])
    noise = np.random.default_rng(8).integers(0, 3, N)
    stability.half_b_labels[:] = np.where(stability.half_a, -1, noise)

    ladder = ladder_of(audited(faces, stability), "age_bin")

    assert (ladder.highest, ladder.rungs[7].holds) == (7, False)


def test_the_half_has_a_null_band_of_its_own(faces: Faces) -> None:
    """Wider than that of the whole set: half as many images."""
    found = audited(faces, stability_of(faces[1]))

    assert found.stability is not None
    for each in found.stability.attributes:
        assert each.half_null_95 is not None
        assert each.half_null_95 > max(variant.null_95 for variant in each.seeds)
        assert each.half_null_95 < 0.3
    age = next(x for x in found.stability.attributes if x.attribute == "age_bin")
    assert (age.half_v or 0) > (age.half_null_95 or 1)


def test_a_half_without_clusters_has_no_null_band(faces: Faces) -> None:
    stability = replace(
        stability_of(faces[1]), half_b_labels=np.full(len(faces[1]), -1, dtype=np.int32)
    )

    found = audited(faces, stability)

    for each in known(found.stability).attributes:
        assert (each.half_v, each.half_null_95) == (None, None)
        why = dict(each.not_computable)
        assert why["half_null_95"] == why["half_v"]


def test_where_no_half_could_be_held_out_rung_eight_says_why(faces: Faces) -> None:
    none = np.full(len(faces[1]), -1, dtype=np.int32)
    stability = replace(stability_of(faces[1]), half_a=none > 0, half_b_labels=none)

    rung = ladder_of(audited(faces, stability), "age_bin").rungs[7]

    assert (rung.holds, rung.reading) == (None, f"not computable: {NO_HALF}")


def test_no_other_seed_and_no_other_k_are_said(faces: Faces) -> None:
    whole = stability_of(faces[1])
    no_seed = Stability((), whole.ks, (), whole.jaccard, whole.half_a, whole.half_b_labels)
    no_k = Stability(whole.seeds, (), (0.9,), whole.jaccard, whole.half_a, whole.half_b_labels)

    first, second = audited(faces, no_seed), audited(faces, no_k)

    assert (
        ladder_of(first, "age_bin").rungs[6].reading == "not computable: no other seed was tried"
    )
    assert ladder_of(second, "age_bin").rungs[6].reading == "not computable: no other k was tried"
    assert dict(known(first.stability).not_computable)["ari_median"] == "no other seed"


def test_clusters_below_six_tenths_are_marked_unstable(faces: Faces) -> None:
    dataset, clusters = faces

    inputs = inputs_of(
        dataset_of(dataset.attributes[1]),
        clustering=clustering_of(clusters, k=3),
        config=AuditConfig.of(permutations=99, bootstraps=20),
        stability=stability_of(clusters),
    )
    facts = part_of(STABILITY, inputs)

    assert [each.stable for each in facts.clusters] == [True, False, True]
    assert [each.k for each in facts.attributes[0].ks] == [2, 3, 4, 5]
    assert facts.attributes[0].half_n == N // 2


def test_columns_a_user_names_are_shown_beside_the_ladder(faces: Faces) -> None:
    found = audited(faces, given=(("hour", "gender"),))

    asked = [each for each in ladder_of(found, "race").conditionals if each.rung is None]
    assert [each.given for each in asked] == [("hour", "gender")]
    assert asked[0].grade == "most"
    assert asked[0].p == 2 / 601, "299 shuffles are too few for Holm over three attributes"
    assert not [x for x in ladder_of(found, "gender").conditionals if x.rung is None]


def test_a_column_that_is_not_there_is_refused(faces: Faces) -> None:
    with pytest.raises(ConfigError, match="'hoor', which is no column of faces"):
        audited(faces, given=(("hoor",),))


def test_the_guess_for_an_image_never_sees_the_image() -> None:
    """Oracle: leave each image out, and guess; a tie is wrong."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        table = rng.integers(0, 4, (6, 3))
        table[0] = [1, 0, 0]
        table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
        right = 0.0
        for i, j in np.argwhere(table):
            rest = table.copy()
            rest[i, j] -= 1
            votes = rest[i] if rest[i].any() else rest.sum(axis=0)
            right += table[i, j] * (votes[j] > np.delete(votes, j).max())

        assert left_out_accuracy(table) == pytest.approx(right / table.sum())


def test_batches_of_one_image_know_nothing_of_it() -> None:
    assert left_out_accuracy(np.array([[1, 0]] * 30 + [[0, 1]] * 30)) == 0


STRONG = np.array([[60, 20], [20, 60]])


def rung(number: int, holds: bool | None) -> Rung:
    return Rung(number, "next", holds, None, None, None, None, 0, "")


def test_a_planted_association_reaches_rung_three() -> None:
    (association,) = correct_for_attributes([association_of(STRONG)], alpha=0.05)

    ladder = climb(association, alpha=0.05)

    assert [each.holds for each in ladder.rungs] == [True, True, True]
    assert [each.number for each in ladder.rungs] == [1, 2, 3]
    assert ladder.highest == 3


def test_the_papers_table_does_not_reach_rung_one() -> None:
    (association,) = correct_for_attributes(
        [association_of(TABLE_ONE, permutations=2_000)], alpha=0.05
    )

    ladder = climb(association, alpha=0.05)

    assert [each.holds for each in ladder.rungs] == [False, False, False]
    assert ladder.highest == 0
    assert "V .090 is not above" in ladder.rungs[0].reading


@pytest.mark.parametrize(
    ("further", "highest"), [([True, True], 5), ([False, True], 3), ([None, True], 3)]
)
def test_further_rungs_count_until_one_does_not_hold(
    further: list[bool | None], highest: int
) -> None:
    (association,) = correct_for_attributes([association_of(STRONG)], alpha=0.05)
    above = [rung(4 + index, holds) for index, holds in enumerate(further)]

    assert climb(association, alpha=0.05, further=above).highest == highest


def test_a_table_of_one_group_climbs_nothing_and_says_why() -> None:
    (association,) = correct_for_attributes([association_of([[5], [4]])], alpha=0.05)

    ladder = climb(association, alpha=0.05)

    assert ladder.highest == 0
    for each in ladder.rungs:
        assert each.holds is None
        assert each.reading == "not computable: all images are in one group"


def test_so_many_shuffles_are_drawn_that_a_claim_of_many_can_hold(faces: Faces) -> None:
    """Of 12 labels at a level of .01 none could hold after 999 shuffles."""
    _, clusters = faces
    rng = np.random.default_rng(3)
    names = [f"label{i}" for i in range(12)]
    columns = [attribute(x, rng.integers(0, 2, N), "ab", "label") for x in names]
    columns[0] = attribute("label0", np.minimum(clusters, 1), "ab", "label")

    found = audited((dataset_of(*columns), clusters), stability_of(clusters), alpha=0.01)

    by_name = {each.attribute: each for each in found.associations}
    assert {each.permutations for each in by_name.values()} == {2_400}
    assert by_name["label0"].p_holm == pytest.approx(12 / 2_401)
    assert {x.half_permutations for x in known(found.stability).attributes} == {2_400}
    assert ladder_of(found, "label0").rungs[2].holds


def test_where_too_few_can_be_drawn_rungs_three_and_eight_say_so(faces: Faces) -> None:
    found = audited(faces, stability_of(faces[1]), alpha=1e-4)

    ladder = ladder_of(found, "age_bin")
    why = "not computable: 3 claims at a level of 0.0001 need 60,000 shuffles, 20,000 were drawn"
    assert [ladder.rungs[2].reading, ladder.rungs[7].reading] == [why, why]
    assert ladder.highest == 2


def test_holm_counts_the_demographic_attributes_only() -> None:
    strong = association_of(STRONG, permutations=999)
    batch = association_of(STRONG, permutations=999, kind="batch")
    empty = association_of([[0, 0], [0, 0]])

    found = correct_for_attributes([strong, batch, strong, empty], alpha=0.05)

    assert [each.p_holm for each in found] == pytest.approx([0.002, None, 0.002, None])
    assert dict(found[1].not_computable)["p_holm"]
    assert dict(found[3].not_computable)["p_holm"] == "no image has both a cluster and this label"


def test_an_association_below_the_corrected_alpha_falls_at_rung_three() -> None:
    (association,) = correct_for_attributes([association_of(STRONG)], alpha=0.05)

    ladder = climb(replace(association, p_holm=0.06), alpha=0.05)

    assert ladder.highest == 2
