"""Pillow's bicubic resize, the same bits in less time.

Pillow works in whole numbers: weights of 22 bits, columns first, rounded to 8 bits, then rows (Resample.c).
Whole numbers can be added in any order, so the same weights as a sparse matrix give the same image,
and the inner loop of a sparse product runs over neighbours in memory, which Pillow's does not.
That pays where an image grows (200 x 200 to 224 x 224: three quarters of Pillow's time on a quiet core, no gain when
others fill the cache) and costs where it shrinks, so images are made smaller by Pillow itself.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_audit.pack.scratch import scratch

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LONGEST = 320
"""Pixels of a target's side up to which the working memory stays in the cache."""

_WEIGHT_BITS = 22
"""32 less the 8 of a pixel and 2 of head room, as in Resample.c: no sum leaves 32 bits."""

_SUPPORT = 2.0
"""Of the cubic kernel, in source pixels: an image that grows is not smoothed."""


_agrees: dict[tuple[int, int, int], bool] = {}
"""(width, height, size) -> whether noise of that shape came out as the installed Pillow has it."""


def grows(width: int, height: int, size: int) -> bool:
    """Return whether an image becomes no smaller in any direction, and `enlarge` is the quicker way."""
    return max(width, height) <= size <= LONGEST


def enlarge(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return (size, size, 3) RGB of a (h, w, 4) RGBX image that `grows`, as Pillow's bicubic filter gives it.

    The fourth channel is only there because four bytes are one number, which is quick to move.
    A Pillow that resizes otherwise must not be contradicted, its pixels are the contract:
    before the first image of every shape, noise of that shape goes both ways, and where the two differ the whole shape
    is Pillow's. The image itself could not vouch: one of a single colour looks the same through any kernel.
    """
    height, width = pixels.shape[:2]
    shape = (width, height, size)
    if shape not in _agrees:
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
        _agrees[shape] = np.array_equal(by_pillow(noise, size), by_sums(noise, size))
    return by_sums(pixels, size) if _agrees[shape] else by_pillow(pixels, size)


def by_pillow(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return what `enlarge` returns, from Pillow."""
    image = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC))


def by_sums(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return what `enlarge` returns, from our own sums."""
    height, width = pixels.shape[:2]
    if width != size:
        upright = scratch("resize.upright", (width, height), np.uint32)
        np.copyto(upright, pixels.view(np.uint32)[..., 0].T)
        wide = scratch("resize.wide", (width, height * 4), np.int32)
        np.copyto(wide, upright.view(np.uint8).reshape(wide.shape))
        across = scratch("resize.across", (size, height * 4), np.uint8)
        _round(_matrix(width, size) @ wide, across)
        pixels = scratch("resize.pixels", (height, size, 4), np.uint8)
        np.copyto(pixels.view(np.uint32)[..., 0], across.view(np.uint32).T)
    found = np.empty((size, size, 3), np.uint8)
    if height == size:
        _drop_fourth(pixels, found)
    else:
        wide = scratch("resize.wide", (height, size, 3), np.int32)
        _drop_fourth(pixels, wide)
        _round(_matrix(height, size) @ wide.reshape(height, -1), found.reshape(size, -1))
    return found


def _drop_fourth(pixels: NDArray[np.uint8], out: NDArray[Any]) -> None:
    """Copy RGB of RGBX, a channel at a time: the loop over three neighbours would be five times as slow."""
    for channel in range(3):
        np.copyto(out[..., channel], pixels[..., channel])


def _round(sums: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
    sums += 1 << (_WEIGHT_BITS - 1)
    sums >>= _WEIGHT_BITS
    np.clip(sums, 0, 255, out=out, casting="unsafe")


@functools.lru_cache(maxsize=LONGEST)
def _matrix(length: int, size: int) -> csr_matrix:
    """Return the (size, length) weights in units of 2 ** -_WEIGHT_BITS."""
    from scipy.sparse import csr_matrix

    first, weights = _weights(length, size)
    columns = first[:, None] + np.arange(weights.shape[1])
    inside = columns < length  # the weights behind the edge are zero
    ends = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
    parts = (weights[inside], columns[inside].astype(np.int32), ends.astype(np.int32))
    return csr_matrix(parts, shape=(size, length))


def _weights(length: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return (size,) the first source pixel of each target pixel, and (size, taps) the weights from there on."""
    scale = length / size
    centre = (np.arange(size) + 0.5) * scale
    first = np.maximum((centre - _SUPPORT + 0.5).astype(np.int64), 0)
    last = np.minimum((centre + _SUPPORT + 0.5).astype(np.int64), length)
    place = np.arange(int((last - first).max()))
    distance = np.abs(place + first[:, None] - centre[:, None] + 0.5)
    weights = np.where(place < (last - first)[:, None], _cubic(distance), 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    scaled = weights * (1 << _WEIGHT_BITS)
    return first, np.trunc(scaled + np.where(scaled < 0, -0.5, 0.5)).astype(np.int32)


def _cubic(x: NDArray[Any]) -> NDArray[Any]:
    """Return Keys' kernel with a = -0.5 of distances x >= 0 (IEEE ASSP 29, 1981, eq. 4)."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * -0.5
    return np.where(x < 1, near, np.where(x < _SUPPORT, far, 0.0))
