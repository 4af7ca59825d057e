"""Vectors to one partition, the inertia of other k, and how stable the partition is."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.choose import MAX_POOL_ROWS, N_SUBSAMPLES, RULE, choose_k
from fer_audit.cluster.kmeans import (
    MAX_START_ROWS,
    best_partition,
    polish,
    size_order,
    start_seeds,
)
from fer_audit.cluster.lloyd import Partition, center_distances, cluster_means
from fer_audit.cluster.reduce import MAX_PCA_ROWS, N_COMPONENTS, Rows, principal_space, reduce_rows
from fer_audit.cluster.stability import (
    N_BOOTSTRAP_STARTS,
    N_BOOTSTRAPS,
    N_SEED_STARTS,
    N_SEEDS,
    N_STEPS,
    as_alternative,
    measure_stability,
)
from fer_audit.cluster.threads import serial_map
from fer_audit.cluster.types import (
    Alternative,
    Clustering,
    Codes,
    KChoice,
    KPoint,
    Mask,
    NotClusterable,
    Singles,
    Stability,
    SweepPoint,
)
from fer_audit.config import ClusterSettings
from fer_audit.progress import Progress
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder

STAGE = "cluster"
N_SWEEP_STARTS = 3
"""The elbow shows a trend: three starts for each k, all of them for the k that is reported."""

_PART = "clustering"


def cluster_fingerprint(
    embed_fingerprint: str,
    settings: ClusterSettings,
    *,
    seed: int,
    versions: tuple[str, ...],
    units: Codes | None = None,
) -> str:
    """Return what the partition depends on, stability included; a k that is chosen does not depend on the given one."""
    drawn = None if units is None else hashlib.sha256(units.astype("<i8").tobytes()).hexdigest()
    return stage_fingerprint(
        STAGE,
        {
            "embed": embed_fingerprint,
            "k": [RULE, MAX_POOL_ROWS, N_SUBSAMPLES] if settings.k_auto else settings.k,
            "starts": [settings.starts, N_SWEEP_STARTS],
            "sweep_max": [settings.sweep_max, "never rises"],
            "seed": seed,
            "space": [N_COMPONENTS, MAX_PCA_ROWS, MAX_START_ROWS],
            "stability": [N_SEEDS, N_SEED_STARTS, N_BOOTSTRAPS, N_BOOTSTRAP_STARTS],
            "versions": list(versions),
            "units": drawn,
        },
    )


def never_rising(rows: Rows, sweep: dict[int, Alternative], seed: int) -> dict[int, Partition]:
    """Mend a sweep in which one cluster more is worse, and return the partitions that took a place.

    They start from the partition of one cluster less, with the row farthest from its centre as a cluster of its own.
    """
    mended = {}
    for k in sorted(sweep):
        before = sweep.get(k - 1)
        if before is None or sweep[k].inertia <= before.inertia:
            continue
        labels = before.labels[rows.ok].copy()
        means = cluster_means(rows, labels, k - 1, serial_map)
        labels[int(center_distances(rows, means, labels).argmax())] = k - 1
        mended[k] = polish(rows, labels, k)
        sweep[k] = as_alternative(rows, mended[k], k, seed)
    return mended


def cluster_embeddings(
    vectors: Singles | NDArray[np.float16],
    ok: Mask,
    settings: ClusterSettings,
    *,
    seed: int = 0,
    stability: bool = False,
    units: Codes | None = None,
    fingerprint: str = "",
    progress: Progress,
) -> Clustering:
    """Return the best partition found of the (n, d) vectors whose row is ok.

    `stability` measures seeds, resamples and a held-out half as well: a few times as long as the partition takes. `units`
    are (n,) codes of what another collection would draw, which the half is made of; None = images.
    Raises NotClusterable when there are fewer usable rows than clusters, or nothing that varies.
    """
    rows = Rows(vectors, ok)
    given = None if settings.k_auto else settings.k
    if rows.count < (given or 2):
        raise NotClusterable(f"{rows.count} usable images cannot make {given or 2} clusters")
    sweep_ks = [x for x in range(1, min(settings.sweep_max, rows.count) + 1) if x != given]
    steps = 2 + len(sweep_ks) + (given is None) + (N_STEPS if stability else 0)
    progress.start(STAGE, steps, "steps")
    reduced = reduce_rows(rows, principal_space(rows))
    if not np.ptp(reduced, axis=0).any():
        raise NotClusterable("all images have the same vector")
    progress.advance(STAGE)
    sweep = {}
    for other in sweep_ks:
        found, _ = best_partition(rows, reduced, other, start_seeds(seed, other, N_SWEEP_STARTS))
        sweep[other] = as_alternative(rows, found, other, seed)
        progress.advance(STAGE)
    choice = None
    if given is None:
        choice = choose_k(reduced, ok, list(sweep.values()), seed=seed)
        progress.advance(STAGE)
    k = choice.k if choice is not None else settings.k
    best, start_inertias = best_partition(rows, reduced, k, start_seeds(seed, k, settings.starts))
    sweep[k] = as_alternative(rows, best, k, seed)
    best = never_rising(rows, sweep, seed).get(k, best)
    progress.advance(STAGE)
    alternatives = [sweep[each] for each in sorted(sweep)]
    measured = None
    if stability:
        measured = measure_stability(
            rows, reduced, sweep[k], alternatives, seed=seed, progress=progress, units=units
        )
    progress.finish(STAGE)
    return Clustering(
        labels=sweep[k].labels,
        centers=best.centers[size_order(best.labels, k)],
        distances=rows.over_all(center_distances(rows, best.centers, best.labels), fill=0),
        inertia=best.inertia,
        start_inertias=start_inertias,
        sweep=tuple(SweepPoint(each.k, each.inertia) for each in alternatives),
        fingerprint=fingerprint,
        coordinates=rows.over_all(reduced, fill=0),
        stability=measured,
        choice=choice,
    )


def save_clustering(folder: StageFolder, clustering: Clustering) -> None:
    """Write a partition to the cache."""
    facts = {
        "inertia": clustering.inertia,
        "start_inertias": list(clustering.start_inertias),
        "sweep": [[point.k, point.inertia] for point in clustering.sweep],
        "choice": None if clustering.choice is None else dataclasses.asdict(clustering.choice),
        "stability": None,
    }
    names = ("labels", "centers", "distances", "coordinates")
    arrays: dict[str, NDArray[Any]] = {name: getattr(clustering, name) for name in names}
    if clustering.coordinates is None:
        del arrays["coordinates"]
    if (stability := clustering.stability) is not None:
        kept: dict[str, Any] = {"ari": list(stability.ari), "jaccard": list(stability.jaccard)}
        for name, found in (("seeds", stability.seeds), ("ks", stability.ks)):
            kept[name] = [[each.k, each.seed, each.inertia] for each in found]
            arrays[name] = np.stack([each.labels for each in found])
        facts["stability"] = kept
        arrays["half_a"] = stability.half_a
        arrays["half_b_labels"] = stability.half_b_labels
    folder.write_part(_PART, facts, **arrays)


def load_clustering(folder: StageFolder) -> Clustering | str:
    """Return a partition from the cache, or why there is none ("" = never made)."""
    found = folder.read_part(_PART)
    if isinstance(found, str):
        return found
    facts, arrays = found
    stability = choice = None
    if (kept := facts["stability"]) is not None:
        others = [
            tuple(
                Alternative(k, seed, labels, inertia)
                for (k, seed, inertia), labels in zip(kept[name], arrays[name], strict=True)
            )
            for name in ("seeds", "ks")
        ]
        ari, jaccard = tuple(kept["ari"]), tuple(kept["jaccard"])
        half_a, half_b_labels = arrays["half_a"], arrays["half_b_labels"]
        stability = Stability(others[0], others[1], ari, jaccard, half_a, half_b_labels)
    if (kept := facts["choice"]) is not None:
        choice = KChoice(**{**kept, "points": tuple(KPoint(**each) for each in kept["points"])})
    sweep = tuple(SweepPoint(k, inertia) for k, inertia in facts["sweep"])
    return Clustering(
        *(arrays["labels"], arrays["centers"], arrays["distances"], facts["inertia"]),
        *(tuple(facts["start_inertias"]), sweep, folder.fingerprint, arrays.get("coordinates")),
        *(stability, choice),
    )
