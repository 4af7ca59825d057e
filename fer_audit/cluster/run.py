"""Vectors -> one partition, the elbow, and how much the starts disagreed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.kmeans import Partition, best_partition, center_distances
from fer_audit.cluster.reduce import Rows, principal_space, reduce_rows
from fer_audit.cluster.types import Clustering, NotClusterable, SweepPoint
from fer_audit.fingerprint import stage_fingerprint
from fer_audit.progress import Progress
from fer_audit.rng import stage_rng
from fer_audit.store import StageFolder

STAGE = "cluster"
SWEEP_STARTS = 3
"""The elbow is a picture of the trend: three starts for each k, and all of them for the k that is reported."""

_PART = "clustering"


def cluster_fingerprint(
    embed_fingerprint: str,
    *,
    k: int,
    starts: int,
    sweep_max: int,
    seed: int,
    versions: tuple[str, ...],
) -> str:
    """Return what the partition depends on."""
    return stage_fingerprint(
        STAGE,
        {
            "embed": embed_fingerprint,
            "k": k,
            "starts": starts,
            "sweep_max": sweep_max,
            "seed": seed,
            "versions": list(versions),
        },
    )


def cluster_embeddings(
    vectors: NDArray[np.float32],
    ok: NDArray[np.bool_],
    *,
    k: int = 4,
    starts: int = 10,
    sweep_max: int = 10,
    seed: int = 0,
    fingerprint: str = "",
    progress: Progress,
) -> Clustering:
    """Return the best partition found of the (n, d) vectors whose row is ok.

    Raises NotClusterable when there are fewer usable rows than clusters, or nothing that varies.
    """
    rows = Rows(vectors, ok)
    if rows.count < k:
        raise NotClusterable(f"{rows.count} usable images cannot make {k} clusters")
    sweep_ks = [x for x in range(1, sweep_max + 1) if x <= rows.count and x != k]
    progress.start(STAGE, 2 + len(sweep_ks), "steps")
    space = principal_space(rows)
    reduced = reduce_rows(rows, space)
    if not np.ptp(reduced, axis=0).any():
        raise NotClusterable("all images have the same vector")
    progress.advance(STAGE)
    best, start_inertias = best_partition(rows, reduced, k, _seeds(seed, k, starts))
    progress.advance(STAGE)
    sweep = [SweepPoint(k, best.inertia)]
    for other in sweep_ks:
        found, _ = best_partition(rows, reduced, other, _seeds(seed, other, SWEEP_STARTS))
        sweep.append(SweepPoint(other, found.inertia))
        progress.advance(STAGE)
    progress.finish(STAGE)
    return _numbered(rows, best, start_inertias, sorted(sweep, key=lambda p: p.k), fingerprint)


def _seeds(seed: int, k: int, count: int) -> list[int]:
    rng = stage_rng(seed, STAGE, f"k={k}")
    return [int(x) for x in rng.integers(0, 2**31, size=count)]


def _numbered(
    rows: Rows,
    partition: Partition,
    start_inertias: tuple[float, ...],
    sweep: list[SweepPoint],
    fingerprint: str,
) -> Clustering:
    """Spread the partition over all n rows, clusters numbered by size, largest first."""
    k = len(partition.centers)
    order = np.argsort(-np.bincount(partition.labels, minlength=k), kind="stable")
    rank = np.empty(k, np.int32)
    rank[order] = np.arange(k)
    labels = np.full(len(rows.ok), -1, np.int32)
    labels[rows.ok] = rank[partition.labels]
    distances = np.zeros(len(rows.ok), np.float32)
    distances[rows.ok] = center_distances(rows, partition.centers, partition.labels)
    return Clustering(
        labels,
        partition.centers[order],
        distances,
        partition.inertia,
        start_inertias,
        tuple(sweep),
        fingerprint,
    )


def save_clustering(folder: StageFolder, clustering: Clustering) -> None:
    """Keep a partition in the cache."""
    facts = {
        "inertia": clustering.inertia,
        "start_inertias": list(clustering.start_inertias),
        "sweep": [[point.k, point.inertia] for point in clustering.sweep],
    }
    folder.write_part(
        _PART,
        facts,
        labels=clustering.labels,
        centers=clustering.centers,
        distances=clustering.distances,
    )


def load_clustering(folder: StageFolder) -> Clustering | str:
    """Return a kept partition, or why there is none ("" = never made)."""
    found = folder.read_part(_PART)
    if isinstance(found, str):
        return found
    facts, arrays = found
    return Clustering(
        arrays["labels"],
        arrays["centers"],
        arrays["distances"],
        facts["inertia"],
        tuple(facts["start_inertias"]),
        tuple(SweepPoint(k, inertia) for k, inertia in facts["sweep"]),
        folder.fingerprint,
    )
