"""Where the time of a whole run goes, and which runs count."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_audit.bench.end_to_end import WholeRun
from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from fer_audit.report.timings import read_timings


def test_runs_before_the_samples_are_left_out(
    faces: Path, tiny_model: ExportedModel, tmp_path: Path
) -> None:
    config = AuditConfig(
        model=str(tiny_model.path), permutations=20, bootstraps=10, sweep_max=2, replay=0
    )
    resources = Resources(cache_dir=tmp_path / "whole" / "cache", threads=1, workers=1)
    whole = WholeRun(faces, config, resources, tmp_path, images=24, threads=1)
    step = whole.step()
    kept = []
    for _ in range(2):
        step.prepare()
        step.work()
        kept.append({x.stage: x.seconds for x in read_timings(tmp_path / "whole/run/timings.json")})
    warm_up, sample = kept

    last, both = (dict(whole.time_goes(samples=n)) for n in (1, 2))

    assert last == pytest.approx(sample)
    assert both["embed"] == pytest.approx((warm_up["embed"] + sample["embed"]) / 2)
