"""The verb: what stands on stdout, and which options it takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_audit.bench.types import STAGES, BenchOptions
from fer_audit.cli import bench as verb
from fer_audit.embed.types import CPU
from fer_audit.encoders.types import ExportedModel
from tests.cli.conftest import Call


@pytest.fixture
def small(tiny_model: ExportedModel, cache_dir: Path) -> list[str]:
    """Give the options of a benchmark that takes half a second."""
    return [
        *("--model", str(tiny_model.path), "--cache-dir", str(cache_dir), "--device", "cpu"),
        *("--images", "8", "--repeats", "2"),
    ]


def test_the_table_names_every_stage_and_what_it_rests_on(
    fer_audit: Call, small: list[str]
) -> None:
    done = fer_audit("bench", *small, "--stages", "scan,pack,embed")

    assert done.code == 0, done.err
    for words in ("scan", "pack", "bare model", "embed from pack", "embed from files"):
        assert words in done.out
    for words in ("cold / bare", "same vectors", "Not measured"):
        assert words in done.out
    assert CPU in done.out
    assert "drawing 8 faces" in done.err
    assert max(map(len, done.out.splitlines())) <= 80


def test_stdout_is_json_and_nothing_else_when_json_is_asked_for(
    fer_audit: Call, small: list[str], faces: Path
) -> None:
    words = ["--images", "16", "--stages", "decode,embed", "--repeats", "3", "--json", "--quiet"]

    done = fer_audit("bench", faces, *small, *words)

    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert document["schema"] == "fer-audit/bench/3"
    assert (document["sample"]["listed"], document["sample"]["images"]) == (24, 16)
    stages = {stage["stage"]: stage for stage in document["stages"]}
    assert list(stages) == ["decode", "bare model", "embed from pack", "embed from files"]
    assert {stage["items"] for stage in stages.values()} == {16}
    assert len(stages["bare model"]["seconds"]) == 3
    assert [row["name"] for row in document["ratios"]] == ["embed / bare", "cold / bare"]


def test_an_unknown_stage_is_2_and_names_the_known_ones(fer_audit: Call, small: list[str]) -> None:
    done = fer_audit("bench", *small, "--stages", "scan,sacn")

    assert done.code == 2
    assert "'sacn'" in done.err
    assert all(stage in done.err for stage in STAGES)


def test_the_defaults_of_the_flags_are_those_of_the_library() -> None:
    defaults = BenchOptions()

    assert defaults.images == verb.IMAGES
    assert defaults.repeats == verb.REPEATS


def test_the_settings_file_knows_its_options_and_those_of_run(
    fer_audit: Call, small: list[str], faces: Path, places: list[str]
) -> None:
    Path("fer-audit.toml").write_text('repeats = 3\nstages = ["scan"]\nimages = 5\nk = 2\n')
    without_repeats = small[:6]

    done = fer_audit("bench", faces, *without_repeats, "--json", "--quiet")
    other = fer_audit("embed", faces, *places)

    document = json.loads(done.out)
    assert [stage["stage"] for stage in document["stages"]] == ["scan"]
    assert document["sample"]["images"] == 5
    assert other.code == 0, other.err
