"""What was planted, beside what an audit says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.run import audit
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.synth import check_planted, write_demo
from fer_audit.synth.draw import HAIRS, PLACES
from fer_audit.synth.plant import Row, plant_rows
from tests.audit.inputs import clustering_of, inputs_of

N = 600
Clusters = Callable[[Row], int]


def by_look(row: Row) -> int:
    """Return the cluster that the default model finds: one for each place and hair."""
    return 2 * PLACES.index(row.place) + HAIRS.index(row.hair)


def audited(folder: Path, cluster_of: Clusters, *, has_people: bool = True) -> AuditResult:
    dataset = load_dataset(folder)
    if not has_people:
        kept = tuple(each for each in dataset.attributes if each.kind != "subject")
        dataset = replace(dataset, attributes=kept)
    labels = np.array([cluster_of(row) for row in plant_rows(N)])
    config = AuditConfig.of(permutations=400, bootstraps=100)
    inputs = inputs_of(dataset, clustering=clustering_of(labels, k=4), config=config)
    extra = replace(inputs.extra, near_pairs=planted_pairs)
    return audit(replace(inputs, extra=extra))


def planted_pairs() -> NearPairs:
    """Return the pictures that are there twice, as near-identical."""
    rows = plant_rows(N)
    first = {row.picture: at for at, row in enumerate(rows) if not row.is_copy}
    pairs = [sorted((first[row.picture], at)) for at, row in enumerate(rows) if row.is_copy]
    ones, others = np.array(sorted(pairs)).T
    same = np.full(len(ones), 0.99)
    return NearPairs(ones, others, same, same, floor=0.9, all_pixels=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the demo set."""
    path = tmp_path_factory.mktemp("demo") / "set"
    write_demo(path, N)
    return path


@pytest.fixture(scope="module")
def result(folder: Path) -> AuditResult:
    """Give the audit of clusters that follow what is drawn."""
    return audited(folder, by_look)


def agreement(folder: Path, result: AuditResult) -> dict[str, bool]:
    return {check.claim: check.agrees for check in check_planted(folder, result)}


SHARE = "group D is under-represented"
SESSION = "clusters follow the session"
GROUP = "group is associated with clusters only through the session"
GENDER = "clusters follow the gender"
AGE = "age group is a person's, at random"
EMOTION = "emotion is tied to nothing"
COPIES = "pictures are there twice, some with another expression"


def test_every_planted_fact_is_found_by_the_audit(folder: Path, result: AuditResult) -> None:
    claims = (SHARE, SESSION, GROUP, GENDER, AGE, EMOTION, COPIES)

    assert agreement(folder, result) == dict.fromkeys(claims, True)


def test_what_is_found_comes_with_its_number(folder: Path, result: AuditResult) -> None:
    found = {check.claim: check.found for check in check_planted(folder, result)}

    assert found[SHARE].endswith("18 images")
    assert found[SESSION].startswith("V~ .8")
    assert "trace left within a session (" in found[GROUP]
    assert found[GROUP].endswith("limited by: session")
    assert "p ≤ .002; most left within a session (1.0" in found[GENDER]
    assert found[AGE].startswith("none of 3 claims holds; V~ .0")
    assert "by subject; counted by image p = .0" in found[AGE]
    assert found[EMOTION].startswith("none of 4 claims holds; V~ .0")
    assert found[COPIES] == (
        "22 groups of 44 images, expression differs in 14 of 22 confirmed pairs"
    )


def test_without_the_people_a_label_of_theirs_seems_to_be_seen(folder: Path) -> None:
    """The same set, the same clusters, and no column that says who is on an image."""
    result = audited(folder, by_look, has_people=False)
    age = next(each for each in result.associations if each.attribute == "age_bin")

    assert age.p_holm is not None
    assert age.p_holm < 0.05
    assert agreement(folder, result)[AGE] is False


def test_a_group_that_is_left_within_a_session_is_not_what_was_planted(
    folder: Path, result: AuditResult
) -> None:
    group = next(each for each in result.claims if each.attribute == "group")
    gender = next(each for each in result.claims if each.attribute == "gender")
    swapped = tuple(
        replace(each, left={"group": gender, "gender": group}[each.attribute].left)
        if each in (group, gender)
        else each
        for each in result.claims
    )
    found = agreement(folder, result.having(claims=swapped))

    assert (found[GROUP], found[GENDER]) == (False, False)


@pytest.mark.parametrize(("attribute", "claim"), [("age_bin", AGE), ("emotion", EMOTION)])
def test_a_claim_about_a_free_label_is_a_miss(
    folder: Path, result: AuditResult, attribute: str, claim: str
) -> None:
    claims = tuple(
        replace(each, strength="faint") if each.attribute == attribute else each
        for each in result.claims
    )

    assert agreement(folder, result.having(claims=claims))[claim] is False


def test_copies_must_be_found_to_the_last_and_with_every_label_that_differs(
    folder: Path, result: AuditResult
) -> None:
    near = result.near_duplicates
    assert near is not None
    fewer = tuple(replace(each, differ=0) for each in near.disagreements)

    for wrong in (replace(near, groups=21), replace(near, disagreements=fewer)):
        assert agreement(folder, result.having(near_duplicates=wrong))[COPIES] is False


def test_clusters_by_chance_or_by_age_are_not_what_was_planted(folder: Path) -> None:
    rng = np.random.default_rng(0)

    by_chance = agreement(folder, audited(folder, lambda row: int(rng.integers(0, 4))))
    by_age = agreement(folder, audited(folder, lambda row: min(row.age // 20, 3)))

    assert (by_chance[SESSION], by_chance[GROUP], by_chance[GENDER]) == (False, False, False)
    assert by_chance[AGE] is True
    assert by_age[AGE] is False


def test_the_level_of_significance_is_the_runs_own(folder: Path, result: AuditResult) -> None:
    strict = replace(result, config=result.config.having(alpha=0.001))

    assert "no claim: p above .001" in [check.expected for check in check_planted(folder, strict)]
    assert agreement(folder, strict)[SESSION] is False


def test_a_part_of_the_set_is_not_checked(folder: Path, result: AuditResult) -> None:
    part = replace(result, dataset=replace(result.dataset, listed=N - 1))

    assert check_planted(folder, part) == ()


def test_an_audit_without_clusters_is_checked_for_who_is_in_the_set(
    folder: Path, result: AuditResult
) -> None:
    bare = result.having(associations=(), ladders=(), claims=(), near_duplicates=None)

    assert agreement(folder, bare) == {SHARE: True}


def test_a_group_as_common_as_the_others_is_not_found(folder: Path, result: AuditResult) -> None:
    group = result.representation[0]
    even = tuple(replace(each, ratio=1.0, ratio_low=0.9, ratio_high=1.1) for each in group.groups)

    found = agreement(folder, result.having(representation=(replace(group, groups=even),)))

    assert found[SHARE] is False


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{}", '{"schema": "somebody else\'s"}'),
        '{"schema": "fer-audit/truth/1", "n": 600, "planted": [{"kind": "seen"}]}',
        '{"schema": "fer-audit/truth/1", "n": 600, "planted": [3]}',
    ],
)
def test_somebody_elses_truth_is_left_alone_and_none_is_needed(
    tmp_path: Path, result: AuditResult, text: str
) -> None:
    assert check_planted(tmp_path, result) == ()
    (tmp_path / "truth.json").write_text(text)

    assert check_planted(tmp_path, result) == ()
