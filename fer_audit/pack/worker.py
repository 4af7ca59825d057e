"""A decode process: chunks of files come on stdin, one byte leaves on stdout for each file that is done.

Pixels and rows go through a file that both sides map; what comes back over the pipe is a signal, never data to be
interpreted. `fer_audit.pack.workers` starts these and kills the ones that hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.pack.read import ListedFiles
from fer_audit.pack.rows import decode_files, part_of
from fer_audit.pack.slots import open_slots, rows_of
from fer_audit.pack.types import ROW

READY, DONE, BROKEN = b"r", b".", b"!"
"""What a worker says: it can begin, a file is done, and before a traceback: it found a bug of ours."""

ORPHAN_SECONDS = 10
"""Beyond the time limit of a file. By then a living parent has killed the worker."""


def files_line(files: ListedFiles) -> bytes:
    """Write a chunk as one line."""
    facts = [str(files.root), files.ids, files.sizes.tolist(), files.mtimes.tolist()]
    return json.dumps(facts).encode() + b"\n"


def _read_files(line: bytes) -> ListedFiles:
    root, ids, sizes, mtimes = json.loads(line)
    return ListedFiles(Path(root), tuple(ids), np.array(sizes), np.array(mtimes))


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
            _decode(_read_files(line), slot, answers, limit)
    except BrokenPipeError:  # the parent is gone
        pass
    except Exception:  # noqa: BLE001 - it is the parent that raises it
        answers.write(BROKEN + traceback.format_exc().encode())


def _decode(files: ListedFiles, slot: NDArray[Any], answers: BinaryIO, limit: float) -> None:
    pixels, rows = slot["pixels"], rows_of(slot)
    slot["rows"][:] = np.zeros((), ROW)
    for index in range(len(files)):
        if hasattr(signal, "alarm"):  # a worker that hangs does not see that its parent is gone
            signal.alarm(int(limit) + ORPHAN_SECONDS)
        pixels[index] = 0
        stop = index + 1
        decode_files(files.part(index, stop), pixels[index:stop], part_of(rows, index, stop))
        answers.write(DONE)
    if hasattr(signal, "alarm"):
        signal.alarm(0)
