"""The decoder's contract: (size, size, 3) uint8 RGB or a DecodeError whose message is one known word.

Warnings are as in a real run here (shown, not raised): Pillow warns about many files that are fine.
"""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fer_audit.pack.decode import MAX_PIXELS, DecodedImage, DecodeError, decode_image
from tests.pack.files import RED, STORED_AS, SUFFIX, checker, encoded, plain_png, png

SIZE = 32
REASONS = {
    *("empty", "format_not_allowed", "too_large", "truncated", "corrupt", "mode_not_supported")
}


@pytest.fixture(autouse=True)
def _warnings_as_in_a_run() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def reason_of(data: bytes, name: str = "x.jpg") -> str:
    with pytest.raises(DecodeError) as caught:
        decode_image(data, name, SIZE)
    return str(caught.value)


def colour_of(image: DecodedImage) -> list[int]:
    """Return the one colour of a plain image."""
    assert image.pixels.shape == (SIZE, SIZE, 3)
    assert image.pixels.dtype == np.uint8
    assert int(np.ptp(image.pixels.reshape(-1, 3), axis=0).max()) == 0, "not plain"
    return [int(x) for x in image.pixels[0, 0]]


def plain(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (40, 24), colour)  # type: ignore[arg-type]  # a colour of that mode


def palette(image: Image.Image) -> Image.Image:
    return image.convert("P", palette=Image.Palette.ADAPTIVE, colors=4)


def ycck() -> bytes:
    """Return a CMYK JPEG marked as YCCK (Adobe's transform 2) whose planes say red: Y, Cb and Cr of its complement."""
    data = bytearray(encoded(Image.new("CMYK", (40, 24), (76, 84, 255, 0)), "JPEG", quality=95))
    place = data.index(b"Adobe\0") + 11
    assert data[place] == 0, "it is plain CMYK before"
    data[place] = 2
    return bytes(data)


WHITE_16 = struct.pack(">H", 65535)
EXACT = {
    "png rgb": encoded(plain("RGB", RED), "PNG"),
    "png palette": encoded(palette(plain("RGB", RED)), "PNG"),
    "png rgba opaque": encoded(plain("RGBA", (*RED, 255)), "PNG"),
    "png rgb 16-bit": plain_png(40, 24, WHITE_16 + b"\0\0\0\0", depth=16),
    "png rgba 16-bit": plain_png(40, 24, WHITE_16 + b"\0\0\0\0" + WHITE_16, depth=16, colour=6),
    "bmp rgb": encoded(plain("RGB", RED), "BMP"),
    "bmp palette": encoded(palette(plain("RGB", RED)), "BMP"),
    "gif": encoded(plain("RGB", RED), "GIF"),
    "tiff rgb": encoded(plain("RGB", RED), "TIFF"),
    "tiff lzw": encoded(plain("RGB", RED), "TIFF", compression="tiff_lzw"),
    "tiff deflate": encoded(plain("RGB", RED), "TIFF", compression="tiff_adobe_deflate"),
    "tiff cmyk": encoded(plain("CMYK", (0, 255, 255, 0)), "TIFF"),
    "tiff rgba": encoded(plain("RGBA", (*RED, 255)), "TIFF"),
    "webp lossless": encoded(plain("RGB", RED), "WEBP", lossless=True),
    "webp rgba lossless": encoded(plain("RGBA", (*RED, 255)), "WEBP", lossless=True),
}
NEARLY = {
    "jpeg": encoded(plain("RGB", RED), "JPEG", quality=95),
    "jpeg progressive": encoded(plain("RGB", RED), "JPEG", quality=95, progressive=True),
    "jpeg 4:4:4": encoded(plain("RGB", RED), "JPEG", quality=95, subsampling=0),
    "jpeg cmyk": encoded(plain("CMYK", (0, 255, 255, 0)), "JPEG", quality=95),
    "jpeg ycck": ycck(),
    "jpeg rgb kept": encoded(plain("RGB", RED), "JPEG", quality=95, keep_rgb=True),
    "webp lossy": encoded(plain("RGB", RED), "WEBP", quality=95),
}


@pytest.mark.parametrize("kind", [*EXACT, *NEARLY])
def test_pure_red_stays_red_but_for_the_codecs_loss(kind: str) -> None:
    suffix = SUFFIX[kind.split()[0].upper()]

    image = decode_image({**EXACT, **NEARLY}[kind], f"x.{suffix}", SIZE)

    assert np.abs(image.pixels.astype(int) - RED).max() <= (3 if kind in NEARLY else 0)
    assert (image.width, image.height, image.flags) == (40, 24, "")


@pytest.mark.parametrize("grey", [0, 1, 76, 128, 255])
def test_grey_stays_grey_in_every_mode_that_holds_it(grey: int) -> None:
    files = {
        "png": encoded(plain("L", grey), "PNG"),
        "LA": encoded(plain("LA", (grey, 255)), "PNG"),
        "16-bit": plain_png(40, 24, struct.pack(">H", grey * 257), depth=16, colour=0),
        "16-bit LA": plain_png(40, 24, struct.pack(">HH", grey * 257, 65535), depth=16, colour=4),
        "16-bit tiff": encoded(Image.fromarray(np.full((24, 40), grey * 257, np.uint16)), "TIFF"),
        "tiff": encoded(plain("L", grey), "TIFF"),
        "gif": encoded(plain("L", grey), "GIF"),
        "bmp": encoded(plain("L", grey), "BMP"),
    }

    for name, data in files.items():
        assert colour_of(decode_image(data, name, SIZE)) == [grey] * 3, name


def test_sixteen_bits_are_scaled_and_not_cut() -> None:
    """65535 / 257 = 255: dividing by 256 or clipping at 255 would both be wrong somewhere."""
    for value, wanted in ((0, 0), (128, 0), (129, 1), (257, 1), (32896, 128), (65406, 254)):
        data = plain_png(40, 24, struct.pack(">H", value), depth=16, colour=0)
        assert colour_of(decode_image(data, "x.png", SIZE)) == [wanted] * 3, value


def test_one_bit_is_black_or_white() -> None:
    for form in ("PNG", "BMP", "TIFF", "GIF"):
        for value in (0, 1):
            image = decode_image(encoded(plain("1", value), form), "x", SIZE)
            assert colour_of(image) == [255 * value] * 3


@pytest.mark.parametrize(
    "data",
    [
        encoded(plain("RGBA", (*RED, 0)), "PNG"),
        encoded(plain("LA", (0, 0)), "PNG"),
        encoded(plain("RGBA", (*RED, 0)), "WEBP", lossless=True, exact=True),
        encoded(palette(plain("RGB", RED)), "PNG", transparency=0),
        png(40, 24, (b"\0" + b"\xff\0\0" * 40) * 24, extra=[(b"tRNS", b"\0\xff\0\0\0\0")]),
    ],
    ids=["rgba", "la", "webp", "palette", "rgb with a transparent colour"],
)
def test_what_is_transparent_lies_on_white(data: bytes) -> None:
    assert colour_of(decode_image(data, "x", SIZE)) == [255, 255, 255]
    pink = decode_image(encoded(plain("RGBA", (*RED, 128)), "PNG"), "x.png", SIZE)
    assert colour_of(pink) == [255, 127, 127], "half transparent red"


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_mode_without_a_known_white_is_refused(mode: str) -> None:
    assert reason_of(encoded(plain(mode, 7), "TIFF"), "x.tif") == "mode_not_supported"


def test_the_resize_is_pillows_bicubic_and_does_not_keep_the_aspect() -> None:
    picture = checker(48).crop((0, 0, 48, 31))

    image = decode_image(encoded(picture, "PNG"), "x.png", SIZE)

    wanted = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    assert np.array_equal(image.pixels, np.asarray(wanted))
    assert (image.width, image.height) == (48, 31)

    alone = decode_image(encoded(checker(SIZE), "PNG"), "x.png", SIZE)
    assert np.array_equal(alone.pixels, np.asarray(checker(SIZE)))


def corners() -> Image.Image:
    """Return 64 x 32 with a colour of its own in each corner: no two orientations look alike."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:16, :32], pixels[:16, 32:] = (250, 10, 10), (10, 250, 10)
    pixels[16:, :32], pixels[16:, 32:] = (10, 10, 250), (250, 250, 10)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", STORED_AS)
def test_every_exif_orientation_gives_the_upright_pixels(orientation: int, form: str) -> None:
    turn = STORED_AS[orientation]
    stored = corners() if turn is None else corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 100, "subsampling": 0},
    }
    data = encoded(stored, form, exif=exif, **lossless.get(form, {}))

    image = decode_image(data, f"x.{SUFFIX[form]}", SIZE)

    upright = np.asarray(corners().resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(int)
    # JPEG's loss lies at the edges between the corners
    assert np.abs(image.pixels - upright).mean() < (2 if form == "JPEG" else 0.01)
    assert (image.width, image.height) == (64, 32)


def test_a_nonsense_orientation_is_ignored() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    data = encoded(corners(), "JPEG", exif=exif)

    assert decode_image(data, "x.jpg", SIZE).width == 64


def test_broken_exif_does_not_cost_the_picture() -> None:
    data = encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage")

    assert decode_image(data, "x.jpg", SIZE).width == 64


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_several_frames_the_first_counts_and_a_flag_says_so(form: str) -> None:
    frames = [plain("RGB", RED), plain("RGB", (0, 0, 255)), plain("RGB", (0, 255, 0))]
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], **options)

    image = decode_image(data, f"x.{SUFFIX[form]}", SIZE)

    assert colour_of(image) == [255, 0, 0]
    assert image.flags == "first_frame"


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_an_allowed_format_under_another_name_is_used_and_flagged(form: str) -> None:
    image = decode_image(encoded(checker(), form), "face.JPG", SIZE)

    assert image.flags == f"{form.lower()}_named_jpg"


@pytest.mark.parametrize("name", ["a.jpg", "a.JPEG", "a.jpg.chip.jpg", "dir.png/a.jpeg"])
def test_a_jpeg_under_its_own_names_is_not_flagged(name: str) -> None:
    assert decode_image(encoded(checker(), "JPEG"), name, SIZE).flags == ""


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 10_000), (10_000, 1), (15, 400)])
def test_a_sliver_is_used_and_flagged_as_tiny(width: int, height: int) -> None:
    image = decode_image(encoded(Image.new("RGB", (width, height), RED), "PNG"), "x.png", SIZE)

    assert colour_of(image) == [255, 0, 0]
    assert image.flags == "tiny"
    assert (image.width, image.height) == (width, height)


@pytest.mark.parametrize("size", [32, 33])
@pytest.mark.parametrize(("width", "height"), [(40, 24), (24, 40), (40, 40), (7, 6), (1, 400)])
def test_a_padded_image_keeps_its_sides_ratio_in_the_middle_of_black(
    width: int, height: int, size: int
) -> None:
    data = encoded(checker().resize((width, height)).point(lambda x: 1 + x * 254 // 255), "PNG")

    padded = decode_image(data, "x.png", size, padded=True)

    tall, wide = padded.pixels[padded.inside].shape[:2]
    assert max(tall, wide) == size
    assert abs(wide - size * width / max(width, height)) <= 0.5 or wide == 3
    assert abs(tall - size * height / max(width, height)) <= 0.5 or tall == 3
    for place, side in zip(padded.inside, (tall, wide), strict=True):
        assert 0 <= (size - place.stop) - place.start <= 1, "in the middle"
        assert place.stop - place.start == side
    outside = padded.pixels.copy()
    outside[padded.inside] = 0
    assert not outside.any()
    alone = checker().resize((width, height)).point(lambda x: 1 + x * 254 // 255)
    assert np.array_equal(
        padded.pixels[padded.inside],
        np.asarray(alone.resize((wide, tall), Image.Resampling.BICUBIC)),
    )
    if width == height:
        assert np.array_equal(padded.pixels, decode_image(data, "x.png", size).pixels)


def test_an_empty_file_is_empty() -> None:
    assert reason_of(b"") == "empty"


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\nshowpage\n%%EOF\n"
STRANGERS = {
    "text": b"hello, I am not a picture\n" * 20,
    "eps": EPS,
    "pdf": b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n",
    "psd": b"8BPS\0\1" + b"\0" * 6 + struct.pack(">HIIHH", 3, 24, 40, 8, 3) + b"\0" * 3000,
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "ppm": b"P6 2 2 255 " + b"\xff\0\0" * 4,
    "ico": encoded(Image.new("RGB", (16, 16), RED), "ICO"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 80,
    "tga": encoded(Image.new("RGB", (16, 16), RED), "TGA"),
    "zip": b"PK\3\4" + b"\0" * 60,
    "zeros": b"\0" * 5000,
    "one byte": b"\xff",
    "random": np.random.default_rng(3).bytes(4000),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_a_stranger_named_jpg_is_refused_by_its_format(kind: str) -> None:
    assert reason_of(STRANGERS[kind]) == "format_not_allowed"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"<!DOCTYPE html><html><script>alert(1)</script></html>", "web_page"),
        (b"\n\n <HTML lang='en'><body>Sign in", "web_page"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
            "git_lfs_pointer",
        ),
    ],
    ids=["html", "HTML", "lfs"],
)
def test_what_a_download_left_instead_of_a_picture_is_named(data: bytes, reason: str) -> None:
    assert reason_of(data) == reason


def test_postscript_is_never_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> None:
        raise AssertionError("a process was started for a picture")

    monkeypatch.setattr("subprocess.Popen", run)

    assert reason_of(EPS, "x.eps") == "format_not_allowed"


CUT: dict[str, tuple[str, dict[str, Any]]] = {
    **{form: (form, {}) for form in SUFFIX},
    "progressive": ("JPEG", {"progressive": True}),
    "lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "lossless": ("WEBP", {"lossless": True}),
}


@pytest.mark.parametrize("form", CUT)
def test_a_file_cut_anywhere_fails_or_lost_no_pixel(form: str) -> None:
    """Cut at every tenth and at each of the last bytes: never filled in with grey.

    A reader may accept a file that lost only its end mark. Then the picture must be the whole one.
    """
    codec, options = CUT[form]
    data = encoded(checker(), codec, **options)
    whole = decode_image(data, f"x.{SUFFIX[codec]}", SIZE).pixels
    tenths = [len(data) * tenth // 10 for tenth in range(1, 10)]

    for cut in [*tenths, *range(len(data) - 24, len(data))]:
        try:
            found = decode_image(data[:cut], f"x.{SUFFIX[codec]}", SIZE).pixels
        except DecodeError as exc:
            assert str(exc) in {"truncated", "corrupt"}  # noqa: PT017 - or the whole picture
        else:
            assert len(data) - cut <= 24, f"{cut} of {len(data)} bytes were enough"
            assert np.array_equal(found, whole), f"{cut} of {len(data)} bytes: another picture"


@pytest.mark.parametrize("magic", [b"\xff\xd8\xff", b"\x89PNG\r\n", b"RIFF", b"GIF89a", b"BM"])
def test_a_file_that_begins_well_and_goes_on_badly_is_corrupt(magic: bytes) -> None:
    assert reason_of(magic + b"garbage" * 9) == "corrupt"


def assert_contract(data: bytes, name: str) -> None:
    try:
        image = decode_image(data, name, SIZE)
    except DecodeError as exc:
        assert str(exc) in REASONS  # noqa: PT017 - either end is fine, nothing else is
    else:
        assert image.pixels.shape == (SIZE, SIZE, 3)
        assert image.pixels.dtype == np.uint8


SMALL = {
    "x.jpg": encoded(checker(24), "JPEG", quality=60, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
    "x.png": encoded(checker(24), "PNG"),
    "x.gif": encoded(checker(24), "GIF"),
    "x.webp": encoded(checker(24), "WEBP", quality=60),
    "x.tif": encoded(checker(24), "TIFF", compression="tiff_lzw"),
    "x.bmp": encoded(checker(8), "BMP"),
}


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    name=st.sampled_from(sorted(SMALL)),
    flips=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6),
    bit=st.integers(0, 7),
)
def test_flipped_bits_give_a_picture_or_a_reason(name: str, flips: list[float], bit: int) -> None:
    data = bytearray(SMALL[name])
    for place in flips:
        data[int(place * len(data))] ^= 1 << bit

    assert_contract(bytes(data), name)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0"]), st.binary())
@example(b"RIFF", b"\x10\0\0\0WEBPVP8 ")
@example(b"MM\0*", b"\0\0\0\x08\xff\xff")
def test_any_bytes_at_all_give_a_picture_or_a_reason(start: bytes, rest: bytes) -> None:
    assert_contract(start + rest, "x.jpg")


def bomb(width: int, height: int) -> bytes:
    """Return a PNG that claims to be enormous; its data are a few bytes."""
    return png(width, height, b"\0" * 100, colour=0)


@pytest.mark.parametrize(
    ("width", "height"), [(30_000, 30_000), (8001, 8000), (9500, 9500), (2**31 - 1, 2**31 - 1)]
)
def test_a_bomb_is_refused_from_its_header(width: int, height: int) -> None:
    """From 64 MP on, also where Pillow itself only warns (89 MP) or refuses (179 MP)."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert reason_of(bomb(width, height), "x.png") == "too_large"

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000, f"{grown} kB for a file of 200 bytes"


def test_the_largest_allowed_image_is_not_called_too_large() -> None:
    assert MAX_PIXELS == 8000 * 8000
    assert reason_of(bomb(8000, 8000), "x.png") in {"truncated", "corrupt"}


ODD_FILES = """
import sys
from pathlib import Path
from typing import Any
from fer_audit.pack.decode import DecodeError, decode_image

for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        decode_image(path.read_bytes(), path.name, 32)
    except DecodeError:
        pass
"""


def test_odd_files_say_nothing_on_stderr(tmp_path: Path) -> None:
    """What stands on stderr is progress and messages; Pillow's warnings are neither, and a row's reason says it all."""
    odd = {
        "bomb.png": bomb(9500, 9500),
        "palette.png": encoded(palette(plain("RGB", RED)), "PNG", transparency=b"\0\x80"),
        "exif.jpg": encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff garbage"),
        "exif2.jpg": encoded(corners(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\0"),
        "cut.tif": encoded(checker(), "TIFF")[:-100],
        "cut.gif": encoded(checker(), "GIF")[:-100],
    }
    for name, data in odd.items():
        (tmp_path / name).write_bytes(data)

    command = [sys.executable, "-c", ODD_FILES, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stderr == ""


def test_a_colour_profile_changes_nothing() -> None:
    """Profiles are ignored, as the origin paper did: the same pixels with and without one."""
    data = encoded(checker(), "PNG", icc_profile=b"not even a profile")

    with_profile = decode_image(data, "x.png", SIZE)

    assert with_profile.pixels.tobytes() == pixels_of(checker()).tobytes()


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return decode_image(buffer.getvalue(), "x.png", SIZE).pixels
