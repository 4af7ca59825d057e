"""Label files that hold one word each, of which a set may have as many as it has images."""

from __future__ import annotations

import os

_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""A plain file may have become a link or a pipe since it was listed."""


def read_small_file(path: str, *, limit: int) -> bytes | None:
    """Return the bytes of a file; None when it cannot be read, or holds more than `limit` bytes."""
    try:
        handle = os.open(path, _FLAGS)
        try:
            data = os.read(handle, limit + 1)
        finally:
            os.close(handle)
    except OSError:
        return None
    return data if len(data) <= limit else None
