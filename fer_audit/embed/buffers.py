"""One slot of the ring in onnxruntime's terms: an input and an output buffer, bound once and used for every batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.embed.cuda import lock_pages
from fer_audit.embed.types import CUDA
from fer_audit.errors import ModelError

OUT_OF_MEMORY = (
    "out of memory",
    "failed to allocate memory",
    "available memory of",
    "alloc_failed",
)
"""What CUDA, onnxruntime's allocators and cuDNN or cuBLAS say, in lower case, when there is too little of it."""


class BoundSlot:
    """Buffers of one batch on one device.

    On the CPU `host` itself is what the model reads. On CUDA the model reads a copy on the device, made by `upload`
    from page-locked memory; the copy does not wait for what another slot computes, because onnxruntime's stream is a
    non-blocking one.
    """

    def __init__(
        self,
        ort: Any,  # noqa: ANN401 - a module without types
        session: Any,  # noqa: ANN401 - as above
        names: tuple[str, str],
        shape: tuple[int, int, int, int],
        dim: int,
        *,
        device: int,
    ) -> None:
        self._session = session
        self._on_cuda = session.get_providers()[0] == CUDA
        place = ("cuda", device) if self._on_cuda else ("cpu", 0)
        self.host = np.zeros(shape, np.uint8)
        self.pinned = self._on_cuda and lock_pages(self.host)
        try:
            self._pixels = ort.OrtValue.ortvalue_from_numpy(self.host, *place)
            self._vectors = ort.OrtValue.ortvalue_from_shape_and_type(
                (shape[0], dim), np.float32, *place
            )
        except Exception as exc:  # onnxruntime's exceptions share no base class
            raise model_error(exc, shape[0]) from exc
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(names[0], self._pixels)
        self._binding.bind_ortvalue_output(names[1], self._vectors)

    def upload(self) -> None:
        """Copy the batch to the device."""
        if self._on_cuda:
            try:
                self._pixels.update_inplace(self.host)
            except Exception as exc:  # as above
                raise model_error(exc, len(self.host)) from exc

    def compute(self) -> None:
        """Run the model; onnxruntime returns when the device is done, and lets other threads work meanwhile."""
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as exc:  # as above
            raise model_error(exc, len(self.host)) from exc

    def fetch(self) -> NDArray[np.float32]:
        """Return a copy of the vectors in the CPU's memory."""
        return np.array(self._vectors.numpy(), np.float32)


def model_error(exc: Exception, batch_size: int) -> ModelError:
    """Return our error for one of onnxruntime's."""
    text = str(exc)
    if any(words in text.lower() for words in OUT_OF_MEMORY):
        return ModelError(
            f"A batch of {batch_size} images does not fit into the memory there is: {text}",
            hint=(
                f"Use --batch-size {max(1, batch_size // 2)}. It is not halved by itself, because another batch "
                "can change the last bits of every vector."
            ),
        )
    return ModelError(f"The model failed on a batch of images: {text}")
