"""What file systems may lack: advisory locks, for one process at a time in a folder, and fsync."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fer_audit.errors import LockedError, StoreError

if TYPE_CHECKING:
    pass

PATIENCE_SECONDS = 2.0
"""A longer wait for another process is announced."""

LOCK = ".fer-audit.lock"
"""Its presence also marks a folder as ours: dataset readers do not look for images in it."""

_NO_LOCKS = frozenset((errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL))
"""Errors of flock where a file system, or its server, has no locks."""


CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Errors of fsync where there is none: some network, FUSE and container file systems."""

MAY_NOT_OPEN = frozenset({errno.EACCES, errno.EPERM})
"""A folder that may be written to but not listed cannot be opened, and so cannot be synced."""

_first = threading.Lock()
"""The thread that gets it warns; it is never released."""


class StillWaiting(UserWarning):
    """Another process holds what this one waits for."""


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
        try:
            lock.acquire(timeout=wait_seconds if wait_seconds >= 0 else PATIENCE_SECONDS)
        except filelock.Timeout:
            if wait_seconds >= 0:
                raise
            words = f"waiting for another fer-audit process that works in {folder}"
            warnings.warn(StillWaiting(words), stacklevel=1)
            lock.acquire(timeout=-1)
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


class CannotSync(UserWarning):
    """A file system does not promise that what was written survives a power cut. Issued once per process."""


def sync_file(handle: int, path: Path) -> None:
    """Wait until an open file is on the disk; OSError when the disk fails, a warning where there is no fsync."""
    try:
        os.fsync(handle)
    except OSError as exc:
        _warn_or_raise(exc, path.parent, CANNOT_SYNC)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk; OSError and warning as for a file."""
    if os.name == "nt":  # a folder cannot be opened there; NTFS keeps a journal of names
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as exc:
        _warn_or_raise(exc, path, MAY_NOT_OPEN)
        return
    try:
        os.fsync(handle)
    except OSError as exc:
        _warn_or_raise(exc, path, CANNOT_SYNC)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Delete a file of ours if it is there; StoreError when it cannot be deleted."""
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise StoreError(
            f"Cannot remove {path}: {exc.strerror or exc}",
            hint="Remove it, or choose another place with --out or --cache-dir.",
        ) from exc


def _warn_or_raise(error: OSError, folder: Path, harmless: frozenset[int]) -> None:
    if error.errno not in harmless:
        raise error
    if _first.acquire(blocking=False):
        warnings.warn(
            f"the disk of {folder} cannot be asked to sync ({error.strerror}): the run goes on, "
            "but a power cut could cost what was just written; checksums would notice",
            CannotSync,
            stacklevel=4,
        )
