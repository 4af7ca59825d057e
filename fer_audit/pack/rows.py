"""Images -> rows: everything recorded of each image while its bytes are in the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.dataset.sources.source import ImageBytes, ImageSource, SourceError
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.style import style_of
from fer_audit.pack.types import ROW, PackRows

_COLUMNS = PackRows.__slots__


def decode_images(images: ImageSource, pixels: NDArray[np.uint8], rows: PackRows) -> None:
    """Fill (n, size, size, 3) zeros and n empty rows from n images."""
    for index in range(len(images)):
        try:
            stored = images.read(index)
            rows.sha256[index] = sha256_of(stored)
            image = decode_image(stored.data, stored.name, pixels.shape[1], stored.box)
        except (SourceError, DecodeError) as exc:  # whatever is wrong becomes the row's reason
            rows.reasons[index] = str(exc)
            continue
        pixels[index] = image.pixels
        rows.ok[index] = True
        rows.flags[index] = image.flags
        rows.widths[index] = image.width
        rows.heights[index] = image.height
        rows.style[index] = style_of(
            image.pixels, file_bytes=len(stored.data), file_pixels=image.file_pixels
        )


def sha256_of(stored: ImageBytes) -> bytes:
    """Return the hex digest of an image's bytes, and of the box: two faces of one file are no copies."""
    content = hashlib.sha256(stored.data)
    if stored.box is not None:
        content.update(repr(stored.box).encode())
    return content.hexdigest().encode()


def empty_rows(n: int) -> PackRows:
    """Return n writable rows of which nothing is known."""
    return PackRows(*(np.zeros(n, ROW[name]) for name in _COLUMNS))


def part_of(rows: PackRows, start: int, stop: int) -> PackRows:
    """Return a view of the rows start <= i < stop."""
    return PackRows(*(getattr(rows, name)[start:stop] for name in _COLUMNS))


def concatenate_rows(parts: Sequence[PackRows]) -> PackRows:
    """Return the rows of several shards as one."""
    parts = parts or [empty_rows(0)]
    return PackRows(*(np.concatenate([getattr(x, name) for x in parts]) for name in _COLUMNS))
