"""The stages that run the model: bare, from packed pixels, from files; their vectors are compared before they are timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_audit.bench.measure import Step, nothing
from fer_audit.bench.subject import Subject
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.run import embed_shards, join_shards, load_embeddings
from fer_audit.embed.session import EmbedSession
from fer_audit.errors import ModelError
from fer_audit.pack.build import ShardMaker, pack_fingerprint
from fer_audit.pack.rows import concatenate_rows
from fer_audit.pack.types import PackRows, shard_count
from fer_audit.store.stage import StageFolder


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The images, decoded once and kept, and all of them in memory."""

    folder: StageFolder
    pixels: NDArray[np.uint8]
    """(n, size, size, 3)"""
    rows: PackRows


def pack_once(dataset: FaceDataset, scratch: Path, size: int, workers: int) -> Packed:
    """Decode every image and keep the pixels under `scratch`."""
    folder = StageFolder.open(scratch / "kept", "pack", pack_fingerprint(dataset, size))
    maker = ShardMaker(dataset, folder, size=size, keep=True, workers=workers)
    shards = list(maker.iterate(range(shard_count(len(dataset)))))
    pixels = np.concatenate([shard.pixels for shard in shards])
    return Packed(folder, pixels, concatenate_rows([shard.rows for shard in shards]))


class ModelStages:
    """The same images through the same session on three ways."""

    def __init__(
        self,
        subject: Subject,
        packed: Packed,
        session: EmbedSession,
        scratch: Path,
        *,
        workers: int,
        threads: int,
    ) -> None:
        dataset = subject.dataset
        self._dataset = dataset
        self._packed = packed
        self._session = session
        self._threads = threads
        self._facts = subject.facts()
        size = subject.model.spec.size
        fingerprint = packed.folder.fingerprint
        self._cold_pack = StageFolder.open(scratch / "cold", "pack", fingerprint)
        self._cold = StageFolder.open(scratch / "cold", "embed", fingerprint)
        self._warm = StageFolder.open(scratch / "kept", "embed", fingerprint)
        self._from_pack = ShardMaker(dataset, packed.folder, size=size, keep=True, workers=workers)
        self._from_files = ShardMaker(
            dataset, self._cold_pack, size=size, keep=True, workers=workers
        )

    def steps(self) -> list[Step]:
        """Return the three ways, in the order they are compared."""
        n, threads = len(self._dataset), self._threads

        def start_cold() -> None:
            self._cold.clear()
            self._cold_pack.clear()

        def step(
            stage: str,
            what: str,
            work: Callable[[], object],
            prepare: Callable[[], object] = nothing,
        ) -> Step:
            return Step(stage, what, n, "images", threads, work, prepare)

        return [
            step("bare model", "the model, its batches in memory already", self._bare),
            step(
                "embed from pack",
                "check and map the kept pixels, embed, write",
                lambda: self._embed(self._from_pack, self._warm),
                self._warm.clear,
            ),
            step(
                "embed from files",
                "everything of pack, embed at the same time, write",
                lambda: self._embed(self._from_files, self._cold),
                start_cold,
            ),
        ]

    def refuse_other_vectors(self) -> None:
        """Do each way once, and raise ModelError when they do not give the same vectors, bit by bit."""
        bare = self._bare()
        for step, folder in zip(self.steps()[1:], (self._warm, self._cold), strict=True):
            step.prepare()
            step.work()
            found = load_embeddings(folder, self._facts)
            if isinstance(found, str):
                raise ModelError(f"{step.stage} left no vectors: {found}")
            different = int((bare[found.ok] != found.vectors[found.ok]).any(axis=1).sum())
            if different:
                raise ModelError(
                    f"{step.stage} gives other vectors than the bare model for {different} of {found.ok.sum()} images",
                    hint="Speeds of different work cannot be compared. Please report this.",
                )

    def _bare(self) -> NDArray[np.float32]:
        pixels, session = self._packed.pixels, self._session
        vectors = np.empty((len(pixels), session.dim), np.float32)
        starts = range(0, len(pixels), session.batch_size)
        batches = (pixels[start : start + session.batch_size] for start in starts)
        for start, found in zip(starts, session.stream(batches), strict=True):
            vectors[start : start + len(found)] = found
        return vectors

    def _embed(self, maker: ShardMaker, folder: StageFolder) -> None:
        n = len(self._dataset)
        indices = range(shard_count(n))
        shards = zip(indices, maker.iterate(indices), strict=True)
        embed_shards(shards, self._session, folder)
        join_shards(folder, n, self._facts)
