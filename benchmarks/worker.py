"""The runner's end of a peer: starts its process, tells it to go, and listens."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

LOAD_SECONDS = 300
"""TensorFlow and 95 MB of weights take 20 s on two busy cores."""
REPEAT_SECONDS = 900
"""scikit-learn's ten starts take up to 70 s; on a busy machine six times that."""


class PeerFailure(Exception):
    """A peer that cannot be measured; the message is what the result says instead of a number."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One repeat of one peer."""

    seconds: float
    output: Path
    """.npy of what it computed."""
    details: dict[str, float]
    peak_bytes: int | None
    """Most memory the process has had resident so far; None where the system does not say."""


class Worker:
    """One process that loads one peer; `ready` waits until it has. Close it, or use it in a `with`."""

    def __init__(
        self, python: Path, module: str, setup: Mapping[str, Any], folder: Path, name: str
    ) -> None:
        self._folder = folder
        self._name = name
        self._log = folder / f"{name}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                text=True,
                env={**os.environ, "ORT_DISABLE_TELEMETRY": "1", "TF_CPP_MIN_LOG_LEVEL": "2"},
            )
        self._setup = dict(setup)
        self.facts: dict[str, Any] = {}
        """What the peer says it has loaded; empty until `ready`."""

    def begin(self) -> None:
        """Send the set-up, so that several peers load at the same time."""
        self._send(self._setup)

    def ready(self) -> None:
        """Wait until the peer is loaded. Raises PeerFailure with the process's last words."""
        self.facts = self._receive(LOAD_SECONDS)["facts"]

    def go(self, turn: int) -> Answer:
        """Return one repeat. Raises PeerFailure with the process's last words."""
        output = self._folder / f"{self._name}-{turn}.npy"
        self._send({"go": str(output)})
        answer = self._receive(REPEAT_SECONDS)
        return Answer(answer["seconds"], output, answer["details"], answer["peak_bytes"])

    def cpu_seconds(self) -> float | None:
        """Return the processor time the process has used so far, or None where /proc does not say."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return None
        user, system = stat.rpartition(")")[2].split()[
            11:13
        ]  # the name in brackets may hold spaces
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended by itself
                self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, message: dict[str, Any]) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 - a pipe, see Popen
        try:
            stdin.write(json.dumps(message) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise PeerFailure(self._last_words()) from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe, see Popen
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise PeerFailure(f"no answer within {seconds:.0f} s")
        line = stdout.readline()
        if not line:
            raise PeerFailure(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self._process.wait()
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"ended with exit code {self._process.returncode}"
