"""A card for each cluster: its mean faces, who is in it, how its pictures were taken."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.stability import ClusterFacts
from fer_audit.report.blocks import Block, Card, Charts, Column, Facts, Gallery, Picture, Table
from fer_audit.report.charts.cluster_cards import lift_row, lifts, style_profile
from fer_audit.report.files.pictures import ContactSheet, MeanFace, Pictures, webp_size
from fer_audit.report.sections.cluster_names import cluster_name
from fer_audit.report.view import View
from fer_audit.text import clipped, coefficient, counted, percent, signed, whole

N_TELLING = 5
"""Groups in the table of a card."""
_FACE_PIXELS = 88
_KINDS = {
    "nearest": "Nearest to the centre",
    "median": "Half way out",
    "farthest": "Furthest from the centre",
}


def cards(view: View, facts: ClusterFacts) -> Sequence[Card]:
    """Return a card for each cluster."""
    return [_card(view, facts, cluster) for cluster in range(facts.k)]


def size_share(sizes: Sequence[int | None], cluster: int) -> float | None:
    """Return a cluster's share of the set; None where sizes are withheld, so that their sum is not known."""
    known = [size for size in sizes if size is not None]
    return known[cluster] / max(1, sum(known)) if len(known) == len(sizes) else None


def _size_words(facts: ClusterFacts, cluster: int) -> str:
    share = size_share(facts.sizes, cluster)
    words = counted(facts.sizes[cluster], "image")
    return words if share is None else f"{words}, {percent(share)} of the set"


def _card(view: View, facts: ClusterFacts, cluster: int) -> Card:
    blocks = [
        *_faces(view.pictures, cluster),
        Charts(
            lambda: [
                lifts(cluster, view.result.associations, view.palette),
                style_profile(cluster, view.result.cluster_styles, view.palette),
            ]
        ),
        *_telling(view, cluster),
        *_sheets(view.pictures, cluster),
        *_examples(facts, cluster),
    ]
    return Card(
        key=f"cluster-{cluster}",
        title=f"Cluster {cluster}: {cluster_name(view, cluster) or 'nobody in particular'}",
        subtitle=_size_words(facts, cluster) + _stability_words(view, cluster),
        colour=view.palette.cluster(cluster),
        dimmed=cluster in view.unstable,
        blocks=tuple(blocks),
    )


def _examples(facts: ClusterFacts, cluster: int) -> list[Block]:
    """Return the images nearest to the centre and farthest from it, by id."""
    ends = (("nearest to the centre", facts.nearest), ("farthest from it", facts.farthest))
    pairs = [
        (name, ", ".join(clipped(each, 60) for each in found[cluster]))
        for name, found in ends
        if cluster < len(found) and found[cluster]
    ]
    return [Facts(tuple(pairs), "detail")] if pairs else []


def _telling(view: View, cluster: int) -> list[Block]:
    """Return the groups furthest from chance, either way: 30 images or more, adjusted p at most alpha."""
    cells = [
        (each.attribute, cell)
        for each in view.result.associations
        if each.kind in ("demographic", "label")
        for cell in each.cells
        if cell.cluster == cluster and not cell.too_few and cell.residual is not None
        if cell.p_adjusted is not None and cell.p_adjusted <= view.alpha
    ]
    cells.sort(key=lambda pair: -abs(pair[1].residual or 0.0))
    if not cells:
        return []
    rows = tuple(
        (*lift_row(attribute, cell)[:4], signed(cell.residual or 0.0))
        for attribute, cell in cells[:N_TELLING]
    )
    columns = (
        Column("group", wrap=16),
        Column("images", right=True),
        Column("of the cluster", right=True, wrap=7),
        Column("lift (interval)", right=True, wrap=8),
        Column("residual", right=True),
    )
    return [Table("The most telling groups", columns, rows)]


def _stability_words(view: View, cluster: int) -> str:
    facts = view.result.stability
    for each in () if facts is None else facts.clusters:
        if each.cluster == cluster:
            comes_back = "comes back" if each.stable else "does not come back"
            warning = "" if each.stable else ": read nothing into it"
            return f"; it {comes_back} in resamples{warning} (mean Jaccard {coefficient(each.jaccard)})."
    return "."


def _faces(pictures: Pictures | None, cluster: int) -> list[Block]:
    faces = [] if pictures is None else [x for x in pictures.faces if x.cluster == cluster]
    if not faces:
        return []
    note = (
        "Averages of at least 30 images of the cluster, and of each group in it that has and leaves as many. They show"
        " what the pictures share, light and framing included. Images are not people: if they are of a few, these can be"
        " recognised."
    )
    return [Gallery("Mean faces", tuple(face_picture(face) for face in faces), note)]


def face_picture(face: MeanFace) -> Picture:
    """Return a mean face with how many images it is of."""
    of = "" if face.group is None else f", {face.attribute} {face.group}"
    part = whole(face.n) if face.drawn == face.n else f"{whole(face.drawn)} of {whole(face.n)}"
    return Picture(
        "image/webp",
        face.webp,
        f"Mean face of cluster {face.cluster}{of}",
        f"{'all' if face.group is None else face.group} ({part})",
        _FACE_PIXELS,
        _FACE_PIXELS,
    )


def _sheets(pictures: Pictures | None, cluster: int) -> list[Block]:
    sheets = [] if pictures is None else [x for x in pictures.sheets if x.cluster == cluster]
    return [
        Gallery(
            _KINDS[sheet.kind],
            (_sheet_picture(sheet),),
            "Faces are personal data: think before you pass this page on."
            + (" They are blurred." if sheet.blurred else ""),
        )
        for sheet in sheets
    ]


def _sheet_picture(sheet: ContactSheet) -> Picture:
    faces = counted(sheet.n, "face")
    alt = f"Contact sheet: {faces} of cluster {sheet.cluster}, {_KINDS[sheet.kind].lower()}"
    return Picture("image/webp", sheet.webp, alt, faces, *webp_size(sheet.webp))
