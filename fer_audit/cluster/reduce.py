"""Principal components of a memory-mapped matrix, in one pass over its blocks.

Many K-Means starts in 128 dimensions cost what one costs in 2048, and the partition they find is polished in the full space.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.threads import ParallelMap, parallel_map
from fer_audit.cluster.types import Floats, Mask, Places, Singles

BLOCK_ROWS = 4096
"""4096 x 2048 x 4 bytes = 34 MB at a time."""

N_COMPONENTS = 128
"""86 % of the variance of ResNet50 embeddings of UTKFace."""

MAX_PCA_ROWS = 4096
"""Rows the axes are found from; the cost does not grow with n. They hold 85.8 % of the variance of all 23,707 faces,
the axes of all of them 86.3 %, and the polish in the full space makes up for it."""

MIN_BLOCK_ROWS = 512
"""Where fewer rows of each block are kept, they are copied together: products of 17 rows each take 5 s, not 0.3."""

MAX_MAPPED_BYTES = 2**29
"""Pages of a larger memory map are released after each block: resident memory would grow to the whole file.
They stay in the page cache, so the next pass costs a twentieth more."""

MAX_PIECE_ROWS = 512
"""Scattered rows that are read before pages are released: each brings in its neighbourhood, 64 KB or more."""

Scalar = TypeVar("Scalar", bound=np.generic)

Chunk: TypeAlias = tuple[slice | Places, Singles]
"""Which of the usable rows, and their (b, d) vectors."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The usable rows of a matrix that may be larger than memory."""

    vectors: Singles | NDArray[np.float16]
    """(n, d), usually a memory map; float16 becomes float32 block by block"""
    ok: Mask
    """(n,)"""

    def blocks(self) -> Iterator[tuple[Places, Singles]]:
        """Yield (row numbers, (b, d) vectors) of the usable rows, in order, never empty."""
        for start in range(0, len(self.ok), BLOCK_ROWS):
            rows = start + np.flatnonzero(self.ok[start : start + BLOCK_ROWS])
            if len(rows) == min(BLOCK_ROWS, len(self.ok) - start):
                yield rows, _single(self.vectors[start : start + BLOCK_ROWS])
            elif len(rows):
                yield rows, _single(self.vectors[rows])
            _release_pages(self.vectors)

    def chunks(self, active: Places | None = None) -> Iterator[Chunk]:
        """Yield (which of the usable rows, their vectors), of the `active` ones or of all.

        `active` are ascending numbers 0..count-1 among the usable rows.
        When most are, all are given: copying most rows costs more than visiting the rest.
        """
        if active is None or 2 * len(active) > self.count:
            position = 0
            for _, block in self.blocks():
                yield slice(position, position + len(block)), block
                position += len(block)
            return
        numbers = active if self.ok.all() else np.flatnonzero(self.ok)[active]
        for here, block in self.picked(numbers, BLOCK_ROWS):
            yield active[here], block

    def picked(self, numbers: Places, at_once: int) -> Iterator[tuple[slice, Singles]]:
        """Yield (which of the numbers, their vectors) of some rows, ascending, by their row numbers."""
        for start in range(0, len(numbers), at_once):
            here = slice(start, start + at_once)
            part = numbers[here]
            step = MAX_PIECE_ROWS if _is_large_map(self.vectors) else len(part)
            pieces = []
            for first in range(0, len(part), step):
                pieces.append(_single(self.vectors[part[first : first + step]]))
                _release_pages(self.vectors)
            yield here, pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def over_all(self, values: NDArray[Scalar], fill: int) -> NDArray[Scalar]:
        """Return the (count, ...) values of the usable rows as (n, ...), `fill` elsewhere; no copy when all are usable."""
        if self.ok.all():
            return values
        everywhere = np.full((len(self.ok), *values.shape[1:]), fill, values.dtype)
        everywhere[self.ok] = values
        return everywhere

    @property
    def count(self) -> int:
        """Number of usable rows."""
        return int(self.ok.sum())


def _single(block: Singles | NDArray[np.float16]) -> Singles:
    """Return a block in single precision; no copy where it is."""
    return np.asarray(block, np.float32)


def _is_large_map(vectors: Singles | NDArray[np.float16]) -> bool:
    """Whether pages must be released; only those of a read-only map are sure to be in the file too."""
    mapped = isinstance(vectors, np.memmap) and vectors.mode == "r"
    return mapped and vectors.nbytes > MAX_MAPPED_BYTES


def _release_pages(vectors: Singles | NDArray[np.float16]) -> None:
    """Release the pages of a large memory map; the next read gets them from the page cache."""
    if _is_large_map(vectors) and isinstance(vectors.base, mmap.mmap):
        vectors.base.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, slots=True, eq=False)
class PrincipalSpace:
    """An orthonormal basis of the directions with most variance."""

    mean: Singles
    """(d,)"""
    axes: Singles
    """(d, m), columns orthonormal, most variance first"""
    explained: float
    """Share of the variance, of the rows it was found from, inside the space, 0-1."""

    def project(self, block: Singles) -> Singles:
        """Return the (b, m) coordinates of (b, d) vectors."""
        return block @ self.axes - self.mean @ self.axes


def principal_space(rows: Rows, components: int = N_COMPONENTS) -> PrincipalSpace:
    """Return the space of the leading eigenvectors of the covariance matrix of the rows.

    Above `MAX_PCA_ROWS` usable rows it is the covariance of so many evenly spaced ones, from the first to the last.
    The mean is taken first, so that the second pass sums centred products and loses nothing to cancellation.
    Signs are fixed (the largest coefficient of an axis is positive): the same data give the same coordinates.
    """
    d = rows.vectors.shape[1]
    rows = _evenly_spaced(rows)
    total = np.zeros(d)
    for _, block in rows.blocks():
        total += block.sum(axis=0, dtype=np.float64)
    mean = (total / rows.count).astype(np.float32)
    with parallel_map() as parallel:
        values, axes, variance = (
            _few_rows(rows, mean, components)
            if rows.count < d
            else _many_rows(rows, mean, components, parallel)
        )
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    explained = float(np.clip(values.sum() / variance, 0, 1)) if variance > 0 else 1.0
    return PrincipalSpace(mean, np.ascontiguousarray(axes, dtype=np.float32), explained)


def _many_rows(
    rows: Rows, mean: Singles, components: int, parallel: ParallelMap
) -> tuple[Floats, Floats, float]:
    """Return (variances, (d, m) axes, total variance), unnormalised, from the (d, d) scatter matrix."""
    import scipy.linalg  # here, not above: it takes 0.1 s, which a warm rerun does not need

    d = len(mean)
    scatter = np.zeros((d, d))
    for part in parallel(
        lambda block: _scatter(block - mean), (block for _, block in rows.blocks())
    ):
        scatter += part
    variance = float(np.trace(scatter))
    scatter /= variance or 1.0
    m = min(components, d)
    # float32 halves the time; its axes are orthonormal to 1e-6
    values, axes = scipy.linalg.eigh(
        scatter.astype(np.float32), subset_by_index=[d - m, d - 1], overwrite_a=True
    )
    return values[::-1].astype(np.float64) * variance, axes[:, ::-1].astype(np.float64), variance


def _scatter(centred: Singles) -> Singles:
    return centred.T @ centred


def _few_rows(rows: Rows, mean: Singles, components: int) -> tuple[Floats, Floats, float]:
    """Return the same from the (n, n) Gram matrix, which is smaller when there are fewer rows than dimensions.

    600 rows of 2048 take 0.05 s instead of 1 s.
    """
    import scipy.linalg

    centred = np.concatenate([block - mean for _, block in rows.blocks()]).astype(np.float64)
    gram = centred @ centred.T
    values, vectors = scipy.linalg.eigh(gram)
    kept = values > values[-1] * 1e-10
    kept[: max(len(values) - components, 0)] = False
    kept[-1] = True
    order = np.flatnonzero(kept)[::-1]
    axes = centred.T @ vectors[:, order] / np.sqrt(np.maximum(values[order], 1e-300))
    return values[order], axes, float(np.trace(gram))


def _evenly_spaced(rows: Rows) -> Rows:
    """Return at most MAX_PCA_ROWS of the usable rows, evenly spaced."""
    if rows.count <= MAX_PCA_ROWS:
        return rows
    usable = np.flatnonzero(rows.ok)
    kept = np.zeros_like(rows.ok)
    thinned = usable[np.linspace(0, len(usable) - 1, MAX_PCA_ROWS).round().astype(np.intp)]
    if len(rows.ok) > BLOCK_ROWS * MAX_PCA_ROWS // MIN_BLOCK_ROWS:
        few = [block for _, block in rows.picked(thinned, MIN_BLOCK_ROWS)]
        return Rows(np.concatenate(few), np.ones(MAX_PCA_ROWS, np.bool_))
    kept[thinned] = True
    return Rows(rows.vectors, kept)


def reduce_rows(rows: Rows, space: PrincipalSpace) -> Singles:
    """Return the (count, m) coordinates of the usable rows."""
    reduced = np.empty((rows.count, space.axes.shape[1]), np.float32)

    def project(chunk: Chunk) -> None:
        reduced[chunk[0]] = space.project(chunk[1])

    with parallel_map() as parallel:
        for _ in parallel(project, rows.chunks()):
            pass
    return reduced
