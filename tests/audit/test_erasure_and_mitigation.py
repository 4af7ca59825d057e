"""An attribute erased from planted vectors, heads compared on them, and what is said of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies import erasure, mitigation
from fer_audit.audit.remedies.remedy_findings import erasure_findings, mitigation_findings
from fer_audit.audit.types.remedies import BeforeAfter
from fer_audit.config import ANY_LABEL, AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.errors import ConfigError
from fer_audit.report.blocks import Charts
from fer_audit.report.sections.remedies import erasure as erasure_section
from fer_audit.report.sections.remedies import mitigation as mitigation_section
from fer_audit.report.view import View
from tests.audit.inputs import attribute, audit_dataset, dataset_of, inputs_of, part_of
from tests.report.sections.reading import tables

N = 1600
RNG = np.random.default_rng


def two_clusters(x: np.ndarray) -> np.ndarray:
    """Cut where the vectors vary most."""
    centred = x - x.mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[2][0]
    return np.asarray(centred @ first > 0, dtype=np.int32)


def planted(*extra: Attribute, kind: Any = "demographic", **settings: Any) -> AuditInputs:  # noqa: ANN401 - any setting
    """Return vectors in which "race" is a mean, "ring" a distance from the centre and "smile" another mean."""
    rng = RNG(5)
    race, ring, smile = (rng.integers(0, 2, N) for _ in range(3))
    x = rng.normal(size=(N, 8))
    x[:, 0] += 12 * race
    x[:, 1] += 2 * smile + 0.5 * race
    x[:, 2:] *= np.where(ring == 1, 4, 1)[:, None]
    columns = (
        attribute("race", race, ("a", "b")),
        attribute("ring", ring, ("in", "out")),
        attribute("smile", smile, ("no", "yes"), kind),
        *extra,
    )
    found = inputs_of(
        dataset_of(*columns),
        coordinates=x,
        config=AuditConfig.of(permutations=99, bootstraps=200, replay=0, **settings),
    )
    object.__setattr__(found.extra, "clusters_of", two_clusters)
    return found


def values(found: tuple[BeforeAfter, ...]) -> dict[tuple[str, str], BeforeAfter]:
    return {(each.by, each.attribute): each for each in found}


def test_an_erased_mean_is_gone_from_clusters_and_probes_and_little_else_is() -> None:
    (found,) = part_of(erasure.ANALYSIS, planted(what_if=("race",)))

    of = values(found.found)
    assert (found.method, found.removed, found.shrunk) == ("LEACE", 1, False)
    assert of["clusters", "race"].before.value > 0.9
    assert of["clusters", "race"].after.value < 0.1
    assert of["linear", "race"].before.value > 0.9
    assert of["linear", "race"].after.low < 0.53
    assert of["neighbours", "race"].after.low < 0.53
    assert of["linear", "smile"].before.value - of["linear", "smile"].after.value < 0.05


def test_what_is_no_mean_is_still_read_by_neighbours_and_the_finding_says_so() -> None:
    (found,) = part_of(erasure.ANALYSIS, planted(what_if=("ring",)))

    of = values(found.found)
    assert of["neighbours", "ring"].after.low > 0.7


def test_with_a_label_it_is_erased_a_second_time_and_the_label_is_kept() -> None:
    inputs = planted(kind="label", what_if=("race",))

    leace, splince = part_of(erasure.ANALYSIS, inputs)

    assert [(x.method, x.keeps) for x in (leace, splince)] == [("LEACE", ""), ("SPLINCE", "smile")]
    kept, lost = (values(x.found)["linear", "smile"].after.value for x in (splince, leace))
    assert kept > lost - 0.02


def test_halves_and_folds_are_of_whole_people() -> None:
    people = attribute("who", np.arange(N) // 4, [f"p{i}" for i in range(N // 4)], "subject")
    inputs = planted(people)

    sample = erasure.sample_of(inputs, inputs.people[0])

    for parts in (sample.folds, sample.halves):
        assert (parts.reshape(-1, 4) == parts.reshape(-1, 4)[:, :1]).all()


def test_a_group_whose_cut_runs_the_other_way_is_helped_by_a_head_of_its_own() -> None:
    rng = RNG(1)
    inputs = planted(mitigate="smile")
    race, smile = (x.codes for x in inputs.people if x.name in ("race", "smile"))
    assert inputs.clustering is not None
    x = rng.normal(size=(N, 8)).astype(np.float32)
    x[:, 0] += (2 * smile - 1) * np.where(race == 1, -0.8, 2)
    object.__setattr__(inputs.clustering, "coordinates", x)

    found = next(x for x in part_of(mitigation.ANALYSIS, inputs) if x.attribute == "race")

    arms = {each.arm: each for each in found.arms}
    plain, aware = arms["baseline"], arms["attribute-aware"]
    assert (plain.worst_group, plain.fairness_gain.value) == ("b", 0.0)
    assert aware.fairness_gain.low > 0.1
    assert aware.worst_gain.low > 0
    assert not aware.levelling_down
    assert {x.attribute for x in part_of(mitigation.ANALYSIS, inputs)} == {"race", "ring"}


def test_groups_drawn_at_random_per_person_show_no_difference() -> None:
    rng = RNG(9)
    half = np.repeat(rng.integers(0, 2, N // 4), 4)
    people = attribute("who", np.arange(N) // 4, [f"p{i}" for i in range(N // 4)], "subject")
    inputs = planted(attribute("half", half, ("a", "b")), people, kind="label", mitigate=ANY_LABEL)

    found = next(x for x in part_of(mitigation.ANALYSIS, inputs) if x.attribute == "half")

    assert (found.unit, found.units) == ("who", N // 4)
    assert len(found.arms) == 7
    assert all(x.fairness_gain.low <= 0 <= x.fairness_gain.high for x in found.arms)
    assert all(probe.after.low < 0.52 for probe in found.probes)


def test_f_that_rises_because_the_best_group_falls_is_levelling_down() -> None:
    right = np.zeros((200, 2, 2, 2), np.int64)
    right[..., 0], right[:, 0, :, 1], right[:, 1, :, 1] = 100, 95, 60
    counts = np.concatenate([right, np.full((200, 2, 2, 2), 62)], axis=-1)[..., [0, 1, 2, 3]]
    counts[:, 1, :, 3] = 90
    counts[:, 0, :, 3] = 95
    names = ["baseline", "levelled", "lifted"]
    groups = np.arange(2)

    _, levelled, lifted = mitigation._arms(
        counts, groups, groups, names, attribute("race", [0, 1], ("a", "b")), 0.95
    )

    assert levelled.fairness_gain.low > 0
    assert levelled.levelling_down
    assert lifted.fairness_gain.low > 0
    assert not lifted.levelling_down


def test_nothing_is_tried_out_unless_it_is_asked_for() -> None:
    inputs = planted()

    assert part_of(erasure.ANALYSIS, inputs) == part_of(mitigation.ANALYSIS, inputs) == ()


@pytest.mark.parametrize(
    "settings", [{"what_if": ("rase",)}, {"mitigate": "who"}, {"mitigate": ANY_LABEL}]
)
def test_a_column_that_is_not_there_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        audit_dataset(planted().dataset, config=AuditConfig.of(**settings))

    assert refused.value.hint


def test_the_report_says_what_was_found() -> None:
    inputs = planted(kind="label", what_if=("ring",), mitigate="smile")
    result = audit_dataset(inputs.dataset, config=inputs.config).having(
        erasures=part_of(erasure.ANALYSIS, inputs),
        mitigations=part_of(mitigation.ANALYSIS, inputs),
    )

    (said,) = erasure_findings(result)
    assert said.text.startswith("After ring is erased, a nearest-neighbour vote still reads it")
    assert "linear classifier follows" in said.do
    assert "reproduced" not in "".join(each.text for each in mitigation_findings(result))
    what_if, compared = erasure_section(View(result)), mitigation_section(View(result))
    assert what_if is not None
    assert compared is not None
    assert "ring (LEACE): before and after" in tables(what_if)
    assert len(tables(compared)["smile by race: each approach"].rows) == 7
    for section in (what_if, compared):
        for block in section.blocks:
            for chart in block.make() if isinstance(block, Charts) else ():
                chart.draw()  # type: ignore[union-attr]
