"""The points of the map, and the ways to colour them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.map import (
    N_NEIGHBOURS,
    load_map,
    map_fingerprint,
    principal_map,
    save_map,
    umap_map,
    umap_version,
)
from fer_audit.cluster.types import Clustering
from fer_audit.config import MapMethod
from fer_audit.dataset.types import FaceDataset
from fer_audit.report.files.pictures import (
    MAX_POINTS,
    ColouringKind,
    MapColouring,
    MapPoints,
    grid_of,
)
from fer_audit.rng import stage_rng
from fer_audit.store.stage import StageFolder
from fer_audit.text import encodable

MAX_GROUPS = 40
"""Groups of an attribute that is not about people: more colours cannot be distinguished."""
MAX_COLOURINGS = 32
"""A table can have hundreds of columns; each would cost the page two bytes a point."""


def map_points(
    dataset: FaceDataset,
    clustering: Clustering,
    usable: NDArray[np.bool_],
    *,
    method: MapMethod,
    seed: int,
    cache: Path,
) -> tuple[MapPoints | None, list[tuple[str, str]]]:
    """Return the map of the usable (n,) images, and (what, reason) of all that is not on it.

    Beyond `MAX_POINTS` images a uniform draw is shown, and a UMAP is made of these alone.
    """
    if clustering.coordinates is None:
        return None, [("map", "the principal coordinates were not kept")]
    missing = []
    shown = _drawn(usable, seed)
    if method == "umap" and shown.sum() <= N_NEIGHBOURS:
        missing.append(("UMAP", f"it needs more than {N_NEIGHBOURS} images; the map is a PCA's"))
        method = "pca"
    if method == "umap":
        key = map_fingerprint(clustering.fingerprint, ok=shown, seed=seed, umap=umap_version())
        folder = StageFolder.open(cache, "map", key)
        with folder.locked():
            kept = load_map(folder)
            latent = (
                umap_map(clustering.coordinates, shown, seed=seed)
                if isinstance(kept, str)
                else kept
            )
            if isinstance(kept, str):
                save_map(folder, latent)
    else:
        latent = principal_map(clustering.coordinates, usable)
    on_map = np.flatnonzero(latent.ok & shown)
    colourings, uncoloured = _colourings(dataset, clustering, on_map)
    box, grid = grid_of(latent.points[on_map])
    facts = (latent.method, latent.settings, int(usable.sum()), box)
    points = MapPoints(*facts, on_map.astype(np.int32), grid, colourings)
    return points, missing + uncoloured


def _drawn(usable: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """Return the (n,) mask of the images that are shown."""
    rows = np.flatnonzero(usable)
    if len(rows) <= MAX_POINTS:
        return usable
    shown = np.zeros(len(usable), np.bool_)
    rng = stage_rng(seed, "pictures", "map")
    shown[rng.choice(rows, MAX_POINTS, replace=False)] = True
    return shown


def _colourings(
    dataset: FaceDataset, clustering: Clustering, rows: NDArray[np.int64]
) -> tuple[tuple[MapColouring, ...], list[tuple[str, str]]]:
    """Return the colourings of these rows: cluster, demographic, label, batch, split; and what has none."""
    numbers = tuple(str(cluster) for cluster in range(clustering.k))
    codes = clustering.labels[rows].astype(np.int16)
    found = [MapColouring("cluster", "cluster", numbers, codes)]
    missing = []
    kinds: tuple[ColouringKind, ...] = ("demographic", "label", "batch", "split")
    for kind, attribute in (
        (kind, x) for kind in kinds for x in dataset.attributes if x.kind == kind
    ):
        name, many = encodable(attribute.name), len(attribute.categories)
        if attribute.kind != "demographic" and many > MAX_GROUPS:
            reason = f"it has {many} groups, more than {MAX_GROUPS} colours"
        elif len(found) >= MAX_COLOURINGS:
            reason = f"a map has at most {MAX_COLOURINGS} colourings"
        else:
            groups = tuple(encodable(group) for group in attribute.categories)
            found.append(MapColouring(name, kind, groups, attribute.codes[rows]))
            continue
        missing.append((f"map by {name}", reason))
    return tuple(found), missing
