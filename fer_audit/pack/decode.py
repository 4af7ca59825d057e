"""Bytes of a file -> (size, size, 3) uint8 RGB, C order. One contract, one place that knows Pillow.

Rules: EXIF orientation is applied; alpha lies on white; 16-bit is scaled to 8; CMYK and palettes are converted; colour
profiles are ignored; of several frames the first counts; aspect ratio is not kept, as in the origin paper.
A file that breaks a rule raises `DecodeError` with the word that becomes its row's reason.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from fer_audit.pack.jpeg import decode_plain_jpeg
from fer_audit.pack.resize import enlarge, grows

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Pillow opens these and nothing else: no Ghostscript, no layered formats."""

MAX_PIXELS = 64_000_000
"""An image larger than this is refused from its header: 64 MP decode to 192 MB."""

TINY = 16
"""Pixels of the shorter side below which an image is flagged: nobody can be told apart on it."""

_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg"},
    "PNG": {".png"},
    "WEBP": {".webp"},
    "BMP": {".bmp"},
    "GIF": {".gif"},
    "TIFF": {".tif", ".tiff"},
}
# The limits are ours, from the header; what Pillow would warn of is a row's reason or no concern of stderr.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

_MAGIC = (b"\xff\xd8", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II*\x00", b"MM\x00*")


class DecodeError(Exception):
    """A file is no image we can use; the message is the reason's word."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """An image as the model will see it."""

    pixels: NDArray[np.uint8]
    """(size, size, 3) RGB"""
    width: int
    """Before resizing, after EXIF orientation."""
    height: int
    flags: str
    """Space-separated words: first_frame, tiny, png_named_jpg, ...; empty when nothing is odd."""


def decode_image(data: bytes, file_name: str, size: int) -> DecodedImage:
    """Return a file's image, resized with Pillow's bicubic filter.

    Raises DecodeError: empty, format_not_allowed, too_large, truncated, corrupt, mode_not_supported.
    """
    if not data:
        raise DecodeError("empty")
    plain = decode_plain_jpeg(data, size)
    if plain is not None:
        height, width = plain.shape[:2]
        return _decoded(enlarge(plain, size), width, height, _flags("JPEG", file_name))
    image = _open(data)
    flags = _flags(image.format, file_name)
    if getattr(image, "is_animated", False):
        flags.append("first_frame")
    try:
        image = _to_rgb(_upright(image))
    except DecodeError:
        raise
    except Image.DecompressionBombError as exc:
        raise DecodeError("too_large") from exc
    except Exception as exc:
        raise DecodeError("truncated" if "truncated" in str(exc) else "corrupt") from exc
    return _decoded(_resized(image, size), image.width, image.height, flags)


def _decoded(pixels: NDArray[np.uint8], width: int, height: int, flags: list[str]) -> DecodedImage:
    tiny = ["tiny"] if min(width, height) < TINY else []
    return DecodedImage(pixels, width, height, " ".join([*flags, *tiny]))


def _resized(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Return the (size, size, 3) pixels of an RGB image."""
    if grows(image.width, image.height, size):
        flat = np.frombuffer(image.tobytes("raw", "RGBX"), np.uint8)
        return enlarge(flat.reshape(image.height, image.width, 4), size)
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def _open(data: bytes) -> Image.Image:
    """Read the header only."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        looks_allowed = data.startswith(_MAGIC)
        raise DecodeError("corrupt" if looks_allowed else "format_not_allowed") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DecodeError("too_large") from None
    except Exception as exc:
        raise DecodeError("corrupt") from exc
    if image.width * image.height > MAX_PIXELS:
        raise DecodeError("too_large")
    if image.width == 0 or image.height == 0:
        raise DecodeError("corrupt")
    return image


def _flags(form: str | None, file_name: str) -> list[str]:
    suffix = PurePosixPath(file_name).suffix.lower()
    if form is None or suffix in _SUFFIXES.get(form, {suffix}):
        return []
    known = suffix in set().union(*_SUFFIXES.values())
    return [f"{form.lower()}_named_{suffix[1:] if known else 'otherwise'}"]


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; most faces have none, and looking costs time."""
    if "exif" in image.info or image.format == "TIFF":
        return ImageOps.exif_transpose(image)
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """Load the pixels and bring every mode to RGB."""
    image.load()
    if image.mode == "RGB" and "transparency" not in image.info:
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
