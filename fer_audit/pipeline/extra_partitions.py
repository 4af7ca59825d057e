"""Clustering again: the style measures alone, small studies, bootstrap resamples."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import ExtraPartitions
from fer_audit.cluster.kmeans import best_start, by_size, start_seeds
from fer_audit.cluster.studies import bootstrap_studies, cluster_style, sample_studies
from fer_audit.cluster.types import Clustering, NotClusterable, Study
from fer_audit.config import AuditConfig
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import PackRows
from fer_audit.progress import Progress


def extra_partitions(
    rows: PackRows,
    embeddings: Embeddings,
    clustering: Clustering | None,
    config: AuditConfig,
    progress: Progress,
) -> ExtraPartitions:
    """Return the partitions that a claim is compared with; each is made when an analysis first asks for it."""
    if clustering is None or clustering.coordinates is None:
        return ExtraPartitions()
    k, coordinates = clustering.k, clustering.coordinates
    seed, settings = config.seed, config.statistics

    @cache
    def style_labels() -> NDArray[np.int32] | None:
        try:
            return cluster_style(rows.style, embeddings.ok, k=k, seed=seed)
        except NotClusterable as exc:
            progress.say(f"no style-only baseline: {exc}")
            return None

    @cache
    def replays() -> tuple[Study, ...]:
        if not settings.replay:
            return ()
        studies, size = settings.replay, settings.replay_size
        try:
            return sample_studies(
                coordinates, embeddings.ok, studies=studies, size=size, k=k, seed=seed
            )
        except NotClusterable as exc:
            progress.say(f"no replay: {exc}; --replay-size makes the studies smaller")
            return ()

    @cache
    def reclusters() -> tuple[Study, ...]:
        if not settings.recluster:
            return ()
        return bootstrap_studies(
            coordinates, embeddings.ok, resamples=settings.recluster, k=k, seed=seed
        )

    def clusters_of(points: NDArray[np.float32]) -> NDArray[np.int32]:
        found, _ = best_start(points, k, start_seeds(seed, k, config.clusters.starts))
        return by_size(found.labels, k)

    return ExtraPartitions(style_labels, replays, reclusters, clusters_of=clusters_of)
