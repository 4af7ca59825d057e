"""What was planted, beside what an audit says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.types.claims import Rung
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.synth import check_planted, write_demo
from fer_audit.synth.backdrop import PLACES
from fer_audit.synth.draw import HAIRS
from fer_audit.synth.plant import Row, plant_rows
from tests.audit.inputs import audit_dataset, clustering_of

N = 300
Clusters = Callable[[Row], int]


def by_look(row: Row) -> int:
    """Return the cluster that the default model finds: one for each place and hair."""
    return 2 * PLACES.index(row.place) + HAIRS.index(row.hair)


def audited(folder: Path, cluster_of: Clusters) -> AuditResult:
    dataset = load_dataset(folder)
    labels = np.array([cluster_of(row) for row in plant_rows(N)])
    config = AuditConfig.of(permutations=400, bootstraps=100)
    return audit_dataset(dataset, clustering=clustering_of(labels, k=4), config=config)


def with_batch_rung(result: AuditResult, attribute: str, *, holds: bool | None) -> AuditResult:
    rung = Rung(6, "not the crawl", holds, 0.1, 0.0, 0.2, 0.3, N, "")
    ladders = tuple(
        replace(each, rungs=(*(r for r in each.rungs if r.number != 6), rung))
        if each.attribute == attribute
        else each
        for each in result.ladders
    )
    return result.having(ladders=ladders)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a demo set of 300 faces."""
    path = tmp_path_factory.mktemp("demo") / "set"
    write_demo(path, N)
    return path


@pytest.fixture(scope="module")
def result(folder: Path) -> AuditResult:
    """Give the audit of clusters that follow what is drawn, without any rung about the session."""
    found = audited(folder, by_look)
    ladders = tuple(
        replace(each, rungs=tuple(rung for rung in each.rungs if rung.number <= 3))
        for each in found.ladders
    )
    return found.having(ladders=ladders)


def agreement(folder: Path, result: AuditResult) -> dict[str, bool]:
    return {check.claim: check.agrees for check in check_planted(folder, result)}


def test_every_planted_fact_is_found_by_the_audit(folder: Path, result: AuditResult) -> None:
    assert agreement(folder, result) == {
        "group D is under-represented": True,
        "clusters follow the session": True,
        "group is associated with clusters only through the session": True,
        "clusters follow the gender": True,
        "age bin is tied to nothing": True,
    }


def test_what_is_found_comes_with_its_number(folder: Path, result: AuditResult) -> None:
    share, session, group, gender, age = check_planted(folder, result)

    assert share.found.endswith("9 images")
    assert session.found.startswith("V~ .8")
    assert "no rung of this result knows the session" in group.found
    assert "p ≤ .002" in gender.found
    assert age.found.endswith("p > .999")


@pytest.mark.parametrize("holds", [True, False])
def test_where_the_session_is_known_the_group_must_fall_and_the_gender_stand(
    folder: Path, result: AuditResult, holds: bool
) -> None:
    group = agreement(folder, with_batch_rung(result, "group", holds=holds))
    gender = agreement(folder, with_batch_rung(result, "gender", holds=holds))

    assert group["group is associated with clusters only through the session"] is not holds
    assert gender["clusters follow the gender"] is holds


def test_a_rung_that_is_not_computable_decides_nothing(folder: Path, result: AuditResult) -> None:
    changed = with_batch_rung(result, "group", holds=None)

    assert check_planted(folder, changed) == check_planted(folder, result)


def test_clusters_by_chance_or_by_age_are_not_what_was_planted(folder: Path) -> None:
    rng = np.random.default_rng(0)

    by_chance = agreement(folder, audited(folder, lambda row: int(rng.integers(0, 4))))
    by_age = agreement(folder, audited(folder, lambda row: min(row.age // 20, 3)))

    assert by_chance["clusters follow the session"] is False
    assert by_chance["clusters follow the gender"] is False
    assert by_chance["group is associated with clusters only through the session"] is False
    assert by_chance["age bin is tied to nothing"] is True
    assert by_age["age bin is tied to nothing"] is False


def test_the_level_of_significance_is_the_runs_own(folder: Path, result: AuditResult) -> None:
    strict = replace(result, config=result.config.having(alpha=0.001))

    assert "p above .001" in [check.expected for check in check_planted(folder, strict)]
    assert agreement(folder, strict)["clusters follow the session"] is False


def test_a_part_of_the_set_is_not_checked(folder: Path, result: AuditResult) -> None:
    part = replace(result, dataset=replace(result.dataset, listed=N - 1))

    assert check_planted(folder, part) == ()


def test_an_audit_without_clusters_is_checked_for_who_is_in_the_set(
    folder: Path, result: AuditResult
) -> None:
    assert agreement(folder, result.having(associations=(), ladders=())) == {
        "group D is under-represented": True
    }


def test_a_group_as_common_as_the_others_is_not_found(folder: Path, result: AuditResult) -> None:
    group = result.representation[0]
    even = tuple(replace(each, ratio=1.0, ratio_low=0.9, ratio_high=1.1) for each in group.groups)

    found = agreement(folder, result.having(representation=(replace(group, groups=even),)))

    assert found["group D is under-represented"] is False


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{}", '{"schema": "somebody else\'s"}'),
        '{"schema": "fer-audit/truth/1", "n": 300, "planted": [{"kind": "seen"}]}',
        '{"schema": "fer-audit/truth/1", "n": 300, "planted": [3]}',
    ],
)
def test_somebody_elses_truth_is_left_alone_and_none_is_needed(
    tmp_path: Path, result: AuditResult, text: str
) -> None:
    assert check_planted(tmp_path, result) == ()
    (tmp_path / "truth.json").write_text(text)

    assert check_planted(tmp_path, result) == ()
