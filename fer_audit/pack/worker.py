"""A decode process: chunks of images come on stdin, one byte leaves on stdout for each image that is done.

Pixels and rows go through a file that both sides map, with a slot a process that has room for one chunk; what comes back over
the pipe is a signal, never data to be interpreted. `fer_audit.pack.workers` starts these and kills the ones that hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
import uuid
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import ImageSource, source_of
from fer_audit.errors import StoreError
from fer_audit.pack.rows import decode_images, part_of
from fer_audit.pack.types import ROW, PackRows
from fer_audit.store.stage import TEMPORARY

NAMELESS = os.name == "posix"
"""A file that is open can lose its name, and processes inherit its descriptor."""

CHUNK_ROWS = 8
"""Rows a process takes at a time: they take 10 to 20 ms: long compared with the hand-over, short compared with a shard."""


class SharedSlots:
    """A private file of slots, allocated at once: writing to a hole on a full disk would kill the process.

    It lies in the cache folder rather than in /dev/shm, of which a container has 64 MB. Where the system allows it, it
    has no name: no process can remove it, and nothing is left when a run is killed.
    """

    def __init__(self, folder: Path, workers: int, size: int) -> None:
        """Make the file; StoreError when the disk has no room."""
        self._named = folder / f"{TEMPORARY}decode-{uuid.uuid4().hex}"
        need, self._handle = workers * _layout(size).itemsize, -1
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._handle = os.open(self._named, flags, 0o600)
            if NAMELESS:  # where locks do not work, another run may have swept it
                self._named.unlink(missing_ok=True)
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._handle, 0, need)
            else:
                while need:  # a full disk takes less, then refuses
                    need -= os.write(self._handle, bytes(min(need, 1_000_000)))
            self.place: int | str = self._handle if NAMELESS else str(self._named)
            """What `open_slots` takes in a process that inherits `handles`: a descriptor, or else a path."""
            self.handles = (self._handle,) if NAMELESS else ()
            self.slots: NDArray[Any] = open_slots(self.place, size)
        except OSError as exc:
            self._let_go()
            raise StoreError(
                f"Cannot write {self._named}: {exc.strerror or exc}",
                hint="Free some disk, or choose another place with --cache-dir.",
            ) from exc

    def close(self) -> None:
        """Free the disk space. The memory map goes when its last view does."""
        del self.slots  # Windows removes no file that is mapped
        self._let_go()

    def _let_go(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        if not NAMELESS:
            self._named.unlink(missing_ok=True)


def open_slots(place: int | str, size: int) -> NDArray[Any]:
    """Map the slots: pixels (CHUNK_ROWS, size, size, 3) uint8, rows (CHUNK_ROWS,) ROW."""
    with open(place, "r+b", closefd=isinstance(place, str)) as file:
        return np.memmap(file, _layout(size), "r+")


def rows_of(slot: NDArray[Any]) -> PackRows:
    """Return a view of a slot's rows."""
    return PackRows(*(slot["rows"][name] for name in PackRows.__slots__))


def _layout(size: int) -> np.dtype[Any]:
    return np.dtype([("pixels", "u1", (CHUNK_ROWS, size, size, 3)), ("rows", ROW, (CHUNK_ROWS,))])


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
    place, size, padded, seat, limit = json.loads(hello)
    slot = open_slots(place, size)[seat]
    try:
        answers.write(READY)
        for line in sys.stdin.buffer:
            _decode(source_of(json.loads(line)), slot, answers, limit, padded=padded)
    except BrokenPipeError:  # the parent is gone
        pass
    except Exception:  # noqa: BLE001 - it is the parent that raises it
        answers.write(BROKEN + traceback.format_exc().encode())


def _decode(
    images: ImageSource, slot: NDArray[Any], answers: BinaryIO, limit: float, *, padded: bool
) -> None:
    pixels, rows = slot["pixels"], rows_of(slot)
    slot["rows"][:] = np.zeros((), ROW)
    for index in range(len(images)):
        if hasattr(signal, "alarm"):  # a worker that hangs does not see that its parent is gone
            signal.alarm(int(limit) + ORPHAN_SECONDS)
        pixels[index] = 0
        stop = index + 1
        one = images.take(np.arange(index, stop))
        decode_images(one, pixels[index:stop], part_of(rows, index, stop), padded=padded)
        answers.write(DONE)
    if hasattr(signal, "alarm"):
        signal.alarm(0)
