"""Shards made of given pixels, and a record of which were asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_audit.pack.rows import empty_rows
from fer_audit.pack.types import SHARD_ROWS, PackShard


@dataclass
class GivenShards:
    """The shards of (n, h, w, 3) pixels that are in memory already."""

    pixels: NDArray[np.uint8]
    broken: frozenset[int] = frozenset()
    """Rows that are not ok."""
    asked: list[list[int]] = field(default_factory=list)
    """The indices of every walk."""

    def __call__(self, indices: Sequence[int]) -> Iterator[PackShard]:
        self.asked.append(list(indices))
        for index in indices:
            start = index * SHARD_ROWS
            pixels = self.pixels[start : start + SHARD_ROWS]
            rows = empty_rows(len(pixels))
            rows.ok[:] = [start + i not in self.broken for i in range(len(pixels))]
            yield PackShard(start, start + len(pixels), pixels, rows)


def flat(n: int, colour: tuple[int, int, int], side: int = 16) -> NDArray[np.uint8]:
    """Return n images of one colour."""
    return np.full((n, side, side, 3), colour, np.uint8)


def opened(webp: bytes) -> Image.Image:
    """Return a picture as any reader sees it."""
    image = Image.open(io.BytesIO(webp))
    image.load()
    return image


def values(webp: bytes) -> NDArray[np.int64]:
    """Return the (h, w, 3) values of a picture."""
    return np.asarray(opened(webp).convert("RGB")).astype(np.int64)
