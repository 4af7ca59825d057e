"""Decode and embed what is missing, the two overlapped: decoding runs ahead while the model works. Before it, the room on the disks is compared with what is still to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from fer_audit.cluster.reduce import N_COMPONENTS
from fer_audit.cluster.stability import N_SEEDS
from fer_audit.config import PackMode
from fer_audit.embed.run import (
    WHOLE,
    join_shards,
    keep_embeddings,
    load_embeddings,
    missing_shards,
)
from fer_audit.embed.spread import embed_everywhere
from fer_audit.embed.types import CPU, Embeddings
from fer_audit.errors import DatasetError, StoreError
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.types import MAY_PASS, ROW, SHARD_ROWS, PackRows, shard_count
from fer_audit.pack.worker import CHUNK_ROWS
from fer_audit.pack.workers import worth_starting
from fer_audit.pipeline.model import open_model, run_fingerprints
from fer_audit.pipeline.run_folder import is_placed, note_start
from fer_audit.pipeline.types import Job
from fer_audit.progress import Progress
from fer_audit.store.stage import NAME_LENGTH, StageFolder, free_bytes
from fer_audit.text import counted, encodable, size_text

SPARE_BYTES = 2_000_000_000
"""What `--pack auto` leaves free on the disk."""

BASE_BYTES = 8_000_000
"""On each disk: the page, result.json and pictures.json (2 MB for all of UTKFace), or the manifests."""

MARGIN = 1.02
"""Files are rounded up to blocks, and others write too."""

TABLE_ROW_BYTES = 1_000
"""A row of rows.parquet and rows.csv; UTKFace's take 94 as parquet and 450 as CSV."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a run still has to write; what an earlier run finished is not in them."""

    pixels: int
    """In the cache, when packed pixels are kept."""
    cache: int
    """All else in the cache."""
    out: int
    """In the run directory."""
    decodes: bool
    """Whether any image will be decoded."""


def needed_bytes(job: Job, *, copies_vectors: bool) -> Need:
    """Return what a run has still to write to its stage folders.

    `copies_vectors`: the run directory gets a true copy of them, not a second name.
    """
    n, dim, clusters = len(job.dataset), job.model.spec.dim, job.config.clusters
    vector, image = dim * 4, job.size * job.size * 3
    pack = job.folder("pack")
    rows = _missing_rows(pack, "files", n) * ROW.itemsize
    # the shards and the array that they are joined into: both exist for a moment
    vectors = 2 * n * (vector + ROW["reasons"].itemsize)
    vectors = 0 if job.folder("embed").has_part(WHOLE) else vectors
    columns = min(N_COMPONENTS, dim) + N_SEEDS + clusters.sweep_max + 5
    partition = n * columns * 4 + max(clusters.k, clusters.sweep_max) * vector
    partition = 0 if job.folder("cluster").has_part("clustering") else partition
    decodes = bool(rows or vectors)
    workers = worth_starting(job.workers, n)
    handed_over = workers * CHUNK_ROWS * (image + ROW.itemsize) if decodes else 0
    return Need(
        pixels=_missing_rows(pack, "pixels", n) * image,
        cache=BASE_BYTES + round(MARGIN * (rows + vectors + partition + handed_over)),
        out=BASE_BYTES + n * (TABLE_ROW_BYTES + copies_vectors * vector),
        decodes=decodes,
    )


def decide_pixels(mode: PackMode, need: Need, cache: Path, out: Path, progress: Progress) -> bool:
    """Return whether packed pixels are kept; `auto` keeps them while `SPARE_BYTES` stay free, and says when it does not.

    Raises StoreError, "need X, have Y", when a disk lacks the space for the run.
    """
    disks = {cache: need.cache, out: need.out}
    if cache.stat().st_dev == out.stat().st_dev:
        disks = {cache: need.cache + need.out}
    keep = mode != "off"
    if mode == "auto" and need.pixels:
        wanted, free = disks[cache] + need.pixels, free_bytes(cache)
        keep = need.decodes and wanted + SPARE_BYTES <= free
        if need.decodes and not keep:
            progress.say(
                f"the pixels are not kept: with them the run needs {size_text(wanted)} in the cache and "
                f"{size_text(SPARE_BYTES)} to spare, the disk has {size_text(free)} free"
            )
    disks[cache] += need.pixels if keep else 0
    for folder, wanted in disks.items():
        free = free_bytes(folder)
        if wanted > free:
            no_pixels = "use --pack off, " if keep and need.pixels else ""
            raise StoreError(
                f"Not enough room on the disk of {folder}: need {size_text(wanted)}, have {size_text(free)}",
                hint=f"Free some disk, {no_pixels}or choose other places with --cache-dir and --out.",
            )
    return keep


def pixels_are_kept(folder: StageFolder, n: int) -> bool:
    """Whether the packed pixels of all `n` images are in the cache."""
    return not _missing_rows(folder, "pixels", n)


def _missing_rows(folder: StageFolder, part: str, n: int) -> int:
    """Return how many images' rows lie in shards that are not finished."""
    return sum(
        min(SHARD_ROWS, n - index * SHARD_ROWS)
        for index in range(shard_count(n))
        if not folder.has_part(f"{part}-{index:05d}")
    )


def make_vectors(job: Job) -> tuple[PackRows, Embeddings]:
    """Return what is known of every file, and its vector; what the cache holds is not made again.

    Raises StoreError when a disk cannot hold what must be written, before anything is decoded; DatasetError when no
    image could be used.
    """
    n, say, out = len(job.dataset), job.progress.say, job.out
    pack_folder, folder = job.folder("pack"), job.folder("embed")
    with pack_folder.locked(), folder.locked():
        changed = job.maker(keep=False).changed_files() if job.resources.verify else ()
        if changed:
            what = counted(len(changed), "image is not as it was", "images are not as they were")
            say(
                f"{what} when decoded, though size and time are, e.g. {encodable(changed[0])}; "
                "everything is made again"
            )
            pack_folder.clear()
            folder.clear()
        found = load_embeddings(folder, job.facts)
        is_far = out.stat().st_dev != job.cache.stat().st_dev  # no second name on another disk
        need = needed_bytes(job, copies_vectors=is_far and not is_placed(kept_vectors(job), out))
        maker = job.maker(
            keep=decide_pixels(job.resources.pack, need, job.cache, out, job.progress)
        )
        note_start(out, job.prints)  # before anything is written to the cache
        rows = maker.rows()
        if rows is None and found == "" and _take_from_whole(job, maker, folder):
            rows, found = maker.rows(), load_embeddings(folder, job.facts)
        if rows is None or isinstance(found, str):
            if isinstance(found, str) and found:
                say(f"embedding again: {found}")
            _make_missing(job, maker, folder, vectors_done=not isinstance(found, str))
            rows, found = maker.rows(), load_embeddings(folder, job.facts)
        for complaint in dict.fromkeys(maker.complaints):
            say(complaint)
        if not isinstance(found, str):
            folder.clear(but=WHOLE)  # shards, when a run was killed after they were joined
    if rows is None or isinstance(found, str):
        raise StoreError(
            f"What was written to {job.cache} a moment ago cannot be read back: {found}",
            hint="The disk may be failing. Try another --cache-dir.",
        )
    if not found.ok.any():
        raise DatasetError(
            f"None of the {n} images in {job.dataset.root} could be used: {_commonest(found.reasons[~found.ok].tolist())}",
            hint="Look at the files, or point fer-audit at another folder.",
        )
    if job.resources.pack != "off" and pixels_are_kept(pack_folder, n):
        kept = size_text(n * job.size * job.size * 3)
        say(f"pixels kept for the next run: {kept} in {pack_folder.path}")
    passing = [reason for reason in rows.reasons.tolist() if reason in MAY_PASS]
    if passing:  # they failed by the machine's doing: another day they may come through
        files = "1 file" if len(passing) == 1 else f"{len(passing):,} files"
        say(
            f"{files} failed for a reason that may pass: {_commonest(passing)}. "
            "--verify tries them again"
        )
    return rows, found


def kept_vectors(job: Job) -> Path:
    """Return the cache's file of the finished vectors."""
    return job.folder("embed").path / f"{WHOLE}.vectors.npy"


def _take_from_whole(job: Job, maker: ShardMaker, folder: StageFolder) -> bool:
    """Write the rows and vectors of a list's images (--only) from those of the whole set, and return whether the cache has them.

    On a CPU an image's vector does not depend on the others of its batch; elsewhere, and with --verify, all is made again.
    """
    if job.dataset.drawn_from is None or job.facts.provider != CPU or job.resources.verify:
        return False
    whole, chosen = job.dataset.drawn_from
    prints = run_fingerprints(whole, job.facts, job.model.spec, job.config)
    pack, embed = (
        StageFolder(job.cache / stage / print_[:NAME_LENGTH], print_)
        for stage, print_ in (("pack", prints.pack), ("embed", prints.embed))
    )
    found = load_embeddings(embed, job.facts)
    known = ShardMaker(whole, pack, size=job.size, keep=False, workers=1).rows()
    if isinstance(found, str) or known is None:
        return False
    columns = {name: getattr(known, name)[chosen] for name in PackRows.__slots__}
    maker.keep_rows(PackRows(**columns))
    keep_embeddings(folder, found, chosen)
    images = counted(len(chosen), "image")
    job.progress.say(f"vectors of {images} taken from the whole set's")
    return True


def _make_missing(job: Job, maker: ShardMaker, folder: StageFolder, *, vectors_done: bool) -> None:
    n, progress, batch_size = len(job.dataset), job.progress, job.config.model.batch_size
    missing, complaints = ([], []) if vectors_done else missing_shards(folder, n)
    for complaint in complaints:
        progress.say(complaint)
    only_rows = sorted(set(maker.missing_rows()) - set(missing))
    before = n - sum(maker.length(index) for index in (*missing, *only_rows))
    progress.start("embed", n, "images", done=before)
    if missing and batch_size > SHARD_ROWS:
        progress.say(
            f"batches of {batch_size} images end with their shard of {SHARD_ROWS}: "
            f"--batch-size {SHARD_ROWS} does the same without the padding"
        )
    with ExitStack() as stack:  # an error's traceback would keep all their threads alive
        sessions = open_model(job, at_most=len(missing)) if missing else []
        for session in sessions:
            stack.enter_context(closing(session))
        for shard in stack.enter_context(closing(maker.iterate(only_rows))):
            progress.advance("embed", shard.stop - shard.start)
        if missing:
            shards = stack.enter_context(closing(maker.iterate(missing)))
            embed_everywhere(zip(missing, shards, strict=True), sessions, folder, progress)
    if not vectors_done:
        join_shards(folder, n, job.facts)
    progress.finish("embed")


def _commonest(reasons: Iterable[str]) -> str:
    """Return the three commonest reasons of failure, e.g. "corrupt (12), empty (3)"."""
    counts = sorted(Counter(reasons).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} ({count:,})" for reason, count in counts[:3])
