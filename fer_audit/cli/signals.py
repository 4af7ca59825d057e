"""Ctrl-C and SIGTERM: the words come at once, whatever the program is busy with.

Python calls a signal's handler when the main thread is back in Python; a batch of the model or a clustering keeps it
away for seconds. The C half of a handler writes to a pipe at once, and a thread reads there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

INTERRUPTED = 130
TERMINATED = 143

GRACE_SECONDS = 5.0
"""What an interrupted run may take to close everything. After that, or at a second Ctrl-C, the process just ends:
everything finished is on disk already."""

_SHOW_CURSOR = "\x1b[?25h"


@contextlib.contextmanager
def told_at_once() -> Iterator[Callable[[], None]]:
    """Tell of a signal within the block; gives a function that tells of an interrupt if no signal did.

    SIGTERM ends the process, SIGINT becomes a KeyboardInterrupt as ever.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    listener = _Listener(reader)
    thread = threading.Thread(target=listener.listen, name="signals", daemon=True)
    before = signal.signal(signal.SIGTERM, _leave_to_listener)
    woken_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread.start()
    try:
        yield listener.interrupted
    finally:
        signal.set_wakeup_fd(woken_before)
        signal.signal(signal.SIGTERM, before)
        os.close(writer)
        thread.join()
        os.close(reader)
        listener.rest()


class _Listener:
    """Whoever reads the signals' numbers."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._said = False
        self._grace: threading.Timer | None = None

    def listen(self) -> None:
        while number := os.read(self._reader, 1):
            if number[0] == signal.SIGTERM:
                _say("terminated")
                _end(TERMINATED)
            if number[0] == signal.SIGINT:
                if self._grace is not None:
                    _end(INTERRUPTED)
                self.interrupted()
                self._grace = threading.Timer(GRACE_SECONDS, _end, [INTERRUPTED])
                self._grace.daemon = True
                self._grace.start()

    def interrupted(self) -> None:
        """Say it, once."""
        if not self._said:
            self._said = True
            _say("interrupted")

    def rest(self) -> None:
        if self._grace is not None:
            self._grace.cancel()


def _say(what: str) -> None:
    _write(f"\nfer-audit: {what}; run the same command to continue\n")


def _end(code: int) -> None:
    """End without closing anything; a terminal gets its cursor back."""
    if sys.stderr is not None and sys.stderr.isatty():
        _write(_SHOW_CURSOR)
    os._exit(code)


def _write(text: str) -> None:
    """Write past Python's own buffers: the main thread may be using them."""
    if sys.stderr is not None:  # else its number may be a file's by now
        with contextlib.suppress(OSError, ValueError):  # nobody listens
            os.write(sys.stderr.fileno(), text.encode())


def _leave_to_listener(number: int, frame: FrameType | None) -> None:
    """Be there: without a handler in Python, the pipe hears nothing."""
