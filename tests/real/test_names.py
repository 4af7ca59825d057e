"""What is known of the published UTKFace, read and audited from its names alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.claims.batch_leakage import predict_from_batch
from fer_audit.audit.composition.intersections import intersect
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from tests.known import known

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def dataset(utkface: Path) -> FaceDataset:
    """Give the aligned and cropped set."""
    return load_dataset(utkface)


@pytest.mark.core
def test_every_file_is_listed_and_all_but_three_carry_all_labels(dataset: FaceDataset) -> None:
    race, gender = dataset.attribute("race"), dataset.attribute("gender")

    assert len(dataset) == 23_707
    assert ((race.codes >= 0) & (gender.codes >= 0)).sum() == 23_704
    assert [reject.reason for reject in dataset.rejects] == ["race_missing"] * 3
    assert dataset.source.there.all()
    assert (dataset.attribute("crawl_hour").codes >= 0).all()


@pytest.mark.core
def test_group_counts_are_the_known_ones(dataset: FaceDataset) -> None:
    race, gender = dataset.attribute("race"), dataset.attribute("gender")
    complete = race.codes >= 0

    assert race.counts().tolist() == [10_078, 4_525, 3_434, 3_975, 1_692]
    assert Counter(gender.codes[complete].tolist()) == {0: 12_390, 1: 11_314}


@pytest.mark.core
def test_ages_run_from_1_to_116(dataset: FaceDataset) -> None:
    ages = known(dataset.ages)
    assert (ages.min(), ages.max()) == (1, 116)


@pytest.mark.core
def test_irregular_names_are_noted(dataset: FaceDataset) -> None:
    notes = " ".join(dataset.notes)

    assert "2 file names are misspelt" in notes
    assert "3 file names carry a timestamp of 16 or 18 digits" in notes
    assert "3 file names carry no race" in notes


@pytest.mark.parametrize(
    ("attribute", "accuracy", "left_out", "majority"),
    [("race", 0.7556, 0.7555, 0.4252), ("gender", 0.7364, 0.7315, 0.5226)],
)
def test_the_hour_of_the_crawl_knows_race_and_gender(
    dataset: FaceDataset, attribute: str, accuracy: float, left_out: float, majority: float
) -> None:
    """75.5 % and 73.1 % are known figures: they are those of images left out of the count."""
    found = predict_from_batch(
        dataset.attribute("crawl_hour"),
        dataset.attribute(attribute),
        tested=np.ones(len(dataset), dtype=np.bool_),
        draws=99,
        rng=np.random.default_rng(0),
    )

    assert found.accuracy == pytest.approx(accuracy, abs=5e-5)
    assert found.left_out_accuracy == pytest.approx(left_out, abs=5e-5)
    assert found.majority == pytest.approx(majority, abs=5e-5)
    assert found.p == 0.01


def test_the_worst_intersection_is_asian_men_in_their_twenties(dataset: FaceDataset) -> None:
    people = [each for each in dataset.attributes if each.kind == "demographic"]

    worst = known(intersect(people)).beyond_pairs[0]

    assert worst.groups == ("Asian", "male", "20-29")
    assert (worst.count, round(worst.expected_pairs or 0)) == (360, 507)
    assert worst.residual_pairs == pytest.approx(-11.8, abs=0.05)
