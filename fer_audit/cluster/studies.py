"""Partitions in addition to the reported one: small studies, bootstrap resamples, and clusters of style measures alone."""

from __future__ import annotations

import numpy as np

from fer_audit.cluster.kmeans import best_start, by_size, draw_seeds, start_seeds
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.types import Labels, Mask, NotClusterable, Places, Singles, Study
from fer_audit.rng import stage_rng

N_SAMPLE_STARTS = 10
"""scikit-learn's default when the paper was written."""
N_BOOTSTRAP_STARTS = 3


def sample_studies(
    coordinates: Singles, ok: Mask, *, studies: int, size: int, k: int, seed: int
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
    coordinates: Singles, ok: Mask, *, resamples: int, k: int, seed: int
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
    coordinates: Singles, drawn: Places, k: int, rng: np.random.Generator, starts: int
) -> Study:
    rows = np.sort(drawn).astype(np.int64)
    best, _ = best_start(coordinates[rows], k, draw_seeds(rng, starts))
    return Study(rows, by_size(best.labels, k))


N_STYLE_STARTS = 10


def cluster_style(style: Singles, ok: Mask, *, k: int, seed: int) -> Labels:
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
    best, _ = best_start(usable.astype(np.float32), k, start_seeds(seed, k, N_STYLE_STARTS))
    return Rows(style, ok).over_all(by_size(best.labels, k), fill=-1)
