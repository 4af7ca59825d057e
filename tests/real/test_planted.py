"""What is planted in the built-in demo set is found by an audit as `fer-audit run` makes it, with the real network."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from fer_audit.config import Resources
from fer_audit.pipeline import run_audit
from fer_audit.synth import demo_dataset
from fer_audit.synth.folder import N_FACES
from fer_audit.synth.plant import plant_rows

pytestmark = pytest.mark.real


def test_every_planted_fact_is_found_and_exactly_the_copies_are_listed(tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "run"

    places = Resources(cache_dir=cache)
    run = run_audit(demo_dataset(cache), out, resources=places, until="audit")

    assert run.result is not None
    assert len(run.result.planted) == 7
    assert [each for each in run.result.planted if not each.agrees] == []
    with (out / "lists/near_duplicates.csv").open(encoding="utf-8", newline="") as file:
        listed = {Path(each["id"]).stem for each in csv.DictReader(file)}
    rows = plant_rows(N_FACES)
    twice = {row.picture for row in rows if row.is_copy}
    assert listed == {f"{at:03}" for at, row in enumerate(rows, 1) if row.picture in twice}
