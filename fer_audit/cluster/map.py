"""A map of the latent space: two principal directions, or UMAP. No statement rests on it."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np

from fer_audit.cluster.types import Mask, Singles
from fer_audit.errors import ConfigError
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder

STAGE = "map"
N_NEIGHBOURS = 15
MIN_DIST = 0.1
METRIC = "euclidean"
"""UMAP's own defaults (McInnes, Healy and Melville 2018), written down so that a new version cannot shift them."""
UMAP_SETTINGS = (
    ("neighbours", str(N_NEIGHBOURS)),
    ("min_dist", str(MIN_DIST)),
    ("metric", METRIC),
)
"""(name, value) of every parameter but the seed."""

_PART = "map"


@dataclass(frozen=True, slots=True, eq=False)
class LatentMap:
    """Where each image is drawn in the plane."""

    points: Singles
    """(n, 2); 0 where not ok. The unit is the latent space's for pca, none for umap."""
    ok: Mask
    """(n,) whether the image is on the map."""
    method: Literal["pca", "umap"]
    settings: tuple[tuple[str, str], ...]
    """(name, value) for the caption: how the method was set."""


def principal_map(coordinates: Singles, ok: Mask) -> LatentMap:
    """Return the first two of (n, m) principal coordinates; the second is 0 when there is one only."""
    points = np.zeros((len(ok), 2), np.float32)
    given = min(2, coordinates.shape[1])
    points[ok, :given] = coordinates[ok, :given]
    settings = (("coordinates", f"{given} of {coordinates.shape[1]}"),)
    return LatentMap(points, ok.copy(), "pca", settings)


def umap_map(coordinates: Singles, ok: Mask, *, seed: int) -> LatentMap:
    """Return UMAP's plane of the ok rows of (n, m) principal coordinates.

    One thread and a fixed seed: the same rows give the same points on the same machine and versions.
    McInnes, Healy and Melville, arXiv 1802.03426.
    Distances between clusters of a UMAP mean little, sizes of clusters nothing; the caption must say so.
    Raises ConfigError when umap-learn is not installed, ValueError when there are not more than `N_NEIGHBOURS` ok rows.
    """
    rows = np.flatnonzero(ok)
    if len(rows) <= N_NEIGHBOURS:
        raise ValueError(f"{len(rows)} images have no {N_NEIGHBOURS} neighbours each")
    with warnings.catch_warnings():
        # umap, numba and pynndescent warn about themselves (no TensorFlow, a deprecated argument)
        warnings.simplefilter("ignore")
        try:
            from umap import UMAP
        except ImportError as exc:
            raise _missing() from exc
        found = UMAP(
            n_neighbors=N_NEIGHBOURS, min_dist=MIN_DIST, metric=METRIC, random_state=seed, n_jobs=1
        ).fit_transform(np.ascontiguousarray(coordinates[rows], np.float32))
    placed = np.isfinite(found).all(axis=1)
    points = np.zeros((len(ok), 2), np.float32)
    points[rows[placed]] = found[placed]
    on_map = np.zeros(len(ok), np.bool_)
    on_map[rows[placed]] = True
    return LatentMap(points, on_map, "umap", (*UMAP_SETTINGS, ("umap-learn", umap_version())))


def umap_version() -> str:
    """Return the version of umap-learn. Raises ConfigError when it is not installed: ask before the long work."""
    try:
        return version("umap-learn")
    except PackageNotFoundError as exc:  # also when another package is called umap
        raise _missing() from exc


def map_fingerprint(cluster_fingerprint: str, *, ok: Mask, seed: int, umap: str) -> str:
    """Return what UMAP's plane depends on: the coordinates, the rows, the settings, the seed, its version."""
    return stage_fingerprint(
        STAGE,
        {
            "cluster": cluster_fingerprint,
            "rows": hashlib.sha256(np.packbits(ok).tobytes()).hexdigest(),
            "method": "umap",
            "settings": [list(pair) for pair in UMAP_SETTINGS],
            "seed": seed,
            "umap": umap,
        },
    )


def save_map(folder: StageFolder, latent: LatentMap) -> None:
    """Keep a map in the cache."""
    facts = {"method": latent.method, "settings": [list(pair) for pair in latent.settings]}
    folder.write_part(_PART, facts, points=latent.points, ok=latent.ok)


def load_map(folder: StageFolder) -> LatentMap | str:
    """Return a kept map, or why there is none ("" = never made)."""
    found = folder.read_part(_PART)
    if isinstance(found, str):
        return found
    facts, arrays = found
    settings = tuple((name, value) for name, value in facts["settings"])
    return LatentMap(arrays["points"], arrays["ok"], facts["method"], settings)


def _missing() -> ConfigError:
    return ConfigError(
        "A UMAP needs the library umap-learn, which is not installed",
        hint="pip install 'fer-audit[map]', or leave the map at pca.",
    )
