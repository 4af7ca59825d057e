"""--weights: the weights of a file, and what the audit makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.composition.weighted import ANALYSIS
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.weights import reweighing
from fer_audit.audit.types.weighted import Weighted
from fer_audit.config import AuditConfig
from fer_audit.dataset.weights import with_weights
from fer_audit.errors import ConfigError
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of

N = 400
RNG = np.random.default_rng(4)
CLUSTERS = RNG.integers(0, 3, N)
GENDER = attribute(
    "gender", (RNG.random(N) < 0.3 + 0.2 * CLUSTERS).astype(int), ("male", "female")
)


def weighted(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Weighted:
    inputs: AuditInputs = inputs_of(
        replace(dataset_of(GENDER), weights=weights),
        rows_of(N),
        clustering=clustering_of(CLUSTERS, k=3),
        config=AuditConfig(),
    )
    found: Weighted = ANALYSIS.run(inputs, GENDER)
    return found


@pytest.mark.parametrize("scale", [1.0, 0.001, 37.0])
def test_equal_weights_of_any_size_change_nothing(scale: float) -> None:
    found = weighted(np.full(N, scale))

    assert found.effective_n == pytest.approx(N)
    assert found.v_weighted == pytest.approx(found.v_corrected)
    assert [x.weighted for x in found.groups] == pytest.approx([x.share for x in found.groups])


def test_weights_of_none_and_one_are_the_subset() -> None:
    kept = np.random.default_rng(5).random(N) < 0.5
    found = weighted(kept.astype(float))
    inputs = inputs_of(
        replace(dataset_of(replace(GENDER, codes=np.where(kept, GENDER.codes, -1).astype(np.int16)))),
        rows_of(N), clustering=clustering_of(CLUSTERS, k=3), config=AuditConfig(),
    )  # fmt: skip
    alone = replace(inputs, dataset=replace(inputs.dataset, weights=np.ones(N)))
    subset: Weighted = ANALYSIS.run(alone, alone.dataset.attributes[0])

    assert found.n == kept.sum() == subset.n
    assert found.v_weighted == pytest.approx(subset.v_corrected)
    assert [x.weighted for x in found.groups] == pytest.approx([x.share for x in subset.groups])


def test_reweighing_leaves_no_association() -> None:
    counts = np.zeros((3, 2), np.int64)
    np.add.at(counts, (CLUSTERS, GENDER.codes), 1)

    found = weighted(reweighing(counts)[CLUSTERS, GENDER.codes])

    assert found.v_corrected is not None
    assert found.v_corrected > 0.1
    assert found.v_weighted == 0
    assert found.effective_n < N


def test_a_file_weighs_what_it_names_and_says_what_it_does_not_know(tmp_path: Path) -> None:
    dataset = dataset_of(attribute("gender", [0, 1, 0], ("male", "female")))
    path = tmp_path / "weights.csv"
    path.write_text("id,weight\n00002.jpg,2.5\n00000.jpg,0\nelsewhere.jpg,1\n")

    found = with_weights(dataset, str(path))

    assert found.weights is not None
    assert found.weights.tolist() == [0, 0, 1], "scaled to the largest"
    assert "1 row of it is of no image" in found.notes[-1]
    assert found.fingerprint != dataset.fingerprint


def test_ids_are_names_whatever_they_look_like_and_huge_weights_are_weights(
    tmp_path: Path,
) -> None:
    dataset = replace(
        dataset_of(attribute("gender", [0, 1], ("a", "b"))), ids=("001", "caf\udce9")
    )
    (tmp_path / "a=b").mkdir()
    path = tmp_path / "a=b/w.csv"
    path.write_text("id,w,other\n001,1e200,1\ncaf\\xe9,5e199,1\n")

    found = with_weights(dataset, f"w={path}")

    assert found.weights is not None
    assert found.weights.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,a,b\n00000.jpg,1,2\n", "--weights a="),
        ("id,a\n00000.jpg,-1\n", "below 0"),
        ("id,a\n00000.jpg,1\n00000.jpg,1\n", "twice"),
        ("name,a\n00000.jpg,1\n", "one column id"),
        ("id,a\nother.jpg,1\n", "gives no image"),
        ("id,a\n00000.jpg,word\n", "None of its columns"),
        ("id,a,a\n00000.jpg,1,2\n", "None of its columns"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_that_says_why(
    text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "weights.csv"
    path.write_text(text)

    with pytest.raises(ConfigError) as error:
        with_weights(dataset_of(attribute("gender", [0, 1], ("male", "female"))), str(path))

    assert said in f"{error.value} {error.value.hint}"
