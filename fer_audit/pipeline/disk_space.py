"""Room on the disk: what a run still has to write is added up, and asked for before anything is decoded."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_audit.cluster.reduce import N_COMPONENTS
from fer_audit.cluster.stability import N_SEEDS
from fer_audit.config import AuditConfig, PackMode
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.run import WHOLE
from fer_audit.errors import StoreError
from fer_audit.pack.slots import CHUNK_ROWS
from fer_audit.pack.types import ROW, SHARD_ROWS, shard_count
from fer_audit.pipeline.run_folder import is_placed
from fer_audit.progress import Progress
from fer_audit.store.stage import TEMPORARY, StageFolder, free_bytes
from fer_audit.text import size_text

MARGIN = 0.02
"""Share of the need that is asked for on top: folders, block lists, what others write meanwhile."""

SPARE_BYTES = 2_000_000_000
"""What `--pack auto` leaves free on the disk."""

PAGES_BYTES = 8_000_000
"""result.json, pictures.json and report.html; those of all of UTKFace are 2 MB. Many --thumbnails take more."""

ROW_BYTES = 250
"""A row of rows.parquet without its file's name; UTKFace's take 94 with it, because they compress."""

CSV_ROW_BYTES = 450
"""A row of rows.csv without its file's name."""

BLOCK = 4096
"""Bytes a file is rounded up to."""

_REASON = np.dtype("U32").itemsize


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a run still has to write, by what they are; what an earlier run left is not in it."""

    pixels: int
    """Packed pixels, when they are kept."""
    rows: int
    """What is learnt of each file."""
    vectors: int
    """The shards and the array they are joined into: both exist for a moment."""
    clusters: int
    copy: int
    """embeddings.npy of the run directory, where it cannot be a second name of the cache's file."""
    artefacts: int
    """The other files of the run directory."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a run writes."""

    cache: Path
    out: Path
    pack: StageFolder
    embed: StageFolder
    cluster: StageFolder

    @property
    def share_a_disk(self) -> bool:
        """Whether the cache and the run directory take from the same room."""
        return self.out.stat().st_dev == self.cache.stat().st_dev


def needed_bytes(
    dataset: FaceDataset,
    config: AuditConfig,
    places: Places,
    *,
    size: int,
    dim: int,
    vectors_done: bool,
    workers: int,
    csv: bool,
) -> Need:
    """Return what a run of images of `size` pixels and vectors of `dim` numbers has still to write.

    A part counts as there when its manifest is; whether its bytes are right is found out when it is read.
    """
    n = len(dataset)
    lengths = [min(SHARD_ROWS, n - i * SHARD_ROWS) for i in range(shard_count(n))]
    pixels = rows = vectors = clusters = 0
    for index, length in enumerate(lengths):
        if not places.pack.has_part(f"pixels-{index:05d}"):
            pixels += _part_bytes(length * size * size * 3)
        if not places.pack.has_part(f"rows-{index:05d}"):
            rows += _part_bytes(*(length * ROW[name].itemsize for name in ROW.names or ()))
        if not vectors_done and not places.embed.has_part(f"shard-{index:05d}"):
            vectors += _part_bytes(length * dim * 4, length, length * _REASON)
    if not vectors_done:
        vectors += _part_bytes(n * dim * 4, n, n * _REASON)
    if vectors or rows:  # the file through which decoders hand over
        rows += _part_bytes(workers * CHUNK_ROWS * (size * size * 3 + ROW.itemsize))
    if not places.cluster.has_part("clustering"):
        columns = min(N_COMPONENTS, dim) + N_SEEDS + config.clusters.sweep_max + 5
        centers = max(config.clusters.k, config.clusters.sweep_max) * dim * 4
        clusters = _part_bytes(*[n * 4] * columns, centers)
    kept = places.embed.path / f"{WHOLE}.vectors.npy"
    copy = 0
    if not can_link(places.embed.path, places.out) and not is_placed(kept, places.out):
        copy = _part_bytes(n * dim * 4)
    names = sum(len(os.fsencode(file_id)) for file_id in dataset.ids)
    a_row = ROW_BYTES + csv * CSV_ROW_BYTES + 4 * len(dataset.attributes)
    artefacts = PAGES_BYTES + n * a_row + names * (1 + csv)
    return Need(pixels, rows, vectors, clusters, copy, artefacts)


def decide_pixels(mode: PackMode, need: Need, places: Places, progress: Progress) -> bool:
    """Return whether the pixels are kept, when there is room for the run.

    Raises StoreError, "need X, have Y", when a disk lacks the room; `auto` then keeps none, and says so.
    """
    cache, disks = places.cache, _demands(need, places)
    keep = mode != "off"
    if mode == "auto" and need.pixels and not (need.rows or need.vectors):
        keep = False  # nothing will be decoded
    elif mode == "auto" and need.pixels:
        wanted, free = round((disks[cache] + need.pixels) * (1 + MARGIN)), free_bytes(cache)
        keep = wanted + SPARE_BYTES <= free
        if not keep:
            progress.say(
                f"the pixels are not kept: with them the run needs {size_text(wanted)} in the cache and "
                f"{size_text(SPARE_BYTES)} to spare, the disk has {size_text(free)} free"
            )
    if keep:
        disks[cache] += need.pixels
    for folder, demand in disks.items():
        wanted, free = round(demand * (1 + MARGIN)), free_bytes(folder)
        if wanted > free:
            raise StoreError(
                f"Not enough room on the disk of {folder}: need {size_text(wanted)}, "
                f"have {size_text(free)}",
                hint=_advice(demand, free, need.pixels if keep and folder == cache else 0),
            )
    return keep


def _demands(need: Need, places: Places) -> dict[Path, int]:
    """Return what is needed without the pixels, by a folder on each disk."""
    in_cache = need.rows + need.vectors + need.clusters
    in_out = need.copy + need.artefacts
    if places.share_a_disk:
        return {places.cache: in_cache + in_out}
    return {places.cache: in_cache, places.out: in_out}


def _advice(demand: int, free: int, pixels: int) -> str:
    without = round((demand - pixels) * (1 + MARGIN))
    if pixels and without <= free:
        return (
            f"Use --pack off, which needs {size_text(without)}, or --cache-dir on a larger disk."
        )
    return "Free some disk, or choose other places with --cache-dir and --out."


def can_link(source: Path, target: Path) -> bool:
    """Whether a file of one folder can have a second name in another, found by trying."""
    first, second = (folder / f"{TEMPORARY}{uuid.uuid4().hex}" for folder in (source, target))
    try:
        first.touch(mode=0o600, exist_ok=False)
        os.link(first, second)
    except OSError:  # another disk, another mount of the same, or no hard links here
        return False
    finally:
        for path in (first, second):
            path.unlink(missing_ok=True)
    return True


def _part_bytes(*sizes: int) -> int:
    """Return what arrays of so many bytes take as files, with their headers and their manifest."""
    return sum(_in_blocks(size + 128) for size in sizes) + BLOCK


def _in_blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def pixels_are_kept(folder: StageFolder, n_images: int) -> bool:
    """Whether the pixels of all images are in the cache."""
    return all(folder.has_part(f"pixels-{index:05d}") for index in range(shard_count(n_images)))
