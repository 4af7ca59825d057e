"""Images -> rows: everything recorded of each image while its bytes are in the cache, with ten measures of how a picture was taken.

The measures are on the packed pixels (already resized), so that images of different sizes compare. A thread uses its working
memory again for the next image: fresh memory costs more than it looks, as the kernel clears every page when it is first touched.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fer_audit.dataset.sources.source import ImageBytes, ImageSource, SourceError
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.types import ROW, PackRows

LARGEST_KEPT = 16_000_000
"""Bytes of one piece; a larger one is fresh each time, so that one huge photograph does not stay in memory."""

_thread = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return this thread's array under a name, with whatever its last use left in it.

    The same name gives the same memory again: the caller must be done with its former content.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > LARGEST_KEPT:
        return np.empty(shape, dtype)
    pieces: dict[str, NDArray[np.uint8]] = _thread.__dict__
    piece = pieces.get(name)
    if piece is None or len(piece) < size:
        piece = pieces[name] = np.empty(size, np.uint8)
    return piece[:size].view(dtype).reshape(shape)


BORDER = 11
"""Width of the border strip in pixels: 5 % of 224."""

COARSE = 2
"""Colour is measured on every second pixel of every second row: colour is smooth, and time is short."""

GREY_SPREAD = 3.0
"""Mean distance of the largest to the smallest channel below which an image counts as grey (JPEG noise is ~1)."""


def style_of(
    pixels: NDArray[np.uint8], *, file_bytes: int, file_pixels: int
) -> NDArray[np.float32]:
    """Return the (10,) measures in the order of `fer_audit.pack.types.STYLE_NAMES`.

    luma_mean, luma_std: ITU-R BT.601 luma, 0-255.
    saturation: mean of (max - min) / max over the channels, 0-1.
    colourfulness: Hasler & Süsstrunk, Human Vision and Electronic Imaging 2003, eq. for M^(3).
    sharpness: variance of the 4-neighbour Laplacian of the luma (Pech-Pacheco et al., ICPR 2000).
    border_red, border_green, border_blue: mean colour of the outer strip, 0-255.
    grey: 1 when the channels hardly differ, else 0.
    bytes_per_pixel: file size over the original number of pixels.
    """
    planes = scratch("style.planes", (3, *pixels.shape[:2]), np.uint16)
    np.copyto(planes, pixels.transpose(2, 0, 1))  # so that every loop runs over neighbours
    luma = _luma(planes)
    # 8-bit again: the sums of floats below are in the order of contiguous planes
    coarse = np.ascontiguousarray(planes[:, ::COARSE, ::COARSE]).astype(np.uint8)
    red, green, blue = coarse.astype(np.float32)
    largest = coarse.max(axis=0)
    spread = largest - coarse.min(axis=0)
    saturation = spread / np.maximum(largest, 1, dtype=np.float32)
    red_green = red - green
    yellow_blue = 0.5 * (red + green) - blue
    colourfulness = np.hypot(red_green.std(), yellow_blue.std()) + 0.3 * np.hypot(
        red_green.mean(), yellow_blue.mean()
    )
    return np.array(
        [
            luma.mean(dtype=np.float32),
            np.sqrt(_variance(luma)),
            saturation.mean(),
            colourfulness,
            _variance(_laplacian(luma)),
            *_border_colour(planes),
            float(spread.mean() < GREY_SPREAD),
            file_bytes / file_pixels,
        ],
        dtype=np.float32,
    )


def _luma(planes: NDArray[np.uint16]) -> NDArray[np.int16]:
    """Return the (h, w) BT.601 luma in 8-bit fixed point, as JPEG decoders have it.

    256 = 77 + 150 + 29, and 256 times 255 still fits 16 bits, of which a register holds most.
    """
    red, green, blue = planes
    total = scratch("style.luma", red.shape, np.uint16)
    term = scratch("style.term", red.shape, np.uint16)
    np.multiply(red, 77, out=total)
    total += np.multiply(green, 150, out=term)
    total += np.multiply(blue, 29, out=term)
    total >>= 8
    return total.view(np.int16)


def _laplacian(luma: NDArray[np.int16]) -> NDArray[np.int16]:
    centre = luma[1:-1, 1:-1]
    found = scratch("style.laplacian", centre.shape, np.int16)
    np.add(luma[:-2, 1:-1], luma[2:, 1:-1], out=found)
    found += luma[1:-1, :-2]
    found += luma[1:-1, 2:]
    found -= np.multiply(centre, 4, out=scratch("style.term", centre.shape, np.int16))
    return found


def _variance(values: NDArray[np.int16]) -> float:
    """Return the population variance; exact in integers, so no rounding depends on the order of sums."""
    wide = scratch("style.wide", values.shape, np.int32)
    np.copyto(wide, values)
    total = int(wide.sum(dtype=np.int64))
    wide *= wide
    squares = int(wide.sum(dtype=np.int64))
    return (squares - total * total / wide.size) / wide.size


def _border_colour(planes: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Return the (3,) mean of the strip along all four edges, corners once."""
    strips = (
        planes[:, :BORDER],
        planes[:, -BORDER:],
        planes[:, BORDER:-BORDER, :BORDER],
        planes[:, BORDER:-BORDER, -BORDER:],
    )
    total = sum(strip.sum(axis=(1, 2), dtype=np.uint32) for strip in strips)
    return np.asarray(total) / (sum(strip.size for strip in strips) / 3)


_COLUMNS = PackRows.__slots__


def decode_images(
    images: ImageSource, pixels: NDArray[np.uint8], rows: PackRows, *, padded: bool = False
) -> None:
    """Fill (n, size, size, 3) zeros and n empty rows from n images, padded to squares or stretched."""
    size = pixels.shape[1]
    for index in range(len(images)):
        try:
            stored = images.read(index)
            rows.sha256[index] = sha256_of(stored)
            image = decode_image(stored.data, stored.name, size, stored.box, padded=padded)
        except (SourceError, DecodeError) as exc:  # whatever is wrong becomes the row's reason
            rows.reasons[index] = str(exc)
            continue
        pixels[index] = image.pixels
        rows.ok[index] = True
        rows.flags[index] = image.flags
        rows.widths[index] = image.width
        rows.heights[index] = image.height
        rows.style[index] = style_of(
            image.pixels[image.inside], file_bytes=len(stored.data), file_pixels=image.file_pixels
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


def records_of(rows: PackRows) -> NDArray[Any]:
    """Return the rows as one (n,) array of `ROW`: a file of its own for each column would be synced to the disk apart."""
    records = np.zeros(len(rows.ok), ROW)
    for name in _COLUMNS:
        records[name] = getattr(rows, name)
    return records


def rows_of_records(records: NDArray[Any]) -> PackRows:
    """Return what `records_of` was given."""
    return PackRows(*(np.ascontiguousarray(records[name]) for name in _COLUMNS))


def concatenate_rows(parts: Sequence[PackRows]) -> PackRows:
    """Return the rows of several shards as one."""
    parts = parts or [empty_rows(0)]
    return PackRows(*(np.concatenate([getattr(x, name) for x in parts]) for name in _COLUMNS))
