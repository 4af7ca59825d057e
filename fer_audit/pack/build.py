"""A dataset's files -> shards of pixels and rows, made ahead of their consumer, or read as an earlier walk kept them.

A shard is decoded by workers (`fer_audit.pack.workers`), written to the cache, and handed on; the next one is decoded
while it is written. At most `AHEAD` shards are made before they are asked for, so memory is bounded by the shard, not by the set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from fer_audit.config import FILE_SECONDS
from fer_audit.dataset.sources.source import MAX_FILE_BYTES, SourceError
from fer_audit.dataset.types import FaceDataset
from fer_audit.pack.decode import MAX_MARKERS, MAX_PIXELS, MAX_SCANS, MAX_SIDE
from fer_audit.pack.rows import (
    concatenate_rows,
    part_of,
    records_of,
    rows_of_records,
    sha256_of,
)
from fer_audit.pack.types import SHARD_ROWS, PackRows, PackShard, shard_count
from fer_audit.pack.workers import Decoders, worth_starting
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import StageFolder

AHEAD = 2
"""Shards made before they are asked for."""


def pack_fingerprint(dataset: FaceDataset, size: int, *, padded: bool = False) -> str:
    """Return what the pixels depend on: the files listed, the square asked for, and the decoder."""
    return stage_fingerprint(
        "pack",
        ({"padded": True} if padded else {})
        | {
            "listing": dataset.images_digest(),
            "size": size,
            "limits": [MAX_PIXELS, MAX_SIDE, MAX_SCANS, MAX_MARKERS, MAX_FILE_BYTES],
            "pillow": PIL.__version__,
            "shard_rows": SHARD_ROWS,
        },
    )


@dataclass(slots=True)
class ShardMaker:
    """Makes, keeps and reads the shards of one dataset at one size, padded or stretched."""

    dataset: FaceDataset
    folder: StageFolder
    _: KW_ONLY
    size: int
    padded: bool = False
    keep: bool
    workers: int
    file_seconds: float = FILE_SECONDS
    complaints: list[str] = field(default_factory=list, init=False)
    """Why parts found in the cache could not be used."""

    def iterate(self, indices: Sequence[int]) -> Generator[PackShard, None, None]:
        """Yield the shards asked for, in that order, making `AHEAD` of them beforehand.

        A caller that may stop early must close it: its workers wait for that.
        """
        if not indices:
            return
        waiting: deque[Future[PackShard]] = deque()
        workers = worth_starting(self.workers, sum(map(self.length, indices)))
        with (
            ThreadPoolExecutor(AHEAD, thread_name_prefix="shard") as makers,
            # ended first: shards that are no longer wanted are not waited for
            self._decoders(workers) as decoders,
        ):
            for index in indices:
                waiting.append(makers.submit(self._shard, index, decoders))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _decoders(self, workers: int) -> Decoders:
        folder, seconds = self.folder.path, self.file_seconds
        return Decoders(workers, folder, self.size, padded=self.padded, limit=seconds)

    def rows(self) -> PackRows | None:
        """Return what is known of every file, or None while a shard is missing."""
        parts = []
        for index in range(shard_count(len(self.dataset))):
            records = self._read("files", index)
            if records is None:
                return None
            parts.append(rows_of_records(records))
        return concatenate_rows(parts)

    def keep_rows(self, rows: PackRows) -> None:
        """Write what is known of every file, made elsewhere."""
        for index in range(shard_count(len(self.dataset))):
            self._write_rows(index, part_of(rows, *bounds_of(index, len(self.dataset))))

    def missing_rows(self) -> list[int]:
        """Return the shards whose files were never looked at, or whose record is damaged."""
        count = shard_count(len(self.dataset))
        return [index for index in range(count) if self._read("files", index) is None]

    def length(self, index: int) -> int:
        """Return the number of rows of a shard."""
        start, stop = bounds_of(index, len(self.dataset))
        return stop - start

    def changed_files(self) -> list[str]:
        """Read every file again and return the ids whose bytes are not those that were decoded.

        Size and time can lie; bytes cannot.
        """
        rows = self.rows()
        changed = []
        for row, file_id in enumerate(self.dataset.ids if rows else ()):
            try:
                digest = sha256_of(self.dataset.source.read(row))
            except SourceError:
                digest = b""
            if rows and rows.sha256[row] != digest:
                changed.append(file_id)
        return changed

    def _read(self, what: str, index: int) -> NDArray[Any] | None:
        """Return the one array of a part."""
        found = self.folder.read_part(f"{what}-{index:05d}")
        if not isinstance(found, str):
            return found[1][what]
        complaint = f"made again: {found}"
        if found and complaint not in self.complaints:
            self.complaints.append(complaint)
        return None

    def _write_rows(self, index: int, rows: PackRows) -> None:
        self.folder.write_part(f"files-{index:05d}", {}, files=records_of(rows))

    def _shard(self, index: int, decoders: Decoders) -> PackShard:
        """Return a shard from the cache, or make it."""
        start, stop = bounds_of(index, len(self.dataset))
        known = self._read("files", index)
        kept = self._read("pixels", index) if known is not None and self.keep else None
        if known is not None and kept is not None:
            return PackShard(start, stop, kept, rows_of_records(known))
        pixels = np.zeros((stop - start, self.size, self.size, 3), np.uint8)
        rows = decoders.fill(self.dataset.source.take(np.arange(start, stop)), pixels)
        if self.keep:
            self.folder.write_part(f"pixels-{index:05d}", {}, pixels=pixels)
        self._write_rows(index, rows)
        pixels.flags.writeable = False
        return PackShard(start, stop, pixels, rows)


def bounds_of(index: int, n_images: int) -> tuple[int, int]:
    """Return the first row of a shard, and the one behind its last."""
    start = index * SHARD_ROWS
    return start, min(start + SHARD_ROWS, n_images)


class PixelsNotKept(Exception):
    """Packed pixels that are asked for are not in the cache; the message says why."""


@dataclass(frozen=True, slots=True)
class KeptPixels:
    """The shards of one dataset at one size, padded or stretched, as far as the cache has them. No file of the dataset is opened."""

    folder: StageFolder
    n_images: int

    def iterate(self, indices: Sequence[int]) -> Iterator[PackShard]:
        """Yield the shards asked for, in that order, their bytes checked against the manifests.

        Raises PixelsNotKept: before the first when one of them was never kept, later when one is damaged.
        """
        if not all(self.folder.has_part(f"pixels-{index:05d}") for index in indices):
            raise PixelsNotKept("the pixels were not kept")
        # Checking 38 MB takes 36 ms, about as long as what is done with them: the next ones are checked meanwhile.
        with ThreadPoolExecutor(1, thread_name_prefix="check") as checker:
            yield from checker.map(self._shard, indices)

    def _shard(self, index: int) -> PackShard:
        parts = []
        for what in ("pixels", "files"):
            found = self.folder.read_part(f"{what}-{index:05d}")
            if isinstance(found, str):
                raise PixelsNotKept(f"the kept pixels are damaged: {found or 'a part is missing'}")
            parts.append(found[1][what])
        pixels, records = parts
        start, stop = bounds_of(index, self.n_images)
        return PackShard(start, stop, pixels, rows_of_records(records))
