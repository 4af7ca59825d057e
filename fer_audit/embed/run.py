"""Shards of pixels -> one memory-mapped matrix of vectors, resumable after every shard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_audit.embed.session import EmbedSession
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.errors import StoreError
from fer_audit.fingerprint import stage_fingerprint
from fer_audit.pack.types import PackShard, shard_count
from fer_audit.progress import Progress, Silent
from fer_audit.store import ArrayBlocks, StageFolder

WHOLE = "vectors"
NONFINITE = "nonfinite_embedding"


def embed_fingerprint(
    pack_fingerprint: str, model_sha256: str, *, provider: str, batch_size: int, runtime: str
) -> str:
    """Return what the vectors depend on.

    Threads are not in it: onnxruntime splits a convolution over its outputs, so no sum changes its order (tested).
    """
    return stage_fingerprint(
        "embed",
        {
            "pack": pack_fingerprint,
            "model": model_sha256,
            "provider": provider,
            "batch_size": batch_size,
            "onnxruntime": runtime,
        },
    )


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


def embed_shard(
    shard: PackShard,
    index: int,
    session: EmbedSession,
    folder: StageFolder,
    progress: Progress | None = None,
) -> None:
    """Embed one shard and keep its vectors. A row whose vector is not finite fails, and only that row.

    `progress` hears of every batch, as stage "embed".
    """
    progress = progress or Silent()
    n = shard.stop - shard.start
    vectors = np.empty((n, session.dim), np.float32)
    for start in range(0, n, session.batch_size):
        stop = min(start + session.batch_size, n)
        vectors[start:stop] = session.embed(shard.pixels[start:stop])
        progress.advance("embed", stop - start)
    finite = np.isfinite(vectors).all(axis=1)
    ok = shard.rows.ok & finite
    reasons = np.where(shard.rows.ok & ~finite, NONFINITE, shard.rows.reasons)
    vectors[~ok] = 0
    folder.write_part(_part(index), {}, vectors=vectors, ok=ok, reasons=reasons)


def join_shards(folder: StageFolder, n_images: int, model: ModelFacts) -> None:
    """Write the vectors of all shards as one array, then drop the shards."""
    count = shard_count(n_images)
    parts = [_read_shard(folder, index) for index in range(count)]
    folder.write_part(
        WHOLE,
        {"provider": model.provider},
        vectors=ArrayBlocks(
            (n_images, model.dim), np.dtype(np.float32), (part[0] for part in parts)
        ),
        ok=np.concatenate([part[1] for part in parts]),
        reasons=np.concatenate([part[2] for part in parts]),
    )
    for index in range(count):
        folder.remove_part(_part(index))


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
    return f"shard-{index:05d}"


def _read_shard(
    folder: StageFolder, index: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.str_]]:
    found = folder.read_part(_part(index))
    if isinstance(found, str):
        raise StoreError(
            f"{folder.path}: shard {index} vanished while it was needed ({found})",
            hint="Run the same command again; finished shards are kept.",
        )
    return found[1]["vectors"], found[1]["ok"], found[1]["reasons"]
