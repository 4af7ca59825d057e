"""fsync and unlink, tolerating file systems without fsync."""

from __future__ import annotations

import errno
import os
import threading
import warnings
from pathlib import Path

from fer_audit.errors import StoreError

CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Errors of fsync where there is none: some network, FUSE and container file systems."""

MAY_NOT_OPEN = frozenset({errno.EACCES, errno.EPERM})
"""A folder that may be written to but not listed cannot be opened, and so cannot be synced."""

_first = threading.Lock()
"""The thread that gets it warns; it is never released."""


class CannotSync(UserWarning):
    """A file system does not promise that what was written survives a power cut. Issued once per process."""


class StillWaiting(UserWarning):
    """Another process holds what this one waits for."""


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
