"""The resident high-water mark of a piece of work, as well as the system can tell it."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from fer_audit.bench.types import PeakMethod

RESET: PeakMethod = "VmHWM, reset before each sample"
SAMPLED: PeakMethod = "sampled every 5 ms"
SINCE_START: PeakMethod = "since the start"

_PROC = Path("/proc/self")
_RESET_PEAK = "5"
"""proc(5), clear_refs: "reset the peak resident set size to the process's current value"."""
_INTERVAL = 0.005


class PeakMemory:
    """Reads how much memory a piece of work made this process hold at most."""

    def __init__(self, method: PeakMethod | None = None) -> None:
        self.method = method or best_method()
        self.bytes: int | None = None
        """Of the last `watch`; None where the system tells nothing."""

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Watch the block. The memory that is held before counts: a peak is the whole process's."""
        if self.method == SAMPLED:
            with _Sampler() as sampler:
                yield
            self.bytes = sampler.largest
            return
        if self.method == RESET:
            _reset()
        yield
        self.bytes = _high_water() if self.method == RESET else _since_start()


def best_method() -> PeakMethod:
    """Return the most exact way that works here."""
    try:
        _reset()
        _high_water()
    except (OSError, ValueError):
        return SAMPLED if (_PROC / "statm").is_file() else SINCE_START
    return RESET


def _reset() -> None:
    (_PROC / "clear_refs").write_text(_RESET_PEAK)


def _high_water() -> int:
    for line in (_PROC / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmHWM")


def _since_start() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


class _Sampler:
    """A thread that looks at the resident set; a peak shorter than its interval is missed."""

    def __init__(self) -> None:
        self.largest = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Sampler:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(_INTERVAL):
            self._look()

    def _look(self) -> None:
        pages = int((_PROC / "statm").read_text().split()[1])
        self.largest = max(self.largest, pages * os.sysconf("SC_PAGE_SIZE"))
