"""The whole measurement: every stage once, counts that add up, nothing left behind."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.bench import end_to_end, measure
from fer_audit.bench.document import BENCH_SCHEMA, bench_json
from fer_audit.bench.memory import PeakMemory
from fer_audit.bench.model_stages import ModelStages, pack_once
from fer_audit.bench.options import STAGES, BenchOptions
from fer_audit.bench.row_stages import drawn_inputs
from fer_audit.bench.run import run_bench
from fer_audit.bench.subject import find_subject
from fer_audit.bench.tuning import find_tuning, tuning_key
from fer_audit.bench.types import BenchResult
from fer_audit.config import AuditConfig, Resources
from fer_audit.embed.session import EmbedSession
from fer_audit.embed.types import CPU, ModelFacts
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import ConfigError, DatasetError, LockedError, ModelError
from fer_audit.pipeline import Run, run_audit
from fer_audit.progress import Silent
from fer_audit.store.locks import folder_lock
from tests.bench.conftest import Bench
from tests.graphs import convolution_graph, save

FILE_STAGES = ["scan", "decode", "resize", "decode + resize", "pack"]
MODEL_STAGES = ["bare model", "embed from pack", "embed from files"]
ROW_STAGES = ["cluster", "audit", "report"]


def names(result: BenchResult) -> list[str]:
    return [stage.stage for stage in result.stages]


def test_every_stage_is_measured_in_the_order_of_the_work(
    bench: Bench, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "LONG_SECONDS", 0.0)  # every warm-up counts: one page, not two

    result = bench(stages=STAGES[:-1])

    assert STAGES[-1] == "run"
    assert [x for x in names(result) if x != "resize"] == [
        *(x for x in FILE_STAGES if x != "resize"),
        *MODEL_STAGES,
        *ROW_STAGES,
    ]
    items = {stage.stage: (stage.items, stage.unit) for stage in result.stages}
    assert (items["scan"], items["pack"]) == ((12, "files"), (12, "images"))
    assert items["bare model"] == (12, "images")
    assert items["cluster"] == items["audit"] == (300, "rows")
    assert result.rows.startswith("300 drawn rows of 8 numbers")
    assert (result.sample.source, result.sample.images, result.sample.failed) == ("drawn", 12, 0)
    assert result.time_goes == ()
    assert [path.name for path in (cache_dir / "bench").iterdir()] in ([], [".fer-audit.lock"])


def test_where_the_time_of_a_whole_run_goes_leaves_the_warm_up_out(
    bench: Bench, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In class folders: one attribute makes a page of few charts."""
    for number, file in enumerate(sorted(faces.iterdir())):
        (faces / "ab"[number % 2]).mkdir(exist_ok=True)
        file.rename(faces / "ab"[number % 2] / file.name)
    runs: list[dict[str, float]] = []

    def listening(*args: Any, **options: Any) -> Run:  # noqa: ANN401 - as it is called
        # the warm-up ends before the page, whose charts take seconds
        done = run_audit(*args, until="report" if runs else "cluster", **options)
        runs.append({timing.stage: timing.seconds for timing in done.timings})
        return done

    monkeypatch.setattr(end_to_end, "run_audit", listening)
    monkeypatch.setattr(
        measure, "LONG_SECONDS", math.inf
    )  # a slow warm-up would count as a sample

    result = bench(faces, stages=("run",), repeats=1)

    (whole,) = result.stages
    assert (whole.stage, whole.items, len(whole.seconds)) == ("whole run", 12, 1)
    _, sample = runs
    assert dict(result.time_goes) == sample
    assert set(sample) >= {"embed", "cluster", "audit", "report"}
    assert sum(sample.values()) <= whole.seconds[0]


def test_the_three_ways_are_compared_with_as_many_samples_as_were_asked_for(bench: Bench) -> None:
    result = bench(stages=("embed",), repeats=3)

    assert names(result) == MODEL_STAGES
    assert [len(stage.seconds) for stage in result.stages] == [3, 3, 3]
    by_name = {stage.stage: stage for stage in result.stages}
    for each, over in zip(result.ratios, ("embed from pack", "embed from files"), strict=True):
        assert (each.over, each.under, len(each.values)) == (over, "bare model", 3)
        assert each.values[0] == by_name[over].rates[0] / by_name["bare model"].rates[0]
    assert [roof.precision for roof in result.rooflines] == ["fp32", "fp32"]
    assert [len(roof.seconds) for roof in result.rooflines] == [3, 3]


def test_the_share_of_the_roofline_is_arithmetic_over_arithmetic(bench: Bench) -> None:
    result = bench(stages=("embed",))

    bare = result.stages[0]
    best = max(roof.gflops for roof in result.rooflines)
    assert result.model.multiply_adds == 32 * 32 * 8 * 27 + 32 * 32 * 8 * 8 * 9
    assert bare.share_of_roofline == pytest.approx(
        2e-9 * result.model.multiply_adds * bare.median / best
    )


def test_the_json_holds_raw_seconds_summaries_and_what_is_not_measured(bench: Bench) -> None:
    result = bench(stages=("scan", "embed"))

    document = json.loads(bench_json(result))

    assert document["schema"] == BENCH_SCHEMA
    assert set(document) == {"schema", *BenchResult.__slots__}
    stage = document["stages"][-1]
    assert stage["seconds"] == list(result.stages[-1].seconds)
    assert stage["per_second"]["min"] <= stage["per_second"]["median"]
    assert document["ratios"][0]["median"] == result.ratios[0].median
    assert document["rooflines"][0]["gflops"] > 0
    assert document["model"]["provider"] == CPU
    assert document["model"]["sha256"] == result.model.sha256
    assert document["machine"]["versions"]["onnxruntime"]
    assert document["sample"]["page_cache"] == "warm"
    assert document["peak_method"] == PeakMemory().method
    assert any("weights" in each for each in document["not_measured"])
    assert any("photographs" in each for each in document["not_measured"])


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


def test_images_of_the_models_size_are_not_resized(bench: Bench) -> None:
    result = bench(stages=("decode",), face_size=32)

    assert names(result) == ["decode"]
    assert "resize: the images are 32 x 32 already" in result.not_measured


def test_faces_are_drawn_in_the_size_asked_for(bench: Bench) -> None:
    small = bench(stages=("decode",), face_size=40)
    large = bench(stages=("decode",), face_size=160)

    assert "40 pixels" in small.stages[0].what
    assert small.sample.mean_file_bytes < large.sample.mean_file_bytes


def test_autotune_measures_with_what_it_found_and_remembers_the_threads(
    bench: Bench, conv_model: ExportedModel, cache_dir: Path
) -> None:
    result = bench(stages=("scan",), autotune=True)

    found = find_tuning(cache_dir, tuning_key(conv_model, "fp32", CPU))
    assert found is not None
    assert found.threads == result.model.threads
    assert (result.model.threads, result.model.batch_size) in {
        (trial.threads, trial.batch_size) for trial in result.trials
    }
    advice = {each.setting: each for each in result.recommendations}
    assert advice["threads"].value == str(found.threads)
    assert advice["batch-size"].value == str(result.model.batch_size)
    assert advice["batch-size"].measured
    assert "not remembered" in advice["batch-size"].reason


def test_without_a_search_nothing_is_claimed_to_be_the_best(bench: Bench) -> None:
    result = bench(stages=("scan",))

    advice = {each.setting: each for each in result.recommendations}
    assert set(advice) == {"threads", "batch-size", "precision"}
    assert not any(each.measured for each in result.recommendations)
    assert "--autotune" in advice["threads"].reason
    assert result.trials == ()


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
    "wrong",
    [
        {"images": 0},
        {"repeats": 0},
        {"rows": 99},
        {"face_size": 7},
        {"stages": ("scam",)},
        {"stages": ()},
    ],
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
    """Its tuning is: it holds for every int8 model of the same network."""
    models_dir = stored.path.parent
    before = sorted(models_dir.iterdir())

    result = run_bench(
        None,
        options=BenchOptions(
            images=64, face_size=48, repeats=1, budget_seconds=0.0, stages=("scan",), autotune=True
        ),
        config=AuditConfig.of(model=str(stored.path), precision="int8"),
        resources=Resources(cache_dir=cache_dir, models_dir=models_dir, device="cpu"),
    )

    assert (result.model.name, result.model.precision) == ("tiny", "int8")
    assert result.model.sha256 != stored.sha256
    assert sorted(models_dir.iterdir()) == before
    assert list(cache_dir.glob("**/*int8*.onnx")) == []
    assert find_tuning(cache_dir, tuning_key(stored, "int8", CPU)) is not None
    assert find_tuning(cache_dir, tuning_key(stored, "fp32", CPU)) is None


def test_int8_of_a_handful_of_images_is_refused(stored: ExportedModel, cache_dir: Path) -> None:
    with pytest.raises(ConfigError, match="--images 63 is too few") as caught:
        run_bench(
            None,
            options=BenchOptions(images=63, face_size=48, stages=("scan",)),
            config=AuditConfig.of(model=str(stored.path), precision="int8"),
            resources=Resources(cache_dir=cache_dir, device="cpu"),
        )

    assert "--images 64" in caught.value.hint


def test_every_stage_of_the_options_is_known() -> None:
    assert BenchOptions().stages == STAGES


def test_ways_that_give_other_vectors_are_never_timed(
    conv_model: ExportedModel, faces: Path, cache_dir: Path, tmp_path: Path
) -> None:
    subject = find_subject(
        faces,
        BenchOptions(images=24),
        AuditConfig.of(model=str(conv_model.path)),
        Resources(cache_dir=cache_dir),
        Silent(),
        scratch=tmp_path,
    )
    packed = pack_once(subject.dataset, tmp_path, subject.model.spec.size, 1)
    session = EmbedSession(conv_model, CPU, batch_size=4, threads=1)
    ways = ModelStages(subject, packed, session, tmp_path, workers=1, threads=1)
    assert ways.refuse_other_vectors().vectors.shape == (24, 8)

    packed.pixels[7] = 0  # the bare model now sees another image than the two others

    with pytest.raises(ModelError, match="other vectors than the bare model for 1 of 24 images"):
        ways.refuse_other_vectors()


def test_drawn_rows_are_the_same_twice_and_tied_to_one_label() -> None:
    facts = ModelFacts("m", "0" * 64, CPU, "fp32", 16)

    one, two = drawn_inputs(500, facts), drawn_inputs(500, facts)

    np.testing.assert_array_equal(one.embeddings.vectors, two.embeddings.vectors)
    assert len(set(one.rows.sha256.tolist())) == 500, "no row is another's copy"
    means = [
        one.embeddings.vectors[one.dataset.attribute(name).codes == 0].mean(axis=0)
        - one.embeddings.vectors.mean(axis=0)
        for name in ("group", "gender")
    ]
    tied, free = (float(np.linalg.norm(mean)) for mean in means)
    assert tied > 3 * free
