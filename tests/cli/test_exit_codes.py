"""The exit code tells the truth (I9): 2 usage and model, 3 input and disk, 4 too many failures, 5 locked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_audit.cli.app import COMMANDS
from fer_audit.embed.session import CUDA, available_providers
from fer_audit.store.locks import folder_lock
from tests.cli.conftest import Call
from tests.drawings import draw_face


@pytest.mark.parametrize(
    "words",
    [
        *(("walk",), ("run", "--no-such-option"), ("run", "--k", "four"), ("run", "--k", "0")),
        *(("run", "--sample", "0"), ("run", "--sample", "5", "--first", "5")),
        *(("run", "--confidence", "1.5"), ("run", "--age-bins", "old,young")),
        *(("run", "--age-bins", "9,3"), ("run", "--format", "zip"), ("run", "--max-errors", "2")),
        *(("run", "--group", "=x"), ("run", "--reference", "nowhere.json")),
        *(("run", "--batch-size", "0"), ("run", "--seed", "-1"), ("run", "--threads", "0")),
        *(("run", "--workers", "-1"), ("export", "--precision", "fp8")),
        *(("export", "--model", "vgg"), ("report",), ("report", "{run}", "--format", "md")),
        ("report", "{run}", "--table", "claims", "--json"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_says_what_is_wrong(
    fer_audit: Call, faces: Path, quick: list[str], kept_run: Path, words: tuple[str, ...]
) -> None:
    rest = [str(faces), *quick] if words[0] == "run" else []
    words = tuple(str(kept_run) if word == "{run}" else word for word in words)

    done = fer_audit(*words, *rest)

    assert done.code == 2
    assert done.err.strip()
    assert done.out == ""


def test_a_missing_or_empty_folder_and_a_file_that_is_no_table_are_3(
    fer_audit: Call, tmp_path: Path, places: list[str], run_dir: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no image")
    draw_face(0).save(tmp_path / "no-table.jpg")

    for name in ("nowhere", "empty", "notes", "no-table.jpg"):
        done = fer_audit("run", tmp_path / name, *places)
        assert done.code == 3, name
        assert done.out == ""
    assert not run_dir.exists(), "nothing is made before there is something to audit"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("vgg", "no model named 'vgg'"),
        ("resnet50-random,vgg", "no model named 'vgg'"),
        ("resnet50-random,fer-mini", "gives classes and no embedding"),
    ],
)
def test_a_model_that_cannot_embed_is_2_before_anything_is_made(
    fer_audit: Call, faces: Path, places: list[str], run_dir: Path, model: str, words: str
) -> None:
    done = fer_audit("run", faces, *places, "--model", model)

    assert done.code == 2
    assert words in done.err
    assert not run_dir.exists()


def test_a_folder_of_other_images_is_no_run_directory(
    fer_audit: Call, faces: Path, quick: list[str], tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    draw_face(0).save(others / "face.jpg")

    done = fer_audit("run", faces, *quick, "--out", others)

    assert done.code == 2
    assert "is no run directory, and holds images such as face.jpg" in done.err
    assert [path.name for path in others.iterdir()] == ["face.jpg"]


def test_more_failed_images_than_accepted_is_4_and_the_report_is_there_all_the_same(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    (faces / "30_1_2_20170116174525125.jpg.chip.jpg").write_bytes(b"")

    strict = fer_audit("run", faces, *quick, "--json")
    assert strict.code == 4
    assert "1 of 25 images failed" in strict.err
    assert json.loads(strict.out)["dataset"]["failed"] == 1
    assert (run_dir / "DONE.json").exists()

    assert fer_audit("audit", faces, *quick, "--max-errors", "0.05").code == 0
    assert fer_audit("audit", faces, *quick).code == 4


@pytest.mark.skipif(CUDA in available_providers(), reason="this machine has CUDA")
def test_cuda_without_cuda_is_2_and_nothing_is_embedded(
    fer_audit: Call, faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("run", faces, *quick, "--device", "cuda")

    assert done.code == 2
    assert "has no CUDA provider" in done.err
    assert not (run_dir / "embeddings.npy").exists()


def test_a_locked_run_directory_is_5_at_once(
    fer_audit: Call, faces: Path, places: list[str], run_dir: Path
) -> None:
    run_dir.mkdir()

    with folder_lock(run_dir, wait_seconds=0):
        done = fer_audit("run", faces, *places)

    assert done.code == 5
    assert "Another fer-audit process is working in" in done.err


def test_an_out_or_cache_inside_the_dataset_is_2_and_nothing_is_made_there(
    fer_audit: Call, faces: Path, places: list[str]
) -> None:
    """The input tree is read-only (I5), also for pixels and vectors."""
    before = sorted(faces.iterdir())
    alias = faces.with_name("alias")
    alias.symlink_to(faces)

    for inside in (faces, faces / "run", faces / ".." / "faces" / "run", alias / "run"):
        done = fer_audit("run", faces, *places, "--out", inside)
        assert done.code == 2
        assert "lies inside the dataset" in done.err
    assert fer_audit("run", faces, *places, "--cache-dir", faces / "cache").code == 2

    assert sorted(faces.iterdir()) == before


def test_an_out_or_cache_that_cannot_be_made_is_3_before_any_work(
    fer_audit: Call, faces: Path, places: list[str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("I was here first")

    for option in ("--out", "--cache-dir"):
        for place in (tmp_path / "taken", tmp_path / "taken" / "deeper"):
            done = fer_audit("run", faces, *places, option, place)
            assert done.code == 3
            assert "Cannot make the folder" in done.err
            assert "embed:" not in done.err
    assert (tmp_path / "taken").read_text() == "I was here first"
    assert fer_audit("run", faces, *places, "--out", "/proc/self/run").code == 3


def test_a_report_of_what_is_no_run_is_3(fer_audit: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "garbage").mkdir()
    (tmp_path / "garbage" / "result.json").write_text("{]")

    for name in ("nowhere", "empty", "garbage"):
        done = fer_audit("report", tmp_path / name)
        assert done.code == 3, name
        assert done.err.startswith("fer-audit: ")
        assert done.out == ""


@pytest.mark.parametrize("verb", [*COMMANDS, ""])
def test_an_error_is_one_or_two_lines_and_never_a_traceback(fer_audit: Call, verb: str) -> None:
    done = fer_audit(*verb.split(), "--no-such-option")

    assert done.code == 2
    assert len(done.err.splitlines()) <= 5


def test_every_verb_counts_the_failed_images(
    fer_audit: Call, faces: Path, quick: list[str], places: list[str]
) -> None:
    """--max-errors means the same for embed and cluster as for run."""
    (faces / "1_0_0_20170109150557335.jpg").write_bytes(b"")

    for verb in ("embed", "cluster", "audit"):
        assert fer_audit(verb, faces, *places, "--max-errors", "0").code == 4, verb


def test_a_rule_is_told_when_it_is_crossed_and_when_it_cannot_be_judged(
    fer_audit: Call, faces: Path, quick: list[str]
) -> None:
    (faces / "1_0_0_20170109150557335.jpg").write_bytes(b"")
    rules = ["--fail-on", "dataset.failed>0", "--fail-on", "race.homophily_gain>0.99"]

    crossed = fer_audit("audit", faces, *quick, *rules, "--max-errors", "1")
    broken = fer_audit("audit", faces, *quick, *rules, "--max-errors", "0")

    assert (crossed.code, broken.code) == (1, 4)
    for done in (crossed, broken):
        assert "crossed: dataset.failed>0 (it is 1)" in done.err
