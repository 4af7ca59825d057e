"""Sets that are too small or too plain for a question: a reason, never NaN, never a warning."""

from __future__ import annotations

import numpy as np
import pytest

from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.types import Alternative, Stability, Study
from fer_audit.config import AuditConfig
from fer_audit.pack.types import STYLE_NAMES
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of, rows_of
from tests.audit.test_run import check_values


def audited(
    race: np.ndarray, labels: np.ndarray, k: int, *, style: bool = True, batches: int = 3
) -> AuditResult:
    """Return an audit with everything switched on."""
    n = len(race)
    rng = np.random.default_rng(0)
    rows = rows_of(n)
    if style:
        rows.style[:] = rng.normal(size=(n, len(STYLE_NAMES)))
        rows.widths[:] = 100 + np.arange(n) % 2
    some = np.asarray(labels, dtype=np.int32)
    half = np.arange(n) % 2 == 0
    return audit_dataset(
        dataset_of(
            attribute("race", race, "abcd"),
            attribute("gender", np.arange(n) // 3 % 2, "mf"),
            attribute("age_bin", np.arange(n) // 5 % 3, "xyz"),
            attribute("day", np.arange(n) % batches, [str(i) for i in range(batches)], "batch"),
        ),
        rows,
        clustering=clustering_of(some, k=k),
        config=AuditConfig.of(permutations=199, bootstraps=20, given=(("day", "luma_mean"),)),
        stability=Stability(
            seeds=(Alternative(k, 1, some, 1.0),),
            ks=tuple(Alternative(x, 0, some % x, 1.0) for x in range(1, k + 3)),
            ari=(1.0,),
            jaccard=(1.0,) * k,
            half_a=half,
            half_b_labels=np.where(half, -1, some).astype(np.int32),
        ),
        style_labels=some,
        coordinates=rng.normal(size=(n, 6)).astype(np.float32),
        replays=(Study(np.arange(n), some),) * bool(n),
        reclusters=(Study(np.arange(n), some),) * bool(n),
    )


@pytest.mark.parametrize("n", [0, 1, 2, 4, 29, 60])
@pytest.mark.parametrize("k", [1, 2, 7])
def test_small_sets_and_more_clusters_than_images(n: int, k: int) -> None:
    found = audited(np.arange(n) % 3, np.arange(n) % k, k)

    check_values(found)
    for ladder in found.ladders:
        assert len(ladder.rungs) == 8
        for rung in ladder.rungs:
            assert rung.reading
            assert rung.holds is not None or rung.reading.startswith(("not computable", "skipped"))


@pytest.mark.parametrize("members", [0, 1, 4, 29])
def test_a_small_group_among_large_ones(members: int) -> None:
    race = np.arange(300) % 3
    race[:members] = 3

    found = audited(race, np.arange(300) // 2 % 3, 3)

    check_values(found)
    overlap = found.latent[0]
    assert overlap.groups[3].n == members
    assert overlap.groups[3].homophily is None
    assert not [each for each in overlap.pairs if "d" in (each.first, each.second)]


def test_everything_in_one_group() -> None:
    found = audited(np.zeros(100, dtype=np.int64), np.arange(100) % 2, 2)

    check_values(found)
    assert found.ladders[0].highest == 0
    assert {rung.holds for rung in found.ladders[0].rungs} == {None}
    assert dict(found.latent[0].not_computable)["p"] == "all images are in one group"


def test_a_constant_style_and_one_batch_are_skipped() -> None:
    race = np.arange(400) % 3

    found = audited(race, race % 2, 2, style=False, batches=1)

    check_values(found)
    ladder = found.ladders[0]
    assert ladder.rungs[4].reading == "skipped: no style measure varies"
    assert ladder.rungs[5].reading == "skipped: no batch attribute"
    assert {each.p for each in found.style_tests} == {None}
    assert found.batch_predictions[0].left_out_accuracy is None


def test_each_image_in_a_batch_of_its_own() -> None:
    race = np.arange(200) % 3

    found = audited(race, race % 2, 2, batches=200)

    check_values(found)
    rung = found.ladders[0].rungs[5]
    assert rung.holds is None
    assert rung.reading.startswith("not computable given day: in no stratum do both vary")
    assert "p " not in rung.reading, "that of the image size says nothing of the day"
