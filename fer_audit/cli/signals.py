"""Ctrl-C, SIGTERM and SIGHUP: a message at once, whatever the program is busy with.

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

INTERRUPTED = 130

_ENDS = {int(signal.SIGTERM): ("terminated", 143)}
"""Signals that end the program: what is said, and the exit code."""
if hasattr(signal, "SIGHUP"):
    _ENDS[int(signal.SIGHUP)] = ("its terminal was closed", 129)

MAX_GRACE_SECONDS = 5.0
"""Time for an interrupted run to close everything. After it, or at a second Ctrl-C, the process ends:
what is finished is on disk already."""

MAX_MESSAGE_SECONDS = 1.0
"""A stopped terminal (Ctrl-S) or a full pipe takes no message: the process ends without it."""

_SHOW_CURSOR = "\x1b[?25h"


@contextlib.contextmanager
def signal_messages() -> Iterator[Callable[[], None]]:
    """Print a message for a signal within the block; yield a function that prints one for an interrupt if no signal did.

    SIGTERM and SIGHUP end the process, SIGINT becomes a KeyboardInterrupt as usual.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: _say("interrupted")  # only the main thread gets signals
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    listener = _Listener(reader)
    thread = threading.Thread(target=listener.listen, name="signals", daemon=True)
    before = {
        number: signal.signal(number, lambda *_: None)  # only a handler in Python reaches the pipe
        for number in _ENDS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    fd_before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread.start()
    try:
        yield listener.interrupted
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            if handler is not None:  # None = it was not set by Python
                signal.signal(number, handler)
        os.close(writer)
        thread.join()
        os.close(reader)
        listener.cancel()


class _Listener:
    """The thread that reads the signals' numbers from the pipe."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._said = False
        self._saying = threading.Lock()
        self._grace: threading.Timer | None = None

    def listen(self) -> None:
        while number := os.read(self._reader, 1):
            if number[0] in _ENDS:
                what, code = _ENDS[number[0]]
                _timer(MAX_MESSAGE_SECONDS, os._exit, code)
                _say(what)
                _end(code)
            if number[0] == signal.SIGINT:
                if self._grace is not None:
                    _end(INTERRUPTED)
                self._grace = _timer(MAX_GRACE_SECONDS, _end, INTERRUPTED)
                # in a thread of its own: this one must read the second Ctrl-C
                threading.Thread(target=self.interrupted, name="words", daemon=True).start()

    def interrupted(self) -> None:
        """Print it, once; a second caller waits until it is printed."""
        with self._saying:
            if not self._said:
                _say("interrupted")
                self._said = True

    def cancel(self) -> None:
        if self._grace is not None:
            self._grace.cancel()


def _timer(seconds: float, what: Callable[[int], None], code: int) -> threading.Timer:
    timer = threading.Timer(seconds, what, [code])
    timer.daemon = True
    timer.start()
    return timer


def _say(what: str) -> None:
    _write(f"\nfer-audit: {what}; run the same command to continue\n")


def _end(code: int) -> None:
    """End without closing anything; a terminal gets its cursor back."""
    _timer(MAX_MESSAGE_SECONDS, os._exit, code)
    if sys.stderr is not None and sys.stderr.isatty():
        _write(_SHOW_CURSOR)
    os._exit(code)


def _write(text: str) -> None:
    """Write past Python's own buffers: the main thread may be using them."""
    if sys.stderr is not None:  # else its number may be a file's by now
        with contextlib.suppress(OSError, ValueError):  # no reader
            os.write(sys.stderr.fileno(), text.encode())
