"""Working memory that a thread uses again for the next image.

Fresh memory costs more than it looks: the kernel clears every page when it is first touched.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LARGEST_KEPT = 16_000_000
"""Bytes of one piece; a larger one is fresh each time, so that one huge photograph does not stay in memory."""

_thread = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return this thread's array under a name, with whatever its last use left in it.

    The same name gives the same memory again: the caller must be done with its former content.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > LARGEST_KEPT:
        return np.empty(shape, dtype)
    pieces: dict[str, NDArray[np.uint8]] = _thread.__dict__
    piece = pieces.get(name)
    if piece is None or len(piece) < size:
        piece = pieces[name] = np.empty(size, np.uint8)
    return piece[:size].view(dtype).reshape(shape)
