"""The verb: what stands on stdout, and who reads what --autotune remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fer_audit.bench.options import STAGES, BenchOptions
from fer_audit.bench.tuning import TUNING, Tuning, read_tunings, remember_tuning, tuning_key
from fer_audit.cli import bench as verb
from fer_audit.embed.types import CPU
from fer_audit.encoders.types import ExportedModel
from tests.cli.conftest import Call, Outcome


@pytest.fixture
def small(tiny_model: ExportedModel, cache_dir: Path) -> list[str]:
    """Give the options of a benchmark that takes half a second."""
    return [
        *("--model", str(tiny_model.path), "--cache-dir", str(cache_dir), "--device", "cpu"),
        *("--images", "8", "--repeats", "2", "--face-size", "48"),
    ]


def test_the_table_names_every_stage_and_what_it_rests_on(
    fer_audit: Call, small: list[str]
) -> None:
    done = fer_audit("bench", *small, "--stages", "scan,decode,pack,embed")

    assert done.code == 0, done.err
    for words in ("scan", "decode", "pack", "bare model", "embed from pack", "embed from files"):
        assert words in done.out
    for words in ("cold / bare", "same vectors", "roofline", "What to set", "Not measured"):
        assert words in done.out
    assert CPU in done.out
    assert "drawing 8 faces of 48 x 48" in done.err
    assert max(map(len, done.out.splitlines())) <= 80


def test_stdout_is_json_and_nothing_else_when_json_is_asked_for(
    fer_audit: Call, small: list[str], faces: Path
) -> None:
    done = fer_audit("bench", faces, *small, "--stages", "scan", "--json", "--quiet")

    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["schema"] == "fer-audit/bench/1"
    assert document["sample"]["listed"] == 24
    assert [stage["stage"] for stage in document["stages"]] == ["scan"]


def test_autotune_remembers_and_shows_what_it_tried(
    fer_audit: Call, small: list[str], cache_dir: Path
) -> None:
    done = fer_audit("bench", *small, "--stages", "scan", "--autotune")

    assert done.code == 0, done.err
    assert "Settings tried" in done.out
    assert "are remembered in" in done.err
    assert len(read_tunings(cache_dir)) == 1


def test_an_unknown_stage_is_2_and_names_the_known_ones(fer_audit: Call, small: list[str]) -> None:
    done = fer_audit("bench", *small, "--stages", "scan,sacn")

    assert done.code == 2
    assert "'sacn'" in done.err
    assert all(stage in done.err for stage in STAGES)


def test_the_defaults_of_the_flags_are_those_of_the_library() -> None:
    defaults = BenchOptions()

    assert defaults.images == verb.IMAGES
    assert defaults.face_size == verb.FACE_SIZE
    assert defaults.repeats == verb.REPEATS
    assert defaults.rows == verb.ROWS
    assert defaults.budget_seconds == verb.BUDGET


@pytest.fixture
def tuned(tiny_model: ExportedModel, cache_dir: Path) -> Tuning:
    """Leave a tuning of the tiny model in the cache, with a batch that nobody would choose."""
    cache_dir.mkdir()
    tuning = Tuning(tuning_key(tiny_model, CPU), 1, 7, 100.0)
    remember_tuning(cache_dir, tuning)
    return tuning


@pytest.fixture
def brief(quick: list[str]) -> list[str]:
    """Give the options of `audit`, which writes a result and draws no page."""
    return [*quick, "--replay", "0", "--device", "cpu"]


def batch_of(done: Outcome) -> str:
    """Return the batch size as the result's settings have it; `audit` prints where the result lies."""
    assert done.code == 0, done.err
    document = json.loads(Path(done.out.strip()).read_text(encoding="utf-8"))
    batch: str = document["config"]["batch_size"]
    return batch


def test_a_run_reads_the_tuning_below_file_environment_and_flags(
    fer_audit: Call,
    faces: Path,
    brief: list[str],
    tuned: Tuning,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["audit", faces, *brief]

    plain = fer_audit(*words)
    assert batch_of(plain) == str(tuned.batch_size) == "7"
    assert "--batch-size 7, as bench --autotune found" in plain.err

    Path("fer-audit.toml").write_text("batch-size = 5\n")
    assert batch_of(fer_audit(*words)) == "5"

    monkeypatch.setenv("FER_AUDIT_AUDIT_BATCH_SIZE", "3")
    assert batch_of(fer_audit(*words)) == "3"

    assert batch_of(fer_audit(*words, "--batch-size", "2")) == "2"


def test_every_verb_that_embeds_reads_it(
    fer_audit: Call, faces: Path, places: list[str], tuned: Tuning
) -> None:
    for name in ("embed", "cluster", "bench"):
        words = ["--stages", "scan"] if name == "bench" else []
        where = places[:4] if name == "bench" else places

        done = fer_audit(name, faces, *where, *words, "--device", "cpu")

        assert done.code == 0, done.err
        assert f"--batch-size {tuned.batch_size}" in done.err, name


def test_quiet_does_not_tell_that_a_tuning_is_used(
    fer_audit: Call, faces: Path, places: list[str], tuned: Tuning
) -> None:
    assert tuned.threads == 1

    assert fer_audit("embed", faces, *places, "--device", "cpu", "--quiet").err == ""


def test_a_tuning_of_another_machine_is_ignored(
    fer_audit: Call, faces: Path, brief: list[str], tuned: Tuning, cache_dir: Path
) -> None:
    (cache_dir / TUNING).unlink()
    for change in ({"cpu": "Another"}, {"onnxruntime": "0.1"}, {"model_sha256": "0" * 64}):
        key = replace(tuned.key, **change)  # type: ignore[arg-type]  # one field at a time
        remember_tuning(cache_dir, replace(tuned, key=key))

    done = fer_audit("audit", faces, *brief)

    assert batch_of(done) == "16"
    assert "autotune" not in done.err


def test_a_damaged_tuning_is_told_and_ignored(
    fer_audit: Call, faces: Path, brief: list[str], cache_dir: Path
) -> None:
    cache_dir.mkdir()
    (cache_dir / TUNING).write_text("{")

    done = fer_audit("audit", faces, *brief)

    assert batch_of(done) == "16"
    assert "tuning ignored" in done.err
    assert "bench --autotune" in done.err


def test_a_model_that_cannot_be_used_is_the_verbs_to_tell(
    fer_audit: Call, faces: Path, tuned: Tuning, cache_dir: Path, tmp_path: Path
) -> None:
    assert tuned.batch_size == 7
    done = fer_audit(
        *("run", faces, "--model", tmp_path / "no.onnx", "--cache-dir", cache_dir),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 2
    assert "no sidecar" in done.err
