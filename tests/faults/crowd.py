"""Runs of the program, one or many at once: each is a process of its own, forked from one that has paid for the imports.

A fresh interpreter spends two seconds on imports before it reaches the first lock. Twenty of those on two cores come one
after another; twenty forks come together.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.conftest import clean_environment
from tests.known import known

SHARD_ROWS = 16
"""Rows of a shard in a crowd: a few dozen images already make several."""

EVERYTHING = """
import filelock, onnx, onnxruntime, pyarrow.pandas_compat, pyarrow.parquet, rich.progress, scipy.stats, sklearn.cluster
import fer_audit.audit.findings, fer_audit.audit.run, fer_audit.cli.console, fer_audit.cli.run
import fer_audit.pipeline
"""
"""What a whole run imports."""

_PARENT = """
import gc, json, os, signal, statistics, sys, traceback

import fer_audit.pack.types
fer_audit.pack.types.SHARD_ROWS = int(sys.argv[1])
exec(sys.argv[2])
from fer_audit.cli import main

gc.freeze()  # the forks share what they do not touch

def become(words, path, more, terminal, here):
    os.environ.update(more)
    os.chdir(here)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    files = [terminal] * 3 if terminal else [os.devnull, path + ".out", path + ".err"]
    for number, name in enumerate(files):
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin = open(0, closefd=False)
    sys.argv = ["fer-audit", *words]

print("ready", flush=True)
while line := sys.stdin.readline():
    verb, *words = json.loads(line)
    if verb == "start":
        answer = os.fork()
        if not answer:
            become(*words)
            try:
                main()
            except SystemExit as exc:
                code = exc.code
            except BaseException:
                traceback.print_exc()
                code = 70
            if "onnxruntime" in sys.modules:
                open(words[1] + ".runtime", "w").close()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # what libraries do at an interpreter's end can wait for threads that a fork has not got
    else:
        answer = os.waitstatus_to_exitcode(os.waitpid(words[0], 0)[1])
    print(answer, flush=True)
"""


class _Screen:
    """A terminal of so many columns, and all that was written to it."""

    def __init__(self, columns: int) -> None:
        self._master, slave = pty.openpty()
        self.name = os.ttyname(slave)
        self._slave = slave
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self._read = b""
        self._thread = threading.Thread(target=self._drain)
        self._thread.start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):  # EIO: nobody holds the other end any more
            while data := os.read(self._master, 1 << 16):
                self._read += data

    def text(self) -> str:
        """Close the terminal and return what it was told."""
        os.close(self._slave)
        self._thread.join(10)
        os.close(self._master)
        return self._read.decode()


@dataclass(frozen=True)
class Ended:
    """How one run of a crowd ended; a negative code is the signal that killed it. What is no UTF-8 are surrogates."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    runtime: bool
    """Whether onnxruntime was imported."""

    @property
    def text(self) -> str:
        """Its stderr and stdout."""
        return self.err + self.out


class Crowd:
    """The parent of the runs. Use it with `with`: nothing that it started outlives it."""

    def __init__(
        self, place: Path, before: Sequence[str] = (), *, imports: str = EVERYTHING
    ) -> None:
        """Keep what the runs say in `place`; `before` are words in front of the interpreter, e.g. ("strace", "-f")."""
        self._imports = imports
        self._place = place
        self._before = before
        self._runs: dict[int, tuple[Path, tuple[str, ...]]] = {}
        self._number = 0
        self._alive: set[int] = set()

    def __enter__(self) -> Crowd:
        self._place.mkdir(parents=True, exist_ok=True)
        self._parent = subprocess.Popen(
            [*self._before, sys.executable, "-c", _PARENT, str(SHARD_ROWS), self._imports],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._place,
            # one thread: twenty runs are crowd enough, and a fork must not meet a pool of threads
            env=clean_environment(
                OPENBLAS_NUM_THREADS="1",
                OMP_NUM_THREADS="1",
                PYTHONWARNINGS="always::RuntimeWarning",  # of a set too small for a number
            ),
            text=True,
        )
        assert self._read() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._alive:
            with contextlib.suppress(ProcessLookupError):  # it ended, and nobody waited for it
                os.kill(run, signal.SIGKILL)
        known(self._parent.stdin).close()
        self._parent.wait()
        known(self._parent.stdout).close()

    def start(
        self,
        *words: str | Path,
        terminal: str = "",
        here: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> int:
        """Start a run in a folder and return its process id; it writes to files, or to a terminal, e.g. "/dev/pts/7"."""
        path = self._place / f"run-{self._number:03d}"
        self._number += 1
        for ending in (".out", ".err"):
            path.with_suffix(ending).touch()
        given = tuple(map(str, words))
        run = int(
            self._ask("start", given, str(path), dict(env or {}), terminal, str(here or "."))
        )
        self._runs[run] = path, given
        self._alive.add(run)
        return run

    def said(self, run: int) -> str:
        """Return what a run has written to stderr so far."""
        return _text(self._runs[run][0].with_suffix(".err"))

    def wait(self, run: int) -> Ended:
        """Return how a run ended; it must not have been a crash of ours."""
        code = int(self._ask("wait", run))
        self._alive.discard(run)
        path, words = self._runs[run]
        runtime = path.with_suffix(".runtime").exists()
        ended = Ended(words, code, _text(path.with_suffix(".out")), self.said(run), runtime)
        assert "Traceback" not in ended.text, ended.err
        return ended

    def run(self, *words: str | Path, here: Path | None = None) -> Ended:
        """Start a run and wait for it."""
        return self.wait(self.start(*words, here=here))

    def show(self, *words: str | Path, columns: int, env: Mapping[str, str]) -> str:
        """Run on a terminal of so many columns; return what it was told."""
        screen = _Screen(columns)
        ended = self.wait(self.start(*words, terminal=screen.name, env=env))
        text = screen.text()
        assert ended.code == 0, text
        assert "Traceback" not in text
        return text

    def run_all(self, commands: Sequence[Sequence[str | Path]]) -> list[Ended]:
        """Start all runs at once and wait for all."""
        return [self.wait(run) for run in [self.start(*words) for words in commands]]

    def _ask(self, *question: Any) -> str:  # noqa: ANN401 - whatever JSON can say
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(question) + "\n")
        self._parent.stdin.flush()
        return self._read()

    def _read(self) -> str:
        line = known(self._parent.stdout).readline()
        assert line, "the parent of the runs is gone"
        return line.rstrip("\n")


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")
