"""Decode and embed what is missing, the two overlapped: decoding runs ahead while the model works."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.dataset.types import FaceDataset, printable_id
from fer_audit.embed.run import join_shards, load_embeddings, missing_shards
from fer_audit.embed.session import EmbedSession, choose_place, open_sessions
from fer_audit.embed.spread import embed_everywhere
from fer_audit.embed.types import CUDA, Embeddings, ModelFacts, Place
from fer_audit.encoders.sidecar import refuse_foreign_parts
from fer_audit.encoders.types import ExportedModel
from fer_audit.errors import StoreError
from fer_audit.pack.build import ShardMaker, keep_pixels, pixels_bytes
from fer_audit.pack.types import SHARD_ROWS, PackRows
from fer_audit.pack.workers import want_processes
from fer_audit.pipeline.fingerprints import RunFingerprints
from fer_audit.progress import Progress
from fer_audit.store import StageFolder


@dataclass(frozen=True, slots=True, eq=False)
class VectorWork:
    """Everything the walk from files to vectors needs."""

    dataset: FaceDataset
    model: ExportedModel
    facts: ModelFacts
    config: AuditConfig
    resources: Resources
    cache: Path
    progress: Progress


def make_vectors(work: VectorWork, prints: RunFingerprints) -> tuple[PackRows, Embeddings]:
    """Return what is known of every file, and its vector; what the cache holds is not made again.

    Raises StoreError when the disk cannot hold what must be kept.
    """
    n, size = len(work.dataset), work.model.spec.size
    pack_folder = StageFolder.open(work.cache, "pack", prints.pack)
    folder = StageFolder.open(work.cache, "embed", prints.embed)
    keep = keep_pixels(work.resources.pack, pack_folder.path, n, size)
    workers = work.resources.workers or usable_cores()
    maker = ShardMaker(
        work.dataset,
        pack_folder,
        size=size,
        keep=keep,
        workers=workers,
        processes=want_processes(on_gpu=work.facts.provider == CUDA, workers=workers, n_images=n),
    )
    with pack_folder.locked(), folder.locked():
        if work.resources.verify:
            _forget_changed(work, maker, pack_folder, folder)
        rows, found = maker.rows(), load_embeddings(folder, work.facts)
        if rows is None or isinstance(found, str):
            if isinstance(found, str) and found:
                work.progress.say(f"embedding again: {found}")
            _make_missing(work, maker, folder, vectors_done=not isinstance(found, str))
            rows, found = maker.rows(), load_embeddings(folder, work.facts)
        for complaint in dict.fromkeys(maker.complaints):
            work.progress.say(complaint)
    if rows is None or isinstance(found, str):
        raise StoreError(
            f"What was written to {work.cache} a moment ago cannot be read back: {found}",
            hint="The disk may be failing. Try another --cache-dir.",
        )
    if keep:
        gigabytes = pixels_bytes(n, size) / 1e9
        work.progress.say(
            f"pixels kept for the next run: {gigabytes:.2f} GB in {pack_folder.path}"
        )
    return rows, found


def kept_vectors(cache: Path, prints: RunFingerprints) -> Path:
    """Return the cache's file of the finished vectors."""
    return StageFolder.open(cache, "embed", prints.embed).path / "vectors.vectors.npy"


def _forget_changed(
    work: VectorWork, maker: ShardMaker, pack_folder: StageFolder, folder: StageFolder
) -> None:
    """Drop what was made from files whose bytes are no longer those that were decoded."""
    changed = maker.changed_files()
    if changed:
        work.progress.say(
            f"{len(changed)} files changed though their size and time did not, "
            f"e.g. {printable_id(changed[0])}; everything is made again"
        )
        pack_folder.clear()
        folder.clear()


def _make_missing(
    work: VectorWork, maker: ShardMaker, folder: StageFolder, *, vectors_done: bool
) -> None:
    """Walk the shards that lack rows or vectors."""
    n = len(work.dataset)
    missing, complaints = ([], []) if vectors_done else missing_shards(folder, n)
    for complaint in complaints:
        work.progress.say(complaint)
    only_rows = sorted(set(maker.missing_rows()) - set(missing))
    before = n - sum(maker.length(index) for index in (*missing, *only_rows))
    work.progress.start("embed", n, "images", done=before)
    with ExitStack() as stack:  # an error's traceback would keep all their threads alive
        sessions = _open_sessions(work, len(missing)) if missing else []
        for session in sessions:
            stack.enter_context(closing(session))
        for shard in stack.enter_context(closing(maker.iterate(only_rows))):
            work.progress.advance("embed", shard.stop - shard.start)
        if missing:
            shards = stack.enter_context(closing(maker.iterate(missing)))
            embed_everywhere(zip(missing, shards, strict=True), sessions, folder, work.progress)
    if not vectors_done:
        join_shards(folder, n, work.facts)
    work.progress.finish("embed")


def _open_sessions(work: VectorWork, n_shards: int) -> list[EmbedSession]:
    """Return a session for each device that was asked for, but not more than there are shards."""
    refuse_foreign_parts(work.model.path)
    place = choose_place(work.resources.device)
    batch_size = work.config.batch_size
    if batch_size > SHARD_ROWS:
        work.progress.say(
            f"batches of {batch_size} images end with their shard of {SHARD_ROWS}: "
            f"--batch-size {SHARD_ROWS} does the same without the padding"
        )
    return open_sessions(
        work.model,
        Place(place.provider, place.devices[:n_shards]),
        batch_size=batch_size,
        threads=work.resources.threads,
    )
