"""Large images: made RGB band by band, with the pixels of the whole image; too large ones never decoded."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fer_audit.pack.decode import (
    BAND_PIXELS,
    MAX_MARKERS,
    MAX_SCANS,
    MAX_SIDE,
    DecodeError,
    decode_image,
    has_too_many_scans,
)
from tests.pack.files import checker, encoded, plain_png

SIZE = 96
SHAPE = (1_301, 1_847)
"""Height and width: more than one band, and the last one is short."""


TALL = (2_404, 1_087)
"""A telephone's screen: Pillow resizes such a shape in another order."""


def noise(channels: int, shape: tuple[int, int] = SHAPE) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, channels), dtype=np.uint8)
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    return Image.frombytes(modes[channels], shape[::-1], pixels.tobytes())


def on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")


def scaled(image: Image.Image) -> Image.Image:
    """Return 16-bit grey as 8-bit RGB, rounded."""
    eight = (np.asarray(image).astype(np.uint32) + 128) // 257
    return Image.fromarray(eight.astype(np.uint8)).convert("RGB")


def as_rgb(image: Image.Image) -> Image.Image:
    return image.convert("RGB")


def palette() -> bytes:
    image = Image.frombytes("P", SHAPE[::-1], noise(1).tobytes())
    image.putpalette(np.random.default_rng(2).bytes(768))
    return encoded(image, "PNG", transparency=bytes(range(256)))


def grey16() -> bytes:
    values = np.random.default_rng(3).integers(0, 65_536, SHAPE, dtype=np.uint16)
    return encoded(Image.fromarray(values), "PNG")


FILES: dict[str, tuple[Callable[[], bytes], Callable[[Image.Image], Image.Image]]] = {
    "rgb": (lambda: encoded(noise(3), "BMP"), as_rgb),
    "rgba": (lambda: encoded(noise(4), "PNG", compress_level=1), on_white),
    "la": (lambda: encoded(noise(2), "PNG", compress_level=1), on_white),
    "l": (lambda: encoded(noise(1), "BMP"), as_rgb),
    "palette with transparency": (palette, on_white),
    "16-bit": (grey16, scaled),
    "1-bit": (lambda: encoded(noise(1).convert("1"), "PNG"), as_rgb),
    "tall, l": (lambda: encoded(noise(1, TALL), "PNG", compress_level=1), as_rgb),
    "tall, rgba": (lambda: encoded(noise(4, TALL), "PNG", compress_level=1), on_white),
    "cmyk": (lambda: encoded(noise(3).convert("CMYK"), "JPEG"), as_rgb),
}


@pytest.mark.parametrize("kind", FILES)
def test_bands_give_the_pixels_of_the_whole_image(kind: str) -> None:
    make, whole_as_rgb = FILES[kind]
    data = make()
    shape = TALL if kind.startswith("tall") else SHAPE
    assert shape[0] * shape[1] > BAND_PIXELS

    image = decode_image(data, "x", SIZE)

    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        wanted = whole_as_rgb(opened).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    assert np.array_equal(image.pixels, np.asarray(wanted))
    assert (image.height, image.width) == shape


def test_no_side_may_be_longer_than_jpeg_can_say() -> None:
    """One pixel wide and very high is few pixels; resizing it is not."""
    assert decode_image(plain_png(1, MAX_SIDE, b"abc"), "x.png", SIZE).height == MAX_SIDE

    for size in ((1, MAX_SIDE + 1), (MAX_SIDE + 1, 1)):
        with pytest.raises(DecodeError, match="too_large"):
            decode_image(plain_png(*size, b"abc"), "x.png", SIZE)


def progressive(scans: int) -> bytes:
    """Return a progressive JPEG with so many scans: its own, and the last one again and again."""
    whole = encoded(checker(), "JPEG", progressive=True)
    last, end = whole.rindex(b"\xff\xda"), whole.rindex(b"\xff\xd9")
    more = scans - whole.count(b"\xff\xda")
    return whole[:end] + whole[last:end] * more + whole[end:]


@pytest.mark.parametrize("scans", [10, MAX_SCANS, MAX_SCANS + 1, 5_000])
def test_scans_are_counted_before_any_is_decoded(scans: int) -> None:
    assert has_too_many_scans(progressive(scans)) == (scans > MAX_SCANS)


def test_an_end_mark_hides_no_scan_from_a_decoder() -> None:
    """It stops at the first one between scans, as we do: what stands behind it nobody decodes."""
    many = progressive(2 * MAX_SCANS)
    end = many.index(b"\xff\xda", many.index(b"\xff\xda") + 2)

    cut = many[:end] + b"\xff\xd9" + many[end:]

    assert has_too_many_scans(many)
    assert not has_too_many_scans(cut)
    with Image.open(io.BytesIO(cut)) as image:
        image.load()


def test_what_only_looks_like_scans_does_not_count() -> None:
    """Thumbnails lie in segments, a phone's film behind the picture, and data are stuffed."""
    plain = encoded(checker(), "JPEG")
    mark = b"\xff\xda" * 2 * MAX_SCANS
    segment = b"\xff\xe5" + (len(mark) + 2).to_bytes(2) + mark

    assert not has_too_many_scans(plain + mark)
    assert not has_too_many_scans(plain[:2] + segment + plain[2:])
    assert not has_too_many_scans(b"\x89PNG" + mark)


def test_a_file_of_nothing_but_segments_is_not_walked_to_its_end() -> None:
    endless = b"\xff\xd8" + b"\xff\xe0\0\2" * 2 * MAX_MARKERS

    assert has_too_many_scans(endless + b"\xff\xda" * 2 * MAX_SCANS)
    assert not has_too_many_scans(endless)
