"""The session of an encoder that a library computes image by image: the same way in and out as a network's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from fer_audit.cores import usable_cores
from fer_audit.encoders.types import ComputedModel


class ComputedSession:
    """The images of a batch are shared by threads; a vector depends on nothing but its image."""

    def __init__(
        self, model: ComputedModel, *, batch_size: int, threads: int | None = None
    ) -> None:
        self.batch_size, self.dim = batch_size, model.spec.dim
        self._vector = model.vector
        self._workers = ThreadPoolExecutor(threads or usable_cores(), thread_name_prefix="embed")

    def stream(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Yield the (n, dim) vectors of every batch of n images, in order."""
        for pixels in batches:
            yield np.stack([*self._workers.map(self._vector, pixels)])

    def close(self) -> None:
        """Wait for the images in progress and end the threads."""
        self._workers.shutdown()
