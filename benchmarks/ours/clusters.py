"""Our K-Means as `cluster` runs it: reduction to 128 dimensions, ten starts there, the best polished in the full space."""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.cluster  # noqa: F401 - loaded before the clock runs, as scikit-learn's peer has it
from numpy.typing import NDArray

from benchmarks.serving import Job, serve
from fer_audit.cluster.kmeans import best_partition, start_seeds
from fer_audit.cluster.reduce import Rows, principal_space, reduce_rows


class Clusters(Job):
    """One number of clusters, from the memory map to the labels."""

    def __init__(self, setup: dict[str, Any]) -> None:
        vectors = np.load(setup["vectors"], mmap_mode="r", allow_pickle=False)
        self._rows = Rows(vectors, np.ones(len(vectors), np.bool_))
        self._k: int = setup["k"]
        self._seeds = start_seeds(0, self._k, setup["starts"])
        self.facts = {"starts": setup["starts"], "k": self._k, "dtype": str(vectors.dtype)}

    def work(self) -> NDArray[np.int32]:
        """Return the (n,) labels."""
        reduced = reduce_rows(self._rows, principal_space(self._rows))
        return best_partition(self._rows, reduced, self._k, self._seeds)[0].labels


if __name__ == "__main__":
    serve(Clusters)
