"""Decode and embed what is missing, the two overlapped: decoding runs ahead while the model works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

from fer_audit.embed.run import WHOLE, join_shards, load_embeddings, missing_shards
from fer_audit.embed.spread import embed_everywhere
from fer_audit.embed.types import Embeddings, ModelFacts, Session
from fer_audit.encoders.types import Model
from fer_audit.errors import DatasetError, StoreError
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.types import MAY_PASS, SHARD_ROWS, PackRows
from fer_audit.pack.workers import default_workers, worth_starting
from fer_audit.pipeline.disk_space import decide_pixels, needed_bytes, pixels_are_kept
from fer_audit.pipeline.fingerprints import RunFingerprints
from fer_audit.pipeline.model import open_model
from fer_audit.pipeline.reuse import take_from_whole
from fer_audit.pipeline.run_folder import is_placed, note_start
from fer_audit.pipeline.types import Order
from fer_audit.progress import Progress
from fer_audit.store.stage import StageFolder
from fer_audit.text import counted, encodable, size_text


def make_vectors(
    order: Order, model: Model, facts: ModelFacts, prints: RunFingerprints
) -> tuple[PackRows, Embeddings]:
    """Return what is known of every file, and its vector; what the cache holds is not made again.

    Raises StoreError when a disk cannot hold what must be written, before anything is decoded; DatasetError when no
    image could be used.
    """
    n, size = len(order.dataset), model.spec.size
    folders = {
        stage: StageFolder.open(order.cache, stage, getattr(prints, stage))
        for stage in ("pack", "embed", "cluster")
    }
    pack_folder, folder = folders["pack"], folders["embed"]
    with pack_folder.locked(), folder.locked():
        if order.resources.verify:
            _forget_changed(order, model, pack_folder, folder)
        found = load_embeddings(folder, facts)
        maker = _maker(order, model, pack_folder, keep=_keeps_pixels(order, model, folders))
        note_start(order.out, prints)  # before anything is written to the cache
        rows = maker.rows()
        if (
            rows is None
            and found == ""
            and take_from_whole(order, facts, maker, folder, size=size)
        ):
            rows, found = maker.rows(), load_embeddings(folder, facts)
        if rows is None or isinstance(found, str):
            if isinstance(found, str) and found:
                order.progress.say(f"embedding again: {found}")
            _make_missing(
                order, model, facts, maker, folder, vectors_done=not isinstance(found, str)
            )
            rows, found = maker.rows(), load_embeddings(folder, facts)
        for complaint in dict.fromkeys(maker.complaints):
            order.progress.say(complaint)
        if not isinstance(found, str):
            folder.clear(but=WHOLE)  # shards, when a run was killed after they were joined
    if rows is None or isinstance(found, str):
        raise StoreError(
            f"What was written to {order.cache} a moment ago cannot be read back: {found}",
            hint="The disk may be failing. Try another --cache-dir.",
        )
    if not found.ok.any():
        raise DatasetError(
            f"None of the {n} images in {order.dataset.root} could be used: {_commonest(found.reasons[~found.ok].tolist())}",
            hint="Look at the files, or point fer-audit at another folder.",
        )
    if order.resources.pack != "off" and pixels_are_kept(pack_folder, n):
        kept = size_text(n * size * size * 3)
        order.progress.say(f"pixels kept for the next run: {kept} in {pack_folder.path}")
    _tell_what_may_pass(rows, order.progress)
    return rows, found


def _tell_what_may_pass(rows: PackRows, progress: Progress) -> None:
    """Say which files failed by the machine's doing: another day they may come through."""
    passing = [reason for reason in rows.reasons.tolist() if reason in MAY_PASS]
    if passing:
        files = "1 file" if len(passing) == 1 else f"{len(passing):,} files"
        progress.say(
            f"{files} failed for a reason that may pass: {_commonest(passing)}. "
            "--verify tries them again"
        )


def _keeps_pixels(order: Order, model: Model, folders: dict[str, StageFolder]) -> bool:
    """Return whether the pixels are kept; StoreError when a disk has no space for the run."""
    n, out = len(order.dataset), order.out
    is_far = out.stat().st_dev != order.cache.stat().st_dev  # no second name on another disk
    need = needed_bytes(
        n,
        order.config,
        folders,
        size=model.spec.size,
        dim=model.spec.dim,
        workers=worth_starting(order.resources.workers or default_workers(), n),
        copies_vectors=is_far and not is_placed(_vectors_file(folders["embed"]), out),
    )
    return decide_pixels(order.resources.pack, need, order.cache, out, order.progress)


def _maker(order: Order, model: Model, folder: StageFolder, *, keep: bool) -> ShardMaker:
    return ShardMaker(
        order.dataset,
        folder,
        size=model.spec.size,
        keep=keep,
        workers=order.resources.workers or default_workers(),
        file_seconds=order.resources.file_seconds,
    )


def kept_vectors(cache: Path, prints: RunFingerprints) -> Path:
    """Return the cache's file of the finished vectors."""
    return _vectors_file(StageFolder.open(cache, "embed", prints.embed))


def _vectors_file(folder: StageFolder) -> Path:
    return folder.path / f"{WHOLE}.vectors.npy"


def _forget_changed(
    order: Order, model: Model, pack_folder: StageFolder, folder: StageFolder
) -> None:
    """Drop what was made from files whose bytes are no longer those that were decoded."""
    changed = _maker(order, model, pack_folder, keep=False).changed_files()
    if changed:
        what = counted(len(changed), "image is not as it was", "images are not as they were")
        order.progress.say(
            f"{what} when decoded, though size and time are, e.g. {encodable(changed[0])}; "
            "everything is made again"
        )
        pack_folder.clear()
        folder.clear()


def _make_missing(
    order: Order,
    model: Model,
    facts: ModelFacts,
    maker: ShardMaker,
    folder: StageFolder,
    *,
    vectors_done: bool,
) -> None:
    """Walk the shards that lack rows or vectors."""
    n = len(order.dataset)
    missing, complaints = ([], []) if vectors_done else missing_shards(folder, n)
    for complaint in complaints:
        order.progress.say(complaint)
    only_rows = sorted(set(maker.missing_rows()) - set(missing))
    before = n - sum(maker.length(index) for index in (*missing, *only_rows))
    order.progress.start("embed", n, "images", done=before)
    with ExitStack() as stack:  # an error's traceback would keep all their threads alive
        sessions = _open_sessions(order, model, len(missing)) if missing else []
        for session in sessions:
            stack.enter_context(closing(session))
        for shard in stack.enter_context(closing(maker.iterate(only_rows))):
            order.progress.advance("embed", shard.stop - shard.start)
        if missing:
            shards = stack.enter_context(closing(maker.iterate(missing)))
            embed_everywhere(zip(missing, shards, strict=True), sessions, folder, order.progress)
    if not vectors_done:
        join_shards(folder, n, facts)
    order.progress.finish("embed")


def _open_sessions(order: Order, model: Model, n_shards: int) -> list[Session]:
    """Return a session for each device that was asked for, but not more than there are shards."""
    batch_size = order.config.model.batch_size
    if batch_size > SHARD_ROWS:
        order.progress.say(
            f"batches of {batch_size} images end with their shard of {SHARD_ROWS}: "
            f"--batch-size {SHARD_ROWS} does the same without the padding"
        )
    return open_model(model, order.resources, batch_size=batch_size, at_most=n_shards)


def _commonest(reasons: Iterable[str]) -> str:
    """Return the three commonest reasons of failure, e.g. "corrupt (12), empty (3)"."""
    counts = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} ({count:,})" for reason, count in counts[:3])
