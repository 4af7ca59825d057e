"""Who decodes: threads of this process, or processes beside it. Both call the same function for the same rows."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import ConfigError, StoreError
from fer_audit.pack.read import ListedFiles
from fer_audit.pack.types import PackRows
from fer_audit.store import TEMPORARY

CHUNK_ROWS = 8
"""Rows a worker takes at a time: they take 10 to 20 ms, long beside handing over, short beside a shard."""

WORTH_PROCESSES = 2_048
"""Images below which processes are not started: a fresh interpreter takes about a second to import what it needs,
and two threads have decoded some thousand images by then. An estimate; not measured beside a GPU."""

DecodeFiles: TypeAlias = Callable[[ListedFiles, NDArray[np.uint8]], PackRows]
"""Fills (n, size, size, 3) zeros with the pixels of n files and returns their rows. A function of a module."""


class Decoders(Protocol):
    """Workers that stand ready."""

    def fill(self, files: ListedFiles, pixels: NDArray[np.uint8]) -> list[PackRows]:
        """Decode files into zeros; return their rows, in order, in parts. May be called from several threads."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def want_processes(*, on_gpu: bool, workers: int, n_images: int) -> bool:
    """Return whether threads could not keep up: a GPU takes thousands of images a second.

    A CPU is busy with the model and takes a few hundred at most, which threads decode beside it.
    """
    return on_gpu and workers > 1 and n_images >= WORTH_PROCESSES


def _chunks(n: int) -> Iterator[tuple[int, int]]:
    for start in range(0, n, CHUNK_ROWS):
        yield start, min(start + CHUNK_ROWS, n)


class ThreadDecoders:
    """Threads: Pillow, libjpeg and numpy work outside the interpreter's lock for most of an image's time."""

    def __init__(self, decode: DecodeFiles, workers: int) -> None:
        self._decode = decode
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._turn = threading.Lock()

    def fill(self, files: ListedFiles, pixels: NDArray[np.uint8]) -> list[PackRows]:
        """See `Decoders`."""
        with self._turn:  # whoever came first is served first: shards are wanted in order
            jobs = [
                self._pool.submit(self._decode, files.part(start, stop), pixels[start:stop])
                for start, stop in _chunks(len(files))
            ]
        return [job.result() for job in jobs]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)  # do not finish what nobody wants


class ProcessDecoders:
    """Processes: each has an interpreter of its own. Pixels come back through one file that all of them map.

    The file has room for two chunks a worker, and lies in the cache folder rather than in /dev/shm, of which a
    container has 64 MB. Its name marks it as temporary: what a killed run leaves behind, the next one sweeps away.
    It holds no process id: two containers that share a cache may have the same one.
    """

    def __init__(self, decode: DecodeFiles, workers: int, folder: Path, size: int) -> None:
        self._shape = (2 * workers, CHUNK_ROWS, size, size, 3)
        self._path = folder / f"{TEMPORARY}decode-{uuid.uuid4().hex}"
        self._shared = _shared_file(self._path, self._shape)
        self._free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(self._shape[0]):
            self._free.put(slot)
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=_Context(),
            initializer=_begin,
            initargs=(decode, str(self._path), self._shape),
        )
        self._turn = threading.Lock()

    def fill(self, files: ListedFiles, pixels: NDArray[np.uint8]) -> list[PackRows]:
        """See `Decoders`. Raises ConfigError when a process has died."""
        waiting: deque[tuple[Future[PackRows], int, NDArray[np.uint8]]] = deque()
        parts = []
        try:
            with self._turn:
                for start, stop in _chunks(len(files)):
                    while waiting and self._free.empty():
                        parts.append(self._take(*waiting.popleft()))
                    slot = self._free.get()
                    job = self._pool.submit(_decode_chunk, slot, files.part(start, stop))
                    waiting.append((job, slot, pixels[start:stop]))
            while waiting:
                parts.append(self._take(*waiting.popleft()))
        except BrokenProcessPool as exc:
            raise ConfigError(
                "A decode process ended before its work was done",
                hint="It was killed, perhaps for want of memory: fewer --workers need less. "
                "Or it crashed or could not start: then its own words on stderr say why.",
            ) from exc
        finally:
            for job, slot, _ in waiting:  # after an error: a slot is free when nobody writes to it
                if not job.cancel():
                    wait([job])
                self._free.put(slot)
        return parts

    def _take(self, job: Future[PackRows], slot: int, pixels: NDArray[np.uint8]) -> PackRows:
        try:
            rows = job.result()
            pixels[:] = self._shared[slot, : len(pixels)]
        finally:
            self._free.put(slot)
        return rows

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        del self._shared  # Windows removes no file that is mapped
        self._path.unlink(missing_ok=True)


def _shared_file(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Make a file of that many bytes and map it; writing to a hole on a full disk would kill the process."""
    try:
        with path.open("wb") as file:
            path.chmod(0o600)
            size = int(np.prod(shape))
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        return np.memmap(path, np.uint8, "r+", shape=shape)
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise StoreError(
            f"Cannot write {path}: {exc.strerror or exc}",
            hint="Free some disk, or choose another place with --cache-dir.",
        ) from exc


class _Process(SpawnProcess):
    """A fresh interpreter that does not run the caller's script again.

    Spawned processes import the main module, and a script without `if __name__ == "__main__"` would start over in each.
    Ours need nothing of it. A fork is no way out: onnxruntime's threads would not survive it.
    """

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: ANN401 - multiprocessing's own types
        with _main_hidden():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


_hiding = threading.Lock()


@contextlib.contextmanager
def _main_hidden() -> Iterator[None]:
    """Let multiprocessing find no file and no module behind `__main__`."""
    with _hiding:
        names = vars(sys.modules["__main__"])
        hidden: dict[str, Any] = {
            name: names.pop(name) for name in ("__file__", "__spec__") if name in names
        }
        names["__spec__"] = None
        try:
            yield
        finally:
            names.update(hidden)


class _Worker:
    """What a decode process has at hand."""

    decode: DecodeFiles
    pixels: NDArray[np.uint8]


def _begin(decode: DecodeFiles, path: str, shape: tuple[int, ...]) -> None:
    """Make a fresh process ready. Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _Worker.decode = staticmethod(decode)
    _Worker.pixels = np.memmap(path, np.uint8, "r+", shape=shape)


def _end_with_parent() -> None:
    """Leave when the parent is gone: a killed one tells nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - this runs in a child
    parent.join()
    os._exit(1)


def _decode_chunk(slot: int, files: ListedFiles) -> PackRows:
    pixels = _Worker.pixels[slot, : len(files)]
    pixels[:] = 0
    return _Worker.decode(files, pixels)
