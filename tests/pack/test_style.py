"""Ten numbers of a picture, each known beforehand on pictures simple enough to know."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.pack.rows import BORDER, LARGEST_KEPT, scratch, style_of
from fer_audit.pack.types import STYLE_NAMES

SIDE = 64


def measures(pixels: NDArray[np.uint8], *, file_bytes: int = 100) -> dict[str, float]:
    style = style_of(pixels, file_bytes=file_bytes, file_pixels=200)
    assert style.shape == (len(STYLE_NAMES),)
    assert style.dtype == np.float32
    assert np.isfinite(style).all()
    return dict(zip(STYLE_NAMES, style.tolist(), strict=True))


def plain(*colour: int) -> NDArray[np.uint8]:
    return np.full((SIDE, SIDE, 3), colour, np.uint8)


@pytest.mark.parametrize(
    ("colour", "luma"),
    [
        *(((255, 0, 0), 76.2), ((0, 255, 0), 149.7), ((0, 0, 255), 29.1), ((255, 255, 255), 255)),
        *(((0, 0, 0), 0), ((100, 100, 100), 100)),
    ],
)
def test_the_luma_of_a_pure_colour_is_bt_601s(colour: tuple[int, int, int], luma: float) -> None:
    """But for the fixed point, which rounds down: blue is 28 and not 29.07."""
    found = measures(plain(*colour))

    assert found["luma_mean"] == pytest.approx(luma, abs=1.2)
    assert found["luma_std"] == 0
    assert found["sharpness"] == 0


@pytest.mark.parametrize("grey", [0, 1, 128, 255])
def test_a_grey_image_is_grey_and_has_no_colour(grey: int) -> None:
    found = measures(plain(grey, grey, grey))

    assert found["grey"] == 1
    assert found["saturation"] == 0
    assert found["colourfulness"] == 0


def test_a_grey_photograph_with_jpeg_noise_is_grey_and_a_pale_one_is_not() -> None:
    rng = np.random.default_rng(0)
    picture = np.repeat(rng.integers(40, 200, (SIDE, SIDE, 1)), 3, axis=2)

    noisy = (picture + rng.integers(-1, 2, picture.shape)).astype(np.uint8)
    pale = (picture + np.array([4, 0, 0])).astype(np.uint8)

    assert measures(noisy)["grey"] == 1
    assert measures(pale)["grey"] == 0


def test_a_pure_colour_is_fully_saturated() -> None:
    """And as colourful as Hasler & Süsstrunk say: rg = 255, yb = 127.5, no spread: 0.3 * hypot."""
    red = measures(plain(255, 0, 0))

    assert red["saturation"] == 1
    assert red["colourfulness"] == pytest.approx(0.3 * np.hypot(255, 127.5))
    assert measures(plain(200, 100, 100))["saturation"] == pytest.approx(0.5)


def test_colourfulness_is_the_formula_on_any_picture() -> None:
    pixels = np.repeat(np.repeat(random_pixels(SIDE // 2), 2, axis=0), 2, axis=1)
    red, green, blue = pixels.astype(np.float64).transpose(2, 0, 1)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue

    spread = np.sqrt(red_green.var() + yellow_blue.var())
    mean = np.sqrt(red_green.mean() ** 2 + yellow_blue.mean() ** 2)
    assert measures(pixels)["colourfulness"] == pytest.approx(spread + 0.3 * mean, rel=1e-4)


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    grey = random_pixels(SIDE)[..., 0].astype(np.int64)
    padded = grey[1:-1, 1:-1]
    sides = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]

    found = measures(np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2))

    assert found["sharpness"] == pytest.approx((sides - 4 * padded).var(), rel=1e-6)
    assert found["luma_std"] == pytest.approx(grey.std(), rel=1e-6)
    assert found["luma_mean"] == pytest.approx(grey.mean(), rel=1e-6)


def test_the_sharpest_possible_picture_does_not_overflow() -> None:
    """A checkerboard of black and white: a Laplacian of +-1020 everywhere, squared 1,040,400."""
    board = np.indices((224, 224)).sum(axis=0) % 2 * 255
    pixels = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)

    assert measures(pixels)["sharpness"] == pytest.approx(1020**2)


def test_the_border_is_the_frame_and_nothing_of_the_picture() -> None:
    pixels = random_pixels(SIDE)
    for edge in (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:]):
        pixels[edge] = (10, 20, 30)

    found = measures(pixels)

    assert [found[f"border_{c}"] for c in ("red", "green", "blue")] == [10, 20, 30]


def test_every_edge_weighs_the_same_in_the_border() -> None:
    for edge in (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:]):
        pixels = plain(0, 0, 0)
        pixels[edge] = 255
        strip = SIDE**2 - (SIDE - 2 * BORDER) ** 2
        assert measures(pixels)["border_red"] == pytest.approx(255 * SIDE * BORDER / strip)


def test_bytes_per_pixel_counts_the_files_own_pixels() -> None:
    assert measures(plain(1, 2, 3), file_bytes=500)["bytes_per_pixel"] == 500 / (20 * 10)


def random_pixels(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(5).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_working_memory_is_used_again_and_a_huge_piece_is_not_kept() -> None:
    one = scratch("test", (10, 10), np.int32)
    two = scratch("test", (5, 5), np.int16)
    huge = scratch("test", (LARGEST_KEPT + 1,), np.uint8)

    assert np.shares_memory(one, two)
    assert not np.shares_memory(one, scratch("test of another", (10, 10), np.int32))
    assert not np.shares_memory(huge, scratch("test", (LARGEST_KEPT + 1,), np.uint8))
