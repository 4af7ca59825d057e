"""A dataset's files -> shards of pixels and rows, made ahead of their consumer, or read as an earlier walk kept them.

A shard is decoded by workers (`fer_audit.pack.workers`), written to the cache, and handed on; the next one is decoded
while it is written. At most `AHEAD` shards are made before they are asked for, so memory is bounded by the shard, not by the set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from fer_audit.config import FILE_SECONDS
from fer_audit.dataset.sources.source import MAX_FILE_BYTES, SourceError
from fer_audit.dataset.types import FaceDataset
from fer_audit.pack.decode import MAX_MARKERS, MAX_PIXELS, MAX_SCANS, MAX_SIDE
from fer_audit.pack.rows import concatenate_rows, sha256_of
from fer_audit.pack.types import SHARD_ROWS, PackRows, PackShard, shard_count
from fer_audit.pack.workers import Decoders, worth_starting
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder

AHEAD = 2
"""Shards made before they are asked for."""


def pack_fingerprint(dataset: FaceDataset, size: int) -> str:
    """Return what the pixels depend on: the files listed, the size asked for, and the decoder."""
    return stage_fingerprint(
        "pack",
        {
            "listing": dataset.images_digest(),
            "size": size,
            "limits": [MAX_PIXELS, MAX_SIDE, MAX_SCANS, MAX_MARKERS, MAX_FILE_BYTES],
            "pillow": PIL.__version__,
            "shard_rows": SHARD_ROWS,
        },
    )


class ShardMaker:
    """Makes, keeps and reads the shards of one dataset at one size."""

    def __init__(
        self,
        dataset: FaceDataset,
        folder: StageFolder,
        *,
        size: int,
        keep: bool,
        workers: int,
        file_seconds: float = FILE_SECONDS,
    ) -> None:
        """Name the places and the limits; nothing is read yet."""
        self._dataset = dataset
        self._images = dataset.source
        self._folder = folder
        self._size = size
        self._keep = keep
        self._workers = workers
        self._file_seconds = file_seconds
        self.complaints: list[str] = []
        """Why parts found in the cache could not be used."""

    def iterate(self, indices: Sequence[int]) -> Generator[PackShard, None, None]:
        """Yield the shards asked for, in that order, making `AHEAD` of them beforehand.

        A caller that may stop early must close it: its workers wait for that.
        """
        if not indices:
            return
        waiting: deque[Future[PackShard]] = deque()
        with (
            ThreadPoolExecutor(AHEAD, thread_name_prefix="shard") as makers,
            self._decoders(
                sum(map(self.length, indices))
            ) as decoders,  # ended first: shards that are no longer wanted are not waited for
        ):
            for index in indices:
                waiting.append(makers.submit(self._shard, index, decoders))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def rows(self) -> PackRows | None:
        """Return what is known of every file, or None while a shard is missing."""
        parts = []
        for index in range(shard_count(len(self._dataset))):
            part = self._rows_part(index)
            if part is None:
                return None
            parts.append(part)
        return concatenate_rows(parts)

    def keep_rows(self, rows: PackRows) -> None:
        """Write what is known of every file, made elsewhere."""
        for index in range(shard_count(len(self._dataset))):
            here = slice(*self._bounds(index))
            arrays = {name: getattr(rows, name)[here] for name in PackRows.__slots__}
            self._folder.write_part(f"rows-{index:05d}", {}, **arrays)

    def missing_rows(self) -> list[int]:
        """Return the shards whose files were never looked at, or whose record is damaged."""
        count = shard_count(len(self._dataset))
        return [index for index in range(count) if self._rows_part(index) is None]

    def length(self, index: int) -> int:
        """Return the number of rows of a shard."""
        start, stop = self._bounds(index)
        return stop - start

    def changed_files(self) -> list[str]:
        """Read every file again and return the ids whose bytes are not those that were decoded.

        Size and time can lie; bytes cannot.
        """
        rows = self.rows()
        if rows is None:
            return []
        changed = []
        for row, file_id in enumerate(self._dataset.ids):
            try:
                digest = sha256_of(self._images.read(row))
            except SourceError:
                digest = b""
            if rows.sha256[row] != digest:
                changed.append(file_id)
        return changed

    def _bounds(self, index: int) -> tuple[int, int]:
        start = index * SHARD_ROWS
        return start, min(start + SHARD_ROWS, len(self._dataset))

    def _read(self, name: str) -> dict[str, NDArray[Any]] | None:
        found = self._folder.read_part(name)
        if isinstance(found, str):
            complaint = f"made again: {found}"
            if found and complaint not in self.complaints:
                self.complaints.append(complaint)
            return None
        return found[1]

    def _rows_part(self, index: int) -> PackRows | None:
        arrays = self._read(f"rows-{index:05d}")
        return None if arrays is None else PackRows(**arrays)

    def _shard(self, index: int, decoders: Decoders) -> PackShard:
        """Return a shard from the cache, or make it."""
        start, stop = self._bounds(index)
        rows = self._rows_part(index)
        if rows is not None and self._keep:
            kept = self._read(f"pixels-{index:05d}")
            if kept is not None:
                return PackShard(start, stop, kept["pixels"], rows)
        pixels, rows = self._decode(start, stop, decoders)
        if self._keep:
            self._folder.write_part(f"pixels-{index:05d}", {}, pixels=pixels)
        self._folder.write_part(
            f"rows-{index:05d}", {}, **{name: getattr(rows, name) for name in PackRows.__slots__}
        )
        pixels.flags.writeable = False
        return PackShard(start, stop, pixels, rows)

    def _decode(
        self, start: int, stop: int, decoders: Decoders
    ) -> tuple[NDArray[np.uint8], PackRows]:
        pixels = np.zeros((stop - start, self._size, self._size, 3), np.uint8)
        return pixels, decoders.fill(self._images.take(np.arange(start, stop)), pixels)

    def _decoders(self, n_images: int) -> Decoders:
        workers = worth_starting(self._workers, n_images)
        return Decoders(workers, self._folder.path, self._size, limit=self._file_seconds)


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
