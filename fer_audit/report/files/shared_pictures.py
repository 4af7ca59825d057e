"""The pictures of a run that go with a result made to be shared (--min-cell)."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.files.picture_types import MapPoints, Pictures

_FEW = "counts of few people are withheld in this report, and such pictures show or tell them"


def shared_pictures(
    pictures: Pictures | None, result: AuditResult, min_cell: int
) -> Pictures | None:
    """Return the pictures that tell no count which the shared `result` withholds, and show nobody; all for min_cell 0.

    Contact sheets show single faces: none is kept. A map has a point for each image at the same place in every colouring, so
    that two colourings side by side are the cross table: only the one by cluster is kept, if all sizes are told. A mean face
    is shown with its count: it is kept where a table shows the same one, and that is at least `min_cell`.
    """
    if pictures is None or not min_cell:
        return pictures
    sizes = () if result.clustering is None else result.clustering.sizes
    sizes_told = None not in sizes
    missing = dict(pictures.missing)
    found = pictures.map if sizes_told else None
    if pictures.map is not None:
        missing["map by group" if sizes_told else "map"] = _FEW
    if pictures.sheets:
        missing["contact sheets"] = "this report is made to be shared, and they show single faces"
    told = _told(result)
    faces = tuple(
        face
        for face in pictures.faces
        if face.n >= min_cell and (face.cluster, face.attribute, face.group, face.n) in told
    )
    if len(faces) < len(pictures.faces):
        missing["some mean faces"] = _FEW
    return Pictures(
        map=None if found is None else _by_cluster(found),
        faces=faces,
        sheets=(),
        missing=tuple(missing.items()),
        fingerprint=pictures.fingerprint,
    )


def _by_cluster(found: MapPoints) -> MapPoints:
    return replace(
        found, colourings=tuple(each for each in found.colourings if each.kind == "cluster")
    )


def _told(result: AuditResult) -> set[tuple[int, str | None, str | None, int | None]]:
    """Return (cluster, attribute, group, count) of every count of clusters that is shown; None, None = the cluster's own."""
    sizes = () if result.clustering is None else result.clustering.sizes
    clusters = (*enumerate(sizes), *((each.cluster, each.n) for each in result.cluster_styles))
    found: set[tuple[int, str | None, str | None, int | None]] = {
        (cluster, None, None, n) for cluster, n in clusters
    }
    for each in result.associations:
        for cluster, row in enumerate(each.table):
            counts = zip(each.groups, row, strict=True)
            found |= {(cluster, each.attribute, group, n) for group, n in counts}
    return found
