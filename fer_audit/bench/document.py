"""A `BenchResult` as JSON: raw seconds and the summaries derived from them, side by side."""

from __future__ import annotations

import json
from dataclasses import asdict

from fer_audit.bench.types import BenchResult

BENCH_SCHEMA = "fer-audit/bench/3"


def bench_json(result: BenchResult) -> str:
    """Return the document, with a "schema" that is raised when a key changes its meaning."""
    document = {"schema": BENCH_SCHEMA, **asdict(result)}
    document["machine"]["versions"] = dict(result.machine.versions)
    document["time_goes"] = dict(result.time_goes)
    for fields, stage in zip(document["stages"], result.stages, strict=True):
        rates = stage.rates
        fields["per_second"] = {"median": stage.median, "min": min(rates), "max": max(rates)}
        fields["spread"] = stage.spread
    for fields, ratio in zip(document["ratios"], result.ratios, strict=True):
        fields["median"] = ratio.median
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
