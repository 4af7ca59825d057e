"""How near an int8 model comes to the float one: both run over the same held-out images, batch by batch in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import polish
from fer_audit.cluster.reduce import Rows
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import NotClusterable
from fer_audit.config import ClusterSettings
from fer_audit.embed.session import EmbedSession
from fer_audit.encoders.types import Agreement
from fer_audit.progress import Progress, Silent

COMPARED_K = 4
"""Clusters the two models' vectors are compared by."""


def measure_agreement(
    plain: EmbedSession,
    rounded: EmbedSession,
    pixels: NDArray[np.uint8],
    *,
    calibration_images: int,
    progress: Progress,
) -> Agreement:
    """Return how the two models' vectors of (n, size, size, 3) held-out images agree, and what one gains over the other.

    `progress` hears of every batch of each model, as stage "quantize".
    """
    sessions = (plain, rounded)
    vectors: tuple[list[NDArray[np.float32]], ...] = ([], [])
    seconds = [0.0, 0.0]
    for session in sessions:  # the first call plans memory
        session.embed(pixels[: session.batch_size])
    for batch in batches(pixels, plain.batch_size):
        for i, session in enumerate(sessions):
            started = time.perf_counter()
            vectors[i].append(session.embed(batch).copy())
            seconds[i] += time.perf_counter() - started
            progress.advance("quantize", len(batch))
    first, second = (np.concatenate(each) for each in vectors)
    cosines = row_cosines(first, second)
    return Agreement(
        images=len(pixels),
        calibration_images=calibration_images,
        error=relative_error(first, second),
        cosine_mean=float(cosines.mean()),
        cosine_low=float(np.quantile(cosines, 0.01)),
        cosine_min=float(cosines.min()),
        ari=_clusters_agree(first, second),
        speed_ratio=seconds[0] / seconds[1],
    )


def batches(pixels: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield views of at most `size` images."""
    for start in range(0, len(pixels), size):
        yield pixels[start : start + size]


def relative_error(plain: NDArray[np.float32], rounded: NDArray[np.float32]) -> float:
    """Return the norm of the (n, d) differences over that of the plain vectors' distances from their mean."""
    exact = plain.astype(np.float64)
    spread = np.linalg.norm(exact - exact.mean(axis=0))
    off = np.linalg.norm(rounded - exact)
    return float(off / spread) if spread else float(off > 0)


def row_cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the (n,) cosines of the rows of two (n, d) matrices; 1 for two zero rows, 0 for one."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    alike = np.where(x.any(axis=1) | y.any(axis=1), 0.0, 1.0)
    np.divide(np.einsum("nd,nd->n", x, y), lengths, out=alike, where=lengths > 0)
    return alike


def _clusters_agree(plain: NDArray[np.float32], rounded: NDArray[np.float32]) -> float | None:
    """Return the adjusted Rand index of the two models' clusters, both from the partition of the plain vectors.

    From starts of their own a few hundred images would tell two optima apart, not two models.
    """
    from fer_audit.audit.compare.agreement import (
        adjusted_rand,  # scipy.stats: 0.9 s of a warm rerun
    )

    ok = np.ones(len(plain), np.bool_)
    try:
        settings = ClusterSettings(k=COMPARED_K, sweep_max=1)
        first = cluster_embeddings(plain, ok, settings, progress=Silent()).labels
    except NotClusterable:
        return None
    second = polish(Rows(rounded, ok), first, COMPARED_K).labels
    table = np.zeros((COMPARED_K, COMPARED_K), np.int64)
    np.add.at(table, (first, second), 1)
    return float(adjusted_rand(table))
