"""The stages that touch files: scan, decode, resize, pack."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fer_audit.bench.measure import Step, measure
from fer_audit.bench.memory import PeakMemory
from fer_audit.bench.types import StageSpeed
from fer_audit.config import AuditConfig
from fer_audit.dataset.load import load_dataset
from fer_audit.dataset.types import FaceDataset
from fer_audit.pack.build import ShardMaker
from fer_audit.pack.decode import DecodedImage, DecodeError, decode_image
from fer_audit.pack.types import shard_count
from fer_audit.progress import Progress
from fer_audit.store.stage import StageFolder

DECODE, RESIZE, BOTH = "decode", "resize", "decode + resize"


def scan_step(source: Path, config: AuditConfig, listed: int) -> Step:
    """List the folder or read the table, and parse every label."""
    whole = config.having(sample=None, first=None)
    return Step(
        "scan", "list files, read labels", listed, "files", 1, lambda: load_dataset(source, whole)
    )


def pack_step(dataset: FaceDataset, folder: StageFolder, size: int, workers: int) -> Step:
    """Read, hash, decode, resize, measure style, write: all that is done to a file before the model."""
    maker = ShardMaker(dataset, folder, size=size, keep=True, workers=workers)

    def work() -> None:
        for _ in maker.iterate(range(shard_count(len(dataset)))):
            pass

    what = "read, hash, decode, resize, measure style, write"
    return Step("pack", what, len(dataset), "images", workers, work, folder.clear)


def decode_speeds(
    dataset: FaceDataset,
    size: int,
    *,
    workers: int,
    repeats: int,
    meter: PeakMemory,
    progress: Progress,
) -> tuple[list[StageSpeed], list[str]]:
    """Return the speeds of decoding, resizing and both from bytes in memory, and what could not be told.

    Resizing is what decoding to the model's size takes more than decoding to the image's own, in neighbouring samples.
    Only square images can be decoded without resizing; the others are left out.
    """
    files, sides = _square_images(dataset, size)
    if not files:
        return [], [
            f"{DECODE}, {RESIZE}: none of the images is square, so the two cannot be told apart"
        ]
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:

        def decode(wanted: Callable[[int], int]) -> None:
            jobs = [
                pool.submit(decode_image, data, name, wanted(side))
                for (name, data), side in zip(files, sides, strict=True)
            ]
            for job in jobs:
                job.result()

        mean = sum(sides) / len(sides)
        own = Step(
            DECODE,
            f"JPEG and its like to RGB, {mean:.0f} pixels a side on average, from memory",
            len(files),
            "images",
            workers,
            lambda: decode(lambda side: side),
        )
        both = replace(
            own, stage=BOTH, what=f"to {size} x {size}", work=lambda: decode(lambda _: size)
        )
        found = measure([own, both], repeats=repeats, meter=meter, progress=progress)
    return _with_resize(found, size, all_fit=all(side == size for side in sides))


def _with_resize(
    found: list[StageSpeed], size: int, *, all_fit: bool
) -> tuple[list[StageSpeed], list[str]]:
    """Put the difference between the two speeds."""
    own, both = found
    more = tuple(b - a for a, b in zip(own.seconds, both.seconds, strict=True))
    if all_fit:
        return [own], [f"{RESIZE}: the images are {size} x {size} already"]
    if min(more) <= 0:
        return found, [f"{RESIZE}: it is lost in the noise of decoding"]
    what = f"to {size} x {size}: {BOTH} less {DECODE}, sample by sample"
    resize = replace(own, stage=RESIZE, what=what, seconds=more, peak_bytes=None)
    return [own, resize, both], []


def _square_images(dataset: FaceDataset, size: int) -> tuple[list[tuple[str, bytes]], list[int]]:
    """Return (name, bytes) and the side of every square image that can be decoded."""
    files, sides = [], []
    for file_id in dataset.ids:
        try:
            data = (dataset.root / file_id).read_bytes()
            image: DecodedImage = decode_image(data, file_id, size)
        except (OSError, DecodeError):
            continue  # the pack stage counts it
        if image.width == image.height:
            files.append((file_id, data))
            sides.append(image.width)
    return files, sides
