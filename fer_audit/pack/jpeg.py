"""Plain JPEGs through simplejpeg (extra `fast`), the same bits as Pillow's decoder in less time.

Both call libjpeg-turbo with its accurate DCT and smooth upsampling. What is saved is Pillow's own way around it.
Only a file that leaves nothing to interpret is taken: well-formed from the first byte, 8 bits, grey or three colours,
no metadata but JFIF and comments (so no EXIF orientation, no Adobe colours, no second picture), and not one warning.
Everything else gets `None` and is Pillow's, which also finds the word for what is wrong.
Each library brings a libjpeg of its own, so once in a process both decode the same noise; if they differ, all is Pillow's.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_audit.pack.resize import grows
from fer_audit.pack.scratch import scratch

_FRAMES = {0xC0, 0xC1, 0xC2}
"""Start of a Huffman-coded frame: baseline, extended, progressive (ITU-T T.81, table B.1)."""
_TABLES = {0xC4, 0xDB, 0xDD, 0xFE}
"""Huffman and quantization tables, restart interval, comment."""
_JFIF, _SCAN, _END = 0xE0, 0xDA, 0xD9
_JFIF_BYTES = 16
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Every marker with a length behind it, and the end: not a stuffed or fill byte, TEM or a restart (T.81, B.1.1)."""

MAX_SCANS = 100
"""A scan of a few bytes visits every block: 450 of them keep 64 MP busy for 44 s. libjpeg-turbo writes 10 (jcparam.c,
jpeg_simple_progression), and its own fuzzers give up at 500."""
MAX_MARKERS = 100_000
"""A file that looks as if it had too many scans, and has more segments than this, is not walked to its end."""


@functools.cache
def _decoder() -> Callable[..., Any] | None:
    """Return simplejpeg's decoder where the extra `fast` is installed and its pixels are the installed Pillow's."""
    try:
        from simplejpeg import decode_jpeg
    except ImportError:
        return None
    return decode_jpeg if all(_agrees(decode_jpeg, data) for data in _noise_jpegs()) else None


def _agrees(decode: Callable[..., Any], data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(image.convert("RGB"))
    found = np.empty((*wanted.shape[:2], 4), np.uint8)
    try:
        decode(data, "RGBA", buffer=found)
    except ValueError:
        return False
    return np.array_equal(found[..., :3], wanted)


def _noise_jpegs() -> Iterator[bytes]:
    """Yield seeded noise, grey and in every subsampling Pillow writes; odd sides, so that the last blocks are cut."""
    noise = np.random.default_rng(0).integers(0, 256, (53, 37, 3), dtype=np.uint8)
    kinds: tuple[tuple[NDArray[np.uint8], dict[str, Any]], ...] = (
        (noise[..., 0], {}),
        *((noise, {"subsampling": ratio}) for ratio in ("4:2:0", "4:2:2", "4:4:4")),
    )
    for pixels, options in kinds:
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG", quality=90, **options)
        yield file.getvalue()


def decode_plain_jpeg(data: bytes, size: int) -> NDArray[np.uint8] | None:
    """Return (h, w, 4) RGBX in this thread's working memory, or None: let Pillow see the file.

    Images larger than `size` are Pillow's too: its resize costs several times what is saved here.
    """
    decode = _decoder()
    shape = plain_shape(data) if decode is not None else None
    if decode is None or shape is None or not grows(shape[1], shape[0], size):
        return None
    pixels = scratch("jpeg.pixels", (*shape, 4), np.uint8)
    try:
        decode(data, "RGBA", buffer=pixels)
    except ValueError:  # libjpeg's errors, and its warnings too
        return None
    return pixels


def has_too_many_scans(data: bytes) -> bool:
    """Whether a JPEG has more scans than `MAX_SCANS`, from its markers alone: nothing is decoded.

    Only a file that could have so many is walked. Its scans end at the end mark, as they do for libjpeg:
    a thumbnail inside a segment and a film behind the picture do not count.
    """
    if not data.startswith(b"\xff\xd8") or data.count(b"\xff\xda") <= MAX_SCANS:
        return False
    scans, place = 0, 2
    for _ in range(MAX_MARKERS):
        found = _MARKER.search(data, place)
        if found is None or found[1][0] == _END:
            return False
        scans += found[1][0] == _SCAN
        if scans > MAX_SCANS:
            return True
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
    return True


def plain_shape(data: bytes) -> tuple[int, int] | None:
    """Return (height, width) of a JPEG that is plain as far as its header goes, else None."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    shape = None
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        length = int.from_bytes(data[place + 2 : place + 4])
        if marker == _SCAN:
            return shape
        if marker in _FRAMES:
            shape = _frame(data[place + 4 : place + 2 + length]) if shape is None else None
            if shape is None:
                return None
        elif marker == _JFIF:
            is_jfif = data.startswith(b"JFIF\0", place + 4)
            if not is_jfif or length < _JFIF_BYTES:
                return None
        elif marker not in _TABLES:
            return None
        if length < 2:
            return None
        place += 2 + length
    return None


def _frame(header: bytes) -> tuple[int, int] | None:
    """Return (height, width) of a frame of 8 bits in one or three components."""
    if len(header) < 6 or header[0] != 8 or header[5] not in (1, 3):
        return None
    if len(header) != 6 + 3 * header[5]:
        return None
    height, width = int.from_bytes(header[1:3]), int.from_bytes(header[3:5])
    return (height, width) if height and width else None
