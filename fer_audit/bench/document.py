"""A `BenchResult` as JSON: raw seconds and the summaries derived from them, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from fer_audit.bench.types import BenchResult, Ratio, Roofline, StageSpeed, Trial

BENCH_SCHEMA = "fer-audit/bench/1"


def bench_json(result: BenchResult) -> str:
    """Return the document, with a "schema" that is raised when a key changes its meaning."""
    document = {"schema": BENCH_SCHEMA, **asdict(result)}
    document["machine"]["versions"] = dict(result.machine.versions)
    document["time_goes"] = dict(result.time_goes)
    document["stages"] = [_stage(each) for each in result.stages]
    document["ratios"] = [_ratio(each) for each in result.ratios]
    document["rooflines"] = [_roofline(each) for each in result.rooflines]
    document["trials"] = [_trial(each) for each in result.trials]
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _stage(stage: StageSpeed) -> dict[str, Any]:
    rates = stage.rates
    return {
        **asdict(stage),
        "per_second": {"median": stage.median, "min": min(rates), "max": max(rates)},
        "spread": stage.spread,
    }


def _ratio(ratio: Ratio) -> dict[str, Any]:
    return {**asdict(ratio), "median": ratio.median}


def _roofline(roofline: Roofline) -> dict[str, Any]:
    return {**asdict(roofline), "gflops": roofline.gflops}


def _trial(trial: Trial) -> dict[str, Any]:
    return {**asdict(trial), "images_per_second": trial.images_per_second}
