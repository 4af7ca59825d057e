"""The pictures of a run, what a report shows that is no number of its result, and pictures.json, the file that holds them.

They are made once, from vectors and packed pixels, so that a page can be drawn again from result.json and this file alone.
The reader trusts nothing in the file: arrays must have the right length and range, images must be plain lossy WebPs,
without metadata and of no more pixels than we write.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.types.result import AuditResult
from fer_audit.errors import StoreError
from fer_audit.report.files.codec import ShapeError, decode, encode, parse_document
from fer_audit.text import size_text

MapMethod = Literal["pca", "umap"]
ColouringKind = Literal["cluster", "demographic", "label", "batch", "split"]
SheetKind = Literal["nearest", "median", "farthest"]

PICTURES_SCHEMA = "fer-audit/pictures/2"

MAX_POINTS = 50_000
"""Points on a map: a screen shows no more of them apart, and each costs a page ten bytes."""
N_STEPS = 65_535
"""Steps of the grid on each axis of a map: a tenth of a pixel on a screen of 6,000."""
MAX_FILE_BYTES = 100_000_000
"""A map of 50,000 points is one megabyte, a thousand mean faces are three."""
MAX_IMAGE_BYTES = 4_000_000
MAX_IMAGE_SIDE = 4_096
"""Pixels: what a browser would have to unpack is bounded before it sees the bytes."""
MAX_PICTURES = 10_000

_FEW = "counts of few people are withheld in this report, and such pictures show or tell them"
_HINT = "Write it again with: fer-audit run"


@dataclass(frozen=True, slots=True, eq=False)
class MapColouring:
    """One way to colour the points of a map."""

    name: str
    """The attribute; "cluster" for the clusters."""
    kind: ColouringKind
    groups: tuple[str, ...]
    """Names of the groups; a cluster's is its number."""
    codes: NDArray[np.int16]
    """(shown,) index into groups; -1 = not annotated."""


@dataclass(frozen=True, slots=True, eq=False)
class MapPoints:
    """The latent space in two dimensions."""

    method: MapMethod
    settings: tuple[tuple[str, str], ...]
    """(name, value) of what a caption should say of the method."""
    n: int
    """Images that came through every stage."""
    box: tuple[float, float, float, float]
    """Lowest x, lowest y, highest x, highest y of the points shown."""
    rows: NDArray[np.int32]
    """(shown,) row numbers, ascending: every image, or a uniform draw of `MAX_POINTS`."""
    grid: NDArray[np.uint16]
    """(shown, 2) x and y in steps of the box, 0 to 65,535."""
    colourings: tuple[MapColouring, ...]

    @property
    def shown(self) -> int:
        """Number of points."""
        return len(self.rows)

    @property
    def points(self) -> NDArray[np.float32]:
        """(shown, 2) x and y, to 1/65,535 of the box."""
        low, high = np.array(self.box[:2]), np.array(self.box[2:])
        points: NDArray[np.float32] = (low + self.grid / N_STEPS * (high - low)).astype(np.float32)
        return points


@dataclass(frozen=True, slots=True)
class MeanFace:
    """The mean of the images of a cluster, or of one group in it."""

    cluster: int
    attribute: str | None
    """None = the whole cluster."""
    group: str | None
    n: int
    """Images in the cell, one copy of each file."""
    drawn: int
    """Images the mean is of: all of them, or a uniform draw."""
    webp: bytes


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Some faces of one cluster."""

    cluster: int
    kind: SheetKind
    """Nearest to the centre first, around the median distance, or farthest first."""
    n: int
    """Faces on the sheet, line by line."""
    blurred: bool
    webp: bytes


@dataclass(frozen=True, slots=True)
class Pictures:
    """Everything a report shows that is no number of its result."""

    map: MapPoints | None
    faces: tuple[MeanFace, ...]
    """By cluster; each cluster's own first, then by attribute and group."""
    sheets: tuple[ContactSheet, ...]
    """By cluster: nearest, median, farthest."""
    missing: tuple[tuple[str, str], ...]
    """(what, reason) of every picture that could not be made; each `what` once."""
    fingerprint: str = ""
    """What the pictures depend on; a run with another one makes them again."""


def grid_of(
    points: NDArray[np.float32],
) -> tuple[tuple[float, float, float, float], NDArray[np.uint16]]:
    """Return the bounding box of (n, 2) finite points, n >= 1, and the (n, 2) steps of each inside it."""
    wide = points.astype(np.float64)
    low, high = wide.min(axis=0), wide.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    grid = np.rint((wide - low) / span * N_STEPS).astype(np.uint16)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1])), grid


def webp_size(webp: bytes) -> tuple[int, int]:
    """Return width and height of a plain lossy WebP, in pixels. RFC 6386, 9.1: 14 bits each, 26 bytes into the file."""
    width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", webp, 26))
    return width, height


def pictures_json(pictures: Pictures) -> str:
    """Return pictures.json: the same pictures give the same bytes once encoded as UTF-8."""
    document = {"schema": PICTURES_SCHEMA, **encode(pictures, Pictures)}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_pictures(path: Path) -> Pictures | None:
    """Return the pictures of a pictures.json, or None when there is no such file.

    Raises StoreError when the file cannot be read, is too large, or holds anything we would not have written.
    """
    try:
        if not path.exists():
            return None
        if not path.is_file():
            raise StoreError(f"{path} is no plain file", hint=_HINT)
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise StoreError(f"{path} cannot be read: {reason}", hint=_HINT) from exc
    if len(data) > MAX_FILE_BYTES:
        raise StoreError(f"{path} is larger than {size_text(MAX_FILE_BYTES)}", hint=_HINT)
    document = parse_document(data, schema=PICTURES_SCHEMA, source=str(path), hint=_HINT)
    try:
        pictures = decode(document, Pictures, "")
        _check_images(pictures)
        return pictures if pictures.map is None else replace(pictures, map=_checked(pictures.map))
    except ShapeError as exc:
        raise StoreError(f"{path}: {exc}", hint=_HINT) from exc


def _checked(points: MapPoints) -> MapPoints:
    """Return a map as it was read with its grid in two columns; ShapeError when its parts do not fit together."""
    rows, shown = points.rows, points.shown
    if not 1 <= shown <= min(points.n, MAX_POINTS):
        raise ShapeError(f"map.rows has {shown:,} of {points.n:,} images; at most {MAX_POINTS:,}")
    if rows[0] < 0 or (np.diff(rows.astype(np.int64)) <= 0).any():
        raise ShapeError("map.rows must be row numbers, ascending")
    if points.grid.size != 2 * shown:
        raise ShapeError(f"map.grid has {points.grid.size:,} numbers for {shown:,} points")
    if len(points.box) != 4:
        raise ShapeError(f"map.box has {len(points.box)} numbers; it must have 4")
    left, bottom, right, top = points.box
    # Half of the largest float32 on either side, so that no difference overflows.
    if not (-1.7e38 < left <= right < 1.7e38 and -1.7e38 < bottom <= top < 1.7e38):
        raise ShapeError("map.box is no box: lowest x, lowest y, highest x, highest y")
    for i, colouring in enumerate(points.colourings):
        codes, groups = colouring.codes, len(colouring.groups)
        if len(codes) != shown or codes.min() < -1 or codes.max() >= groups:
            raise ShapeError(
                f"map.colourings[{i}].codes must be {shown:,} numbers of {groups:,} groups"
            )
    return replace(points, grid=points.grid.reshape(shown, 2))


def _check_images(pictures: Pictures) -> None:
    """Refuse counts that cannot be, and image bytes that we would not have written."""
    for face in pictures.faces:
        if not face.drawn <= face.n or face.drawn < 1:
            raise ShapeError(f"a mean face is of {face.drawn} of {face.n} images")
        if (face.attribute is None) != (face.group is None):
            raise ShapeError(
                "a mean face has an attribute without a group, or a group without one"
            )
    kinds: dict[str, tuple[MeanFace | ContactSheet, ...]]
    kinds = {"faces": pictures.faces, "sheets": pictures.sheets}
    for kind, images in kinds.items():
        if len(images) > MAX_PICTURES:
            raise ShapeError(f"{kind} has {len(images):,} pictures; more than {MAX_PICTURES:,}")
        for i, image in enumerate(images):
            if image.cluster < 0 or image.n < 1:
                raise ShapeError(f"{kind}[{i}] is of cluster {image.cluster}, {image.n} images")
            _check_webp(image.webp, f"{kind}[{i}].webp")


def _check_webp(data: bytes, place: str) -> None:
    """Refuse all but a plain lossy WebP: a RIFF of one chunk (RFC 9649, section 2.5; frame header: RFC 6386, 9.1)."""
    if len(data) > MAX_IMAGE_BYTES:
        raise ShapeError(f"{place} is larger than {size_text(MAX_IMAGE_BYTES)}")
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8 ":
        raise ShapeError(f"{place} is no plain WebP")
    riff, chunk = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 16)[0]
    if riff != len(data) - 8 or chunk + chunk % 2 != len(data) - 20:
        raise ShapeError(f"{place} is a WebP with something more than its picture")
    width, height = webp_size(data)
    if data[23:26] != b"\x9d\x01\x2a" or not (
        0 < width <= MAX_IMAGE_SIDE and 0 < height <= MAX_IMAGE_SIDE
    ):
        raise ShapeError(f"{place} is {width} x {height} pixels; at most {MAX_IMAGE_SIDE}")


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
