"""The command line: a thin coat over the library, in a process that keeps to itself."""

from __future__ import annotations

import os
from typing import NoReturn

from fer_audit.cli import app

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line; see `fer_audit.cli.app.main`.

    What any library writes is private to the user. joblib, which comes with scikit-learn and has no work here, would
    try out a semaphore in /dev/shm when it is imported.
    """
    _open_what_is_closed()
    os.umask(0o077)
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    app.main()


def _open_what_is_closed() -> None:
    """Give the numbers of closed standard streams to /dev/null.

    Else the next file that is opened gets one, and whatever a C library prints lands in it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
