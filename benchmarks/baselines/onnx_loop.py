"""A plain ONNX Runtime loop: read a batch, run it, read the next. Batch 1 to 32 is also what fastembed does without workers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.baselines.faces import face_batches
from benchmarks.serving import Job, serve


class Loop(Job):
    """A session with default options and a float32 NCHW network."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._setup = setup
        self._session = onnxruntime.InferenceSession(
            setup["network"], providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self.facts = {
            "provider": self._session.get_providers()[0],
            "onnxruntime": onnxruntime.__version__,
            "threads": "default",
            "batch": setup["batch"],
        }

    def work(self) -> NDArray[np.float32]:
        """Return the (n, dim) vectors."""
        return np.concatenate(
            [self._session.run(None, {self._input: x})[0] for x in face_batches(self._setup)]
        )


if __name__ == "__main__":
    serve(Loop)
