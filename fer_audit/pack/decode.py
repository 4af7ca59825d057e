"""Bytes of a file -> (size, size, 3) uint8 RGB, C order. One contract, one place that knows Pillow.

Rules: EXIF orientation is applied; alpha lies on white; 16-bit is scaled to 8; CMYK and palettes are converted; colour
profiles are ignored; of several frames the first counts; aspect ratio is not kept, as in the origin paper, unless the
model wants its faces padded to a square.
A file that breaks a rule raises `DecodeError` with the word that becomes its row's reason. A JPEG that would take minutes to
decode is recognised from its markers alone.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError, features

from fer_audit.dataset.sources.source import Box

_SCAN, _END = 0xDA, 0xD9
_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
"""Every marker with a length behind it, and the end: not a stuffed or fill byte, TEM or a restart (T.81, B.1.1)."""

MAX_SCANS = 100
"""A scan of a few bytes visits every block: 450 of them keep 64 MP busy for 44 s. libjpeg-turbo writes 10 (jcparam.c,
jpeg_simple_progression), and its own fuzzers give up at 500."""
MAX_MARKERS = 100_000
"""A file that looks as if it had too many scans, and has more segments than this, is not walked to its end."""


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


FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"),
    *(("AVIF",) if features.check("avif") else ()),
)
"""Pillow opens these and nothing else: no Ghostscript, no layered formats."""

MAX_PIXELS = 64_000_000
"""An image larger than this is refused from its header. 64 MP take 250 MB while they are decoded, as RGBA 300, turned
by EXIF 490, as a progressive JPEG of full colour 610, and 990 as a WebP, whose library keeps canvases of its own."""

MAX_SIDE = 65_535
"""No side is longer than JPEG can say; a PNG one pixel wide and 64 million high takes 2.7 GB to resize."""

BAND_PIXELS = 2_000_000
"""Pixels converted to RGB at a time: a whole image of 64 MP would be there four times over, 1.2 GB."""

TINY = 16
"""Pixels of the shorter side below which an image is flagged: no person can be recognised on it."""

_SUFFIXES = {
    **{name: {f".{name.lower()}"} for name in ("PNG", "WEBP", "BMP", "GIF", "AVIF")},
    "JPEG": {".jpg", ".jpeg"},
    "TIFF": {".tif", ".tiff"},
}
# The limits are ours, from the header; what Pillow would warn of is a row's reason or no concern of stderr.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow checks it before it allocates a GIF's first frame
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())

_MAGIC = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II*\x00", b"MM\x00*")


class DecodeError(Exception):
    """A file is no image we can use; the message is the reason's word."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """An image as the model will see it."""

    pixels: NDArray[np.uint8]
    """(size, size, 3) RGB"""
    width: int
    """Of the item: before resizing, after EXIF orientation and cropping."""
    height: int
    file_pixels: int
    """Pixels of the whole image in the file."""
    flags: str
    """Space-separated words: first_frame, tiny, png_named_jpg, ...; empty when nothing is odd."""
    inside: tuple[slice, slice]
    """Rows and columns of `pixels` that the image fills: all of them, unless it was padded."""


def decode_image(
    data: bytes, file_name: str, size: int, box: Box | None = None, *, padded: bool = False
) -> DecodedImage:
    """Return a file's image, or the part of it in `box`, resized with Pillow's bicubic filter.

    `padded`: aspect ratio is kept, and the image lies in the middle of a black square.

    Raises DecodeError: empty, git_lfs_pointer, web_page, format_not_allowed, too_large, truncated, corrupt,
    mode_not_supported, out_of_memory, box_outside.
    """
    if not data:
        raise DecodeError("empty")
    if has_too_many_scans(data):
        raise DecodeError("too_large")
    try:
        return _decode(data, file_name, size, box, padded=padded)
    except DecodeError:
        raise
    except Exception as exc:
        words = str(exc)
        bomb = (Image.DecompressionBombError, Image.DecompressionBombWarning)
        if isinstance(exc, MemoryError) or "out of memory" in words:
            reason = "out_of_memory"
        elif isinstance(exc, bomb) or "MAX_TEXT" in words:  # a PNG's texts of more than 64 MB
            reason = "too_large"
        else:
            reason = "truncated" if "truncated" in words else "corrupt"
        raise DecodeError(reason) from exc


def _decode(
    data: bytes, file_name: str, size: int, box: Box | None, *, padded: bool
) -> DecodedImage:
    try:  # reads the header only
        image: Image.Image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise DecodeError(_what_it_is(data)) from None
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise DecodeError("too_large")
    if image.width == 0 or image.height == 0:
        raise DecodeError("corrupt")
    flags = _flags(image.format, file_name)
    if getattr(image, "is_animated", False):
        flags.append("first_frame")
    if "exif" in image.info or image.format == "TIFF":  # most faces have none; looking costs time
        image = ImageOps.exif_transpose(image)
    image.load()
    file_pixels = image.width * image.height
    if box is not None:  # the part of it that lies in the image
        left, top, right, bottom = box
        inside = max(left, 0), max(top, 0), min(right, image.width), min(bottom, image.height)
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            raise DecodeError("box_outside")
        image = image.crop(inside)
    if min(image.size) < TINY:
        flags.append("tiny")
    place = part_filled(image.width, image.height, size, padded=padded)
    height, width = (side.stop - side.start for side in place)
    pixels = _resized(image, (width, height))
    if (width, height) != (size, size):
        content, pixels = pixels, np.zeros((size, size, 3), np.uint8)
        pixels[place] = content
    words = " ".join(flags)
    return DecodedImage(pixels, image.width, image.height, file_pixels, words, place)


def part_filled(width: int, height: int, size: int, *, padded: bool) -> tuple[slice, slice]:
    """Return the rows and columns of a square that an image fills: all of them, or if padded its middle.

    Three pixels at least: sharpness is measured between neighbours.
    """
    sides = (height, width)
    within = [max(3, round(size * side / max(sides))) if padded else size for side in sides]
    rows, columns = (slice((size - x) // 2, (size - x) // 2 + x) for x in within)
    return rows, columns


def _resized(image: Image.Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the (height, width, 3) pixels of a loaded image of any mode, `size` = (width, height).

    What is no RGB yet is converted band by band: the steps in between need room for a band only.
    """
    if not _is_rgb(image) and image.width * image.height > BAND_PIXELS:
        whole = Image.new("RGB", image.size)
        rows = max(1, BAND_PIXELS // image.width)
        for top in range(0, image.height, rows):
            bottom = min(top + rows, image.height)
            whole.paste(_to_rgb(image.crop((0, top, image.width, bottom))), (0, top))
        image = whole
    return np.asarray(_to_rgb(image).resize(size, Image.Resampling.BICUBIC))


def _what_it_is(data: bytes) -> str:
    """Return the word for what lies in the place of an image."""
    if data.startswith(_MAGIC):
        return "corrupt"
    if data.startswith(b"version https://git-lfs.github.com/"):
        return "git_lfs_pointer"
    head = data[:256].lstrip().lower()
    return "web_page" if head.startswith((b"<!doctype html", b"<html")) else "format_not_allowed"


def _flags(form: str | None, file_name: str) -> list[str]:
    suffix = PurePosixPath(file_name).suffix.lower()
    if not file_name or form is None or suffix in _SUFFIXES.get(form, {suffix}):
        return []
    known = suffix in set().union(*_SUFFIXES.values())
    return [f"{form.lower()}_named_{suffix[1:] if known else 'otherwise'}"]


def _is_rgb(image: Image.Image) -> bool:
    return image.mode == "RGB" and "transparency" not in image.info


def _to_rgb(image: Image.Image) -> Image.Image:
    """Bring loaded pixels of every mode to RGB."""
    if _is_rgb(image):
        return image
    if image.mode.startswith("I;16"):
        scaled = (np.asarray(image).astype(np.uint32) + 128) // 257
        return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")
    if image.mode in {"I", "F"}:
        raise DecodeError("mode_not_supported")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")
