"""Small pictures from packed pixels: the right mean, nobody shown in it, nothing beside the picture in its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_audit.pack.build import KeptPixels, PixelsNotKept
from fer_audit.pack.faces import (
    BLUR_CELLS,
    LEAST_IN_MEAN,
    TILE_SIDE,
    Shards,
    contact_sheets,
    mean_faces,
    shards_of,
)
from fer_audit.pack.rows import records_of
from fer_audit.pack.types import SHARD_ROWS
from fer_audit.store.stage import StageFolder
from tests.pack.shards import GivenShards, flat, opened, values

RED, GREEN = (200, 20, 30), (30, 160, 40)
WEBP_ERROR = 6
"""A lossy WebP keeps a plain colour to this many of 255 levels."""


def noisy(n: int, side: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def near(found: NDArray[np.int64], colour: tuple[float, ...]) -> bool:
    return bool((np.abs(found - np.array(colour)) <= WEBP_ERROR).all())


def test_a_mean_lies_between_two_colours_by_their_numbers() -> None:
    shards = GivenShards(np.concatenate([flat(300, RED), flat(300, GREEN)]))
    both = np.concatenate([np.arange(270, 300), np.arange(300, 390)])

    red, green, mixed = mean_faces(shards, [np.arange(40), np.arange(300, 600), both])

    assert near(values(red), RED)
    assert near(values(green), GREEN)
    assert near(values(mixed), tuple(0.25 * r + 0.75 * g for r, g in zip(RED, GREEN, strict=True)))


def test_a_mean_is_the_mean_of_the_reduced_images_whatever_the_shards() -> None:
    pixels = noisy(3 * SHARD_ROWS, side=8)
    rows = np.random.default_rng(1).permutation(len(pixels))[:500]

    (mean,) = mean_faces(GivenShards(pixels), [rows])
    (again,) = mean_faces(GivenShards(pixels), [np.sort(rows)])

    assert mean == again
    # Chroma is halved in a WebP, so noise comes back in luma only: compare the whole picture's mean.
    expected = pixels[rows].mean(axis=(0, 1, 2))
    assert near(values(mean).mean(axis=(0, 1)).round().astype(np.int64), tuple(expected))


def test_a_row_may_be_in_many_groups_and_counts_in_each_once() -> None:
    pixels = np.concatenate([flat(40, RED), flat(40, GREEN)])
    reds = np.arange(40)

    plain, repeated, everything = mean_faces(
        GivenShards(pixels), [reds, np.repeat(reds, 3), np.concatenate([np.arange(80), reds])]
    )

    assert plain == repeated
    assert near(values(everything), tuple((r + g) / 2 for r, g in zip(RED, GREEN, strict=True)))


def contact_sheet(
    shards: Shards,
    rows: NDArray[np.int64],
    *,
    columns: int,
    size: int = TILE_SIDE,
    blur: bool = False,
) -> bytes:
    (sheet,) = contact_sheets(shards, [rows], columns=columns, size=size, blur=blur)
    return sheet


def test_a_large_image_is_reduced_and_a_small_one_is_not_enlarged() -> None:
    (large,) = mean_faces(GivenShards(noisy(30, side=224)), [np.arange(30)])
    (small,) = mean_faces(GivenShards(noisy(30, side=24)), [np.arange(30)])

    assert opened(large).size == (96, 96)
    assert opened(small).size == (24, 24)


@pytest.mark.parametrize("n", [0, 1, LEAST_IN_MEAN - 1])
def test_a_mean_of_fewer_than_thirty_images_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="fewer than 30 shows people"):
        mean_faces(GivenShards(flat(64, RED)), [np.arange(40), np.arange(n)])


def test_thirty_names_of_one_image_are_one_image() -> None:
    with pytest.raises(ValueError, match="has 1 images"):
        mean_faces(GivenShards(flat(64, RED)), [np.zeros(30, np.int64)])


def test_an_image_that_failed_is_in_no_picture() -> None:
    shards = GivenShards(flat(64, RED), broken=frozenset({3}))

    with pytest.raises(ValueError, match="not ok"):
        mean_faces(shards, [np.arange(40)])
    with pytest.raises(ValueError, match="not ok"):
        contact_sheet(shards, np.array([3]), columns=1)


def test_the_shards_are_walked_once_and_only_those_that_are_needed() -> None:
    shards = GivenShards(flat(5 * SHARD_ROWS, RED, side=4))
    second, last = (
        np.arange(SHARD_ROWS, SHARD_ROWS + 40),
        np.arange(4 * SHARD_ROWS, 5 * SHARD_ROWS),
    )

    mean_faces(shards, [last, second, last[:30]])
    contact_sheets(shards, [last[:3], second[:3], last[:1]], columns=2)

    assert shards.asked == [[1, 4], [1, 4]]
    assert shards_of(np.concatenate([last, second])) == [1, 4]


def test_no_group_and_no_sheet_ask_for_nothing() -> None:
    shards = GivenShards(flat(1, RED))

    assert mean_faces(shards, []) == []
    assert contact_sheets(shards, [], columns=3) == []
    assert shards.asked == []


def test_a_sheet_shows_the_faces_in_order_line_by_line() -> None:
    colours = [(220, 30, 30), (30, 200, 30), (30, 30, 220), (20, 20, 20), (240, 240, 240)]
    shards = GivenShards(np.concatenate([flat(1, colour) for colour in colours]))
    order = [2, 0, 4, 1, 3]

    sheet = values(contact_sheet(shards, np.array(order), columns=3, size=32))

    assert sheet.shape == (64, 96, 3)
    for place, row in enumerate(order):
        top, left = place // 3 * 32, place % 3 * 32
        centre = sheet[top + 12 : top + 20, left + 12 : left + 20].mean(axis=(0, 1))
        assert np.abs(centre - colours[row]).max() <= 8
    assert sheet[44:52, 76:84].min() > 245  # the place that is left over is white


def test_a_sheet_is_no_wider_than_its_faces() -> None:
    sheet = contact_sheet(GivenShards(noisy(3)), np.arange(3), columns=10)

    assert opened(sheet).size == (3 * TILE_SIDE, TILE_SIDE)


def test_an_empty_sheet_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one face"):
        contact_sheet(GivenShards(noisy(3)), np.arange(0), columns=10)


def test_blurred_faces_that_differ_only_within_a_cell_are_the_same_picture() -> None:
    """What tells two people apart is gone, not hidden: nothing that is done to the sheet brings it back."""
    cells = noisy(1, side=BLUR_CELLS)[0] // 2 + 64
    plain = cells.repeat(8, axis=0).repeat(8, axis=1)
    wave = np.indices(plain.shape[:2]).sum(axis=0) % 2 * 2 - 1
    detailed = (plain.astype(np.int64) + 40 * wave[..., None]).astype(np.uint8)
    shards = GivenShards(np.stack([plain, detailed]))
    one, other = np.array([0]), np.array([1])

    assert contact_sheet(shards, one, columns=1) != contact_sheet(shards, other, columns=1)
    assert contact_sheet(shards, one, columns=1, blur=True) == contact_sheet(
        shards, other, columns=1, blur=True
    )


def test_a_blurred_face_has_no_detail_within_its_cells() -> None:
    shards = GivenShards(noisy(1, side=224))

    sharp, blurred = (
        values(contact_sheet(shards, np.array([0]), columns=1, blur=blur))
        for blur in (False, True)
    )

    rough = [np.abs(np.diff(picture.sum(axis=2), axis=1)).mean() for picture in (sharp, blurred)]
    assert rough[1] < rough[0] / 4


def test_no_picture_carries_metadata() -> None:
    shards = GivenShards(noisy(40))

    pictures = [
        *mean_faces(shards, [np.arange(40)]),
        contact_sheet(shards, np.arange(9), columns=3),
    ]

    for webp in pictures:
        image = opened(webp)
        assert image.format == "WEBP"
        assert not image.getexif()
        assert not {"exif", "xmp", "icc_profile"} & set(image.info)
        assert webp[12:16] == b"VP8 "  # a plain picture: no container that could hold more
        assert int.from_bytes(webp[16:20], "little") + 20 in (len(webp), len(webp) - 1)


def test_the_same_pixels_give_the_same_bytes() -> None:
    pixels = noisy(600)
    groups = [np.arange(300), np.arange(200, 600)]

    assert mean_faces(GivenShards(pixels), groups) == mean_faces(GivenShards(pixels), groups)
    assert contact_sheet(GivenShards(pixels), np.arange(20), columns=5) == contact_sheet(
        GivenShards(pixels), np.arange(20), columns=5
    )


def keep(folder: StageFolder, shards: GivenShards, indices: list[int]) -> None:
    for index, shard in zip(indices, shards(indices), strict=True):
        folder.write_part(f"pixels-{index:05d}", {}, pixels=shard.pixels)
        folder.write_part(f"files-{index:05d}", {}, files=records_of(shard.rows))


def test_kept_pixels_come_back_as_shards(tmp_path: Path) -> None:
    folder = StageFolder.open(tmp_path, "pack", "f" * 64)
    pixels = noisy(SHARD_ROWS + 50, side=8)
    keep(folder, GivenShards(pixels), [0, 1])

    found = list(KeptPixels(folder, len(pixels)).iterate([1, 0]))

    assert [(shard.start, shard.stop) for shard in found] == [(256, 306), (0, 256)]
    assert np.array_equal(found[0].pixels, pixels[256:])
    assert found[0].rows.ok.all()


def test_pixels_that_are_not_all_kept_are_not_begun(tmp_path: Path) -> None:
    folder = StageFolder.open(tmp_path, "pack", "f" * 64)
    pixels = noisy(2 * SHARD_ROWS, side=8)
    keep(folder, GivenShards(pixels), [0])

    with pytest.raises(PixelsNotKept, match="were not kept"):
        next(KeptPixels(folder, len(pixels)).iterate([0, 1]))


def test_damaged_pixels_are_not_shown(tmp_path: Path) -> None:
    folder = StageFolder.open(tmp_path, "pack", "f" * 64)
    pixels = noisy(40, side=8)
    keep(folder, GivenShards(pixels), [0])
    path = folder.path / "pixels-00000.pixels.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")

    with pytest.raises(PixelsNotKept, match=r"damaged: pixels-00000\.pixels\.npy is damaged"):
        list(KeptPixels(folder, len(pixels)).iterate([0]))
