"""Ctrl-C, SIGTERM and SIGHUP: the words come at once, whatever the program is busy with.

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

_ENDS = {int(signal.SIGTERM): ("terminated", 143)}
"""Signals that end the program: what is said, and the exit code."""
if hasattr(signal, "SIGHUP"):
    _ENDS[int(signal.SIGHUP)] = ("its terminal was closed", 129)

GRACE_SECONDS = 5.0
"""What an interrupted run may take to close everything. After that, or at a second Ctrl-C, the process just ends:
everything finished is on disk already."""

LAST_WORDS_SECONDS = 1.0
"""A terminal that stands still (Ctrl-S) or a full pipe takes no word: the process ends without it."""

_SHOW_CURSOR = "\x1b[?25h"


@contextlib.contextmanager
def told_at_once() -> Iterator[Callable[[], None]]:
    """Tell of a signal within the block; gives a function that tells of an interrupt if no signal did.

    SIGTERM and SIGHUP end the process, SIGINT becomes a KeyboardInterrupt as ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: _say("interrupted")  # signals are the main thread's affair
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    listener = _Listener(reader)
    thread = threading.Thread(target=listener.listen, name="signals", daemon=True)
    before = {
        number: signal.signal(number, _leave_to_listener)
        for number in _ENDS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    woken_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread.start()
    try:
        yield listener.interrupted
    finally:
        signal.set_wakeup_fd(woken_before)
        for number, handler in before.items():
            if handler is not None:  # None = it was not set by Python
                signal.signal(number, handler)
        os.close(writer)
        thread.join()
        os.close(reader)
        listener.rest()


class _Listener:
    """Whoever reads the signals' numbers."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._said = False
        self._saying = threading.Lock()
        self._grace: threading.Timer | None = None

    def listen(self) -> None:
        while number := os.read(self._reader, 1):
            if number[0] in _ENDS:
                what, code = _ENDS[number[0]]
                _exit_after(LAST_WORDS_SECONDS, code)
                _say(what)
                _end(code)
            if number[0] == signal.SIGINT:
                if self._grace is not None:
                    _end(INTERRUPTED)
                self._grace = _timer(GRACE_SECONDS, _end, INTERRUPTED)
                self._heard_interrupt()

    def _heard_interrupt(self) -> None:
        """Say it in a thread of its own: this one must hear the second Ctrl-C."""
        threading.Thread(target=self.interrupted, name="words", daemon=True).start()

    def interrupted(self) -> None:
        """Say it, once; whoever comes second waits until it is said."""
        with self._saying:
            if not self._said:
                _say("interrupted")
                self._said = True

    def rest(self) -> None:
        if self._grace is not None:
            self._grace.cancel()


def _timer(seconds: float, what: Callable[[int], None], code: int) -> threading.Timer:
    timer = threading.Timer(seconds, what, [code])
    timer.daemon = True
    timer.start()
    return timer


def _exit_after(seconds: float, code: int) -> None:
    _timer(seconds, os._exit, code)


def _say(what: str) -> None:
    _write(f"\nfer-audit: {what}; run the same command to continue\n")


def _end(code: int) -> None:
    """End without closing anything; a terminal gets its cursor back."""
    _exit_after(LAST_WORDS_SECONDS, code)
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
