"""Packed pixels -> the small pictures of a report: mean faces and contact sheets, as WebP.

Everything is drawn from the packed pixels, so no file is opened again and no metadata of a photograph can come along.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from fer_audit.pack.types import SHARD_ROWS, PackShard

Shards: TypeAlias = Callable[[Sequence[int]], Iterable[PackShard]]
"""Gives the shards of these indices, in this order: `ShardMaker.iterate`, or `KeptPixels.iterate`."""

LEAST_IN_MEAN = 30
"""Images below which a mean begins to show a person. They are images, not people: thirty frames of one person
would show that person all the same."""
MEAN_SIDE = 96
MEAN_QUALITY = 80
TILE_SIDE = 72
SHEET_QUALITY = 75

BLUR_CELLS = 8
"""A blurred face is 8 x 8 colours before it is enlarged.

A Gaussian alone will not do: it is a linear filter that keeps every frequency, only weaker, so sharpening undoes
much of it. Averaging over cells throws the rest away: 192 numbers of 15,552 are left, whatever is done to them.
Eight cells hold at most four cycles across a face; people need about eight to name one (Costen, Parker and Craw 1996).
A network that was trained on mosaics of the same people can still match some (McPherson et al., arXiv 1609.00408):
blurring protects from a viewer, not from that.
"""


def webp_version() -> str:
    """Return the version of libwebp, which the bytes of every picture depend on."""
    return str(features.version("webp"))


def shards_of(rows: NDArray[np.int64]) -> list[int]:
    """Return the indices of the shards that hold these rows, ascending."""
    found: list[int] = np.unique(rows // SHARD_ROWS).tolist()
    return found


def grey_cells(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return (side * side,) grey values of (h, w, 3) RGB, each the mean of the area it covers."""
    grey = Image.fromarray(pixels).convert("L")
    return np.asarray(grey.resize((side, side), Image.Resampling.BOX)).ravel()


def mean_faces(shards: Shards, groups: Sequence[NDArray[np.int64]]) -> list[bytes]:
    """Return the mean image of each group of row numbers as WebP, walking the shards once.

    A row counts once in a group, however often it is named. The side is `MEAN_SIDE` pixels, or the pack's if that is less.
    Memory: one shard, and MEAN_SIDE x MEAN_SIDE x 24 bytes a group. Only shards that hold a row of a group are asked for.
    Raises ValueError for a group of fewer than `LEAST_IN_MEAN` images, or one with an image that is not ok.
    """
    groups = [np.unique(group) for group in groups]
    for number, group in enumerate(groups):
        if len(group) < LEAST_IN_MEAN:
            raise ValueError(
                f"group {number} has {len(group)} images; a mean of fewer than {LEAST_IN_MEAN} shows people"
            )
    if not groups:
        return []
    owners = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    members = np.concatenate(groups)
    order = np.argsort(members, kind="stable")
    members, owners = members[order], owners[order]
    sums: NDArray[np.float64] | None = None
    for shard, rows in _wanted(shards, members):
        small = _reduced(shard.pixels, rows - shard.start)
        if sums is None:
            sums = np.zeros((len(groups), *small.shape[1:]))
        first, last = np.searchsorted(members, (shard.start, shard.stop))
        present, place = np.unique(owners[first:last], return_inverse=True)
        inside = np.zeros((len(present), len(rows)), np.float32)
        inside[place, np.searchsorted(rows, members[first:last])] = 1
        # Sums of up to 65,793 bytes are whole numbers below 2^24, exact in float32 in any order:
        # no BLAS and no number of threads can change a picture.
        flat = small.reshape(len(rows), -1).astype(np.float32)
        sums[present] += (inside @ flat).reshape(len(present), *small.shape[1:])
    assert sums is not None  # noqa: S101 - every group has rows, and every row a shard
    means = zip(sums, groups, strict=True)
    return [
        _webp(np.rint(total / len(group)).astype(np.uint8), MEAN_QUALITY) for total, group in means
    ]


def contact_sheets(
    shards: Shards,
    sheets: Sequence[NDArray[np.int64]],
    *,
    columns: int,
    size: int = TILE_SIDE,
    blur: bool = False,
) -> list[bytes]:
    """Return one WebP for each array of row numbers: its faces in that order, line by line, walking the shards once.

    A face is `size` x `size` pixels, at most `columns` of them side by side; places left over are white.
    `blur` leaves `BLUR_CELLS` x `BLUR_CELLS` colours of each.
    Memory: one shard and size x size x 3 bytes a face. Raises ValueError for an empty sheet or an image that is not ok.
    """
    if any(len(rows) == 0 for rows in sheets):
        raise ValueError("a contact sheet needs at least one face")
    if not sheets:
        return []
    tiles: dict[int, NDArray[np.uint8]] = {}
    for shard, rows in _wanted(shards, np.sort(np.concatenate(sheets))):
        for row in rows.tolist():
            image = Image.fromarray(shard.pixels[row - shard.start])
            if blur:
                image = image.resize((BLUR_CELLS, BLUR_CELLS), Image.Resampling.BOX)
            tiles[row] = np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))
    drawn = []
    for rows in sheets:
        across = min(columns, len(rows))
        sheet = np.full((-(-len(rows) // across) * size, across * size, 3), 255, np.uint8)
        for number, row in enumerate(rows.tolist()):
            top, left = number // across * size, number % across * size
            sheet[top : top + size, left : left + size] = tiles[row]
        drawn.append(_webp(sheet, SHEET_QUALITY))
    return drawn


def _wanted(
    shards: Shards, members: NDArray[np.int64]
) -> Iterator[tuple[PackShard, NDArray[np.int64]]]:
    """Yield each shard that holds some of the ascending row numbers, with those it holds, each once."""
    wanted = np.unique(members)
    for shard in shards(shards_of(wanted)):
        rows = wanted[(wanted >= shard.start) & (wanted < shard.stop)]
        if not shard.rows.ok[rows - shard.start].all():
            raise ValueError(f"rows {shard.start} to {shard.stop} hold an image that is not ok")
        yield shard, rows


def _reduced(pixels: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return (m, side, side, 3) of the images at `offsets`, each cell the mean of the area it covers."""
    side = min(MEAN_SIDE, *pixels.shape[1:3])
    if pixels.shape[1:3] == (side, side):
        return pixels[offsets]
    small = np.empty((len(offsets), side, side, 3), np.uint8)
    for target, offset in zip(small, offsets.tolist(), strict=True):
        image = Image.fromarray(pixels[offset])
        target[:] = np.asarray(image.resize((side, side), Image.Resampling.BOX))
    return small


def _webp(pixels: NDArray[np.uint8], quality: int) -> bytes:
    """Return (h, w, 3) RGB as a lossy WebP without metadata; the same pixels and libwebp give the same bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()
