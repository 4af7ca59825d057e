"""An attribute and its map: both are audited, neither is held against the other, and what was said before stays said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.claims import Conditional
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of, rows_of

N = 400
CONFIG = AuditConfig.of(permutations=49, bootstraps=9, replay=0, given=(("race",), ("gender",)))
MAPPED = CONFIG.having(map=(("race", "race4"),), given=(*CONFIG.statistics.given, ("race4",)))


@pytest.fixture(scope="module")
def results() -> tuple[AuditResult, AuditResult]:
    """Give audits of one set, without and with a map of its races; two of the images are copies."""
    rng = np.random.default_rng(1)
    codes = rng.integers(-1, 4, N)
    race = attribute("race", codes, ("White", "East Asian", "Southeast Asian", "Latino"))
    gender = attribute("gender", rng.integers(0, 2, N), ("male", "female"))
    race4 = replace(
        attribute("race4", np.array([0, 1, 1, -1, -1])[codes], ("White", "Asian")),
        mapped_from="race",
    )
    clustering = clustering_of((codes + rng.integers(0, 2, N)) % 3, k=3)
    rows = rows_of(N, content=["same", "same", *map(str, range(N - 2))])
    plain, mapped = (
        audit_dataset(dataset_of(*columns), rows, clustering=clustering, config=config)
        for columns, config in (((race, gender), CONFIG), ((race, gender, race4), MAPPED))
    )
    return plain, mapped


def given(result: AuditResult, name: str) -> dict[tuple[int | None, tuple[str, ...]], Conditional]:
    (ladder,) = (each for each in result.ladders if each.attribute == name)
    return {(each.rung, each.given): each for each in ladder.conditionals}


def test_what_is_said_of_the_set_and_its_own_attributes_stays(
    results: tuple[AuditResult, AuditResult],
) -> None:
    plain, mapped = results

    assert mapped.intersections == plain.intersections
    assert mapped.duplicates == plain.duplicates
    assert mapped.dataset.fully_labelled == plain.dataset.fully_labelled < N
    assert mapped.representation[:2] == plain.representation
    for name in ("race", "gender"):
        before, now = given(plain, name), given(mapped, name)
        assert before.keys() <= now.keys()
        assert all(now[key].kept == each.kept for key, each in before.items())


def test_a_map_is_audited_itself_and_never_given_what_it_is_made_of(
    results: tuple[AuditResult, AuditResult],
) -> None:
    _, mapped = results

    assert [each.attribute for each in mapped.representation] == ["race", "gender", "race4"]
    assert {each.attribute for each in mapped.associations} == {"race", "gender", "race4"}
    assert {key for key in given(mapped, "race4") if key[0] in (4, None)} == {
        (4, ("gender",)),
        (None, ("gender",)),
    }
    assert given(mapped, "race4")[4, ("gender",)].kept is not None
    assert (None, ("race4",)) in given(mapped, "race")


def test_of_a_shared_result_a_map_is_left_out_and_nothing_else_for_it(
    results: tuple[AuditResult, AuditResult],
) -> None:
    """A map counts the same images by whole groups: the difference of two totals can be a small group."""
    plain, mapped = (withhold(each, 2) for each in results)

    assert "all of race4" in mapped.findings[0].figures
    for part in ("representation", "style_tests", "latent", "subset_checks", "intersections"):
        assert getattr(mapped, part) == getattr(plain, part)
    for shared in (plain, mapped):
        assert {each.attribute for each in shared.associations} == {"race", "gender"}
        assert {each.attribute for each in shared.ladders} <= {"race", "gender"}
