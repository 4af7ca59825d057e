"""What may be exchanged for what: rows that are not independent keep together, or are exchanged among their own.

Three images of one person are not three people. A label of units, such as a person's gender, moves from unit to unit; one
that varies within units, such as an expression, is exchanged within each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fer_audit.audit.stats.confusion import ratio
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask

OF_THE_UNIT = 0.9
"""Share of rows with the most frequent label of their unit from which a label is the unit's: the rest is noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Rows whose labels move together. All rows are known: no code is negative."""

    clusters: Codes
    """(m,) cluster of each entry: rows of one block, stratum and cluster are one entry."""
    strata: Codes
    """(m,) their stratum, from 0."""
    counts: Counts
    """(m,) rows in the entry."""
    block: Codes
    """(m,) their block."""
    labels: Codes
    """(b,) label of each block."""
    within: Codes
    """(b,) blocks of one code exchange labels."""

    def moved(self, draws: int, rng: np.random.Generator) -> Iterator[Codes]:
        """Yield the (b,) labels of the blocks in each of `draws` shuffles within `within`."""
        if not np.ptp(self.within):
            yield from (rng.permutation(self.labels) for _ in range(draws))
            return
        order = np.argsort(self.within, kind="stable")
        moved = np.empty_like(self.labels)
        for _ in range(draws):
            mixed = np.lexsort((rng.random(len(order)), self.within))
            moved[order] = self.labels[mixed]
            yield moved

    def shuffled(
        self, shape: tuple[int, int], draws: int, rng: np.random.Generator
    ) -> Iterator[Counts]:
        """Yield (z, k, g) tables, (k, g) = shape, of `draws` shuffles of the labels within `within`."""
        n_strata = int(self.strata.max()) + 1
        alone = np.bincount(self.block, weights=self.counts) == 1
        if alone.any() and not np.ptp(self.within):
            yield from self._shuffled_at_once(alone, n_strata, shape, draws, rng)
            return
        cells = (self.strata.astype(np.int64) * shape[0] + self.clusters) * shape[1]
        for moved in self.moved(draws, rng):
            flat = np.bincount(
                cells + moved[self.block],
                weights=self.counts,
                minlength=n_strata * shape[0] * shape[1],
            )
            yield flat.astype(np.int64).reshape(n_strata, *shape)

    def _shuffled_at_once(
        self,
        alone: Mask,
        n_strata: int,
        shape: tuple[int, int],
        draws: int,
        rng: np.random.Generator,
    ) -> Iterator[Counts]:
        """Yield the same where all blocks exchange labels: those of one row, `alone`, as a table with fixed margins.

        First the labels of the larger blocks are drawn, then the table of all that is left: 23,000 rows cost as much as 20.
        """
        from scipy.stats import random_table  # 0.9 s that a warm rerun would wait for

        k, g = shape
        single, larger = alone[self.block], np.flatnonzero(~alone)
        rows = np.bincount(self.clusters[single], minlength=k)
        home = int(self.strata[single][0])
        place = np.cumsum(~alone) - 1
        cells = ((self.strata.astype(np.int64) * k + self.clusters) * g)[~single]
        block, counts = place[self.block[~single]], self.counts[~single]
        labels = np.bincount(self.labels, minlength=g)
        for _ in range(draws):
            taken = rng.multivariate_hypergeometric(labels, len(larger))
            moved = rng.permutation(np.repeat(np.arange(g), taken))
            size = n_strata * k * g
            flat = np.bincount(cells + moved[block], weights=counts, minlength=size)
            tables = flat.astype(np.int64).reshape(n_strata, k, g)
            law = random_table(rows, labels - taken)
            tables[home] += law.rvs(method="patefield", random_state=rng).astype(np.int64)
            yield tables


def make_blocks(clusters: Codes, labels: Codes, strata: Codes, units: Codes) -> Blocks | None:
    """Return how labels may be shuffled within strata, units kept whole; None = row by row.

    All are (n,), in listing order; a row with a negative code is left out. A block is in the stratum of most of its rows.
    Where a label varies within units, rows of a unit with one label that follow each other, such as the frames of a
    sequence, are a block, exchanged within unit and stratum. A unit that is labelled in two ways although labels are the
    unit's is two blocks.
    """
    known = (clusters >= 0) & (labels >= 0) & (strata >= 0)
    labels, units = labels[known].astype(np.int64), _numbered(units[known])
    z, c = _numbered(strata[known]), clusters[known].astype(np.int64)
    if len(units) == 0 or len(units) == int(units.max()) + 1:
        return None
    pairs, counts = np.unique(np.stack([units, labels]), axis=1, return_counts=True)
    most = np.zeros(int(units.max()) + 1, dtype=np.int64)
    np.maximum.at(most, pairs[0], counts)
    varies = most.sum() < OF_THE_UNIT * len(units)
    block = _runs(units, labels) if varies else _numbered(units * (int(labels.max()) + 1) + labels)
    first = np.unique(block, return_index=True)[1]
    home = _most_frequent(block, z)
    within = _numbered(units[first] * (int(z.max()) + 1) + home) if varies else home
    cells, counts = np.unique(np.stack([block, z, c]), axis=1, return_counts=True)
    return Blocks(cells[2], cells[1], counts, cells[0], labels[first], within)


def row_blocks(labels: Codes, units: Codes) -> Blocks | None:
    """Return the blocks of (n,) known labels over all rows, entry i being row i; None = row by row."""
    n = np.arange(len(labels))
    found = make_blocks(n, labels, np.zeros_like(n), units)
    return found and replace(found, clusters=n, block=found.block[np.argsort(found.clusters)])


def unit_variance(influence: Floats, units: Codes) -> float:
    """Return the variance of a mean from its (n,) influences, rows of one unit together.

    G / (G - 1) sum over units of (sum of influences)^2 / n^2, the sandwich estimate with the correction for few units.
    """
    numbered = _numbered(units)
    sums = np.bincount(numbered, weights=influence - influence.mean())
    g = len(sums)
    return float(g / max(g - 1, 1) * (sums * sums).sum()) / len(influence) ** 2


def _numbered(codes: Codes) -> Counts:
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _runs(units: Codes, labels: Codes) -> Counts:
    """Return the number of the run of equal (unit, label) that each row is in."""
    changes = (np.diff(units) != 0) | (np.diff(labels) != 0)
    return np.concatenate([[0], np.cumsum(changes)]).astype(np.int64)


def _most_frequent(block: Codes, strata: Codes) -> Counts:
    """Return the stratum of most rows of each block, the first of several."""
    pairs, counts = np.unique(np.stack([block, strata]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    return np.asarray(pairs[1][order][first], dtype=np.int64)


CHUNK = 4_000_000
"""Weights drawn at a time."""


def resampled_shares(weights: Counts, right: Counts, n: Counts) -> Floats:
    """Return the (draws, ...) ratio of sums for (draws, u) weights of units with (u, ...) right of n images; NaN for none."""
    flat = ratio(
        weights @ right.reshape(len(right), -1).astype(np.float64),
        weights @ n.reshape(len(n), -1).astype(np.float64),
    )
    return flat.reshape(len(weights), *n.shape[1:])


def unit_interval_of_shares(
    right: Counts, n: Counts, *, draws: int, confidence: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the percentile interval of (u, ...) shares, (...), when u units are drawn with replacement.

    Draws without an image of a cell are left out; NaN where all are.
    """
    units = len(n)
    chunk = max(1, CHUNK // max(units, 1))
    found = [
        resampled_shares(
            rng.multinomial(units, np.full(units, 1 / units), size=min(chunk, draws - start)),
            right,
            n,
        )
        for start in range(0, draws, chunk)
    ]
    shares = np.concatenate(found)
    known = np.isfinite(shares).any(axis=0)
    shares = np.where(known, shares, 0.0)
    low, high = np.nanquantile(shares, ((1 - confidence) / 2, (1 + confidence) / 2), axis=0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


def intraclass_correlation(right: Codes, units: Codes) -> float | None:
    """Return the ANOVA estimate (MSB - MSW) / (MSB + (n0 - 1) MSW) of (n,) outcomes 0 and 1 in units; Fleiss 1981.

    None where every unit has one image, there is one unit, or nothing varies.
    """
    numbered = np.unique(units, return_inverse=True)[1]
    sizes = np.bincount(numbered)
    n, k = len(right), len(sizes)
    if k < 2 or n == k:
        return None
    means = np.bincount(numbered, weights=right) / sizes
    between = float((sizes * (means - right.mean()) ** 2).sum()) / (k - 1)
    within = float((sizes * means * (1 - means)).sum()) / (n - k)
    n0 = (n - (sizes**2).sum() / n) / (k - 1)
    scale = between + (n0 - 1) * within
    return float((between - within) / scale) if scale > 0 else None


def design_effect(sizes: Counts, icc: float) -> float:
    """Return 1 + (m - 1) ICC, m = sum n_i^2 / n: how many times the variance of as many strangers; Kish 1965."""
    return float(1 + ((sizes**2).sum() / sizes.sum() - 1) * icc)
