"""Clocks that step back, and terminals that are narrow, dumb, colourless, half closed or gone."""

from __future__ import annotations

import fcntl
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conftest import SLOW, Kept, Program, clean_environment, command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and clocks of POSIX")

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")
COLOURED = re.compile(r"(^|;)(3[0-8]|4[0-8]|9[0-7])")


def durations(run_dir: Path) -> list[float]:
    timings = json.loads((run_dir / "timings.json").read_text(encoding="utf-8"))
    return [each["seconds"] for each in timings]


@pytest.mark.skipif(not FAKETIME, reason="needs libfaketime (Debian: libfaketime)")
def test_a_clock_that_steps_back_five_days_in_mid_run_changes_nothing(
    kept: Kept, tmp_path: Path, run_dir: Path, cache_dir: Path
) -> None:
    """The clock of the day steps as NTP steps it; the monotonic one goes on."""
    clock = tmp_path / "clock"
    clock.write_text("+0d\n")
    environment = {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
        "NO_FAKE_STAT": "1",
    }
    # a run that was begun tomorrow is continued today
    for shift in ("+1d\n", "-5d\n"):
        process = subprocess.Popen(
            command(*kept.words(run_dir, cache_dir)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=clean_environment(**environment),
        )
        assert process.stderr is not None
        heard = ""
        while line := process.stderr.readline():
            heard += line
            if "embed: " in line:
                # in one step: a clock that is read while it is being written is none
                (tmp_path / "next").write_text(shift)
                (tmp_path / "next").replace(clock)
        assert process.wait() == 0, heard
        process.stderr.close()
        assert kept.wrong(run_dir) == []
        assert min(durations(run_dir)) >= 0
        (run_dir / "DONE.json").unlink()


@pytest.mark.parametrize(
    ("columns", "environment"),
    [
        (80, {"TERM": "xterm-256color"}),
        (80, {"TERM": "xterm", "COLUMNS": "20"}),
        pytest.param(1, {"TERM": "xterm"}, marks=SLOW),
        (0, {"TERM": "xterm"}),
        (80, {"TERM": "xterm", "NO_COLOR": "1"}),
        (80, {"TERM": "dumb"}),
    ],
    ids=str,
)
def test_every_terminal_gets_a_whole_run_and_its_cursor_back(
    kept: Kept, columns: int, environment: dict[str, str], run_dir: Path, cache_dir: Path
) -> None:
    text = kept.crowd.show(*kept.words(run_dir, cache_dir), columns=columns, env=environment)
    text += kept.crowd.show("report", kept.folder, "--full", columns=columns, env=environment)

    codes = ESCAPE.findall(text)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h"), "a hidden cursor is shown again"
    if environment["TERM"] == "dumb":
        assert "\x1b" not in text
    else:
        assert text.count("\x1b[?25l") == 1, "the bars of the audit"
    if "NO_COLOR" in environment:
        assert not [code for code, kind in codes if kind == "m" and COLOURED.search(code)]
    words = re.sub(r"\s", "", ESCAPE.sub("", text))
    assert "pixelskeptforthenextrun" in words
    assert kept.wrong(run_dir) == []


def test_without_a_terminal_there_is_no_escape_at_all(
    kept: Kept, run_dir: Path, cache_dir: Path
) -> None:
    """TERM promises colours, and nobody is there to see them."""
    promised = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    run = kept.crowd.start(*kept.words(run_dir, cache_dir), env=promised)
    ended = kept.crowd.wait(run)
    report = kept.crowd.wait(kept.crowd.start("report", kept.folder, "--full", env=promised))

    assert (ended.code, report.code) == (0, 0)
    assert "\x1b" not in ended.out + ended.err + report.out + report.err
    assert "embed: 40 images" in ended.err


def _closed(*numbers: int) -> Callable[[], None]:
    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


@pytest.mark.parametrize("closed", [pytest.param((1,), marks=SLOW), (0, 1, 2)], ids=str)
def test_with_streams_that_the_shell_closed_a_run_ends_well_in_the_right_bytes(
    kept: Kept, closed: tuple[int, ...], run_dir: Path, cache_dir: Path
) -> None:
    """`>&-`, and all three: the next files that are opened get their numbers."""
    done = subprocess.run(
        command(*kept.words(run_dir, cache_dir)),
        env=clean_environment(),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=_closed(*closed),
    )

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Errno" not in done.stdout + done.stderr
    assert kept.wrong(run_dir) == []


@pytest.mark.parametrize("more", ["--full", pytest.param("--json", marks=SLOW)], ids=str)
def test_a_reader_that_goes_away_after_one_line_ends_the_program_quietly(
    kept: Kept, more: str
) -> None:
    """`fer-audit report RUN --full | head -1`, through a pipe that holds one page: the rest meets a closed one."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(
        command("report", kept.folder, more),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    os.close(writer)

    first = os.read(reader, 1)
    os.close(reader)
    assert process.stderr is not None
    said = process.stderr.read()

    assert first
    assert process.wait(60) in {0, 141}, "1 would say that a rule was crossed"
    process.stderr.close()
    assert said == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_into_a_full_disk_is_one_line_and_exit_3(program: Program) -> None:
    """`fer-audit doctor > log` where the disk is full: 1 would say that a rule was crossed."""
    words = ("sh", "-c", 'exec "$@" > /dev/full', "sh")

    done = program("models", "--json", before=words)

    assert done.returncode == 3, done.stderr
    assert done.stderr.count("\n") == 1
    assert "No space left on device" in done.stderr
