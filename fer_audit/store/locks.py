"""One process at a time in a folder: advisory file locks, or none on file systems without locks."""

from __future__ import annotations

import contextlib
import errno
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fer_audit.errors import LockedError, StoreError
from fer_audit.store.durable import StillWaiting

if TYPE_CHECKING:
    import filelock

PATIENCE_SECONDS = 2.0
"""A longer wait for another process is announced."""

LOCK = ".fer-audit.lock"
"""Its presence also marks a folder as ours: dataset readers do not look for images in it."""

_NO_LOCKS = frozenset((errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL))
"""Errors of flock where a file system, or its server, has no locks."""


@contextlib.contextmanager
def folder_lock(folder: Path, *, wait_seconds: float) -> Iterator[bool]:
    """Hold the lock of a folder during a block; -1 waits for ever. LockedError when another process holds it.

    It is an advisory lock of the operating system: a killed process leaves no stale one.
    Correctness never depends on it, only saved work does. So a file system without locks is no error: the block runs and
    gets False. (A lock file in place of a lock would outlive a killed run.)
    StoreError when the lock file cannot be opened: another user's, a folder, a link.
    """
    import filelock

    lock = filelock.FileLock(folder / LOCK, mode=0o600, fallback_to_soft=False)
    held = True
    try:
        if wait_seconds < 0:
            _wait_for(lock, folder)
        else:
            lock.acquire(timeout=wait_seconds)
    except filelock.Timeout:
        raise LockedError(
            f"Another fer-audit process is working in {folder}",
            hint="Wait for it, or choose another folder with --out.",
        ) from None
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise StoreError(
                f"Cannot lock {folder / LOCK}: {exc.strerror or exc}",
                hint="It must be a plain file of yours. If no run is at work there, remove it.",
            ) from exc
        held = False
    try:
        yield held
    finally:
        if held:
            lock.release()


def _wait_for(lock: filelock.BaseFileLock, folder: Path) -> None:
    """Wait for ever, with a warning after `PATIENCE_SECONDS`."""
    import filelock

    try:
        lock.acquire(timeout=PATIENCE_SECONDS)
    except filelock.Timeout:
        words = f"waiting for another fer-audit process that works in {folder}"
        warnings.warn(StillWaiting(words), stacklevel=2)
        lock.acquire(timeout=-1)
