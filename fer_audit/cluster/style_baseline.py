"""The style-only baseline: clusters of brightness, contrast and the other style measures, without the embedding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import best_start, by_size, start_seeds
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.types import NotClusterable

N_STARTS = 10


def cluster_style(
    style: NDArray[np.float32], ok: NDArray[np.bool_], *, k: int, seed: int
) -> NDArray[np.int32]:
    """Return the (n,) cluster of each image by its (n, s) style measures alone; -1 where not ok.

    Measures are standardised, for their units differ; one that never varies is left out.
    Clusters are numbered by size, largest first.
    Raises NotClusterable when there are fewer usable rows than clusters, or nothing that varies.
    """
    usable = style[ok].astype(np.float64)
    if len(usable) < k:
        raise NotClusterable(f"{len(usable)} usable images cannot make {k} clusters")
    usable = usable[:, np.ptp(usable, axis=0) > 0]
    if not usable.shape[1]:
        raise NotClusterable("no style measure varies over the images")
    usable -= usable.mean(axis=0)
    usable /= usable.std(axis=0)
    best, _ = best_start(usable.astype(np.float32), k, start_seeds(seed, k, N_STARTS))
    return Rows(style, ok).over_all(by_size(best.labels, k), fill=-1)
