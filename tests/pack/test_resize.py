"""Our sums are Pillow's bicubic bit for bit, so nothing that was packed before has to be packed again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fer_audit.pack import resize
from fer_audit.pack.resize import LONGEST, by_pillow, by_sums, enlarge, grows
from fer_audit.pack.scratch import LARGEST_KEPT, scratch


def picture(width: int, height: int, kind: str) -> NDArray[np.uint8]:
    """Return RGBX of noise, of black and white noise (what overshoots most), or of a slope."""
    noise = np.random.default_rng(width * 1000 + height).integers(
        0, 256, (height, width, 4), dtype=np.uint8
    )
    if kind == "noise":
        return noise
    if kind == "black and white":
        return (noise > 127).astype(np.uint8) * 255
    y, x = np.indices((height, width))
    slope = (x * 255 // max(width - 1, 1) + y * 255 // max(height - 1, 1)) // 2
    return np.repeat(slope.astype(np.uint8)[..., None], 4, axis=2)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    size=st.integers(1, LONGEST),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    kind=st.sampled_from(["noise", "black and white", "slope"]),
)
@example(size=224, shares=(200 / 224, 200 / 224), kind="noise")
@example(size=224, shares=(1, 0.5), kind="noise")
@example(size=224, shares=(0.5, 1), kind="noise")
@example(size=LONGEST, shares=(0, 0), kind="noise")
def test_an_image_that_grows_has_pillows_bits(
    size: int, shares: tuple[float, float], kind: str
) -> None:
    width, height = (max(1, round(size * share)) for share in shares)
    pixels = picture(width, height, kind)
    before = pixels.copy()

    found = by_sums(pixels, size)

    assert np.array_equal(found, by_pillow(pixels, size))
    assert np.array_equal(pixels, before)
    assert found.flags.c_contiguous


def test_two_images_in_a_row_do_not_share_their_pixels() -> None:
    """The working memory is used again, what was handed out is not."""
    one = by_sums(picture(20, 20, "noise"), 32)
    kept = one.copy()

    by_sums(picture(20, 20, "black and white"), 32)

    assert np.array_equal(one, kept)


def test_a_pillow_that_resizes_otherwise_is_not_contradicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Seen from here, another Pillow is the same as sums that are wrong."""
    monkeypatch.setattr(resize, "_agrees", {})
    monkeypatch.setattr(resize, "by_sums", lambda _, size: np.zeros((size, size, 3), np.uint8))

    for kind in ("noise", "slope"):
        pixels = picture(20, 20, kind)
        assert np.array_equal(enlarge(pixels, 32), by_pillow(pixels, 32))


def test_another_kernel_is_caught_although_the_first_picture_is_of_one_colour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the kernel, its weights add up to one: a picture of one colour stays what it is."""

    def nearest(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        places = (np.arange(size) * len(pixels)) // size
        return np.ascontiguousarray(pixels[places][:, places, :3])

    monkeypatch.setattr(resize, "_agrees", {})
    monkeypatch.setattr(resize, "by_sums", nearest)
    grey = np.full((20, 20, 4), 99, np.uint8)
    assert np.array_equal(enlarge(grey, 32), nearest(grey, 32))

    pixels = picture(20, 20, "noise")

    assert np.array_equal(enlarge(pixels, 32), by_pillow(pixels, 32))


def test_one_lucky_shape_does_not_vouch_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resize, "_agrees", {})
    enlarge(picture(20, 20, "noise"), 32)
    enlarge(picture(20, 21, "noise"), 32)

    assert resize._agrees == {(20, 20, 32): True, (20, 21, 32): True}


@pytest.mark.parametrize(
    ("width", "height", "size", "does"),
    [
        *((200, 200, 224, True), (224, 224, 224, True), (225, 100, 224, False)),
        *((100, 225, 224, False), (1, 1, LONGEST, True), (1, 1, LONGEST + 1, False)),
    ],
)
def test_only_an_image_that_shrinks_nowhere_grows(
    width: int, height: int, size: int, does: bool
) -> None:
    assert grows(width, height, size) is does


def test_working_memory_is_used_again_and_a_huge_piece_is_not_kept() -> None:
    one = scratch("test", (10, 10), np.int32)
    two = scratch("test", (5, 5), np.int16)
    huge = scratch("test", (LARGEST_KEPT + 1,), np.uint8)

    assert np.shares_memory(one, two)
    assert not np.shares_memory(one, scratch("test of another", (10, 10), np.int32))
    assert not np.shares_memory(huge, scratch("test", (LARGEST_KEPT + 1,), np.uint8))
