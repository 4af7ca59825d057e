"""Packed pixels that an earlier walk kept: read, checked, never made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray

from fer_audit.pack.types import SHARD_ROWS, PackRows, PackShard
from fer_audit.store.stage import StageFolder


class PixelsNotKept(Exception):
    """Packed pixels that are asked for are not in the cache; the message says why."""


class KeptPixels:
    """The shards of one dataset at one size, as far as the cache has them. No file of the dataset is opened."""

    def __init__(self, folder: StageFolder, n_images: int) -> None:
        self._folder = folder
        self._n_images = n_images

    def iterate(self, indices: Sequence[int]) -> Iterator[PackShard]:
        """Yield the shards asked for, in that order, their bytes checked against the manifests.

        Raises PixelsNotKept: before the first when one of them was never kept, later when one is damaged.
        """
        if not all(self._folder.has_part(f"pixels-{index:05d}") for index in indices):
            raise PixelsNotKept("the pixels were not kept")
        # Checking 38 MB takes 36 ms, about as long as what is done with them: the next ones are checked meanwhile.
        with ThreadPoolExecutor(1, thread_name_prefix="check") as checker:
            yield from checker.map(self._shard, indices)

    def _shard(self, index: int) -> PackShard:
        start = index * SHARD_ROWS
        stop = min(start + SHARD_ROWS, self._n_images)
        pixels = self._part(f"pixels-{index:05d}")["pixels"]
        return PackShard(start, stop, pixels, PackRows(**self._part(f"rows-{index:05d}")))

    def _part(self, name: str) -> dict[str, NDArray[Any]]:
        found = self._folder.read_part(name)
        if isinstance(found, str):
            raise PixelsNotKept(f"the kept pixels are damaged: {found or 'a part is missing'}")
        return found[1]
