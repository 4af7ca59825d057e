"""The verb: what stands on stdout, and who reads what --autotune remembered."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fer_audit.bench import roofline
from fer_audit.bench.options import STAGES, BenchOptions
from fer_audit.bench.tuning import TUNING, Tuning, read_tunings, remember_tuning, tuning_key
from fer_audit.cli import bench as verb
from fer_audit.embed.session import EmbedSession, open_sessions
from fer_audit.embed.types import CPU
from fer_audit.encoders.types import ExportedModel
from fer_audit.pipeline import vectors
from tests.cli.conftest import Call, Outcome


@pytest.fixture(autouse=True)
def low_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Multiply small matrices: the real ones take seconds."""
    monkeypatch.setattr(roofline, "SIDE", 128)


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
    assert "threads are remembered in" in done.err
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
    """Leave a tuning of the tiny model in the cache, with threads that nobody would choose."""
    cache_dir.mkdir()
    tuning = Tuning(tuning_key(tiny_model, "fp32", CPU), 7, 100.0)
    remember_tuning(cache_dir, tuning)
    return tuning


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Give the list that every model loaded by a run adds its threads to."""
    found: list[int | None] = []

    def listening(
        *args: Any,  # noqa: ANN401 - as it is called
        threads: int | None = None,
        **options: Any,  # noqa: ANN401 - as it is called
    ) -> list[EmbedSession]:
        found.append(threads)
        return open_sessions(*args, threads=threads, **options)

    monkeypatch.setattr(vectors, "open_sessions", listening)
    return found


def embedded_anew(done: Outcome, asked: list[int | None], cache_dir: Path) -> int | None:
    """Return the threads of the run that just ended, and forget its vectors."""
    assert done.code == 0, done.err
    shutil.rmtree(cache_dir / "embed")
    (threads,) = asked
    asked.clear()
    return threads


def test_a_run_reads_the_tuning_below_file_environment_and_flags(
    fer_audit: Call,
    faces: Path,
    places: list[str],
    tuned: Tuning,
    cache_dir: Path,
    asked: list[int | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["embed", faces, *places, "--device", "cpu"]

    def threads(*more: str) -> int | None:
        return embedded_anew(fer_audit(*words, *more), asked, cache_dir)

    assert threads() == tuned.threads == 7

    Path("fer-audit.toml").write_text("threads = 1\n")
    assert threads() == 1

    monkeypatch.setenv("FER_AUDIT_EMBED_THREADS", "2")
    assert threads() == 2

    assert threads("--threads", "3") == 3


def test_every_verb_that_embeds_reads_it(
    fer_audit: Call, faces: Path, places: list[str], tuned: Tuning
) -> None:
    for name in ("embed", "cluster", "bench"):
        words = ["--stages", "scan"] if name == "bench" else []
        where = places[:4] if name == "bench" else places

        done = fer_audit(name, faces, *where, *words, "--device", "cpu")

        assert done.code == 0, done.err
        assert f"--threads {tuned.threads}, as bench --autotune found" in done.err, name


def test_a_tuning_embeds_nothing_anew(
    fer_audit: Call,
    faces: Path,
    places: list[str],
    tiny_model: ExportedModel,
    cache_dir: Path,
    asked: list[int | None],
) -> None:
    """Threads change no bit, so they are no part of what the vectors are named by."""
    words = ["embed", faces, *places, "--device", "cpu"]
    assert fer_audit(*words).code == 0
    remember_tuning(cache_dir, Tuning(tuning_key(tiny_model, "fp32", CPU), 7, 100.0))

    done = fer_audit(*words)

    assert "--threads 7" in done.err
    assert asked == [None], "the model was loaded once"


def test_threads_found_for_int8_hold_for_every_int8_model_of_the_network(
    fer_audit: Call, faces: Path, places: list[str], tuned: Tuning, cache_dir: Path
) -> None:
    """They are read before the model of this set is made; 24 faces are too few to make it from."""
    key = replace(tuned.key, precision="int8")
    remember_tuning(cache_dir, replace(tuned, key=key, threads=5))

    done = fer_audit("embed", faces, *places, "--device", "cpu", "--precision", "int8")

    assert "--threads 5, as bench --autotune found" in done.err
    assert done.code == 3
    assert "int8 is calibrated" in done.err


def test_quiet_does_not_tell_that_a_tuning_is_used(
    fer_audit: Call, faces: Path, places: list[str], tuned: Tuning, asked: list[int | None]
) -> None:
    assert fer_audit("embed", faces, *places, "--device", "cpu", "--quiet").err == ""

    assert asked == [tuned.threads]


def test_a_tuning_of_another_machine_is_ignored(
    fer_audit: Call,
    faces: Path,
    places: list[str],
    tuned: Tuning,
    cache_dir: Path,
    asked: list[int | None],
) -> None:
    (cache_dir / TUNING).unlink()
    for change in ({"cpu": "Another"}, {"onnxruntime": "0.1"}, {"source_sha256": "0" * 64}):
        key = replace(tuned.key, **change)  # type: ignore[arg-type]  # one field at a time
        remember_tuning(cache_dir, replace(tuned, key=key))

    done = fer_audit("embed", faces, *places, "--device", "cpu")

    assert (done.code, asked) == (0, [None])
    assert "autotune" not in done.err


def test_a_damaged_tuning_is_told_and_ignored(
    fer_audit: Call, faces: Path, places: list[str], cache_dir: Path, asked: list[int | None]
) -> None:
    cache_dir.mkdir()
    (cache_dir / TUNING).write_text("{")

    done = fer_audit("embed", faces, *places, "--device", "cpu")

    assert (done.code, asked) == (0, [None])
    assert "tuning ignored" in done.err
    assert "bench --autotune" in done.err


def test_a_model_that_cannot_be_used_is_the_verbs_to_tell(
    fer_audit: Call, faces: Path, tuned: Tuning, cache_dir: Path, tmp_path: Path
) -> None:
    assert (cache_dir / TUNING).exists()
    done = fer_audit(
        *("run", faces, "--model", tmp_path / "no.onnx", "--cache-dir", cache_dir),
        *("--out", tmp_path / "out"),
    )

    assert done.code == 2
    assert "no sidecar" in done.err
    assert f"--threads {tuned.threads}" not in done.err


def test_the_settings_file_knows_its_options_and_those_of_run(
    fer_audit: Call, small: list[str], faces: Path, places: list[str]
) -> None:
    Path("fer-audit.toml").write_text(
        'repeats = 3\nbudget = 0.0\nstages = ["scan"]\nimages = 5\nk = 2\n'
    )
    without_repeats = [*small[:6], *small[10:]]

    done = fer_audit("bench", faces, *without_repeats, "--json", "--quiet")
    other = fer_audit("embed", faces, *places)

    document = json.loads(done.out)
    assert [stage["stage"] for stage in document["stages"]] == ["scan"]
    assert document["sample"]["images"] == 5
    assert other.code == 0, other.err


def test_several_devices_are_2_before_anything_is_drawn(
    fer_audit: Call, cache_dir: Path, tiny_model: ExportedModel
) -> None:
    words = ["--model", tiny_model.path, "--cache-dir", cache_dir, "--device", "cuda:0,1"]

    done = fer_audit("bench", *words)

    assert done.code == 2
    assert "bench measures one device" in done.err
    assert "drawing" not in done.err
