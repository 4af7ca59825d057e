"""Vectors -> one partition, the elbow, how much the starts disagreed, and on request how stable it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.choose import POOL_ROWS, RULE, SUBSAMPLES, choose_k
from fer_audit.cluster.kmeans import (
    START_ROWS,
    best_partition,
    by_size,
    size_order,
    start_seeds,
)
from fer_audit.cluster.lloyd import Partition, center_distances
from fer_audit.cluster.reduce import COMPONENTS, SPACE_ROWS, Rows, principal_space, reduce_rows
from fer_audit.cluster.stability import (
    BOOTSTRAP_STARTS,
    BOOTSTRAPS,
    SEED_STARTS,
    SEEDS,
    measure_stability,
    spread,
    stability_steps,
)
from fer_audit.cluster.types import (
    Alternative,
    Clustering,
    KChoice,
    KPoint,
    NotClusterable,
    Stability,
    SweepPoint,
)
from fer_audit.progress import Progress
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder

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
    k_auto: bool = False,
    stability: bool = False,
) -> str:
    """Return what the partition depends on; when k is chosen it does not depend on the given one."""
    return stage_fingerprint(
        STAGE,
        {
            "embed": embed_fingerprint,
            "k": [RULE, POOL_ROWS, SUBSAMPLES] if k_auto else k,
            "starts": [starts, SWEEP_STARTS],
            "sweep_max": sweep_max,
            "seed": seed,
            "space": [COMPONENTS, SPACE_ROWS, START_ROWS],
            "stability": [SEEDS, SEED_STARTS, BOOTSTRAPS, BOOTSTRAP_STARTS] if stability else [],
            "versions": list(versions),
        },
    )


def cluster_embeddings(
    vectors: NDArray[np.float32] | NDArray[np.float16],
    ok: NDArray[np.bool_],
    *,
    k: int = 4,
    k_auto: bool = False,
    starts: int = 10,
    sweep_max: int = 10,
    seed: int = 0,
    stability: bool = False,
    fingerprint: str = "",
    progress: Progress,
) -> Clustering:
    """Return the best partition found of the (n, d) vectors whose row is ok.

    `k_auto` chooses k among 2..sweep_max and does not read `k`; `stability` measures seeds, resamples and a held-out
    half as well, which takes a few times as long as the partition.
    Raises NotClusterable when there are fewer usable rows than clusters, or nothing that varies.
    """
    rows = Rows(vectors, ok)
    if rows.count < (2 if k_auto else k):
        raise NotClusterable(
            f"{rows.count} usable images cannot make {2 if k_auto else k} clusters"
        )
    sweep_ks = [x for x in range(1, sweep_max + 1) if x <= rows.count and (k_auto or x != k)]
    steps = 2 + len(sweep_ks) + k_auto + (stability_steps() if stability else 0)
    progress.start(STAGE, steps, "steps")
    reduced = reduce_rows(rows, principal_space(rows))
    if not np.ptp(reduced, axis=0).any():
        raise NotClusterable("all images have the same vector")
    progress.advance(STAGE)
    sweep = {}
    for other in sweep_ks:
        found, _ = best_partition(rows, reduced, other, start_seeds(seed, other, SWEEP_STARTS))
        sweep[other] = spread(rows, found, other, seed)
        progress.advance(STAGE)
    choice = None
    if k_auto:
        choice = choose_k(reduced, ok, list(sweep.values()), seed=seed)
        k = choice.k
        progress.advance(STAGE)
    best, start_inertias = best_partition(rows, reduced, k, start_seeds(seed, k, starts))
    sweep[k] = spread(rows, best, k, seed)
    progress.advance(STAGE)
    alternatives = [sweep[each] for each in sorted(sweep)]
    clustering = dataclasses.replace(
        _numbered(rows, best, start_inertias, alternatives, fingerprint),
        coordinates=_all_rows(ok, reduced),
        choice=choice,
    )
    if stability:
        measured = measure_stability(
            rows, reduced, sweep[k], alternatives, seed=seed, progress=progress
        )
        clustering = dataclasses.replace(clustering, stability=measured)
    progress.finish(STAGE)
    return clustering


def _all_rows(ok: NDArray[np.bool_], reduced: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the coordinates of all n rows, 0 where not ok; no copy when every row is."""
    if ok.all():
        return reduced
    coordinates = np.zeros((len(ok), reduced.shape[1]), np.float32)
    coordinates[ok] = reduced
    return coordinates


def _numbered(
    rows: Rows,
    partition: Partition,
    start_inertias: tuple[float, ...],
    sweep: list[Alternative],
    fingerprint: str,
) -> Clustering:
    """Spread the partition over all n rows, clusters numbered by size, largest first."""
    k = len(partition.centers)
    labels = np.full(len(rows.ok), -1, np.int32)
    labels[rows.ok] = by_size(partition.labels, k)
    distances = np.zeros(len(rows.ok), np.float32)
    distances[rows.ok] = center_distances(rows, partition.centers, partition.labels)
    return Clustering(
        labels,
        partition.centers[size_order(partition.labels, k)],
        distances,
        partition.inertia,
        start_inertias,
        tuple(SweepPoint(each.k, each.inertia) for each in sweep),
        fingerprint,
    )


def save_clustering(folder: StageFolder, clustering: Clustering) -> None:
    """Keep a partition, and what was measured about it, in the cache."""
    facts = {
        "inertia": clustering.inertia,
        "start_inertias": list(clustering.start_inertias),
        "sweep": [[point.k, point.inertia] for point in clustering.sweep],
        "choice": None if clustering.choice is None else dataclasses.asdict(clustering.choice),
        "stability": None,
    }
    arrays: dict[str, NDArray[Any]] = {
        "labels": clustering.labels,
        "centers": clustering.centers,
        "distances": clustering.distances,
    }
    if clustering.coordinates is not None:
        arrays["coordinates"] = clustering.coordinates
    if (stability := clustering.stability) is not None:
        facts["stability"] = {
            "seeds": [[each.k, each.seed, each.inertia] for each in stability.seeds],
            "ks": [[each.k, each.seed, each.inertia] for each in stability.ks],
            "ari": list(stability.ari),
            "jaccard": list(stability.jaccard),
        }
        n = len(clustering.labels)
        for name, found in (("seeds", stability.seeds), ("ks", stability.ks)):
            arrays[name] = np.array([x.labels for x in found], np.int32).reshape(len(found), n)
        arrays["half_a"] = stability.half_a
        arrays["half_b_labels"] = stability.half_b_labels
    folder.write_part(_PART, facts, **arrays)


def load_clustering(folder: StageFolder) -> Clustering | str:
    """Return a kept partition, or why there is none ("" = never made)."""
    found = folder.read_part(_PART)
    if isinstance(found, str):
        return found
    facts, arrays = found
    stability = choice = None
    if (kept := facts["stability"]) is not None:
        seeds, ks = (
            tuple(
                Alternative(k, seed, labels, inertia)
                for (k, seed, inertia), labels in zip(kept[name], arrays[name], strict=True)
            )
            for name in ("seeds", "ks")
        )
        stability = Stability(
            seeds,
            ks,
            tuple(kept["ari"]),
            tuple(kept["jaccard"]),
            arrays["half_a"],
            arrays["half_b_labels"],
        )
    if (kept := facts["choice"]) is not None:
        points = tuple(KPoint(**point) for point in kept["points"])
        choice = KChoice(**{**kept, "points": points})
    return Clustering(
        arrays["labels"],
        arrays["centers"],
        arrays["distances"],
        facts["inertia"],
        tuple(facts["start_inertias"]),
        tuple(SweepPoint(k, inertia) for k, inertia in facts["sweep"]),
        folder.fingerprint,
        arrays.get("coordinates"),
        stability,
        choice,
    )
