"""Every image row of the fault table as the bytes of a file, and what has to become of it."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from tests.drawings import draw_face
from tests.pack.files import SUFFIX, checker, encoded, png

BROKEN = frozenset({"truncated", "corrupt"})
BLACK = frozenset({"nonfinite_embedding"})
"""What a black picture fails with: the model of the test has no number for it."""
DAMAGED = BROKEN | {"format_not_allowed", "too_large", "mode_not_supported"}


@dataclass(frozen=True)
class Odd:
    """A file and its expected row."""

    data: bytes
    reasons: frozenset[str] = frozenset()
    """The words one of which it fails with; empty = it is ok."""
    flags: str = ""
    either: bool = False
    """Whether it may be ok as well."""


def failed(data: bytes, *reasons: str) -> Odd:
    return Odd(data, frozenset(reasons))


def damaged_files() -> dict[str, Odd]:
    """Return empty, cut, random and flipped files."""
    rng = np.random.default_rng(5)
    noise = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8))
    files = {"empty.jpg": failed(b"", "empty")}
    for number in range(4):
        files[f"random{number}.jpg"] = failed(rng.bytes(700 * number + 1), "format_not_allowed")
        head = b"\xff\xd8\xff\xe0" + rng.bytes(900)
        files[f"headed{number}.jpg"] = Odd(head, DAMAGED)
    for form, suffix in SUFFIX.items():
        whole = encoded(noise, form)
        for tenth in range(1, 10):
            cut = whole[: len(whole) * tenth // 10]
            files[f"cut{tenth}.{suffix}"] = Odd(cut, BROKEN)
        for number in range(6):
            flipped = bytearray(whole)
            for place in rng.integers(0, len(whole), 1 + number):
                flipped[place] ^= 1 << int(rng.integers(0, 8))
            files[f"flipped{number}.{suffix}"] = Odd(bytes(flipped), DAMAGED, either=True)
    return files


def strangers() -> dict[str, Odd]:
    """Return allowed formats under another's name, and formats that are not allowed."""
    face = draw_face(1)
    files = {
        f"really_{form.lower()}.jpg": Odd(encoded(face, form), flags=f"{form.lower()}_named_jpg")
        for form in SUFFIX
        if form != "JPEG"
    }
    files["really_jpeg.png"] = Odd(encoded(face, "JPEG"), flags="jpeg_named_png")
    others = {
        "eps.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"
        b"(%pipe%touch gs-was-here) (w) file closefile\nshowpage\n%%EOF\n",
        "binary_eps.jpg": struct.pack("<IIIIIIIH", 0xC6D3D0C5, 30, 90, 0, 0, 0, 0, 0xFFFF)
        + b"%!PS",
        "psd.jpg": b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + b"\0" * 300,
        "pdf.jpg": encoded(face, "PDF"),
        "jpeg2000.jpg": encoded(face, "JPEG2000"),
        "ico.jpg": encoded(face, "ICO"),
        "svg.jpg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    }
    files["page.jpg"] = failed(b"<!DOCTYPE html><html><body>404 Not Found</body>", "web_page")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    files["pointer.jpg"] = failed(pointer, "git_lfs_pointer")
    return files | {name: failed(data, "format_not_allowed") for name, data in others.items()}


@functools.cache
def bombs() -> dict[str, Odd]:
    """Return small files that ask for much memory or time."""
    return {name: failed(data, "too_large") for name, data in _too_large()} | {
        name: Odd(data, DAMAGED | BLACK, either=True) for name, data in _absurd()
    }


def _too_large() -> Iterator[tuple[str, bytes]]:
    row = b"\0" * (1 + 30_000 // 8)
    yield "bomb.png", png(30_000, 30_000, row * 30_000, depth=1, colour=0)
    yield (
        "between.png",
        png(9_000, 8_000, b"\0" * 99, colour=0),
    )  # Pillow itself warns from 89 MP on
    yield "tall.png", png(1, 64_000_000, b"\0" * 99, colour=0)
    yield "canvas.gif", gif(65_535, 65_535, 1, 1)
    yield "frame.gif", gif(1, 1, 9_000, 8_000)
    yield "disposed.gif", gif(9_000, 8_000, 9_000, 8_000)
    yield "canvas.webp", webp(9_000, 8_000)
    yield "giant.webp", webp(16_384, 16_384)
    yield "huge.tif", tiff({256: 9_000, 257: 8_000})
    yield "giant.tif", tiff({256: 2**32 - 1, 257: 2**32 - 1})
    yield (
        "huge.bmp",
        b"BM" + struct.pack("<IIIIiiHHIIIIII", 99, 0, 54, 40, 30_000, -30_000, 1, 24, *[0] * 6),
    )
    yield "huge.jpg", resized_jpeg(65_000, 65_000)
    yield "scans.jpg", scans(5_000)
    yield "scans_of_64_megapixels.jpg", resized_jpeg(8_000, 8_000, scans(150))
    yield (
        "texts.png",
        png(9, 9, b"\0" * 90, colour=0, extra=[(b"zTXt", _packed(b"t\0\0", 1))] * 70),
    )


def _absurd() -> Iterator[tuple[str, bytes]]:
    """Yield files that may be read: what is absurd in them must cost nothing."""
    rows = b"\0" * 90
    yield "text.png", png(9, 9, rows, colour=0, extra=[(b"zTXt", _packed(b"t\0\0", 20))])
    yield "profile.png", png(9, 9, rows, colour=0, extra=[(b"iCCP", _packed(b"p\0\0", 20))])
    yield (
        "international.png",
        png(9, 9, rows, colour=0, extra=[(b"iTXt", _packed(b"t\0\1\0\0\0", 20))]),
    )
    yield (
        "apng.png",
        png(9, 9, rows, colour=0, extra=[(b"acTL", struct.pack(">II", 2**31 - 1, 0))]),
    )
    small = {256: 9, 257: 9}
    for tag in (258, 259, 262, 273, 277, 278, 279, 282, 284, 317, 322, 323, 324, 338, 339, 34665):
        yield f"tag{tag}.tif", tiff(small | {tag: 2**32 - 1})
    yield "counted.tif", tiff(small, count=2**31)
    yield "circle.tif", tiff(small, next_at=8)


def _packed(head: bytes, megabytes: int) -> bytes:
    return head + zlib.compress(b"\0" * (megabytes << 20), 1)


def gif(width: int, height: int, frame_width: int, frame_height: int) -> bytes:
    """Return a GIF of one frame that is to be wiped to the background after it was shown."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    control = b"!\xf9\x04" + bytes([2 << 2, 0, 0, 0, 0])
    frame = b"," + struct.pack("<HHHHB", 0, 0, frame_width, frame_height, 0)
    return b"GIF89a" + screen + control + frame + b"\x02\x02\x44\x01\0;"


def webp(width: int, height: int) -> bytes:
    """Return a lossless WebP that claims a size; its data are nothing."""
    bits = (width - 1) & 0x3FFF | ((height - 1) & 0x3FFF) << 14
    data = b"\x2f" + struct.pack("<I", bits) + b"\0" * 21
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(tags: dict[int, int], *, count: int = 1, next_at: int = 0) -> bytes:
    """Return a TIFF of 9 grey pixels a row with some tags as given; `count` values in each of these."""
    usual = {256: 9, 257: 9, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 9, 279: 81}
    entries = b"".join(
        struct.pack("<HHII", tag, 4, count if tag not in usual else 1, value)
        for tag, value in sorted((usual | tags | ({} if count == 1 else {305: 8})).items())
    )
    number = len(entries) // 12
    return (
        b"II*\0"
        + struct.pack("<IH", 8, number)
        + entries
        + struct.pack("<I", next_at)
        + b"\0" * 99
    )


def resized_jpeg(width: int, height: int, data: bytes | None = None) -> bytes:
    """Return a JPEG whose header claims another size than its data have."""
    file = bytearray(data or encoded(checker(), "JPEG"))
    frame = max(file.find(b"\xff\xc0"), file.find(b"\xff\xc2"))
    file[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(file)


def scans(count: int) -> bytes:
    """Return a progressive JPEG whose last scan is there so many times."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 128).save(buffer, "JPEG", progressive=True, quality=50)
    whole = buffer.getvalue()
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    return whole[:end] + whole[last:end] * count + whole[end:]
