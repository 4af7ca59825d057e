"""Shards of pixels -> one memory-mapped matrix of vectors, resumable after every shard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from fer_audit.config import Precision
from fer_audit.embed.session import cuda_algorithms
from fer_audit.embed.types import CUDA, Embeddings, ModelFacts, Session
from fer_audit.errors import StoreError
from fer_audit.pack.types import ROW, PackShard, shard_count
from fer_audit.store.fingerprint import stage_fingerprint
from fer_audit.store.stage import ArrayBlocks, StageFolder

WHOLE = "vectors"
NONFINITE = "nonfinite_embedding"


def embed_fingerprint(
    pack_fingerprint: str, model_sha256: str, *, provider: str, batch_size: int, runtime: str
) -> str:
    """Return what the vectors depend on.

    Threads are not in it: onnxruntime splits a convolution over its outputs, so no sum changes its order (tested).
    On CUDA the provider's options choose the kernels; which precision's are used is settled by the model.
    """
    inputs: dict[str, Any] = {
        "pack": pack_fingerprint,
        "model": model_sha256,
        "provider": provider,
        "batch_size": batch_size,
        "onnxruntime": runtime,
    }
    if provider == CUDA:
        inputs["cuda"] = {each: cuda_algorithms(each) for each in get_args(Precision)}
    return stage_fingerprint("embed", inputs)


def missing_shards(folder: StageFolder, n_images: int) -> tuple[list[int], list[str]]:
    """Return the shards whose vectors must be (re)computed, and why found ones cannot be used."""
    missing, complaints = [], []
    for index in range(shard_count(n_images)):
        found = folder.read_part(_part(index))
        if isinstance(found, str):
            missing.append(index)
            if found:
                complaints.append(f"embedded again: {found}")
    return missing, complaints


def embed_shards(
    shards: Iterable[tuple[int, PackShard]],
    session: Session,
    folder: StageFolder,
    advance: Callable[[str, int], None] | None = None,
) -> None:
    """Embed (index, shard) pairs and keep the vectors of each as soon as it is done.

    Batches never reach over the end of a shard, so every row has the same neighbours in a resumed run and on any device.
    The next shard's first batch is copied while this shard's last is computed.
    `advance` is called with "embed" and the number of images of every batch.
    """
    waiting: deque[_ShardVectors] = deque()

    def batches() -> Iterator[NDArray[np.uint8]]:
        for index, shard in shards:
            waiting.append(_ShardVectors(index, shard, session.dim))
            for start in range(0, len(shard.pixels), session.batch_size):
                yield shard.pixels[start : start + session.batch_size]

    for vectors in session.stream(batches()):
        waiting[0].append(vectors)
        if advance is not None:
            advance("embed", len(vectors))
        if waiting[0].is_whole:
            waiting.popleft().keep(folder)


class _ShardVectors:
    """The vectors of one shard, as far as they are there."""

    def __init__(self, index: int, shard: PackShard, dim: int) -> None:
        self._index = index
        self._rows = shard.rows
        self._vectors = np.empty((shard.stop - shard.start, dim), np.float32)
        self._filled = 0

    def append(self, vectors: NDArray[np.float32]) -> None:
        """Take the vectors of the next rows."""
        self._vectors[self._filled : self._filled + len(vectors)] = vectors
        self._filled += len(vectors)

    @property
    def is_whole(self) -> bool:
        return self._filled == len(self._vectors)

    def keep(self, folder: StageFolder) -> None:
        """Write the shard. A row whose vector is not finite fails, and only that row."""
        finite = np.isfinite(self._vectors).all(axis=1)
        failed = np.flatnonzero(~(self._rows.ok & finite)).tolist()
        said = self._rows.reasons
        reasons = [(row, NONFINITE if self._rows.ok[row] else str(said[row])) for row in failed]
        self._vectors[failed] = 0
        folder.write_part(_part(self._index), {"failed": reasons}, vectors=self._vectors)


def join_shards(folder: StageFolder, n_images: int, model: ModelFacts) -> None:
    """Write the vectors of all shards as one array, then drop the shards.

    Where locks do not work, another run may have done both meanwhile: then there is nothing left to do.
    """
    count = shard_count(n_images)
    try:
        parts = [_read_shard(folder, index) for index in range(count)]
    except StoreError:
        if isinstance(folder.read_part(WHOLE), str):
            raise
        return
    folder.write_part(
        WHOLE,
        {"provider": model.provider},
        vectors=ArrayBlocks(
            (n_images, model.dim), np.dtype(np.float32), (part[0] for part in parts)
        ),
        ok=np.concatenate([part[1] for part in parts]),
        reasons=np.concatenate([part[2] for part in parts]),
    )
    folder.clear(but=WHOLE)


def keep_embeddings(folder: StageFolder, whole: Embeddings, rows: NDArray[np.intp]) -> None:
    """Write the vectors of some rows as the finished ones of a stage."""
    folder.write_part(
        WHOLE,
        {"provider": whole.model.provider},
        vectors=whole.vectors[rows],
        ok=whole.ok[rows],
        reasons=whole.reasons[rows],
    )


def load_embeddings(folder: StageFolder, model: ModelFacts) -> Embeddings | str:
    """Return the finished vectors, or why they cannot be used ("" = never finished)."""
    found = folder.read_part(WHOLE)
    if isinstance(found, str):
        return found
    arrays = found[1]
    return Embeddings(
        arrays["vectors"], arrays["ok"], arrays["reasons"], model, folder.fingerprint
    )


def _part(index: int) -> str:
    return f"vectors-{index:05d}"


def _read_shard(
    folder: StageFolder, index: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.str_]]:
    found = folder.read_part(_part(index))
    if isinstance(found, str):
        raise StoreError(
            f"{folder.path}: shard {index} vanished while it was needed ({found})",
            hint="Run the same command again; finished shards are kept.",
        )
    vectors = found[1]["vectors"]
    ok, reasons = np.ones(len(vectors), np.bool_), np.zeros(len(vectors), ROW["reasons"])
    for row, reason in found[0]["failed"]:
        ok[row], reasons[row] = False, reason
    return vectors, ok, reasons
