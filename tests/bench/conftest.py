"""A benchmark that takes a second: a tiny model, a handful of drawn faces, few rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fer_audit.bench import roofline
from fer_audit.bench.options import BenchOptions
from fer_audit.bench.run import run_bench
from fer_audit.bench.types import BenchResult
from fer_audit.config import AuditConfig, Resources
from fer_audit.encoders.types import ExportedModel
from tests.graphs import convolution_graph, save

Bench = Callable[..., BenchResult]


@pytest.fixture(autouse=True)
def low_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiply small matrices: the roof's height is no matter here, and the real one takes seconds."""
    monkeypatch.setattr(roofline, "SIDE", 128)


@pytest.fixture(scope="session")
def conv_model(tmp_path_factory: pytest.TempPathFactory) -> ExportedModel:
    """Give a model with some arithmetic in it."""
    path = tmp_path_factory.mktemp("conv") / "conv.onnx"
    return save(convolution_graph(8), path, dim=8, name="conv")


@pytest.fixture
def bench(conv_model: ExportedModel, cache_dir: Path) -> Bench:
    """Give `run_bench` with everything small."""

    def call(source: Path | None = None, **chosen: object) -> BenchResult:
        small = {"images": 12, "face_size": 48, "repeats": 2, "rows": 300, "budget_seconds": 0.0}
        return run_bench(
            source,
            options=BenchOptions(**{**small, **chosen}),  # type: ignore[arg-type]  # a dict has one value type
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
            resources=Resources(cache_dir=cache_dir, threads=1, workers=2),
        )

    return call
