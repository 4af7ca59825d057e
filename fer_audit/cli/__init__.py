"""The command line: a thin layer over the library; the files it writes are private to the user."""

from __future__ import annotations

import os
from typing import NoReturn

from fer_audit.cli import app

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line; see `fer_audit.cli.app.main`.

    Closed standard streams point at /dev/null: else the next file that is opened gets the number of one, and what a C library
    prints lands in it. joblib, which comes with scikit-learn and is not used, would create a semaphore in /dev/shm when it
    is imported.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    os.umask(0o077)
    os.environ.setdefault("JOBLIB_MULTIPROCESSING", "0")
    app.main()
