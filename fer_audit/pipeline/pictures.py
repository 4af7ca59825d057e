"""The pictures of a run, made once at its end: a map of the latent space, mean faces, contact sheets.

Nothing is embedded for them, and nothing decoded unless --pack on asks for it: what cannot be had is named in
`Pictures.missing`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import first_copies, usable_rows
from fer_audit.cluster.map import umap_version
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig, ReportSettings, Resources
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.faces import (
    LEAST_IN_MEAN,
    Shards,
    contact_sheets,
    mean_faces,
    shards_of,
    webp_version,
)
from fer_audit.pack.kept import KeptPixels, PixelsNotKept
from fer_audit.pack.types import PackRows, PackShard
from fer_audit.pack.workers import default_workers
from fer_audit.pipeline.map_points import map_points
from fer_audit.pipeline.picture_rows import Cell, SheetRows, cluster_cells, sheet_rows
from fer_audit.progress import Progress
from fer_audit.report.files.picture_types import ContactSheet, MeanFace, Pictures
from fer_audit.report.files.pictures import read_pictures
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder
from fer_audit.text import encodable

STAGE = "pictures"
MOST_MEANS = 1_000
"""Mean faces of one run, 0.2 MB of sums each while they are made; an attribute that would exceed it has none."""
SHEET_COLUMNS = 10

_NOT_KEPT = "the pixels were not kept"
_KEEP_THEM = "run again with --pack on"


def pictures_fingerprint(audit_fingerprint: str, options: ReportSettings) -> str:
    """Return what the pictures depend on: the audited rows, labels and clusters, and what is to be shown.

    Not on min_cell: they are kept whole, and a page shows some of them.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    asked = dataclasses.asdict(options)
    del asked["min_cell"]
    return stage_fingerprint(
        STAGE,
        {
            "audit": audit_fingerprint,
            "options": asked,
            "umap": umap_version() if options.map == "umap" else "",
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
    """Return the packed pixels for `make_pictures`: those in the cache, and with --pack on those that are not, too.

    Only --pack on decodes anything, what is missing or damaged, and keeps it: that is what it asks for.
    The shards raise StoreError when the disk has no room for what must be kept.
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
    shards: Shards | None,
    *,
    config: AuditConfig,
    options: ReportSettings,
    cache: Path,
    progress: Progress,
    fingerprint: str = "",
    not_clustered: str = "",
) -> Pictures:
    """Return everything a report shows that is no number of its result.

    `shards`: `packed_shards(...)`; None = there are no pixels.
    Faces are of one copy of each byte-identical file, the map is of every image that came through.
    The same inputs, config and options give the same bytes.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    if clustering is None:
        reason = not_clustered or "there are no clusters"
        missing = tuple((what, reason) for what in ("map", *_face_pictures(options)))
        return Pictures(None, (), (), missing, fingerprint)
    usable = usable_rows(rows, None, clustering)
    once = first_copies(rows.sha256, usable)
    attributes, without_means = _affordable(dataset, clustering.k)
    cells = cluster_cells(clustering, attributes, once, seed=config.seed)
    sheets = sheet_rows(clustering, once, faces=options.thumbnails)
    progress.start(STAGE, 1 + (0 if shards is None else _walks(cells, sheets)), "steps")
    latent, missing_map = map_points(
        dataset, clustering, usable, method=options.map, seed=config.seed, cache=cache
    )
    progress.advance(STAGE)
    faces, drawn_sheets, pixels = _draw_faces(shards, cells, sheets, options, progress)
    missing_faces = [*without_means, *_small_clusters(cells, clustering.k)]
    if pixels:
        missing_faces = [(what, pixels) for what in _face_pictures(options)]
    progress.finish(STAGE)
    return Pictures(latent, faces, drawn_sheets, (*missing_map, *missing_faces), fingerprint)


def _draw_faces(
    shards: Shards | None,
    cells: Sequence[Cell],
    sheets: Sequence[SheetRows],
    options: ReportSettings,
    progress: Progress,
) -> tuple[tuple[MeanFace, ...], tuple[ContactSheet, ...], str]:
    """Return the mean faces, the sheets, and why there are none of either ("" = there are)."""
    if shards is None:
        return (), (), f"{_NOT_KEPT}; {_KEEP_THEM}"
    watched = _Watched(shards, progress)
    try:
        means = mean_faces(watched, [cell.drawn for cell in cells])
        images = contact_sheets(
            watched,
            [sheet.rows for sheet in sheets],
            columns=SHEET_COLUMNS,
            blur=options.blur_faces,
        )
    except PixelsNotKept as exc:
        return (), (), f"{exc}; {_KEEP_THEM}"
    faces = tuple(
        MeanFace(cell.cluster, cell.attribute, cell.group, cell.n, len(cell.drawn), webp)
        for cell, webp in zip(cells, means, strict=True)
    )
    drawn = tuple(
        ContactSheet(sheet.cluster, sheet.kind, len(sheet.rows), options.blur_faces, webp)
        for sheet, webp in zip(sheets, images, strict=True)
    )
    return faces, drawn, ""


class _Watched:
    """Shards that tell a progress when each is done with."""

    def __init__(self, shards: Shards, progress: Progress) -> None:
        self._shards = shards
        self._progress = progress

    def __call__(self, indices: Sequence[int]) -> Iterator[PackShard]:
        for shard in self._shards(indices):
            yield shard
            self._progress.advance(STAGE)


def _walks(cells: Sequence[Cell], sheets: Sequence[SheetRows]) -> int:
    """Return how many shards the two walks will read: one for the means, one for the sheets."""
    walks: list[list[NDArray[np.int64]]] = [
        [cell.drawn for cell in cells],
        [sheet.rows for sheet in sheets],
    ]
    return sum(len(shards_of(np.concatenate(walk))) for walk in walks if walk)


def _affordable(dataset: FaceDataset, k: int) -> tuple[list[Attribute], list[tuple[str, str]]]:
    """Return the demographic attributes whose groups get mean faces, and (what, reason) of the others."""
    found, missing, cells = [], [], k
    for attribute in dataset.attributes:
        if attribute.kind != "demographic":
            continue
        more = k * len(attribute.categories)
        if cells + more > MOST_MEANS:
            reason = f"{more:,} cells; a report has at most {MOST_MEANS:,} mean faces"
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
