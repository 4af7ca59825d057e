"""scikit-learn's `KMeans(n_init=10)` on float32 vectors in memory."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.serving import Job, serve


class ScikitLearn(Job):
    """One number of clusters; `threads` limits BLAS and OpenMP, None leaves them alone."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._vectors = np.load(setup["vectors"], allow_pickle=False)
        self._k: int = setup["k"]
        self._starts: int = setup["starts"]
        self._threads: int | None = setup["threads"]
        self.facts = {
            "scikit-learn": sklearn.__version__,
            "threads": self._threads or max(pool["num_threads"] for pool in threadpool_info()),
            "starts": self._starts,
            "k": self._k,
            "dtype": str(self._vectors.dtype),
        }

    def work(self) -> NDArray[np.int32]:
        """Return the (n,) labels."""
        with ExitStack() as stack:
            if self._threads is not None:
                stack.enter_context(threadpool_limits(self._threads))
            model = KMeans(self._k, n_init=self._starts, random_state=0).fit(self._vectors)
        labels: NDArray[np.int32] = model.labels_
        return labels


if __name__ == "__main__":
    serve(ScikitLearn)
