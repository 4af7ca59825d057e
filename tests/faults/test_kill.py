"""Killed at any point, a run ends in the bytes of one that was not (I1), and nothing half is ever visible (I3), also to a power cut."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_audit.encoders.types import ExportedModel
from fer_audit.report.files.document import read_result
from fer_audit.report.files.pictures import read_pictures
from fer_audit.report.files.timings import read_timings
from fer_audit.report.report import report_page
from tests.drawings import draw_faces
from tests.faults.conftest import Program, clean_environment, command
from tests.faults.kills import ALL, RANDOM_KILLS, START, all_workers_end, draw_classes

SAME = ("embeddings.npy", "rows.parquet", "result.json", "pictures.json")
"""Files that hold no time."""


@pytest.fixture(scope="module")
def killed(tiny_model: ExportedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of three runs: undisturbed, killed at every step, and killed at random; then continued."""
    folder = tmp_path_factory.mktemp("killed")
    faces = draw_classes(folder / "faces")
    (faces / "a" / "empty.jpg").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "-c", START, str(faces), str(tiny_model.path), str(folder)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "facts.json").write_text(done.stdout.splitlines()[-1])
    return folder


@pytest.fixture
def facts(killed: Path) -> dict[str, Any]:
    """Give what the driver counted."""
    found: dict[str, Any] = json.loads((killed / "facts.json").read_text())
    return found


def test_every_step_of_a_run_was_reached_and_killed(facts: dict[str, Any]) -> None:
    """Steps are renames to a final name, and removals.

    The driver looked for half files after each kill (I3), and counted that at most the vectors of one shard were lost.
    """
    assert facts["steps"] > 60
    assert facts["kills"] > (60 if ALL else 30)
    assert facts["missed"] == []
    assert facts["random"] == RANDOM_KILLS


@pytest.mark.parametrize("name", ["steps", "random"])
def test_a_killed_run_ends_in_the_bytes_of_one_that_was_not(killed: Path, name: str) -> None:
    run, straight = killed / name / "run", killed / "straight" / "run"

    assert {
        file: (run / file).read_bytes() == (straight / file).read_bytes() for file in SAME
    } == (dict.fromkeys(SAME, True))
    # Pages differ in their timings; each is the one its JSON files give.
    assert (run / "report.html").read_text(encoding="utf-8") == report_page(
        read_result(run / "result.json"),
        read_pictures(run / "pictures.json"),
        read_timings(run / "timings.json"),
    )


@pytest.mark.parametrize("name", ["steps", "random"])
def test_a_killed_run_leaves_the_files_of_one_that_was_not(killed: Path, name: str) -> None:
    """No shard, no array without its manifest, no temporary file."""

    def listing(place: str) -> list[str]:
        files = [path for path in (killed / place).rglob("*") if path.is_file()]
        return sorted(
            str(path.relative_to(killed / place)) for path in files if path.suffix != ".txt"
        )

    assert listing(name) == listing("straight")


def test_no_temporary_file_and_no_decoder_outlives_the_kills(facts: dict[str, Any]) -> None:
    assert facts["left"] == []
    assert facts["workers_end"]


@pytest.mark.core
def test_the_program_killed_after_its_first_shard_goes_on_behind_it(
    program: Program, quick: tuple[str, ...], tmp_path: Path, cache_dir: Path, run_dir: Path
) -> None:
    """Whole interpreters and shards of the real size: what was embedded before the kill is not embedded again."""
    faces = draw_faces(tmp_path / "many", 600, side=32)
    words = ("embed", str(faces), *quick[:6])
    with subprocess.Popen(
        command(*words),
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until = time.monotonic() + 100
        while not list(cache_dir.glob("embed/*/vectors-00000.json")):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < until
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)

    assert process.returncode == -signal.SIGKILL
    assert all_workers_end(tmp_path)
    again = program(*words)

    assert again.returncode == 0, again.stderr
    assert "done before" in again.stderr
    assert len(np.load(run_dir / "embeddings.npy", allow_pickle=False)) == 600
    assert not list(tmp_path.rglob(".tmp-*"))


WRITE_A_PART = """
import sys
from pathlib import Path
import numpy as np
from fer_audit.store.stage import StageFolder

folder = StageFolder.open(Path(sys.argv[1]), "pack", "f" * 64)
folder.write_part("p", {"n": 3}, a=np.arange(3), b=np.arange(4))
"""

_CALL = re.compile(r"(fsync|fdatasync|rename\w*)\((.*)\)\s+= 0")
_NAME = re.compile(r"[^/\"<>]*\.(?:npy|json)")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.core
def test_bytes_then_name_then_folder_and_the_manifest_last(tmp_path: Path) -> None:
    """A power cut between any two of these leaves a whole part, or none that is believed."""
    log = tmp_path / "calls"
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    trace: list[str | Path] = ["strace", "-f", "-y", "-o", log, "-e", calls]

    command = [*trace, sys.executable, "-c", WRITE_A_PART, tmp_path / "cache"]
    subprocess.run(command, check=True, timeout=120)

    steps: list[str] = []
    for line in log.read_text().splitlines():
        found = _CALL.search(line)
        if found is None:
            continue
        call, words = found.groups()
        if call.startswith("rename"):
            steps.append(f"name {_NAME.findall(words)[-1]}")
        else:
            steps.append("bytes" if ".tmp-" in words else "folder")
    each = [["bytes", f"name {name}", "folder"] for name in ("p.a.npy", "p.b.npy", "p.json")]
    assert steps == [step for file in each for step in file]
