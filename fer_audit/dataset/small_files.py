"""Label files that hold one word each, of which a set may have as many as it has images."""

from __future__ import annotations

import os

from fer_audit.dataset.sources.source import READ_PLAIN


def read_small_file(path: str, *, limit: int) -> bytes | None:
    """Return the bytes of a file; None when it cannot be read, or holds more than `limit` bytes."""
    try:
        handle = os.open(path, READ_PLAIN)
        try:
            data = os.read(handle, limit + 1)
        finally:
            os.close(handle)
    except OSError:
        return None
    return data if len(data) <= limit else None
