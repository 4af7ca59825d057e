"""A peer's own process: it loads once, then does one timed repeat for every line "go".

This file runs in every environment, ours and the baselines', so it imports the standard library and numpy only.
Lines of JSON come in on stdin and go out on stdout; whatever a library prints is sent to stderr instead.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray


class Job:
    """What a peer repeats. A baseline overrides `work`, and the others where it needs them."""

    facts: dict[str, Any]
    """Versions, threads, provider, batch: what was really loaded."""

    def prepare(self) -> None:
        """Get ready for one repeat; not timed."""

    def work(self) -> NDArray[Any]:
        """Do one repeat and return its output; this is what is timed."""
        raise NotImplementedError

    def details(self) -> dict[str, float]:
        """Return more numbers about the repeat that was just done, e.g. the seconds of its parts."""
        return {}

    def clean(self) -> None:
        """Remove what a repeat left behind; not timed."""


def serve(load: Callable[[dict[str, Any]], Job]) -> None:
    """Answer the lines of the runner until stdin ends.

    The first line is the set-up, answered with the job's facts. Each `{"go": path}` after it is one repeat: its output is
    written to `path` after the clock was stopped.
    """
    answers = _own_stdout()
    job = load(json.loads(sys.stdin.readline()))
    _answer(answers, {"facts": job.facts})
    for line in sys.stdin:
        path = Path(json.loads(line)["go"])
        job.prepare()
        started = time.perf_counter()
        output = job.work()
        seconds = time.perf_counter() - started
        np.save(path, output, allow_pickle=False)
        answer = {"seconds": seconds, "details": job.details(), "peak_bytes": _peak_bytes()}
        job.clean()
        _answer(answers, answer)


def _own_stdout() -> TextIO:
    """Return a stream to the runner, and point stdout at stderr: a progress bar must not end up among our lines."""
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return kept


def _answer(stream: TextIO, document: dict[str, Any]) -> None:
    stream.write(json.dumps(document) + "\n")
    stream.flush()


def _peak_bytes() -> int | None:
    """Return the most memory this process has had resident, or None where /proc does not say.

    Not getrusage: on Linux its figure starts at the parent's peak.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return None if found is None else int(found[1]) * 1024
