"""simplejpeg and Pillow give the same pixels, the same flags and the same reasons, or Pillow alone is asked.

No tolerance: both call libjpeg-turbo with the same transform and the same upsampling, on whole numbers.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from fer_audit.pack import decode, jpeg
from fer_audit.pack.decode import DecodeError, decode_image
from fer_audit.pack.jpeg import decode_plain_jpeg, plain_shape
from tests.pack.files import checker, encoded

simplejpeg = pytest.importorskip("simplejpeg")

SIZE = 64


@pytest.fixture(autouse=True)
def _warnings_as_in_a_run() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def outcome(data: bytes, name: str = "x.jpg", size: int = SIZE) -> tuple[object, ...]:
    """Return everything that a row keeps of a file."""
    try:
        image = decode_image(data, name, size)
    except DecodeError as exc:
        return (str(exc),)
    return image.pixels.tobytes(), image.width, image.height, image.flags


def pillows_outcome(data: bytes, name: str = "x.jpg", size: int = SIZE) -> tuple[object, ...]:
    """Return the same without simplejpeg."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "decode_plain_jpeg", lambda *_: None)
        return outcome(data, name, size)


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return soft noise: colours with edges in all directions, not the flat blocks that hide a difference."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(1))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    width=st.integers(1, SIZE),
    height=st.integers(1, SIZE),
    quality=st.integers(1, 100),
    subsampling=st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
    progressive=st.booleans(),
    optimize=st.booleans(),
    grey=st.booleans(),
    restart=st.integers(0, 3),
    seed=st.integers(0, 1000),
)
def test_every_plain_jpeg_gives_pillows_pixels(
    width: int,
    height: int,
    quality: int,
    subsampling: str,
    progressive: bool,
    optimize: bool,
    grey: bool,
    restart: int,
    seed: int,
) -> None:
    drawn = picture(width, height, seed)
    options = {} if grey else {"subsampling": subsampling}
    data = encoded(
        drawn.convert("L") if grey else drawn,
        "JPEG",
        quality=quality,
        progressive=progressive,
        optimize=optimize,
        restart_marker_blocks=restart,
        **options,
    )
    assert decode_plain_jpeg(data, SIZE) is not None

    assert outcome(data) == pillows_outcome(data)


@pytest.mark.parametrize("grey", [False, True])
def test_a_decoder_that_differs_in_one_byte_is_never_used(
    monkeypatch: pytest.MonkeyPatch, grey: bool
) -> None:
    """Pillow and simplejpeg each bring a libjpeg, which may be of two versions."""
    real = simplejpeg.decode_jpeg

    def other(data: bytes, colorspace: str, buffer: np.ndarray[Any, Any]) -> None:
        real(data, colorspace, buffer=buffer)
        if (simplejpeg.decode_jpeg_header(data)[2] == "Gray") is grey:
            buffer[5, 7, 1] ^= 1

    monkeypatch.setattr(simplejpeg, "decode_jpeg", other)
    fresh_decoder(monkeypatch)
    drawn = picture(40, 24)
    data = encoded(drawn.convert("L") if grey else drawn, "JPEG")

    assert decode_plain_jpeg(data, SIZE) is None
    assert outcome(data) == pillows_outcome(data)


def fresh_decoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the decoder be judged as in a new process."""
    monkeypatch.setattr(jpeg, "_decoder", functools.cache(jpeg._decoder.__wrapped__))


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


PILLOWS: dict[str, bytes] = {
    "exif orientation": encoded(picture(40, 24), "JPEG", exif=exif(6)),
    "cmyk": encoded(picture(40, 24).convert("CMYK"), "JPEG"),
    "rgb kept": encoded(picture(40, 24), "JPEG", keep_rgb=True),
    "colour profile": encoded(picture(40, 24), "JPEG", icc_profile=b"not even a profile"),
    "several pictures": encoded(
        picture(40, 24), "MPO", save_all=True, append_images=[picture(40, 24, 1)]
    ),
    "cut": encoded(picture(40, 24), "JPEG")[:-40],
    "png": encoded(picture(40, 24), "PNG"),
    "larger than asked for": encoded(picture(SIZE + 1, 24), "JPEG"),
    "no end": encoded(picture(40, 24), "JPEG")[:-2],
    "a broken JFIF": encoded(picture(40, 24), "JPEG").replace(b"JFIF\0", b"JFIF\1"),
}


@pytest.mark.parametrize("kind", PILLOWS)
def test_what_needs_interpreting_is_pillows(kind: str) -> None:
    data = PILLOWS[kind]

    assert decode_plain_jpeg(data, SIZE) is None
    assert outcome(data) == pillows_outcome(data)


def test_a_comment_does_not_make_a_file_special() -> None:
    data = encoded(picture(40, 24), "JPEG", comment=b"drawn")

    assert plain_shape(data) == (24, 40)
    assert outcome(data) == pillows_outcome(data)


@pytest.mark.parametrize("name", ["x.jpg", "x.png", "x", "x.gif.jpeg"])
@pytest.mark.parametrize("side", [8, 40])
def test_flags_do_not_depend_on_the_decoder(name: str, side: int) -> None:
    data = encoded(picture(side, 40), "JPEG")
    assert decode_plain_jpeg(data, SIZE) is not None

    assert outcome(data, name) == pillows_outcome(data, name)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 1},
    {"subsampling": 0, "quality": 95},
    {"comment": b"drawn"},
]
WHOLE = [
    *(encoded(checker(24), "JPEG", **options) for options in OPTIONS),
    *PILLOWS.values(),
]


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    data=st.sampled_from(WHOLE),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=5),
    cut=st.one_of(st.none(), st.floats(0, 1)),
    tail=st.binary(max_size=4),
)
def test_a_broken_file_has_the_same_outcome_with_both_decoders(
    data: bytes, flips: list[tuple[float, int]], cut: float | None, tail: bytes
) -> None:
    """A file that only one of them reads would fail on one machine and not on the next."""
    broken = bytearray(data if cut is None else data[: int(cut * len(data))])
    for place, mask in flips:
        if broken:
            broken[int(place * len(broken))] ^= mask
    whole = bytes(broken) + tail

    assert outcome(whole) == pillows_outcome(whole)


@pytest.mark.parametrize("options", OPTIONS)
def test_every_flipped_byte_of_a_header_has_the_same_outcome(options: dict[str, Any]) -> None:
    """The header is what our own reader interprets; here nothing is left to chance."""
    data = encoded(checker(16), "JPEG", **options)

    for place in range(data.index(b"\xff\xda") + 14):
        for mask in (0x01, 0x10, 0x80, 0xFF):
            broken = data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :]
            assert outcome(broken) == pillows_outcome(broken), (place, mask)


@pytest.mark.parametrize("options", OPTIONS)
def test_every_cut_has_the_same_outcome(options: dict[str, Any]) -> None:
    data = encoded(checker(16), "JPEG", **options)

    for cut in range(len(data)):
        assert outcome(data[:cut]) == pillows_outcome(data[:cut]), cut
