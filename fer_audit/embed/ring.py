"""A ring of fixed buffers: the next batch is copied while this one is computed.

Nothing here knows onnxruntime: a slot is whatever can take a batch, compute it and give its vectors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Executor, Future, wait
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Slot(Protocol):
    """One set of buffers: a batch in, a batch of vectors out."""

    @property
    def host(self) -> NDArray[np.uint8]:
        """(batch, size, size, 3) in the memory of the CPU, to be filled with the next batch."""

    def upload(self) -> None:
        """Copy `host` to the device and return when it is there."""

    def compute(self) -> None:
        """Run the model on what was uploaded and return when it is done."""

    def fetch(self) -> NDArray[np.float32]:
        """Return the (batch, dim) vectors, in memory of their own."""


def stream(
    slots: Sequence[Slot], batches: Iterable[NDArray[np.uint8]], worker: Executor
) -> Generator[NDArray[np.float32], None, None]:
    """Yield the (n, dim) vectors of every batch of n images, in order.

    The worker computes; the caller's thread fills, uploads and fetches. With two slots the worker always finds the next
    batch ready: one slot computes while the other is fetched, handed on, filled and uploaded.
    A short batch is padded with black, because always the same shape reaches the model.
    An error of the model comes out where its batch would have; when the iterator is closed early, what runs is waited for.
    """
    free = deque(slots)
    busy: deque[tuple[Slot, int, Future[None]]] = deque()
    try:
        for pixels in batches:
            if not free:
                vectors, slot = _finish(*busy.popleft())
                free.append(slot)
                yield vectors
            slot = free.popleft()
            n = len(pixels)
            slot.host[:n] = pixels
            slot.host[n:] = 0
            slot.upload()
            busy.append((slot, n, worker.submit(slot.compute)))
        while busy:
            yield _finish(*busy.popleft())[0]
    finally:
        wait([future for _, _, future in busy])


def _finish(slot: Slot, n: int, computed: Future[None]) -> tuple[NDArray[np.float32], Slot]:
    computed.result()
    return slot.fetch()[:n], slot
