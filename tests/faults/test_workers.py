"""A decode process that dies, hangs or takes too long costs its file a row with a reason; the run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_faces
from tests.faults.conftest import clean_environment, command
from tests.pack.files import plain_png
from tests.processes import children, is_decoder, resident_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

N = 24
SLOW = "30_0_0_20170101000000000.png"
"""30 megapixels of half-transparent red: half a second of decoding, and 200 MB that show which process has it."""

HOLDS_THE_SLOW_ONE = 150_000_000
"""Bytes; a process at work on the drawn faces has 60 MB."""


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give 24 drawn faces and a file that keeps its decoder busy."""
    folder = draw_faces(tmp_path_factory.mktemp("slow") / "faces", N)
    (folder / SLOW).write_bytes(plain_png(5_500, 5_500, b"\xff\0\0\x80", colour=6))
    return folder


@pytest.fixture
def words(faces: Path, tiny_model: ExportedModel, tmp_path: Path) -> list[str]:
    """Give the run that is disturbed."""
    places = ("--cache-dir", tmp_path / "cache", "--out", tmp_path / "run")
    return command("embed", faces, "--model", tiny_model.path, *places)


def reasons(run: Path) -> dict[str, str]:
    """Return the reason of each failed file; the rows must be those of the folder, once each."""
    table = parquet.read_table(run / "rows.parquet").to_pydict()
    assert len(set(table["id"])) == len(table["id"]) == N + 1
    return {
        name: reason
        for name, ok, reason in zip(table["id"], table["ok"], table["reason"], strict=True)
        if not ok
    }


def finish(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=clean_environment(), capture_output=True, text=True, timeout=120, check=False
    )


def test_a_file_over_its_time_is_a_row_and_can_be_had_with_more_time(
    words: list[str], tmp_path: Path
) -> None:
    done = finish([*words, "--file-seconds", "0.2"])

    assert done.returncode == 4, done.stderr  # one of 25 is more than one in a hundred
    assert reasons(tmp_path / "run") == {SLOW: "timeout"}
    assert "1 file failed for a reason that may pass: timeout (1)" in done.stderr
    assert "--verify" in done.stderr

    again = finish([*words, "--verify"])

    assert again.returncode == 0, again.stderr
    assert reasons(tmp_path / "run") == {}


@pytest.mark.parametrize(("kills", "code"), [(1, 0), (2, 4)])
def test_a_process_that_is_killed_costs_no_file_once_and_its_own_twice(
    words: list[str], tmp_path: Path, kills: int, code: int
) -> None:
    with subprocess.Popen(
        words, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        killed = kill_decoders(process, kills)
        _, err = process.communicate(timeout=120)

    assert killed == kills
    assert process.returncode == code, err
    assert reasons(tmp_path / "run") == ({SLOW: "worker_crashed"} if code else {})
    assert "Traceback" not in err


def test_a_process_that_stands_still_is_replaced(words: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [*words, "--file-seconds", "5"],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert kill_decoders(process, 1, signal.SIGSTOP) == 1
        _, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert reasons(tmp_path / "run") == {}


def kill_decoders(
    process: subprocess.Popen[str], times: int, how: signal.Signals = signal.SIGKILL
) -> int:
    """Send a signal to each child that has the slow file in its hands, so many times."""
    hit: set[int] = set()
    until = time.monotonic() + 60
    while len(hit) < times and process.poll() is None and time.monotonic() < until:
        for pid in children(process.pid) - hit:
            if is_decoder(pid) and resident_bytes(pid) > HOLDS_THE_SLOW_ONE:
                os.kill(pid, how)
                hit.add(pid)
        time.sleep(0.002)
    return len(hit)
