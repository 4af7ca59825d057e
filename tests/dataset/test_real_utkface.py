"""The facts about the published UTKFace, against the files themselves."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset

pytestmark = [pytest.mark.real, pytest.mark.core]

ROOT = Path(os.environ.get("FER_AUDIT_UTKFACE") or Path.home() / ".cache" / "UTKFace")


@pytest.fixture(scope="module")
def utkface() -> FaceDataset:
    """Give the aligned and cropped set."""
    if not ROOT.is_dir():
        pytest.skip(f"There is no UTKFace at {ROOT}; set FER_AUDIT_UTKFACE")
    return load_dataset(ROOT)


def test_every_file_is_listed_and_all_but_three_carry_all_labels(utkface: FaceDataset) -> None:
    race, gender = utkface.attribute("race"), utkface.attribute("gender")

    assert len(utkface) == 23_707
    assert ((race.codes >= 0) & (gender.codes >= 0)).sum() == 23_704
    assert [reject.reason for reject in utkface.rejects] == ["race_missing"] * 3
    assert (utkface.sizes > 0).all()


def test_group_counts_are_the_known_ones(utkface: FaceDataset) -> None:
    race, gender = utkface.attribute("race"), utkface.attribute("gender")
    complete = race.codes >= 0

    assert race.counts().tolist() == [10_078, 4_525, 3_434, 3_975, 1_692]
    assert Counter(gender.codes[complete].tolist()) == {0: 12_390, 1: 11_314}


def test_ages_run_from_1_to_116(utkface: FaceDataset) -> None:
    assert utkface.ages is not None
    assert (utkface.ages.min(), utkface.ages.max()) == (1, 116)


def test_irregular_names_are_noted(utkface: FaceDataset) -> None:
    notes = " ".join(utkface.notes)

    assert "2 file names are misspelt" in notes
    assert "3 file names carry a timestamp of 16 or 18 digits" in notes
    assert "3 file names carry no race" in notes


def test_the_crawl_hour_alone_predicts_race_for_three_images_in_four(utkface: FaceDataset) -> None:
    race, hour = utkface.attribute("race").codes, utkface.attribute("crawl_hour").codes
    annotated = race >= 0
    pairs = Counter(zip(hour[annotated].tolist(), race[annotated].tolist(), strict=True))
    best: Counter[int] = Counter()
    for (code, _), count in pairs.items():
        best[code] = max(best[code], count)

    assert best.total() / annotated.sum() == pytest.approx(0.755, abs=0.001)
    assert (hour >= 0).all()
