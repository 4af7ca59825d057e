"""Packed pixels that an earlier walk kept: read, checked, never made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

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
        for index in indices:
            if not (self._folder.path / f"{_pixels(index)}.json").is_file():
                raise PixelsNotKept("the pixels were not kept")
        # Checking 38 MB takes 36 ms, about as long as what is done with them: the next shard is checked meanwhile.
        with ThreadPoolExecutor(1, thread_name_prefix="check") as checker:
            ahead: Future[PackShard] | None = None
            for index in indices:
                current, ahead = ahead, checker.submit(self._shard, index)
                if current is not None:
                    yield current.result()
            if ahead is not None:
                yield ahead.result()

    def _shard(self, index: int) -> PackShard:
        start = index * SHARD_ROWS
        stop = min(start + SHARD_ROWS, self._n_images)
        pixels = self._folder.read_part(_pixels(index))
        rows = self._folder.read_part(f"rows-{index:05d}")
        for found in (pixels, rows):
            if isinstance(found, str):
                raise PixelsNotKept(f"the kept pixels are damaged: {found or 'a part is missing'}")
        assert not isinstance(pixels, str)  # noqa: S101 - raised above
        assert not isinstance(rows, str)  # noqa: S101 - raised above
        return PackShard(start, stop, pixels[1]["pixels"], PackRows(**rows[1]))


def _pixels(index: int) -> str:
    """Return the name of the part that `ShardMaker` keeps a shard's pixels under."""
    return f"pixels-{index:05d}"
