"""Ctrl-C and SIGTERM: the words within a second, the code that tells which, and nothing left running."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fer_audit.encoders.types import ExportedModel
from tests.drawings import draw_faces
from tests.faults.conftest import QUICK, SLOW, clean_environment
from tests.graphs import convolution_graph, save
from tests.processes import session, wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

N = 96
"""Faces: three batches, each of which keeps the model's thread in C for seconds."""

_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "sys.argv[0] = 'fer-audit'; from fer_audit.cli import main; main()"
)
"""With the signals as a terminal gives them: a test's children may be born with them ignored."""


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give a run whose every batch takes two seconds or more."""
    place = tmp_path_factory.mktemp("slow")
    model: ExportedModel = save(convolution_graph(800), place / "slow.onnx", dim=800)
    faces = draw_faces(place / "faces", N)
    places = ("--cache-dir", place / "cache", "--out", place / "run", "--model", model.path)
    return ["run", str(faces), *map(str, places), *QUICK]


@contextmanager
def running(words: list[str], stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """Give the program as the leader of its own group, as a shell starts it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *words],
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=clean_environment(TERM="xterm"),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Screen:
    """What a process says on a pipe or a terminal."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.text = b""

    def wait_for(self, word: bytes, seconds: float = 60) -> float:
        """Read until a word has come; return how long it took."""
        began = time.monotonic()
        seen = len(self.text)
        while word not in self.text[seen:]:
            assert time.monotonic() - began < seconds, self.text
            more = self.more()
            assert more, self.text
        return time.monotonic() - began

    def more(self) -> bytes:
        try:
            more = os.read(self._handle, 65536)
        except OSError:  # the other end of a terminal is closed
            more = b""
        self.text += more
        return more

    def to_the_end(self) -> None:
        while self.more():
            pass


@pytest.fixture
def screen() -> Iterator[tuple[Screen, int]]:
    """Give a pipe: what is read from it, and the end to write to."""
    reader, writer = os.pipe()
    yield Screen(reader), writer
    os.close(reader)


def in_a_batch(screen: Screen) -> None:
    """Wait until the model is at work."""
    screen.wait_for(b"embed: 96 images")
    time.sleep(1.0)


@pytest.mark.parametrize(
    ("number", "said", "code"),
    [
        (signal.SIGINT, b"interrupted", 130),
        (signal.SIGTERM, b"terminated", 143),
        (signal.SIGHUP, b"its terminal was closed", 129),
    ],
)
def test_the_words_come_within_a_second_while_the_model_works(
    words: list[str], screen: tuple[Screen, int], number: signal.Signals, said: bytes, code: int
) -> None:
    shown, writer = screen
    with running(words, writer) as process:
        os.close(writer)
        in_a_batch(shown)

        process.send_signal(number)
        waited = shown.wait_for(b"fer-audit: " + said + b"; run the same command to continue")

        assert waited < 1
        assert process.wait(20) == code
        shown.to_the_end()
        assert b"Traceback" not in shown.text
        assert shown.text.count(b"run the same command") == 1
        run_dir = Path(words[words.index("--out") + 1])
        assert not {"DONE.json", "result.json"} & {path.name for path in run_dir.iterdir()}
        wait_until(lambda: not session(process.pid), 10)


@pytest.mark.core
def test_a_second_ctrl_c_ends_the_run_at_once(
    words: list[str], screen: tuple[Screen, int]
) -> None:
    shown, writer = screen
    with running(words, writer) as process:
        os.close(writer)
        in_a_batch(shown)
        os.killpg(process.pid, signal.SIGINT)  # the whole group, as a terminal does
        shown.wait_for(b"interrupted")

        os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()

        assert process.wait(20) == 130
        assert time.monotonic() - began < 1
        wait_until(lambda: not session(process.pid), 10)


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW)])
def test_a_terminal_gets_its_cursor_back(words: list[str], number: signal.Signals) -> None:
    ours, theirs = pty.openpty()
    shown = Screen(ours)
    with running(words, theirs) as process:
        os.close(theirs)
        shown.wait_for(b" of 96")
        time.sleep(0.5)

        process.send_signal(number)
        shown.wait_for(b"run the same command to continue")
        process.wait(20)
        shown.to_the_end()
    os.close(ours)

    hidden, again = shown.text.rfind(b"\x1b[?25l"), shown.text.rfind(b"\x1b[?25h")
    assert 0 <= hidden < again
