"""Pictures as a file, pictures.json, and back. The reader trusts nothing it finds: not a size, not a type, not a byte.

arrays    base64 of little-endian numbers, exactly as long as `shown` says
images    base64 of a plain lossy WebP: one chunk, no metadata, no more pixels than we write
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.errors import StoreError
from fer_audit.report.files.codec import ShapeError, decode, encode, parse_document
from fer_audit.report.files.picture_types import (
    MOST_POINTS,
    ColouringKind,
    ContactSheet,
    MapColouring,
    MapMethod,
    MapPoints,
    MeanFace,
    Pictures,
    SheetKind,
    webp_size,
)

__all__ = [
    "ContactSheet",
    "MapColouring",
    "MapPoints",
    "MeanFace",
    "Pictures",
    "pictures_json",
    "read_pictures",
    "webp_size",
]

PICTURES_SCHEMA = "fer-audit/pictures/1"

MOST_FILE_BYTES = 100_000_000
"""A map of 50,000 points is one megabyte, a thousand mean faces are three."""
MOST_IMAGE_BYTES = 4_000_000
MOST_IMAGE_SIDE = 4_096
"""Pixels: what a browser would have to unpack is bounded before it sees the bytes."""
MOST_PICTURES = 10_000

_HINT = "Write it again with: fer-audit run"


@dataclass(frozen=True, slots=True)
class _Colouring:
    name: str
    kind: ColouringKind
    groups: tuple[str, ...]
    codes: str


@dataclass(frozen=True, slots=True)
class _Map:
    method: MapMethod
    settings: tuple[tuple[str, str], ...]
    n: int
    shown: int
    box: tuple[float, ...]
    rows: str
    points: str
    colourings: tuple[_Colouring, ...]


@dataclass(frozen=True, slots=True)
class _Face:
    cluster: int
    attribute: str | None
    group: str | None
    n: int
    drawn: int
    webp: str


@dataclass(frozen=True, slots=True)
class _Sheet:
    cluster: int
    kind: SheetKind
    n: int
    blurred: bool
    webp: str


@dataclass(frozen=True, slots=True)
class _Document:
    schema: str
    fingerprint: str
    map: _Map | None
    faces: tuple[_Face, ...]
    sheets: tuple[_Sheet, ...]
    missing: tuple[tuple[str, str], ...]


def pictures_json(pictures: Pictures) -> str:
    """Return pictures.json: the same pictures give the same bytes once encoded as UTF-8."""
    document = _Document(
        PICTURES_SCHEMA,
        pictures.fingerprint,
        None if pictures.map is None else _packed_map(pictures.map),
        tuple(
            _Face(each.cluster, each.attribute, each.group, each.n, each.drawn, _text(each.webp))
            for each in pictures.faces
        ),
        tuple(
            _Sheet(each.cluster, each.kind, each.n, each.blurred, _text(each.webp))
            for each in pictures.sheets
        ),
        pictures.missing,
    )
    value = encode(document, _Document)
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_pictures(path: Path) -> Pictures | None:
    """Return the pictures of a pictures.json, or None when there is no such file.

    Raises StoreError when the file cannot be read, is too large, or holds anything we would not have written.
    """
    path = Path(path)
    try:
        if not path.exists():
            return None
        if not path.is_file():
            raise StoreError(f"{path} is no plain file", hint=_HINT)
        with path.open("rb") as file:
            data = file.read(MOST_FILE_BYTES + 1)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise StoreError(f"{path} cannot be read: {reason}", hint=_HINT) from exc
    if len(data) > MOST_FILE_BYTES:
        raise StoreError(f"{path} is larger than {MOST_FILE_BYTES / 1e6:.0f} MB", hint=_HINT)
    return _parse(data, str(path))


def _parse(data: bytes, source: str) -> Pictures:
    document = parse_document(data, schema=PICTURES_SCHEMA, source=source, hint=_HINT)
    try:
        return _pictures(decode(document, _Document, ""))
    except ShapeError as exc:
        raise StoreError(f"{source}: {exc}", hint=_HINT) from exc


def _pictures(document: _Document) -> Pictures:
    for place, found in (("faces", document.faces), ("sheets", document.sheets)):
        if len(found) > MOST_PICTURES:
            raise ShapeError(f"{place} has {len(found):,} pictures; more than {MOST_PICTURES:,}")
    return Pictures(
        map=None if document.map is None else _map(document.map),
        faces=tuple(_face(each, f"faces[{i}]") for i, each in enumerate(document.faces)),
        sheets=tuple(_sheet(each, f"sheets[{i}]") for i, each in enumerate(document.sheets)),
        missing=document.missing,
        fingerprint=document.fingerprint,
    )


def _packed_map(points: MapPoints) -> _Map:
    return _Map(
        points.method,
        points.settings,
        points.n,
        points.shown,
        points.box,
        _packed(points.rows, "<i4"),
        _packed(points.grid, "<u2"),
        tuple(
            _Colouring(each.name, each.kind, each.groups, _packed(each.codes, "<i2"))
            for each in points.colourings
        ),
    )


def _map(found: _Map) -> MapPoints:
    if not 1 <= found.shown <= min(found.n, MOST_POINTS):
        raise ShapeError(
            f"map.shown is {found.shown} of {found.n}; at most {MOST_POINTS:,} points are shown"
        )
    if len(found.box) != 4:
        raise ShapeError(f"map.box has {len(found.box)} numbers; it must have 4")
    left, bottom, right, top = found.box
    # Half of the largest float32 on either side, so that no difference overflows.
    if not (-1.7e38 < left <= right < 1.7e38 and -1.7e38 < bottom <= top < 1.7e38):
        raise ShapeError("map.box is no box: lowest x, lowest y, highest x, highest y")
    rows = _unpacked(found.rows, "<i4", (found.shown,), "map.rows").astype(np.int32)
    if rows[0] < 0 or (np.diff(rows.astype(np.int64)) <= 0).any():
        raise ShapeError("map.rows must be row numbers, ascending")
    grid = _unpacked(found.points, "<u2", (found.shown, 2), "map.points").astype(np.uint16)
    return MapPoints(
        found.method,
        found.settings,
        found.n,
        (left, bottom, right, top),
        rows,
        grid,
        tuple(
            _colouring(each, found.shown, f"map.colourings[{i}]")
            for i, each in enumerate(found.colourings)
        ),
    )


def _colouring(found: _Colouring, shown: int, place: str) -> MapColouring:
    codes = _unpacked(found.codes, "<i2", (shown,), f"{place}.codes").astype(np.int16)
    if codes.min() < -1 or codes.max() >= len(found.groups):
        raise ShapeError(
            f"{place}.codes names a group that is none of its {len(found.groups)} groups"
        )
    return MapColouring(found.name, found.kind, found.groups, codes)


def _face(found: _Face, place: str) -> MeanFace:
    if found.cluster < 0 or not 1 <= found.drawn <= found.n:
        raise ShapeError(
            f"{place} is of cluster {found.cluster}, {found.drawn} of {found.n} images"
        )
    if (found.attribute is None) != (found.group is None):
        raise ShapeError(f"{place} has an attribute without a group, or a group without one")
    webp = _image(found.webp, f"{place}.webp")
    return MeanFace(found.cluster, found.attribute, found.group, found.n, found.drawn, webp)


def _sheet(found: _Sheet, place: str) -> ContactSheet:
    if found.cluster < 0 or found.n < 1:
        raise ShapeError(f"{place} is of cluster {found.cluster} with {found.n} faces")
    webp = _image(found.webp, f"{place}.webp")
    return ContactSheet(found.cluster, found.kind, found.n, found.blurred, webp)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _packed(array: NDArray[Any], dtype: str) -> str:
    return _text(np.ascontiguousarray(array).astype(dtype).tobytes())


def _bytes(text: str, place: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ShapeError(f"{place} is no base64") from exc


def _unpacked(text: str, dtype: str, shape: tuple[int, ...], place: str) -> NDArray[Any]:
    size = np.dtype(dtype).itemsize * int(np.prod(shape))
    if len(text) != 4 * -(-size // 3):
        raise ShapeError(f"{place} has {len(text):,} characters; {size:,} bytes have other many")
    data = _bytes(text, place)
    if len(data) != size:
        raise ShapeError(f"{place} has {len(data):,} bytes; it must have {size:,}")
    return np.frombuffer(data, dtype).reshape(shape)


def _image(text: str, place: str) -> bytes:
    """Return the bytes of a plain lossy WebP: a RIFF of one chunk (RFC 9649, section 2.5; frame header: RFC 6386, 9.1)."""
    if len(text) > 4 * MOST_IMAGE_BYTES // 3 + 4:
        raise ShapeError(f"{place} is larger than {MOST_IMAGE_BYTES / 1e6:.0f} MB")
    data = _bytes(text, place)
    if len(data) < 30 or data[:4] != b"RIFF" or data[8:16] != b"WEBPVP8 ":
        raise ShapeError(f"{place} is no plain WebP")
    riff, chunk = struct.unpack_from("<I", data, 4)[0], struct.unpack_from("<I", data, 16)[0]
    if riff != len(data) - 8 or chunk + chunk % 2 != len(data) - 20:
        raise ShapeError(f"{place} is a WebP with something beside its picture")
    width, height = webp_size(data)
    if data[23:26] != b"\x9d\x01\x2a" or not (
        0 < width <= MOST_IMAGE_SIDE and 0 < height <= MOST_IMAGE_SIDE
    ):
        raise ShapeError(f"{place} is {width} x {height} pixels; at most {MOST_IMAGE_SIDE}")
    return data
