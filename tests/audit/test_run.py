"""The whole audit: counts add up, nothing is NaN, the same inputs give the same result."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from fer_audit.audit.claims.associations import affordable_draws
from fer_audit.audit.findings import find
from fer_audit.audit.types.result import AuditResult, PlantedCheck
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import FaceDataset, ReferenceCounts, Reject
from fer_audit.text import p_phrase, percent
from tests.audit.inputs import (
    RACES,
    TABLE_ONE,
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    embeddings_of,
    failed,
    labels_of,
    rows_of,
)
from tests.known import known

Planted = tuple[FaceDataset, np.ndarray]
CONFIG = AuditConfig.of(permutations=200, bootstraps=50)


def check_values(value: Any, at: str = "result") -> None:  # noqa: ANN401 - walks any record
    """Assert that a result holds only what JSON can write, and nothing infinite."""
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            check_values(item, f"{at}[{index}]")
    elif is_dataclass(value):
        for field in fields(value):
            check_values(getattr(value, field.name), f"{at}.{field.name}")
    else:
        assert value is None or type(value) in (str, int, float, bool), f"{at}: {type(value)}"
        assert not isinstance(value, float) or math.isfinite(value), at


def audited(dataset: FaceDataset, labels: Any, k: int, **config: Any) -> AuditResult:  # noqa: ANN401
    settings = AuditConfig.of(**{"permutations": 200, "bootstraps": 50, **config})
    return audit_dataset(dataset, clustering=clustering_of(labels, k=k), config=settings)


@pytest.fixture
def planted() -> Planted:
    """600 faces: clusters follow age, not race; the hour gives race away."""
    rng = np.random.default_rng(0)
    race, age = rng.integers(0, 3, 600), rng.integers(0, 90, 600)
    bins = np.minimum(age // 30, 2)
    labels = np.where(rng.random(600) < 0.7, bins, rng.integers(0, 3, 600))
    hour = np.where(rng.random(600) < 0.8, race, rng.integers(0, 3, 600))
    dataset = dataset_of(
        attribute("race", race, ("White", "Black", "Asian")),
        attribute("age_bin", bins, ("0-29", "30-59", "60+")),
        attribute("hour", hour, ("10", "11", "12"), "batch"),
        attribute("smile", rng.integers(0, 2, 600), ("no", "yes"), "label"),
        ages=age,
    )
    return dataset, labels


def test_the_same_inputs_give_the_same_result(planted: Planted) -> None:
    assert audited(*planted, 3) == audited(*planted, 3)


def test_another_attribute_shifts_nobodys_draws(planted: Planted) -> None:
    dataset, labels = planted
    fewer = replace(dataset, attributes=dataset.attributes[:2])

    every, some = audited(dataset, labels, 3), audited(fewer, labels, 3)

    assert every.associations[:2] == some.associations


def test_every_value_can_be_written_as_json(planted: Planted) -> None:
    check_values(audited(*planted, 3))


def test_clusters_that_follow_age_say_age(planted: Planted) -> None:
    found = audited(*planted, 3)

    assert {(ladder.of, ladder.attribute): ladder.highest for ladder in found.ladders} == {
        ("cluster", "race"): 0,
        ("cluster", "age_bin"): 6,
        ("cluster", "smile"): 1,
        ("smile", "race"): 0,
        ("smile", "age_bin"): 0,
    }
    race = next(each for each in found.associations if each.attribute == "race")
    fallen = next(
        x for x in found.findings if (x.code, x.attribute) == ("nothing_beyond_chance", "race")
    )
    assert fallen.text == "No association of race with the clusters is shown."
    assert (
        f"{p_phrase(race.p_holm)} after Holm, shuffled by image, question 1 (seen) does not hold, n = 600"
        in fallen.figures
    )
    first = next(each for each in found.findings if each.code == "clusters_follow")
    age = next(each for each in found.associations if each.attribute == "age_bin")
    assert first.text == "The clusters separate faces strongly by age group."
    assert dict(first.values) == {"age_bin": age.v_corrected}


def test_a_batch_that_knows_race_is_found(planted: Planted) -> None:
    found = audited(*planted, 3)

    guess = next(each for each in found.batch_predictions if each.attribute == "race")
    assert guess.right == round((guess.accuracy or 0) * guess.n)
    assert (guess.accuracy or 0) > 0.8
    assert (guess.chance or 0) < 0.45
    (said,) = [each for each in found.findings if each.code == "batch_knows_labels"]
    right = percent(guess.left_out_accuracy)
    assert said.text.startswith("Hour predicts race, 88 % right without an image (always saying ")
    assert f"race {right} of 600 (always saying {guess.majority_group}: " in said.figures
    assert dict(said.values)["race"] == guess.left_out_accuracy


def test_a_batch_that_only_knows_the_images_it_has_counted_is_no_finding(planted: Planted) -> None:
    found = audited(*planted, 3)
    flattered = tuple(
        replace(each, left_out_accuracy=each.majority) for each in found.batch_predictions
    )

    said = find(found.having(batch_predictions=flattered))

    assert "batch_knows_labels" not in {each.code for each in said}


def test_every_test_stands_in_the_ledger(planted: Planted) -> None:
    found = audited(*planted, 3)

    subjects = {(entry.family, entry.subject) for entry in found.ledger}
    assert ("association", "race x cluster") in subjects
    assert ("association, batch", "hour x cluster") in subjects
    assert ("association, label", "smile x cluster") in subjects
    assert ("batch prediction", "race from hour") in subjects
    assert ("goodness of fit", "race against uniform") in subjects
    assert ("age heaping", "ages 23 to 62 that end in 0 or 5") in subjects
    for entry in found.ledger:
        assert 0 <= entry.p <= 1
        assert entry.p_corrected is None or entry.p_corrected >= entry.p


def test_a_failed_image_keeps_its_row_and_is_counted() -> None:
    rows, columns = labels_of(TABLE_ONE)
    dataset = dataset_of(attribute("race", columns, RACES))
    dataset = replace(dataset, rejects=(Reject("00007.jpg", "race_missing"),))
    pack = failed(rows_of(500), {3: "truncated", 9: "truncated", 20: "empty"})
    labels = rows.copy()
    labels[[3, 9, 20, 21]] = -1

    found = audit_dataset(dataset, pack, clustering=clustering_of(labels, k=4), config=CONFIG)

    facts = found.dataset
    assert (facts.listed, facts.ok, facts.failed) == (500, 496, 4)
    assert [(each.reason, each.count) for each in facts.failures] == [
        ("truncated", 2),
        ("empty", 1),
        ("not_clustered", 1),
    ]
    assert sum(group.count or 0 for group in found.representation[0].groups) == 500
    assert found.associations[0].n == 496
    assert {"failed_images", "unreadable_labels"} <= {each.code for each in found.findings}


def test_tests_use_one_copy_unless_told_otherwise() -> None:
    rows, columns = labels_of(TABLE_ONE)
    dataset = dataset_of(attribute("race", columns, RACES))
    content = [f"{i // 2}" for i in range(500)]
    pack = rows_of(500, content=content)
    inputs = (dataset, pack, None, clustering_of(rows, k=4))

    once = audit_dataset(*inputs, config=CONFIG)
    every = audit_dataset(*inputs, config=CONFIG.having(keep_duplicates=True))

    assert once.duplicates.left_out == 250
    (conflict,) = once.duplicates.conflicts
    assert conflict.count > 0
    assert once.associations[0].n == 250 - conflict.count, "copies that disagree are not annotated"
    assert (every.associations[0].n, every.duplicates.left_out) == (500, 0)
    assert once.representation[0].annotated == 500
    assert once.representation[0].target.n == 250
    assert once.duplicates.groups == every.duplicates.groups == 250


def test_it_does_not_matter_which_copy_comes_first() -> None:
    """File names can hold the label, so that the first copy of a set has the lowest code."""
    rng = np.random.default_rng(0)
    image = np.arange(600) // 2
    race = rng.integers(0, 3, 300)[image]
    race[::8] = (race[::8] + 1) % 3
    clusters = rng.integers(0, 3, 300)[image]
    content = [str(i) for i in image]

    def tables(codes: np.ndarray) -> tuple[object, ...]:
        dataset = dataset_of(attribute("race", codes, "abc"))
        pack = rows_of(600, content=content)
        found = audit_dataset(dataset, pack, None, clustering_of(clusters, k=3), config=CONFIG)
        return found.associations, found.representation[0].groups, found.claims

    assert tables(race) == tables(race.reshape(-1, 2)[:, ::-1].ravel())


def test_without_clusters_the_set_is_still_described() -> None:
    dataset = dataset_of(attribute("race", [0, 1, 1], "xy"))

    found = audit_dataset(dataset, rows_of(3), config=CONFIG)

    assert not found.complete
    assert (found.model, found.clustering, found.associations) == (None, None, ())
    assert found.representation[0].annotated == 3
    check_values(found)


def test_a_sample_is_checked_against_its_parent_and_the_reference() -> None:
    dataset = dataset_of(attribute("race", [0] * 90 + [1] * 10, ("White", "Black")))
    parent = ReferenceCounts("whole", (("race", (("White", 500), ("Black", 500))),))
    config = CONFIG.having(reference=(("race", (("White", 9), ("Black", 1))),))

    found = audit_dataset(replace(dataset, parent=parent), rows_of(100), config=config)

    assert [(each.reference, each.chi2 == 0) for each in found.subset_checks] == [
        ("whole", False),
        ("reference", True),
    ]
    unfair = [each for each in found.findings if each.code == "unfair_draw"]
    assert len(unfair) == 1
    assert unfair[0].text == "These images are no random draw of whole: race is off by 40 %."
    assert unfair[0].figures.endswith("furthest White 90.0 % for 50.0 %); drawn by image")
    assert dict(unfair[0].values) == {"tv.race": pytest.approx(0.4)}


def test_every_setting_is_in_the_result() -> None:
    found = audit_dataset(dataset_of(n=0), rows_of(0), config=CONFIG, versions=(("numpy", "2.4"),))

    assert found.config == CONFIG
    assert found.versions == (("numpy", "2.4"),)


@pytest.mark.parametrize(
    ("given", "shown"),
    [(None, None), ("/home/someone/faces", "faces"), ("../faces/", "faces"), (".", ".")],
)
def test_a_result_holds_no_path_of_the_machine(given: str | None, shown: str | None) -> None:
    config = CONFIG.having(images_dir=given, model="/home/someone/m.onnx")

    found = audit_dataset(dataset_of(n=0), rows_of(0), config=config)

    assert (found.config.dataset.images_dir, found.config.model.model) == (shown, "m.onnx")


def test_a_planted_fact_that_was_missed_leads_the_findings() -> None:
    missed = PlantedCheck("clusters follow age", "rung 3", "rung 0", agrees=False)

    found = audit_dataset(dataset_of(n=0), rows_of(0), config=CONFIG, planted=lambda _: (missed,))

    assert found.findings[0].code == "planted_missed"


def test_the_models_caveat_and_unstable_starts_are_findings() -> None:
    rows, columns = labels_of(TABLE_ONE)
    pack = rows_of(500)

    found = audit_dataset(
        dataset_of(attribute("race", columns, RACES)),
        pack,
        embeddings_of(pack, caveat="Fed with colours it was not trained on."),
        clustering_of(rows, k=4, starts=(10.0, 10.2, 10.3, 10.4)),
        config=CONFIG,
    )

    codes = [each.code for each in found.findings]
    assert {"model_caveat", "unstable_starts", "nothing_beyond_chance"} <= set(codes)
    assert known(found.clustering).starts.near_best == 1
    assert codes[0] == "model_caveat", "what limits a claim comes before what is fine"
    assert found.findings[-1].severity == "fine"


def test_every_result_says_who_made_the_labels() -> None:
    found = audited(dataset_of(attribute("race", [0, 1] * 10, "xy")), [0, 1] * 10, 2)

    origin = next(each for each in found.findings if each.code == "label_origin")
    assert "not what people say of themselves" in origin.text
    assert origin.figures == "The labels were drawn by a test"


@pytest.mark.parametrize("n", [0, 1, 2, 4, 29])
@pytest.mark.parametrize("k", [1, 2, 7])
@pytest.mark.parametrize("groups", [1, 3])
def test_tiny_sets_give_reasons_and_never_nan(n: int, k: int, groups: int) -> None:
    """Also k > n. Warnings are errors in this suite, so a division by zero would show."""
    names = tuple("xyz"[:groups])
    dataset = dataset_of(
        attribute("race", np.arange(n) % groups, names),
        attribute("gender", np.arange(n) // 2 % groups, names),
        attribute("nothing", np.full(n, -1), names),
        attribute("hour", np.arange(n), [str(i) for i in range(max(n, 1))], "batch"),
        ages=np.arange(n),
    )

    found = audited(dataset, np.arange(n) % k, k)

    check_values(found)
    assert found.dataset.ok == n
    assert [each.n for each in found.associations] == [n, n, 0, n]


def test_a_set_without_attributes_is_audited() -> None:
    found = audited(dataset_of(n=4), [0, 1, 0, 1], 2)

    check_values(found)
    assert (found.representation, found.associations, found.intersections) == ((), (), None)
    assert found.complete


def test_a_partition_of_failed_images_only_is_audited() -> None:
    found = audited(dataset_of(attribute("race", [0, 1], "xy")), [-1, -1], 2)

    check_values(found)
    assert (found.dataset.ok, found.dataset.failed) == (0, 2)
    assert known(found.clustering).sizes == (0, 0)


def test_only_attributes_of_many_batches_get_fewer_permutations() -> None:
    assert affordable_draws("demographic", 20_000, 10_000) == 10_000
    assert affordable_draws("batch", 4 * 132, 10_000) == 10_000
    assert affordable_draws("batch", 20_000, 10_000) == 500
    assert affordable_draws("batch", 10**6, 10_000) == 199
    assert affordable_draws("batch", 10**6, 50) == 50
    assert affordable_draws("label", 0, 50) == 50
