"""The pictures that go with a result made to be shared (--min-cell)."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.files.pictures import Pictures

_FEW = "counts of few people are withheld in this report, and such pictures show or tell them"


def shared_pictures(
    pictures: Pictures | None, result: AuditResult, min_cell: int
) -> Pictures | None:
    """Return the pictures that tell no count which the shared `result` withholds, and show no single face; all for min_cell 0.

    Contact sheets show single faces: none is kept. A map has a point for each image at the same place in every colouring, so
    that two colourings next to each other are the cross table: only the one by cluster is kept, if all sizes are told.
    A mean face has its count as its caption: it is kept where a table shows the same one, and that is at least `min_cell`.
    """
    if pictures is None or not min_cell:
        return pictures
    missing = dict(pictures.missing)
    points = pictures.map
    if points is not None:
        sizes_are_told = result.clustering is not None and None not in result.clustering.sizes
        missing["map by group" if sizes_are_told else "map"] = _FEW
        by_cluster = tuple(each for each in points.colourings if each.kind == "cluster")
        points = replace(points, colourings=by_cluster) if sizes_are_told else None
    if pictures.sheets:
        missing["contact sheets"] = "this report is made to be shared, and they show single faces"
    told = _told_counts(result)
    faces = tuple(
        face
        for face in pictures.faces
        if face.n >= min_cell and (face.cluster, face.attribute, face.group, face.n) in told
    )
    if len(faces) < len(pictures.faces):
        missing["some mean faces"] = _FEW
    return replace(pictures, map=points, faces=faces, sheets=(), missing=tuple(missing.items()))


def _told_counts(result: AuditResult) -> set[tuple[int, str | None, str | None, int | None]]:
    """Return (cluster, attribute, group, count) of every count that is shown; None, None = the cluster's own."""
    sizes = () if result.clustering is None else result.clustering.sizes
    clusters = (*enumerate(sizes), *((each.cluster, each.n) for each in result.cluster_styles))
    told: set[tuple[int, str | None, str | None, int | None]] = {
        (cluster, None, None, n) for cluster, n in clusters
    }
    for association in result.associations:
        for cluster, row in enumerate(association.table):
            counts = zip(association.groups, row, strict=True)
            told |= {(cluster, association.attribute, group, n) for group, n in counts}
    return told
