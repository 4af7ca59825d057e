"""Decode in processes of their own, so that a file that crashes or hangs a decoder costs only its own row.

Each process fills a slot of a file that all of them map; a thread here waits for it and copies what is done.
A process that dies, or takes longer over one file than it may, is replaced, and the file is tried once more:
memory that ran out and a suspended machine are no fault of the file. The second time it fails, with a reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from fer_audit.cores import usable_cores
from fer_audit.dataset.sources.source import ImageSource
from fer_audit.errors import ConfigError
from fer_audit.pack.rows import empty_rows, part_of
from fer_audit.pack.types import PackRows
from fer_audit.pack.worker import (
    BROKEN,
    CHUNK_ROWS,
    DONE,
    READY,
    SharedSlots,
    rows_of,
    source_line,
)

CRASHED, TIMEOUT = "worker_crashed", "timeout"
"""Reasons of a file whose decoder ended, or did not."""

ATTEMPTS = 2

MOST_WORKERS = 8
"""Processes by default, however many cores there are: eight decode some thousand images a second; each takes 35 MB."""

IMAGES_A_WORKER = 128
"""Fewer are decoded by the processes that run already before another one has started."""

START_SECONDS = 120
"""A process that is not ready by then never will be: a busy machine takes some seconds."""

BURIAL_SECONDS = 5.0
"""A killed process is gone in milliseconds, unless it waits for a dead disk: that is not waited for."""

_NEVER = threading.Event()

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline() or sys.exit()); "
    "from fer_audit.pack.worker import serve; serve()"
)


class DecoderBug(RuntimeError):
    """An error of ours in a decode process; the message is its traceback."""


class Stopped(Exception):
    """The decoders were closed while somebody waited for them."""


def default_workers() -> int:
    """Return the default number of decode processes: the usable cores, at most `MOST_WORKERS`."""
    return min(usable_cores(), MOST_WORKERS)


def worth_starting(workers: int, n_images: int) -> int:
    """Return how many of `workers` so few images keep busy, at least 1."""
    return max(1, min(workers, n_images // IMAGES_A_WORKER))


class Decoders:
    """Workers that stand ready; each starts with its first chunk."""

    def __init__(
        self, workers: int, folder: Path, size: int, *, padded: bool = False, limit: float
    ) -> None:
        """Make room; `padded`: images are padded to a square, not stretched to one; `limit`: seconds a file may take."""
        self._shared = SharedSlots(folder, workers, size)
        self._seats = [
            _WorkerSlot(self._shared, (size, padded), number, limit) for number in range(workers)
        ]
        self._free: queue.SimpleQueue[_WorkerSlot] = queue.SimpleQueue()
        for seat in self._seats:
            self._free.put(seat)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._closing = threading.Event()
        self._watch = threading.Thread(target=self._end_hung, name="decode-watch", daemon=True)
        self._watch.start()
        self._turn = threading.Lock()

    def fill(self, files: ImageSource, pixels: NDArray[np.uint8]) -> PackRows:
        """Decode n files into (n, size, size, 3) zeros and return their rows. May be called from several threads.

        Raises ConfigError when a process cannot start, DecoderBug for an error of ours, Stopped after `close`.
        """
        rows = empty_rows(len(files))
        with self._turn:  # first come, first served: shards are wanted in order
            jobs = [
                self._pool.submit(
                    self._fill_chunk,
                    files.take(np.arange(start, stop)),
                    pixels[start:stop],
                    part_of(rows, start, stop),
                )
                for start in range(0, len(files), CHUNK_ROWS)
                for stop in (min(start + CHUNK_ROWS, len(files)),)
            ]
        for job in jobs:
            job.result()
        return rows

    def _fill_chunk(self, files: ImageSource, pixels: NDArray[np.uint8], rows: PackRows) -> None:
        seat = self._free.get()
        try:
            seat.fill(files, pixels, rows)
        finally:
            self._free.put(seat)

    def _end_hung(self) -> None:
        """Kill each process that takes too long over a file."""
        while not self._closing.wait(0.1):
            for seat in self._seats:
                seat.end_if_hung()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for seat in self._seats:
            seat.close()
        self._pool.shutdown(cancel_futures=True)  # do not finish what is no longer wanted
        self._watch.join()
        for seat in self._seats:
            seat.forget()
        self._shared.close()


class _WorkerSlot:
    """One slot, and the process that fills it: started when it is first needed, and again when it has ended."""

    def __init__(
        self, shared: SharedSlots, frame: tuple[int, bool], number: int, limit: float
    ) -> None:
        slot = shared.slots[number]
        self._pixels: NDArray[np.uint8] = slot["pixels"]
        self._rows = rows_of(slot)
        self._hello = (shared.place, *frame, number, limit)
        self._handles = shared.handles
        self._limit = limit
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline: float | None = None
        """time.monotonic() by which the process must say something; None = nothing is waited for."""
        self._hung = False
        self._closed = False
        self._lock = threading.Lock()

    def fill(self, files: ImageSource, pixels: NDArray[np.uint8], rows: PackRows) -> None:
        """Decode a chunk. A file that ends the process twice gets a reason instead of pixels."""
        start, strikes, n = 0, 0, len(files)
        while start < n:
            rest = part_of(rows, start, n)
            done, trouble = self._decode(files.take(np.arange(start, n)), pixels[start:], rest)
            strikes = 0 if done else strikes
            start += done
            if trouble:
                strikes += 1
                if strikes == ATTEMPTS:
                    rows.reasons[start] = trouble
                    start, strikes = start + 1, 0

    def _decode(
        self, files: ImageSource, pixels: NDArray[np.uint8], rows: PackRows
    ) -> tuple[int, str]:
        """Return how many files were decoded, and why the process ended behind them; "" = it did not."""
        process = self._ready_process()
        _tell(process, source_line(files))
        done, trouble = 0, ""
        while done < len(files) and not trouble:
            if self._heard(process, self._limit) == DONE:
                done += 1
            else:
                trouble = self._end(process)
        pixels[:done] = self._pixels[:done]
        for name in PackRows.__slots__:
            getattr(rows, name)[:done] = getattr(self._rows, name)[:done]
        return done, trouble

    def _ready_process(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        for _ in range(ATTEMPTS):
            process = self._start()
            if self._heard(process, START_SECONDS) == READY:
                return process
            self._end(process)
        raise ConfigError(
            "A decode process could not start",
            hint="Its own words on stderr say why. For want of memory: fewer --workers need less.",
        )

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise Stopped
            try:
                self._process = subprocess.Popen(  # no shell; every word is ours
                    [sys.executable, "-P", "-c", _START],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    pass_fds=self._handles,
                    stderr=None if sys.stderr is not None else subprocess.DEVNULL,
                    # Ctrl-C goes to the terminal's group, and is this process's to handle
                    process_group=0 if os.name == "posix" else None,
                    # numpy would start a thread for each core, and use none of them
                    env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                )
            except OSError as exc:
                raise ConfigError(
                    f"A decode process could not start: {exc.strerror}",
                    hint="For want of memory or processes: fewer --workers need less.",
                ) from exc
        for line in (sys.path, self._hello):
            _tell(self._process, json.dumps(line).encode() + b"\n")
        return self._process

    def _heard(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        """Wait for the next byte of a process; b"" when it ended or was ended. DecoderBug when it says so."""
        self._deadline = time.monotonic() + seconds
        said = _pipe(process.stdout).read(1)
        self._deadline = None
        if said == BROKEN:
            raise DecoderBug(_pipe(process.stdout).read().decode(errors="replace"))
        return said

    def end_if_hung(self) -> None:
        """Kill the process when it is over its time. Called by another thread."""
        with self._lock:
            deadline, process = self._deadline, self._process
            if process is not None and deadline is not None and time.monotonic() > deadline:
                self._hung = True
                process.kill()

    def _end(self, process: subprocess.Popen[bytes]) -> str:
        """Close a process that ended, and return the word for how it ended."""
        with self._lock:
            if self._closed:
                raise Stopped
            hung, self._hung, self._process = self._hung, False, None
        _end_worker(process)
        return TIMEOUT if hung else CRASHED

    def close(self) -> None:
        """Kill the process, whatever it is doing; a caller that waits for it gets Stopped."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def forget(self) -> None:
        """Close the shared file and the process, once no caller waits any more."""
        if self._process is not None:
            _end_worker(self._process)
        del self._pixels, self._rows


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # it died; reading from it says so too
        pipe = _pipe(process.stdin)
        pipe.write(line)
        pipe.flush()


def _end_worker(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    _pipe(process.stdout).close()
    with contextlib.suppress(BrokenPipeError):
        _pipe(process.stdin).close()
    until = time.monotonic() + BURIAL_SECONDS
    while process.poll() is None and time.monotonic() < until:
        _NEVER.wait(0.005)  # Popen.wait(timeout) sleeps in a way that libfaketime breaks


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - both pipes are asked for when it starts
    return pipe
