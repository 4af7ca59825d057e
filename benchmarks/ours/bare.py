"""The model alone: `session.run` over batches that are in memory already. The ceiling of everything around it.

Onnxruntime itself and nothing of ours around it, with the provider, the threads and the batch that `embed` would take.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.ours.setup import EmbedSetup
from benchmarks.serving import Job, serve
from fer_audit.cores import usable_cores
from fer_audit.embed.session import choose_provider
from fer_audit.pack.decode import decode_image


class Bare(Job):
    """One session, and pixels that fill whole batches."""

    def __init__(self, setup: dict[str, Any]) -> None:
        asked = EmbedSetup(setup)
        size, batch = asked.model.spec.size, asked.config.model.batch_size
        padded = asked.model.spec.padded
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = usable_cores()
        self._session = onnxruntime.InferenceSession(
            str(asked.model.path), options, providers=[choose_provider("auto")]
        )
        self._input = self._session.get_inputs()[0].name
        self._n = len(asked.names)
        # the last batch is filled with black: another shape could change last bits
        self._batches = np.zeros((-(-self._n // batch), batch, size, size, 3), np.uint8)
        rows = self._batches.reshape(-1, size, size, 3)
        for row, name in enumerate(asked.names):
            data = (asked.faces / name).read_bytes()
            rows[row] = decode_image(data, name, size, padded=padded).pixels
        self.facts = asked.facts(self._session.get_providers()[0])

    def work(self) -> NDArray[np.float32]:
        """Return the (n, dim) vectors."""
        vectors = [self._session.run(None, {self._input: batch})[0] for batch in self._batches]
        whole: NDArray[np.float32] = np.concatenate(vectors)[: self._n]
        return whole


if __name__ == "__main__":
    serve(Bare)
