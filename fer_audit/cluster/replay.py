"""The same study made again and again: other images, another partition each time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import best_start, by_size
from fer_audit.cluster.types import NotClusterable, Study
from fer_audit.rng import stage_rng

REPLAY_STARTS = 10
"""scikit-learn's default when the paper was written."""

RECLUSTER_STARTS = 3


def replay_studies(
    coordinates: NDArray[np.float32],
    ok: NDArray[np.bool_],
    *,
    studies: int,
    size: int,
    k: int,
    seed: int,
    starts: int = REPLAY_STARTS,
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
        rows = np.sort(rng.choice(usable, size, replace=False)).astype(np.int64)
        done.append(_study(coordinates, rows, k, rng, starts))
    return tuple(done)


def recluster(
    coordinates: NDArray[np.float32],
    ok: NDArray[np.bool_],
    *,
    resamples: int,
    k: int,
    seed: int,
    starts: int = RECLUSTER_STARTS,
) -> tuple[Study, ...]:
    """Return `resamples` bootstrap resamples (as many images as are usable, with replacement), each clustered anew.

    An interval over them holds what a fixed partition's does not: that the clusters are estimated too.
    Raises NotClusterable when there are fewer usable images than k.
    """
    usable = np.flatnonzero(ok)
    if len(usable) < k:
        raise NotClusterable(f"{len(usable)} usable images cannot make {k} clusters")
    done = []
    for i in range(resamples):
        rng = stage_rng(seed, "cluster", "recluster", f"k={k}", str(i))
        rows = np.sort(rng.choice(usable, len(usable))).astype(np.int64)
        done.append(_study(coordinates, rows, k, rng, starts))
    return tuple(done)


def _study(
    coordinates: NDArray[np.float32],
    rows: NDArray[np.int64],
    k: int,
    rng: np.random.Generator,
    starts: int,
) -> Study:
    seeds = [int(x) for x in rng.integers(0, 2**31, size=starts)]
    best, _ = best_start(coordinates[rows], k, seeds)
    return Study(rows, by_size(best.labels, k))
