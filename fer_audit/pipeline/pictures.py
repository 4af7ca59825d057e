"""Make the pictures of a run: a map of the latent space, mean faces, contact sheets; and which images each is made of.

Nothing is embedded for them, and nothing is decoded unless --pack on asks for it: `Pictures.missing` names what cannot be
made, and why.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import first_copies, usable_rows
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
from fer_audit.config import ReportSettings
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.build import KeptPixels, PixelsNotKept
from fer_audit.pack.faces import (
    LEAST_IN_MEAN,
    Shards,
    contact_sheets,
    mean_faces,
    shards_of,
    webp_version,
)
from fer_audit.pack.types import PackShard
from fer_audit.pipeline.types import Job, Work
from fer_audit.report.files.pictures import (
    MAX_POINTS,
    ColouringKind,
    ContactSheet,
    MapColouring,
    MapPoints,
    MeanFace,
    Pictures,
    SheetKind,
    grid_of,
    read_pictures,
)
from fer_audit.rng import stage_rng
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder
from fer_audit.text import encodable

MAX_GROUPS = 40
"""Groups of an attribute that is not about people: more colours cannot be distinguished."""
MAX_COLOURINGS = 32
"""A table can have hundreds of columns; each would cost the page two bytes a point."""
STAGE = "pictures"
MAX_MEAN_FACES = 1_000
"""Mean faces of one run, 0.2 MB of sums each while they are made; an attribute that would exceed it has none."""
MAX_DRAWN = 256
"""Images a mean is of: a pixel's standard error is then a sixteenth of its spread, 3 to 4 of 255 grey levels."""
SHEET_COLUMNS = 10
_KEEP_THEM = "run again with --pack on"


def map_points(
    job: Job, clustering: Clustering, usable: NDArray[np.bool_]
) -> tuple[MapPoints | None, list[tuple[str, str]]]:
    """Return the map of the usable (n,) images, and (what, reason) of all that is not on it.

    Beyond `MAX_POINTS` images a uniform draw is shown, and a UMAP is made of these alone.
    """
    if clustering.coordinates is None:
        return None, [("map", "the principal coordinates were not kept")]
    missing, method, seed = [], job.report.projection, job.config.seed
    shown = _drawn(usable, seed)
    if method == "umap" and shown.sum() <= N_NEIGHBOURS:
        missing.append(("UMAP", f"it needs more than {N_NEIGHBOURS} images; the map is a PCA's"))
        method = "pca"
    if method == "umap":
        key = map_fingerprint(clustering.fingerprint, ok=shown, seed=seed, umap=umap_version())
        folder = StageFolder.open(job.cache, "map", key)
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
    colourings, uncoloured = _colourings(job.dataset, clustering, on_map)
    box, grid = grid_of(latent.points[on_map])
    facts = (latent.method, latent.settings, int(usable.sum()), box)
    points = MapPoints(*facts, on_map.astype(np.int32), grid, colourings)
    return points, missing + uncoloured


def _drawn(usable: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
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


def pictures_fingerprint(audit_fingerprint: str, options: ReportSettings) -> str:
    """Return the fingerprint of what the pictures depend on: the audited rows, labels and clusters, and what is to be shown.

    min_cell is not in it: all pictures are kept, and the page leaves some out.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    asked = dataclasses.asdict(options)
    del asked["min_cell"]
    umap = umap_version() if options.projection == "umap" else ""
    depends = {"audit": audit_fingerprint, "options": asked, "umap": umap, "webp": webp_version()}
    return stage_fingerprint(STAGE, depends)


def kept_pictures(path: Path, fingerprint: str, *, need_pixels: bool) -> Pictures | None:
    """Return the pictures of an earlier run if they are those that this one would make, else None.

    `need_pixels`: pictures that were made without packed pixels do not count (--pack on).
    Raises StoreError when the file is damaged.
    """
    found = read_pictures(path)
    if found is None or found.fingerprint != fingerprint:
        return None
    without = any(reason.endswith(_KEEP_THEM) for _, reason in found.missing)
    return None if need_pixels and without else found


def packed_shards(job: Job) -> Shards:
    """Return the packed pixels: those in the cache; only --pack on decodes and keeps the others.

    The shards raise StoreError when the disk is full.
    """
    folder = job.folder("pack")
    if job.resources.pack != "on":
        return KeptPixels(folder, len(job.dataset)).iterate
    maker = job.maker(keep=True)

    def make_or_read(indices: Sequence[int]) -> Iterator[PackShard]:
        with folder.locked():
            yield from maker.iterate(indices)

    return make_or_read


def make_pictures(job: Job, work: Work, fingerprint: str) -> Pictures:
    """Return everything a report shows that is no number of its result.

    Faces are of one copy of each byte-identical file, the map is of every image that came through.
    The same inputs, config and options give the same bytes.
    Raises ConfigError when a UMAP is asked for and umap-learn is not installed.
    """
    options, clustering, seed = job.report, work.clustering, job.config.seed
    faces_of = ("mean faces", "contact sheets") if options.thumbnails else ("mean faces",)
    if clustering is None:
        without = tuple((what, work.not_clustered) for what in ("map", *faces_of))
        return Pictures(None, (), (), without, fingerprint)
    usable = usable_rows(work.rows, None, clustering)
    once = first_copies(work.rows.sha256, usable)
    attributes, missing_means, with_faces = [], [], clustering.k
    for attribute in (each for each in job.dataset.attributes if each.kind == "demographic"):
        more = clustering.k * len(attribute.categories)
        if with_faces + more > MAX_MEAN_FACES:
            reason = f"{more:,} cells; a report has at most {MAX_MEAN_FACES:,} mean faces"
            missing_means.append((f"mean faces by {encodable(attribute.name)}", reason))
        else:
            attributes.append(attribute)
            with_faces += more
    cells = cluster_cells(clustering, attributes, once, seed=seed)
    sheets = sheet_rows(clustering, once, faces=options.thumbnails)
    drawn, shown = [cell.drawn for cell in cells], [sheet.rows for sheet in sheets]
    reads = sum(len(shards_of(np.concatenate(rows))) for rows in (drawn, shown) if rows)
    job.progress.start(STAGE, 1 + reads, "steps")
    latent, missing_map = map_points(job, clustering, usable)
    job.progress.advance(STAGE)
    shards = packed_shards(job)

    def counted(indices: Sequence[int]) -> Iterator[PackShard]:
        for shard in shards(indices):
            yield shard
            job.progress.advance(STAGE)

    with_face = {cell.cluster for cell in cells if cell.attribute is None}
    missing_means += [
        (f"mean face of cluster {cluster}", f"it has fewer than {LEAST_IN_MEAN} images")
        for cluster in range(clustering.k)
        if cluster not in with_face
    ]
    try:
        means = mean_faces(counted, drawn)
        images = contact_sheets(counted, shown, columns=SHEET_COLUMNS, blur=options.blur_faces)
    except PixelsNotKept as exc:
        means, images, cells, sheets = [], [], [], []
        missing_means = [(what, f"{exc}; {_KEEP_THEM}") for what in faces_of]
    job.progress.finish(STAGE)
    faces = tuple(
        MeanFace(cell.cluster, cell.attribute, cell.group, cell.n, len(cell.drawn), webp)
        for cell, webp in zip(cells, means, strict=True)
    )
    contacts = tuple(
        ContactSheet(sheet.cluster, sheet.kind, len(sheet.rows), options.blur_faces, webp)
        for sheet, webp in zip(sheets, images, strict=True)
    )
    return Pictures(latent, faces, contacts, (*missing_map, *missing_means), fingerprint)


class Cell(NamedTuple):
    """The images of a cluster, or of one group in it."""

    cluster: int
    attribute: str | None
    group: str | None
    n: int
    """Images in the cell."""
    drawn: NDArray[np.int64]
    """Row numbers, ascending: all of the cell, or a uniform draw of `MAX_DRAWN`."""


class SheetRows(NamedTuple):
    """The images of one contact sheet, in the order they are shown in."""

    cluster: int
    kind: SheetKind
    rows: NDArray[np.int64]


def cluster_cells(
    clustering: Clustering, attributes: list[Attribute], once: NDArray[np.bool_], *, seed: int
) -> list[Cell]:
    """Return the cells that have a mean face: each cluster, then its groups by attribute.

    `once` (n,) is the mask of the images that count. A cell has at least `LEAST_IN_MEAN` images, and so has what the
    shown groups of an attribute leave of their cluster: the mean of the cluster minus theirs is the mean of the rest.
    A draw depends on the seed and on the names of its cell alone.
    """
    cells = []
    for cluster in range(clustering.k):
        inside = once & (clustering.labels == cluster)
        whole = _cell(inside, cluster, None, None, seed)
        if whole.n < LEAST_IN_MEAN:
            continue
        cells.append(whole)
        for attribute in attributes:
            codes = np.where(inside, attribute.codes, -1)
            groups = [
                _cell(codes == code, cluster, attribute.name, group, seed)
                for code, group in enumerate(attribute.categories)
            ]
            cells += _without_a_small_rest(groups, whole.n)
    return cells


def _without_a_small_rest(groups: list[Cell], whole: int) -> list[Cell]:
    """Return the groups that can be shown next to a cluster of `whole` images, the smallest left out first."""
    shown = [cell for cell in groups if cell.n >= LEAST_IN_MEAN]
    while 0 < whole - sum(cell.n for cell in shown) < LEAST_IN_MEAN:
        smallest = min(shown, key=lambda cell: cell.n)
        shown = [cell for cell in shown if cell is not smallest]
    return shown


def sheet_rows(clustering: Clustering, once: NDArray[np.bool_], *, faces: int) -> list[SheetRows]:
    """Return the `faces` images of each cluster that lie nearest, around the median distance, and farthest first.

    In a cluster of fewer than 3 x `faces` images a face can stand on two of them. An empty cluster has no sheets.
    """
    sheets = []
    for cluster in range(clustering.k) if faces else ():
        members = np.flatnonzero(once & (clustering.labels == cluster))
        if len(members) == 0:
            continue
        ordered = members[np.argsort(clustering.distances[members], kind="stable")]
        middle = max(0, (len(ordered) - faces) // 2)
        sheets += [
            SheetRows(cluster, "nearest", ordered[:faces]),
            SheetRows(cluster, "median", ordered[middle : middle + faces]),
            SheetRows(cluster, "farthest", ordered[::-1][:faces]),
        ]
    return sheets


def _cell(
    inside: NDArray[np.bool_], cluster: int, attribute: str | None, group: str | None, seed: int
) -> Cell:
    members = np.flatnonzero(inside)
    name, part = (None if text is None else encodable(text) for text in (attribute, group))
    drawn = members
    if len(members) > MAX_DRAWN:
        rng = stage_rng(seed, "pictures", "mean", str(cluster), name or "", part or "")
        drawn = np.sort(rng.choice(members, MAX_DRAWN, replace=False))
    return Cell(cluster, name, part, len(members), drawn)
