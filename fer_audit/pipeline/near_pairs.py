"""Which images of a run may be one photo: compared by their vectors and pixels, kept in the cache with its audits."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import comparable, digest
from fer_audit.audit.stats.near_pairs import correlations, cosines, largest_cosines
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.units import SAME_PIXELS
from fer_audit.embed.types import Embeddings
from fer_audit.pack.build import KeptPixels, PixelsNotKept
from fer_audit.pack.decode import part_filled
from fer_audit.pack.faces import grey_cells, shards_of
from fer_audit.pack.types import SHARD_ROWS, PackRows
from fer_audit.pack.workers import Decoders, worth_starting
from fer_audit.pipeline.cached_analyses import Part, kept_part
from fer_audit.pipeline.types import Job
from fer_audit.store.fingerprint import source_digest, stage_fingerprint

MOST_PIXELS = 50_000
"""Images up to which the pixels of all are compared; of larger sets only those of pairs with a large cosine are read."""
SIDE = 32
_PART = "near_pairs"
_ARRAYS = ("first", "second", "cosine", "correlation")
_SOURCE = ("audit/stats/near_pairs.py", "pack/faces.py", "pipeline/near_pairs.py")

Grey = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
"""(m,) ascending rows -> (m, 1024) grey values of their pixels, each the mean of the area it covers."""


def near_pairs(job: Job, rows: PackRows, embeddings: Embeddings) -> Callable[[], NearPairs | None]:
    """Return what gives the pairs of images that may be one photo: from the cache if it has them, else found and kept there.

    Images of one known subject are no pair, whatever they show; no other label plays a part.
    """
    among = comparable(rows, embeddings)
    apart = tuple(each.codes for each in job.dataset.attributes if each.kind == "subject")

    def make() -> Part:
        pairs = find_near_pairs(embeddings.vectors, among, apart, grey_pixels(job))
        arrays = {name: getattr(pairs, name) for name in _ARRAYS}
        return {"floor": pairs.floor, "all_pixels": pairs.all_pixels}, arrays

    @cache
    def found() -> NearPairs | None:
        if not len(among):
            return None
        depends = [embeddings.fingerprint, *map(digest, (among, *apart)), source_digest(*_SOURCE)]
        key = stage_fingerprint("audit", {"part": _PART, "depends": depends})
        facts, arrays = kept_part(job.folder("audit"), _PART, key, make)
        floor, every = float(facts["floor"]), bool(facts["all_pixels"])
        return NearPairs(**arrays, floor=floor, all_pixels=every)

    return found


def find_near_pairs(
    vectors: NDArray[np.floating],
    rows: NDArray[np.intp],
    apart: tuple[NDArray[np.integer], ...],
    grey: Grey,
) -> NearPairs:
    """Return the pairs of the ascending `rows` with a large cosine of their (n, d) vectors, or with the same pixels.

    `apart`: (n,) codes of each subject attribute.
    """
    near = largest_cosines(vectors, rows, apart)
    first, second, cosine = near.first, near.second, near.cosine
    every = all_pixels = len(rows) <= MOST_PIXELS
    read = rows if every else np.unique(np.concatenate([first, second]))
    images = grey(read)
    if every:
        centred = images - images.mean(axis=1, dtype=np.float32, keepdims=True)
        here, codes = np.arange(len(rows)), tuple(each[rows] for each in apart)
        same = largest_cosines(centred, here, codes, floor=SAME_PIXELS)
        all_pixels = same.floor <= SAME_PIXELS
        one, two = rows[same.first], rows[same.second]
        new = ~np.isin(one * len(vectors) + two, first * len(vectors) + second)
        one, two = one[new], two[new]
        far = cosines(vectors, one, two)
        order = np.lexsort((two, one, -far))
        first = np.concatenate([first, one[order]])
        second = np.concatenate([second, two[order]])
        cosine = np.concatenate([cosine, far[order]])
    places = (np.searchsorted(read, each) for each in (first, second))
    return NearPairs(first, second, cosine, correlations(images, *places), near.floor, all_pixels)


def grey_pixels(job: Job) -> Grey:
    """Return what reads images at the model's size from the packed ones, or where these are not kept from their files.

    An image that cannot be decoded any more is black. Black around a padded image is no part of it: it would make all alike.
    """
    folder, size, padded = job.folder("pack"), job.size, job.model.spec.padded

    def cells(pixels: NDArray[np.uint8], rows: PackRows, at: int) -> NDArray[np.uint8]:
        width, height = int(rows.widths[at]), int(rows.heights[at])
        place = part_filled(max(width, 1), max(height, 1), size, padded=padded)
        return grey_cells(pixels[at][place], SIDE)

    def grey(rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        images = np.zeros((len(rows), SIDE * SIDE), np.uint8)
        try:
            for shard in KeptPixels(folder, len(job.dataset)).iterate(shards_of(rows)):
                here = np.flatnonzero((rows >= shard.start) & (rows < shard.stop))
                for index in here.tolist():
                    images[index] = cells(shard.pixels, shard.rows, rows[index] - shard.start)
        except PixelsNotKept:
            workers, limit = worth_starting(job.workers, len(rows)), job.resources.file_seconds
            with (
                folder.locked(),  # first: it sweeps what is temporary
                Decoders(workers, folder.path, size, padded=padded, limit=limit) as decoders,
            ):
                for start in range(0, len(rows), SHARD_ROWS):
                    some = rows[start : start + SHARD_ROWS]
                    pixels = np.zeros((len(some), size, size, 3), np.uint8)
                    known = decoders.fill(job.dataset.source.take(some), pixels)
                    for at in range(len(some)):
                        images[start + at] = cells(pixels, known, at)
        return images

    return grey
