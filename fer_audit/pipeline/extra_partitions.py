"""Clustering again: the style measures alone, small studies, bootstrap resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.studies import bootstrap_studies, sample_studies
from fer_audit.cluster.style_baseline import cluster_style
from fer_audit.cluster.types import Clustering, NotClusterable, Study
from fer_audit.config import AuditConfig
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import PackRows
from fer_audit.progress import Progress


@dataclass(frozen=True, slots=True, eq=False)
class MoreClusters:
    """Partitions beside the reported one; what cannot be made is None or empty."""

    style_labels: NDArray[np.int32] | None
    """(n,) clusters of the style measures alone."""
    replays: tuple[Study, ...]
    reclusters: tuple[Study, ...]


def cluster_more(
    rows: PackRows,
    embeddings: Embeddings,
    clustering: Clustering | None,
    config: AuditConfig,
    progress: Progress,
) -> MoreClusters:
    """Return the partitions that a claim is held against, as far as `config` asks for them."""
    if clustering is None or clustering.coordinates is None:
        return MoreClusters(None, (), ())
    k, seed = clustering.k, config.seed
    style_labels = None
    try:
        style_labels = cluster_style(rows.style, embeddings.ok, k=k, seed=seed)
    except NotClusterable as exc:
        progress.say(f"no style-only baseline: {exc}")
    replays: tuple[Study, ...] = ()
    if config.statistics.replay:
        try:
            replays = sample_studies(
                clustering.coordinates,
                embeddings.ok,
                studies=config.statistics.replay,
                size=config.statistics.replay_size,
                k=k,
                seed=seed,
            )
        except NotClusterable as exc:
            progress.say(f"no replay: {exc}; --replay-size makes the studies smaller")
    reclusters: tuple[Study, ...] = ()
    if config.statistics.recluster:
        reclusters = bootstrap_studies(
            clustering.coordinates,
            embeddings.ok,
            resamples=config.statistics.recluster,
            k=k,
            seed=seed,
        )
    return MoreClusters(style_labels, replays, reclusters)
