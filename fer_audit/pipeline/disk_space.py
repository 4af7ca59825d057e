"""Disk space: what a run still has to write, compared with what each disk has free, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fer_audit.cluster.reduce import N_COMPONENTS
from fer_audit.cluster.stability import N_SEEDS
from fer_audit.config import AuditConfig, PackMode
from fer_audit.embed.run import WHOLE
from fer_audit.errors import StoreError
from fer_audit.pack.types import ROW, SHARD_ROWS, shard_count
from fer_audit.pack.worker import CHUNK_ROWS
from fer_audit.progress import Progress
from fer_audit.store.stage import StageFolder, free_bytes
from fer_audit.text import size_text

SPARE_BYTES = 2_000_000_000
"""What `--pack auto` leaves free on the disk."""

BASE_BYTES = 8_000_000
"""On each disk: the page, result.json and pictures.json (2 MB for all of UTKFace), or the manifests."""

MARGIN = 1.02
"""Files are rounded up to blocks, and others write too."""

TABLE_ROW_BYTES = 1_000
"""A row of rows.parquet and rows.csv; UTKFace's take 94 as parquet and 450 as CSV."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a run still has to write; what an earlier run finished is not in them."""

    pixels: int
    """In the cache, when packed pixels are kept."""
    cache: int
    """All else in the cache."""
    out: int
    """In the run directory."""
    decodes: bool
    """Whether any image will be decoded."""


def needed_bytes(
    n: int,
    config: AuditConfig,
    folders: dict[str, StageFolder],
    *,
    size: int,
    dim: int,
    workers: int,
    copies_vectors: bool,
) -> Need:
    """Return what a run of `n` images of `size` pixels and vectors of `dim` numbers has still to write to its stage folders.

    `copies_vectors`: the run directory gets a true copy of them, not a second name.
    """
    vector, image = dim * 4, size * size * 3
    rows = _missing_rows(folders["pack"], "rows", n) * ROW.itemsize
    # the shards and the array that they are joined into: both exist for a moment
    vectors = 0 if folders["embed"].has_part(WHOLE) else 2 * n * (vector + ROW["reasons"].itemsize)
    columns = min(N_COMPONENTS, dim) + N_SEEDS + config.clusters.sweep_max + 5
    centers = max(config.clusters.k, config.clusters.sweep_max) * vector
    clusters = 0 if folders["cluster"].has_part("clustering") else n * columns * 4 + centers
    decodes = bool(rows or vectors)
    handed_over = workers * CHUNK_ROWS * (image + ROW.itemsize) if decodes else 0
    return Need(
        pixels=_missing_rows(folders["pack"], "pixels", n) * image,
        cache=BASE_BYTES + round(MARGIN * (rows + vectors + clusters + handed_over)),
        out=BASE_BYTES + n * (TABLE_ROW_BYTES + copies_vectors * vector),
        decodes=decodes,
    )


def decide_pixels(mode: PackMode, need: Need, cache: Path, out: Path, progress: Progress) -> bool:
    """Return whether packed pixels are kept; `auto` keeps them while `SPARE_BYTES` stay free, and says when it does not.

    Raises StoreError, "need X, have Y", when a disk lacks the space for the run.
    """
    disks = {cache: need.cache, out: need.out}
    if cache.stat().st_dev == out.stat().st_dev:
        disks = {cache: need.cache + need.out}
    keep = mode != "off"
    if mode == "auto" and need.pixels:
        wanted, free = disks[cache] + need.pixels, free_bytes(cache)
        keep = need.decodes and wanted + SPARE_BYTES <= free
        if need.decodes and not keep:
            progress.say(
                f"the pixels are not kept: with them the run needs {size_text(wanted)} in the cache and "
                f"{size_text(SPARE_BYTES)} to spare, the disk has {size_text(free)} free"
            )
    disks[cache] += need.pixels if keep else 0
    for folder, wanted in disks.items():
        free = free_bytes(folder)
        if wanted > free:
            no_pixels = "use --pack off, " if keep and need.pixels else ""
            raise StoreError(
                f"Not enough room on the disk of {folder}: need {size_text(wanted)}, have {size_text(free)}",
                hint=f"Free some disk, {no_pixels}or choose other places with --cache-dir and --out.",
            )
    return keep


def pixels_are_kept(folder: StageFolder, n: int) -> bool:
    """Whether the packed pixels of all `n` images are in the cache."""
    return not _missing_rows(folder, "pixels", n)


def _missing_rows(folder: StageFolder, part: str, n: int) -> int:
    """Return how many images' rows lie in shards that are not finished."""
    return sum(
        min(SHARD_ROWS, n - index * SHARD_ROWS)
        for index in range(shard_count(n))
        if not folder.has_part(f"{part}-{index:05d}")
    )
