"""Small studies drawn from the images, and bootstrap resamples of all of them, each clustered again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import best_start, by_size, draw_seeds
from fer_audit.cluster.types import NotClusterable, Study
from fer_audit.rng import stage_rng

N_SAMPLE_STARTS = 10
"""scikit-learn's default when the paper was written."""
N_BOOTSTRAP_STARTS = 3


def sample_studies(
    coordinates: NDArray[np.float32],
    ok: NDArray[np.bool_],
    *,
    studies: int,
    size: int,
    k: int,
    seed: int,
) -> tuple[Study, ...]:
    """Return `studies` uniform samples of `size` usable images without replacement, each clustered on its own.

    `coordinates` is (n, m), those of the pipeline; K-Means on 500 rows in 128 of them is what it is in 2048.
    Study i depends on the seed and i alone: more studies never change the first ones.
    Raises NotClusterable when there are fewer usable images than `size`, or fewer in a study than k.
    """
    usable = np.flatnonzero(ok)
    if size > len(usable):
        raise NotClusterable(f"{len(usable)} usable images cannot make a study of {size}")
    if size < k:
        raise NotClusterable(f"A study of {size} images cannot make {k} clusters")
    done = []
    for i in range(studies):
        rng = stage_rng(seed, "cluster", "replay", f"k={k}", f"size={size}", str(i))
        rows = rng.choice(usable, size, replace=False)
        done.append(_cluster_study(coordinates, rows, k, rng, N_SAMPLE_STARTS))
    return tuple(done)


def bootstrap_studies(
    coordinates: NDArray[np.float32],
    ok: NDArray[np.bool_],
    *,
    resamples: int,
    k: int,
    seed: int,
) -> tuple[Study, ...]:
    """Return `resamples` draws of as many images as are usable, with replacement, each clustered on its own.

    An interval over them includes that the clusters are estimated too; one over a fixed partition does not.
    Raises NotClusterable when there are fewer usable images than k.
    """
    usable = np.flatnonzero(ok)
    if len(usable) < k:
        raise NotClusterable(f"{len(usable)} usable images cannot make {k} clusters")
    done = []
    for i in range(resamples):
        rng = stage_rng(seed, "cluster", "recluster", f"k={k}", str(i))
        rows = rng.choice(usable, len(usable))
        done.append(_cluster_study(coordinates, rows, k, rng, N_BOOTSTRAP_STARTS))
    return tuple(done)


def _cluster_study(
    coordinates: NDArray[np.float32],
    drawn: NDArray[np.intp],
    k: int,
    rng: np.random.Generator,
    starts: int,
) -> Study:
    rows = np.sort(drawn).astype(np.int64)
    best, _ = best_start(coordinates[rows], k, draw_seeds(rng, starts))
    return Study(rows, by_size(best.labels, k))
