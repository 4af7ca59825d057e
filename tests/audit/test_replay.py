"""Many small studies of one set, and clusters that are estimated again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from fer_audit.audit.claims.replay import RECLUSTER, REPLAY
from fer_audit.audit.stats.tables import cross_table
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.stability import Recluster, Replay
from fer_audit.cluster.types import Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.errors import ConfigError
from tests.audit.inputs import (
    association_of,
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    inputs_of,
    part_of,
)
from tests.known import known

N = 4000
CONFIG = AuditConfig.of(permutations=99, bootstraps=50)


@pytest.fixture(scope="module")
def result() -> AuditResult:
    """Return an audit of 4,000 faces whose clusters follow race a little, and of 60 studies of 200."""
    rng = np.random.default_rng(0)
    race = rng.choice(3, N, p=[0.42, 0.4, 0.18])
    clusters = np.where(rng.random(N) < 0.15, race, rng.integers(0, 3, N)).astype(np.int32)
    picks = [rng.choice(N, 200, replace=False) for _ in range(60)]
    boots = [rng.integers(0, N, N) for _ in range(60)]
    return audit_dataset(
        dataset_of(attribute("race", race, ("White", "Black", "Asian"))),
        clustering=clustering_of(clusters, k=3),
        config=CONFIG,
        replays=tuple(Study(each, clusters[each]) for each in picks),
        reclusters=tuple(Study(each, clusters[each]) for each in boots),
    )


def studied(race: Attribute, studies: Sequence[Study]) -> Replay | None:
    inputs = inputs_of(dataset_of(race), config=CONFIG, replays=studies)
    found: Replay | None = part_of(REPLAY, inputs, associations=())
    return found


def reclustered(race: Attribute, studies: Sequence[Study]) -> tuple[Recluster, ...]:
    inputs = inputs_of(dataset_of(race), config=CONFIG, reclusters=studies)
    found: tuple[Recluster, ...] = part_of(RECLUSTER, inputs)
    return found


def test_small_studies_spread_around_the_whole_set(result: AuditResult) -> None:
    assert result.replay is not None
    (race,) = result.replay.attributes

    assert (result.replay.studies, result.replay.size, race.studies) == (60, 200, 60)
    for group in race.groups:
        assert group.low <= group.share <= group.high
        assert group.mean == pytest.approx(group.share, abs=0.02)
    assert race.v_full is not None
    assert known(race.v) > race.v_full  # V of few images holds their noise
    assert race.v_corrected == pytest.approx(race.v_full, abs=0.04)


def test_every_study_has_its_v_in_the_order_of_the_studies(result: AuditResult) -> None:
    (race,) = known(result.replay).attributes

    v, corrected = race.v_studies, race.v_corrected_studies
    assert len(v) == len(corrected) == race.studies
    assert all(round(each, 6) == each for each in (*v, *corrected))
    assert np.mean(v) == pytest.approx(race.v, abs=1e-6)
    assert np.quantile(corrected, (0.025, 0.975)) == pytest.approx(
        [race.v_corrected_low, race.v_corrected_high], abs=1e-6
    )
    assert all(plain >= less for plain, less in zip(v, corrected, strict=True))


def test_the_v_of_a_study_is_that_of_its_table() -> None:
    rng = np.random.default_rng(5)
    race = attribute("race", rng.integers(0, 3, 300), "xyz")
    labels = rng.integers(0, 3, 300).astype(np.int32)
    one_group = np.flatnonzero(race.codes == 0)
    picks = [np.arange(100), one_group, np.arange(100, 300)]
    studies = [Study(each, labels[each]) for each in picks]

    found = known(studied(race, studies))

    whole = [
        association_of(cross_table(labels[each], race.codes[each], n_rows=3, n_cols=3))
        for each in (picks[0], picks[2])
    ]
    (each,) = found.attributes
    assert each.studies == 2  # a study of one group has no V
    assert each.v_studies == pytest.approx([x.v for x in whole], abs=5e-7)
    assert each.v_corrected_studies == pytest.approx([x.v_corrected for x in whole], abs=5e-7)


def test_headlines_of_small_studies_differ_from_the_whole_sets(result: AuditResult) -> None:
    (race,) = known(result.replay).attributes

    assert race.full_called_different is True
    assert 0.1 < known(race.called_different) < 0.9
    assert 0.1 < known(race.other_largest) < 0.6
    assert known(race.other_under_represented) < 0.1


def test_reclustering_with_the_same_clusters_gives_the_fixed_interval(result: AuditResult) -> None:
    """What a resample adds is taken off: else its V would lie above the sample's."""
    (found,), (fixed,) = result.recluster, result.associations

    assert found.v_corrected == pytest.approx(fixed.v_corrected, abs=0.004)
    assert found.low == pytest.approx(fixed.low, abs=0.015)
    assert found.high == pytest.approx(fixed.high, abs=0.015)


def test_noise_is_not_pulled_up_by_resampling() -> None:
    rng = np.random.default_rng(1)
    race = attribute("race", rng.integers(0, 5, 1000), "abcde")
    labels = rng.integers(0, 4, 1000).astype(np.int32)
    boots = [rng.integers(0, 1000, 1000) for _ in range(100)]
    studies = [Study(each, labels[each]) for each in boots]

    (found,) = reclustered(race, studies)

    assert found.low == 0
    assert known(found.v_corrected) < 0.05


def test_without_studies_there_is_nothing_to_say() -> None:
    race = attribute("race", [0, 1], "xy")

    assert studied(race, []) is None
    assert reclustered(race, []) == ()


def test_studies_of_one_group_have_no_v_and_say_so() -> None:
    race = attribute("race", [0] * 50 + [-1] * 50, "xy")
    study = Study(np.arange(100), np.arange(100, dtype=np.int32) % 2)

    found = known(studied(race, [study]))
    (again,) = reclustered(race, [study])

    assert found.attributes[0].v is None
    assert found.attributes[0].v_studies == ()
    assert (
        dict(found.attributes[0].not_computable)["v"] == "no study has two clusters and two groups"
    )
    assert found.attributes[0].other_largest == 0
    assert again.v_corrected is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"replay": -1}, "replay is -1"),
        ({"recluster": -2}, "recluster is -2"),
        ({"replay_size": 1}, "replay_size is 1"),
        ({"given": ((),)}, "given has an empty name"),
        ({"given": (("race", ""),)}, "given has an empty name"),
    ],
)
def test_settings_that_make_no_sense_are_refused(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AuditConfig.of(**setting)
