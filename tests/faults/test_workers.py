"""A file that takes too long costs a row with a reason, and the run goes on; pack/test_workers.py kills and stops decoders."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_faces
from tests.faults.conftest import clean_environment, command
from tests.pack.files import plain_png

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

N = 24
SLOW = "30_0_0_20170101000000000.png"
"""30 megapixels of half-transparent red: half a second of decoding."""


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
