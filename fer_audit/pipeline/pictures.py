"""Make the pictures of a run: a map of the latent space, mean faces, contact sheets.

Nothing is embedded for them, and nothing is decoded unless --pack on asks for it: `Pictures.missing` names what cannot be
made, and why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fer_audit.audit.inputs import first_copies, usable_rows
from fer_audit.cluster.map import umap_version
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.build import KeptPixels, PixelsNotKept, ShardMaker
from fer_audit.pack.faces import (
    LEAST_IN_MEAN,
    Shards,
    contact_sheets,
    mean_faces,
    shards_of,
    webp_version,
)
from fer_audit.pack.types import PackRows, PackShard
from fer_audit.pack.workers import default_workers
from fer_audit.pipeline.map_points import map_points
from fer_audit.pipeline.picture_rows import Cell, cluster_cells, sheet_rows
from fer_audit.progress import Progress
from fer_audit.report.files.pictures import ContactSheet, MeanFace, Pictures, read_pictures
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder
from fer_audit.text import encodable

STAGE = "pictures"
MAX_MEAN_FACES = 1_000
"""Mean faces of one run, 0.2 MB of sums each while they are made; an attribute that would exceed it has none."""
SHEET_COLUMNS = 10

_KEEP_THEM = "run again with --pack on"


def pictures_fingerprint(audit_fingerprint: str, options: ReportSettings) -> str:
    """Return the fingerprint of what the pictures depend on: the audited rows, labels and clusters, and what is to be shown.

    min_cell is not in it: all pictures are kept, and the page leaves some out.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    asked = dataclasses.asdict(options)
    del asked["min_cell"]
    return stage_fingerprint(
        STAGE,
        {
            "audit": audit_fingerprint,
            "options": asked,
            "umap": umap_version() if options.projection == "umap" else "",
            "webp": webp_version(),
        },
    )


def kept_pictures(path: Path, fingerprint: str, *, need_pixels: bool) -> Pictures | None:
    """Return the pictures of an earlier run if they are those that this one would make, else None.

    `need_pixels`: pictures that were made without packed pixels do not count (--pack on).
    Raises StoreError when the file is damaged.
    """
    found = read_pictures(path)
    if found is None or found.fingerprint != fingerprint:
        return None
    if need_pixels and any(reason.endswith(_KEEP_THEM) for _, reason in found.missing):
        return None
    return found


def packed_shards(
    dataset: FaceDataset,
    *,
    size: int,
    pack_fingerprint: str,
    cache: Path,
    resources: Resources,
) -> Shards:
    """Return the packed pixels for `make_pictures`: those in the cache; only --pack on decodes and keeps the others.

    The shards raise StoreError when the disk is full.
    """
    folder = StageFolder.open(cache, "pack", pack_fingerprint)
    if resources.pack != "on":
        return KeptPixels(folder, len(dataset)).iterate
    maker = ShardMaker(
        dataset,
        folder,
        size=size,
        keep=True,
        workers=resources.workers or default_workers(),
        file_seconds=resources.file_seconds,
    )

    def make_or_read(indices: Sequence[int]) -> Iterator[PackShard]:
        with folder.locked():
            yield from maker.iterate(indices)

    return make_or_read


def make_pictures(
    dataset: FaceDataset,
    rows: PackRows,
    clustering: Clustering | None,
    shards: Shards,
    *,
    config: AuditConfig,
    options: ReportSettings,
    cache: Path,
    progress: Progress,
    fingerprint: str,
    not_clustered: str,
) -> Pictures:
    """Return everything a report shows that is no number of its result.

    `shards`: `packed_shards(...)`. `not_clustered`: why there is no clustering.
    Faces are of one copy of each byte-identical file, the map is of every image that came through.
    The same inputs, config and options give the same bytes.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    if clustering is None:
        without = tuple((what, not_clustered) for what in ("map", *_face_pictures(options)))
        return Pictures(None, (), (), without, fingerprint)
    usable = usable_rows(rows, None, clustering)
    once = first_copies(rows.sha256, usable)
    attributes, without_means = _attributes_with_faces(dataset, clustering.k)
    cells = cluster_cells(clustering, attributes, once, seed=config.seed)
    sheets = sheet_rows(clustering, once, faces=options.thumbnails)
    drawn, shown = [cell.drawn for cell in cells], [sheet.rows for sheet in sheets]
    reads = sum(len(shards_of(np.concatenate(rows))) for rows in (drawn, shown) if rows)
    progress.start(STAGE, 1 + reads, "steps")
    latent, missing_map = map_points(
        dataset, clustering, usable, method=options.projection, seed=config.seed, cache=cache
    )
    progress.advance(STAGE)

    def counted(indices: Sequence[int]) -> Iterator[PackShard]:
        for shard in shards(indices):
            yield shard
            progress.advance(STAGE)

    missing = [*missing_map, *without_means, *_small_clusters(cells, clustering.k)]
    try:
        means = mean_faces(counted, drawn)
        images = contact_sheets(counted, shown, columns=SHEET_COLUMNS, blur=options.blur_faces)
    except PixelsNotKept as exc:
        means, images, cells, sheets = [], [], [], []
        reason = f"{exc}; {_KEEP_THEM}"
        missing = [*missing_map, *((what, reason) for what in _face_pictures(options))]
    progress.finish(STAGE)
    faces = tuple(
        MeanFace(cell.cluster, cell.attribute, cell.group, cell.n, len(cell.drawn), webp)
        for cell, webp in zip(cells, means, strict=True)
    )
    contacts = tuple(
        ContactSheet(sheet.cluster, sheet.kind, len(sheet.rows), options.blur_faces, webp)
        for sheet, webp in zip(sheets, images, strict=True)
    )
    return Pictures(latent, faces, contacts, tuple(missing), fingerprint)


def _attributes_with_faces(
    dataset: FaceDataset, k: int
) -> tuple[list[Attribute], list[tuple[str, str]]]:
    """Return the demographic attributes whose groups get mean faces, and (what, reason) of the others."""
    found, missing, cells = [], [], k
    for attribute in dataset.attributes:
        if attribute.kind != "demographic":
            continue
        more = k * len(attribute.categories)
        if cells + more > MAX_MEAN_FACES:
            reason = f"{more:,} cells; a report has at most {MAX_MEAN_FACES:,} mean faces"
            missing.append((f"mean faces by {encodable(attribute.name)}", reason))
            continue
        found.append(attribute)
        cells += more
    return found, missing


def _small_clusters(cells: Sequence[Cell], k: int) -> list[tuple[str, str]]:
    shown = {cell.cluster for cell in cells if cell.attribute is None}
    return [
        (f"mean face of cluster {cluster}", f"it has fewer than {LEAST_IN_MEAN} images")
        for cluster in range(k)
        if cluster not in shown
    ]


def _face_pictures(options: ReportSettings) -> tuple[str, ...]:
    """Return the names of the pictures that need pixels."""
    return ("mean faces", "contact sheets") if options.thumbnails else ("mean faces",)
