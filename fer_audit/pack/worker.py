"""A decode process: chunks of images come on stdin, one byte leaves on stdout for each image that is done.

Pixels and rows go through a file that both sides map; what comes back over the pipe is a signal, never data to be
interpreted. `fer_audit.pack.workers` starts these and kills the ones that hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import ImageSource, source_of
from fer_audit.pack.rows import decode_images, part_of
from fer_audit.pack.slots import open_slots, rows_of
from fer_audit.pack.types import ROW

READY, DONE, BROKEN = b"r", b".", b"!"
"""What a worker says: it can begin, a file is done, and before a traceback: it found a bug of ours."""

ORPHAN_SECONDS = 10
"""Beyond the time limit of a file. By then a living parent has killed the worker."""


def source_line(images: ImageSource) -> bytes:
    """Write a chunk as one line."""
    return json.dumps(images.facts()).encode() + b"\n"


def serve() -> None:
    """Decode what stdin asks for until it ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a decoder written in C may print what it likes
    hello = sys.stdin.buffer.readline()
    if not hello:  # the parent is gone
        return
    place, size, seat, limit = json.loads(hello)
    slot = open_slots(place, size)[seat]
    try:
        answers.write(READY)
        for line in sys.stdin.buffer:
            _decode(source_of(json.loads(line)), slot, answers, limit)
    except BrokenPipeError:  # the parent is gone
        pass
    except Exception:  # noqa: BLE001 - it is the parent that raises it
        answers.write(BROKEN + traceback.format_exc().encode())


def _decode(images: ImageSource, slot: NDArray[Any], answers: BinaryIO, limit: float) -> None:
    pixels, rows = slot["pixels"], rows_of(slot)
    slot["rows"][:] = np.zeros((), ROW)
    for index in range(len(images)):
        if hasattr(signal, "alarm"):  # a worker that hangs does not see that its parent is gone
            signal.alarm(int(limit) + ORPHAN_SECONDS)
        pixels[index] = 0
        stop = index + 1
        one = images.take(np.arange(index, stop))
        decode_images(one, pixels[index:stop], part_of(rows, index, stop))
        answers.write(DONE)
    if hasattr(signal, "alarm"):
        signal.alarm(0)
