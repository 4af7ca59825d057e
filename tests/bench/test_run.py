"""The whole measurement: every stage once, counts that add up, nothing left behind."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from fer_audit.bench import measure
from fer_audit.bench import run as running
from fer_audit.bench.run import Ways, run_bench
from fer_audit.bench.types import BENCH_SCHEMA, STAGES, BenchOptions, BenchResult
from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.embed.types import CPU
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError, DatasetError, LockedError, ModelError
from fer_audit.pipeline import Run, run_audit
from fer_audit.store.locks import folder_lock
from tests.bench.conftest import Bench
from tests.graphs import convolution_graph, save

MODEL_STAGES = ["bare model", "embed from pack", "embed from files"]


def test_every_stage_is_measured_and_the_three_ways_are_compared(
    bench: Bench, cache_dir: Path
) -> None:
    result = bench(stages=STAGES[:-1], repeats=3)

    assert STAGES[-1] == "run"
    assert [stage.stage for stage in result.stages] == ["scan", "decode", "pack", *MODEL_STAGES]
    items = {stage.stage: (stage.items, stage.unit) for stage in result.stages}
    assert items.pop("scan") == (12, "files")
    assert set(items.values()) == {(12, "images")}
    assert (result.sample.source, result.sample.images, result.sample.failed) == ("drawn", 12, 0)
    assert result.time_goes == ()
    assert [path.name for path in (cache_dir / "bench").iterdir()] in ([], [".fer-audit.lock"])

    ways = {stage.stage: stage for stage in result.stages[-3:]}
    assert [len(stage.seconds) for stage in ways.values()] == [3, 3, 3]
    for ratio, over in zip(result.ratios, MODEL_STAGES[1:], strict=True):
        assert (ratio.over, ratio.under, len(ratio.values)) == (over, "bare model", 3)
        assert ratio.values[0] == ways[over].rates[0] / ways["bare model"].rates[0]

    document = json.loads(result.json())
    assert document["schema"] == BENCH_SCHEMA
    assert set(document) == {"schema", *BenchResult.__slots__}
    stage = document["stages"][-1]
    assert stage["seconds"] == list(result.stages[-1].seconds)
    assert stage["per_second"]["min"] <= stage["per_second"]["median"]
    assert document["ratios"][0]["median"] == result.ratios[0].median
    assert document["model"]["provider"] == CPU
    assert document["model"]["sha256"] == result.model.sha256
    assert document["machine"]["versions"]["onnxruntime"]
    assert any("weights" in gap for gap in document["not_measured"])
    assert any("photographs" in gap for gap in document["not_measured"])


def test_where_the_time_of_a_whole_run_goes_leaves_the_warm_up_out(
    bench: Bench, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run ends before the audit and its page, which take seconds."""
    runs: list[dict[str, float]] = []

    def listening(*args: Any, **options: Any) -> Run:  # noqa: ANN401 - as it is called
        done = run_audit(*args, until="cluster", **options)
        runs.append({timing.stage: timing.seconds for timing in done.timings})
        return done

    monkeypatch.setattr(running, "run_audit", listening)
    monkeypatch.setattr(measure, "LONG_SECONDS", math.inf)  # else a slow warm-up is a sample

    result = bench(faces, stages=("run",), repeats=1)

    (whole,) = result.stages
    assert (whole.stage, whole.items, len(whole.seconds)) == ("whole run", 12, 1)
    _, sample = runs
    assert dict(result.time_goes) == sample
    assert set(sample) >= {"embed", "cluster"}
    assert sum(sample.values()) <= whole.seconds[0]


def test_a_folder_of_the_users_is_sampled_and_counted(bench: Bench, faces: Path) -> None:
    (faces / "1_0_0_20170101120000000.jpg.chip.jpg").write_bytes(b"no image")
    before = sorted(path.name for path in faces.iterdir())

    result = bench(faces, images=25, stages=("scan", "decode", "pack"))

    assert (result.sample.listed, result.sample.images, result.sample.failed) == (25, 25, 1)
    assert result.sample.source == "folder"
    assert not any("photographs" in each for each in result.not_measured)
    items = {stage.stage: stage.items for stage in result.stages}
    assert (items["scan"], items["decode"], items["pack"]) == (25, 24, 25)
    assert sorted(path.name for path in faces.iterdir()) == before

    few = bench(faces, images=5, stages=("scan",))
    assert (few.sample.listed, few.sample.images, few.stages[0].items) == (25, 5, 25)


def test_two_at_once_are_refused(bench: Bench, cache_dir: Path) -> None:
    (cache_dir / "bench").mkdir(parents=True)

    with folder_lock(cache_dir / "bench", wait_seconds=0), pytest.raises(LockedError):
        bench(stages=("scan",))


def test_an_error_leaves_no_scratch_behind(bench: Bench, tmp_path: Path, cache_dir: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(DatasetError):
        bench(tmp_path / "empty")

    assert not [path for path in (cache_dir / "bench").iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "wrong", [{"images": 0}, {"repeats": 0}, {"stages": ("scam",)}, {"stages": ()}]
)
def test_options_that_measure_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        BenchOptions(**wrong)  # type: ignore[arg-type]  # one wrong field at a time


@pytest.mark.parametrize("device", ["cuda:0,1", "cuda:all"])
def test_several_devices_are_refused(cache_dir: Path, device: str) -> None:
    resources = Resources(cache_dir=cache_dir, device=device)

    with pytest.raises(ConfigError, match=f"one device, --device {device} asks for several"):
        run_bench(None, resources=resources)


@pytest.fixture
def stored(tmp_path: Path) -> ExportedModel:
    """Give a network that can be quantized, in a folder that the user's could be."""
    (tmp_path / "models").mkdir()
    return save(convolution_graph(8), tmp_path / "models" / "tiny.onnx", dim=8, name="tiny")


def test_an_int8_model_of_the_measured_images_is_not_left_with_the_users(
    stored: ExportedModel, cache_dir: Path
) -> None:
    models_dir = stored.path.parent
    before = sorted(models_dir.iterdir())

    result = run_bench(
        None,
        options=BenchOptions(images=64, repeats=1, stages=("scan",)),
        config=AuditConfig.of(model=str(stored.path), precision="int8"),
        resources=Resources(cache_dir=cache_dir, models_dir=models_dir, device="cpu"),
    )

    assert (result.model.name, result.model.precision) == ("tiny", "int8")
    assert result.model.sha256 != stored.sha256
    assert sorted(models_dir.iterdir()) == before
    assert list(cache_dir.glob("**/*int8*.onnx")) == []


def test_ways_that_give_other_vectors_are_never_timed(
    conv_model: ExportedModel, faces: Path, tmp_path: Path
) -> None:
    config, places = AuditConfig.of(batch_size=4), Resources(threads=1, workers=1)
    ways = Ways(load_dataset(faces, config), conv_model, config, places, tmp_path)
    ways.refuse_other_vectors()

    ways.pixels[7] = 0  # the bare model now sees another image than the two others

    with pytest.raises(ModelError, match="other vectors than the bare model for 1 of 24 images"):
        ways.refuse_other_vectors()
