"""What is known of the published UTKFace, audited from its names alone."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from fer_audit.audit.claims.batch_leakage import predict_from_batch
from fer_audit.audit.composition.intersections import intersect
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset

pytestmark = pytest.mark.real

ROOT = Path(os.environ.get("FER_AUDIT_UTKFACE") or Path.home() / ".cache" / "UTKFace")


@pytest.fixture(scope="module")
def utkface() -> FaceDataset:
    """Give the aligned and cropped set."""
    if not ROOT.is_dir():
        pytest.skip(f"There is no UTKFace at {ROOT}; set FER_AUDIT_UTKFACE")
    return load_dataset(ROOT)


@pytest.mark.parametrize(
    ("attribute", "accuracy", "left_out", "majority"),
    [("race", 0.7556, 0.7555, 0.4252), ("gender", 0.7364, 0.7315, 0.5226)],
)
def test_the_hour_of_the_crawl_knows_race_and_gender(
    utkface: FaceDataset, attribute: str, accuracy: float, left_out: float, majority: float
) -> None:
    """75.5 % and 73.1 % are known figures: they are those of images left out of the count."""
    found = predict_from_batch(
        utkface.attribute("crawl_hour"),
        utkface.attribute(attribute),
        tested=np.ones(len(utkface), dtype=np.bool_),
        draws=99,
        rng=np.random.default_rng(0),
    )

    assert found.accuracy == pytest.approx(accuracy, abs=5e-5)
    assert found.left_out_accuracy == pytest.approx(left_out, abs=5e-5)
    assert found.majority == pytest.approx(majority, abs=5e-5)
    assert found.p == 0.01


def test_the_worst_intersection_is_asian_men_in_their_twenties(utkface: FaceDataset) -> None:
    people = [each for each in utkface.attributes if each.kind == "demographic"]

    found = intersect(people)

    assert found is not None
    worst = found.beyond_pairs[0]
    assert worst.groups == ("Asian", "male", "20-29")
    assert (worst.count, round(worst.expected_pairs or 0)) == (360, 507)
    assert worst.residual_pairs == pytest.approx(-11.8, abs=0.05)
