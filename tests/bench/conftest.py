"""A benchmark that takes a second: a tiny model and a handful of drawn faces."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_audit.bench import measure
from fer_audit.bench.run import run_bench
from fer_audit.bench.types import BenchOptions, BenchResult
from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from tests.graphs import convolution_graph, save

Bench = Callable[..., BenchResult]


@pytest.fixture(scope="session")
def conv_model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Give a model with some arithmetic in it."""
    path = tmp_path_factory.mktemp("conv") / "conv.onnx"
    return save(convolution_graph(8), path, dim=8, name="conv")


@pytest.fixture
def bench(conv_model: ExportedModel, cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give `run_bench` with everything small, and one sample of what is compared with nothing."""
    monkeypatch.setattr(measure, "BUDGET_SECONDS", 0.0)

    def call(source: Path | None = None, **chosen: object) -> BenchResult:
        return run_bench(
            source,
            options=BenchOptions(**{"images": 12, "repeats": 2, **chosen}),  # type: ignore[arg-type]  # a dict has one value type
            config=AuditConfig.of(
                model=str(conv_model.path),
                batch_size=4,
                permutations=50,
                bootstraps=20,
                starts=2,
                sweep_max=3,
                replay=3,
                replay_size=50,
            ),
            resources=Resources(cache_dir=cache_dir, device="cpu", threads=1, workers=2),
        )

    return call
