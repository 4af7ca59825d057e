"""Narrow, dumb, colourless and closed terminals, and file names that attack them."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.cli.conftest import Call
from tests.drawings import draw_face, utkface_name

HOSTILE = [
    '"><script>alert(1)<_script>.jpg',
    "=cmd('calc').jpg",
    "+1+1.jpg",
    "@SUM(A1).jpg",
    "{{7*7}}.jpg",
    "[bold red]x[_bold red].jpg",
    "\x1b[31mred\x1b[0m.jpg",
    "\x1b]0;title\x07.jpg",
    "line\nbreak.jpg",
    "tab\tand,comma;quote'\".jpg",
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "\U0001f600.jpg",
    "\u202egpj.exe.jpg",
    "bad\udcff\udcfe.jpg",
    "-rf.jpg",
    "$(touch pwned).jpg",
    "%s%n{0}.jpg",
    " .jpg",
]


@pytest.fixture
def hostile_faces(tmp_path: Path) -> Path:
    """Give class folders whose files have the names that TRUST.md lists, one folder named so itself."""
    root = tmp_path / "faces"
    for i, name in enumerate(HOSTILE):
        folder = root / ("happy" if i % 2 else "sad\x1b[5m[red]")
        folder.mkdir(parents=True, exist_ok=True)
        draw_face(i).save(folder / name, "JPEG")
    (root / "happy" / "broken\x1b[31m\n.jpg").write_bytes(b"")
    return root


def test_hostile_names_are_all_processed_and_reach_no_terminal(
    fer_audit: Call, hostile_faces: Path, quick: list[str], run_dir: Path
) -> None:
    done = fer_audit("run", hostile_faces, *quick, "--csv", "--max-errors", "1")

    assert done.code == 0, done.err
    for text in (done.out, done.err):
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
    table = parquet.read_table(run_dir / "rows.parquet")
    assert table.num_rows == len(HOSTILE) + 1
    assert sum(table["ok"].to_pylist()) == len(HOSTILE)
    ids = set(table["id"].to_pylist())
    assert sum(name.endswith("caf\u00e9.jpg") for name in ids) == 1
    assert sum(name.endswith("cafe\u0301.jpg") for name in ids) == 1
    json.loads((run_dir / "result.json").read_text(encoding="utf-8"))
    assert not list(Path.cwd().glob("pwned*"))
    with (run_dir / "rows.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+@\t\r\n")]


def test_hostile_names_at_the_top_are_guarded_in_csv(
    fer_audit: Call, tmp_path: Path, quick: list[str], run_dir: Path
) -> None:
    root = tmp_path / "faces"
    root.mkdir()
    for i, name in enumerate(HOSTILE):
        draw_face(i).save(root / name, "JPEG")

    assert fer_audit("run", root, *quick, "--csv", "--k", "2").code == 0

    with (run_dir / "rows.csv").open(encoding="utf-8", newline="") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    assert len(ids) == len(HOSTILE)
    assert not [name for name in ids if name[:1] in set("=+-@\t\r\n")]


@pytest.mark.parametrize(
    "environment",
    [{"COLUMNS": "20"}, {"COLUMNS": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"TERM": ""}],
    ids=str,
)
def test_odd_terminals_get_the_report_without_escapes(
    fer_audit: Call,
    faces: Path,
    quick: list[str],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    done = fer_audit("run", faces, *quick)

    assert done.code == 0
    assert done.out.strip()
    assert "\x1b" not in done.out + done.err


def program(*words: str | Path, interruptible: bool = False) -> list[str]:
    """Return the command line of a process of its own."""
    reset = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = (reset if interruptible else "") + "from fer_audit.cli import main; main()"
    return [sys.executable, "-c", code, *map(str, words)]


def test_a_reader_that_goes_away_ends_the_program_quietly(tmp_path: Path) -> None:
    """`fer-audit models --json | head -0`."""
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        program("models", "--json", "--models-dir", tmp_path),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert done.stderr == ""
    assert done.returncode in {0, 141}, "1 would say that a --fail-on rule was crossed"


def test_a_closed_stdout_does_not_hurt_a_run(faces: Path, quick: list[str], run_dir: Path) -> None:
    """`fer-audit run ... >&-`: nobody hears the report, the run directory is whole."""
    command = program("run", faces, *quick, "--quiet")

    done = subprocess.run(
        command,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=lambda: os.close(1),
    )

    assert "Traceback" not in done.stderr
    assert (run_dir / "DONE.json").exists()


@pytest.fixture
def large_faces(tmp_path: Path) -> Path:
    """Give 1,200 names of one picture that takes long to decode: work enough to be interrupted in."""
    root = tmp_path / "large"
    root.mkdir()
    draw_face(0, side=1000).save(tmp_path / "one.jpg")
    for i in range(1200):
        os.link(tmp_path / "one.jpg", root / utkface_name(i))
    return root


@pytest.fixture
def embedding(large_faces: Path, quick: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Give a process that is in the middle of embedding."""
    command = program("run", large_faces, *quick, interruptible=True)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while "embed: 1,200 images" not in process.stderr.readline():
            assert process.poll() is None
        yield process
        process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_says_so_at_once_and_how_to_go_on(
    embedding: subprocess.Popen[str], run_dir: Path, number: signal.Signals, code: int
) -> None:
    time.sleep(0.3)

    asked = time.monotonic()
    embedding.send_signal(number)
    out, err = embedding.communicate(timeout=20)

    assert time.monotonic() - asked < 3, "1 s on a machine of one's own"
    assert embedding.returncode == code
    assert "run the same command to continue" in err
    assert "Traceback" not in err
    assert out == ""
    assert not (run_dir / "DONE.json").exists()
    assert not (run_dir / "result.json").exists()
