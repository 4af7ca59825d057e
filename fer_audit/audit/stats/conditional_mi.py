"""How much do clusters and groups tell of each other among images that are alike in something else?

I(C; A | Z) is the mean over strata z of the information within each. Counted, it is biased upwards: a stratum
of ten images in twenty cells looks informative whatever it holds. So its own mean under shuffling within the
strata is taken off, and p comes from the same shuffles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Codes, Counts, Floats, drop_empty, expected_counts
from fer_audit.audit.stats.units import Blocks

_RANK = 1e-9
"""Of the largest eigenvalue of V; below it a direction cannot vary."""


def summed_gaps(stack: Counts) -> Floats:
    """Return the (r, c) sum over the tables of a (z, r, c) stack of counts less expected counts; none is empty."""
    return np.asarray((stack - expected_counts(stack)).sum(axis=-3))


def covariance(stack: Counts) -> Floats:
    """Return the (r c, r c) covariance of the summed tables of a (z, r, c) stack, margins fixed.

    Of one table: (n diag(r) - r r') x (n diag(c) - c c') / (n^2 (n - 1)), x Kronecker's product; hypergeometric.
    """
    size = stack.shape[1] * stack.shape[2]
    total = np.zeros((size, size))
    for table in stack.astype(np.float64):
        n = table.sum()
        if n > 1:
            sides = [
                n * np.diag(side) - np.outer(side, side) for side in (table.sum(1), table.sum(0))
            ]
            total += np.kron(*sides) / (n * n * (n - 1))
    return total


def pseudo_inverse(covariance: Floats) -> tuple[Floats, int]:
    """Return V^+, and the rank of V: the degrees of freedom."""
    values, vectors = np.linalg.eigh(covariance)
    varies = values > _RANK * max(float(values[-1]), 1e-300)
    scaled = vectors[:, varies] / np.sqrt(values[varies])
    return np.asarray(scaled @ scaled.T), int(varies.sum())


def cmh_statistic(summed_gaps: Floats, pseudo_inverse: Floats) -> Floats:
    """Return Q = d' V^+ d of (..., r, c) summed gaps."""
    flat = summed_gaps.reshape(*summed_gaps.shape[:-2], -1)
    return np.asarray(np.einsum("...i,ij,...j->...", flat, pseudo_inverse, flat))


def generalised_cmh(tables: Iterable[Counts]) -> tuple[float, int, float]:
    """Return Q, its degrees of freedom and its p from the chi-squared distribution, for tables of one (r, c) shape.

    A table of fewer than two images says nothing. ValueError where no table does.
    """
    from scipy.stats import chi2  # 0.9 s that a warm rerun would wait for

    stack = np.stack([table for table in tables if table.sum() > 1])
    inverted, df = pseudo_inverse(covariance(stack))
    q = float(cmh_statistic(summed_gaps(stack), inverted))
    return q, df, float(chi2.sf(q, df))


BOYETT_BELOW = 6
"""Images a cell below which shuffling images (Boyett) beats drawing cells (Patefield): 1.3 against 3.5 us
for 60 images in 4 x 5 cells, 7.6 against 3.6 us for 300."""


@dataclass(frozen=True, slots=True)
class Strata:
    """A clusters x groups x strata table."""

    stack: Counts
    """(z, k, g) tables of the informative strata: in each at least two clusters and two groups have images."""
    rest: Counts
    """(k, g) counts of all other strata together: they matter for the marginal association only."""
    count: int
    """Strata with at least one image."""

    @property
    def n(self) -> int:
        """Number of images."""
        return self.n_effective + int(self.rest.sum())

    @property
    def n_effective(self) -> int:
        """Number of images in informative strata."""
        return int(self.stack.sum())

    @property
    def shapes(self) -> Counts:
        """(2, z) clusters and groups with images in each informative stratum."""
        return np.stack([(self.stack.sum(axis=axis) > 0).sum(axis=1) for axis in (2, 1)])

    def marginal(self) -> Counts:
        """Return the (k, g) table of all strata together."""
        return np.asarray(self.rest + self.stack.sum(axis=0))


@dataclass(frozen=True, slots=True)
class Information:
    """Information in nats as counted, what shuffled labels make of it, and how rare both statistics are among them."""

    counted: float
    chance: float
    """Mean over shuffles within the strata."""
    sd: float
    """Standard deviation of the same."""
    p: float
    """Of the information: it grows with any link, whatever its direction in each stratum."""
    p_cmh: float
    """Of the generalised Cochran-Mantel-Haenszel statistic: a link that is the same in every stratum."""
    draws: int
    low: float
    """Lower quantile of the shuffles, minus their mean."""
    high: float
    """Upper quantile of the same."""

    @property
    def p_both(self) -> float:
        """min(1, 2 min(p)): both statistics were looked at."""
        return min(1.0, 2 * min(self.p, self.p_cmh))


def stratify(clusters: Codes, groups: Codes, strata: Codes, *, k: int, n_groups: int) -> Strata:
    """Return the three-way table of three (n,) code columns; rows with a negative code are left out."""
    known = (clusters >= 0) & (groups >= 0) & (strata >= 0)
    _, z = np.unique(strata[known], return_inverse=True)
    count = int(z.max()) + 1 if len(z) else 0
    cell = clusters[known].astype(np.int64) * n_groups + groups[known]
    stacked = np.bincount(z * (k * n_groups) + cell, minlength=count * k * n_groups)
    stack = stacked.reshape(count, k, n_groups)
    varies = [(stack.sum(axis=axis) > 0).sum(axis=1) > 1 for axis in (2, 1)]
    informative = varies[0] & varies[1]
    return Strata(stack[informative], stack[~informative].sum(axis=0), count)


def conditional_information(
    strata: Strata,
    *,
    draws: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
    blocks: Blocks | None = None,
) -> Information:
    """Return I(C; A | Z) and what shuffling A within the strata makes of it.

    Rows are shuffled one by one, or in `blocks`. Needs an informative stratum. Between `low` and `high` lie the
    `confidence` middle ones of the shuffles.
    """
    n = strata.n
    stack = strata.stack
    inverted, _ = pseudo_inverse(covariance(stack))
    log = xlogx_upto(strata.n)
    seen = _counted(stack, log)
    if blocks is None:
        drawn, gaps = _image_shuffles(stack, draws, log, rng)
    else:
        drawn, gaps = _block_shuffles(blocks, stack.shape[1:], draws, log, rng)
    mean = float(drawn.mean())
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    q = float(cmh_statistic(summed_gaps(stack), inverted))
    return Information(
        counted=max(0.0, seen / n),
        chance=max(0.0, mean / n),
        sd=float(drawn.std()) / n,
        p=monte_carlo_p(drawn, seen),
        p_cmh=monte_carlo_p(cmh_statistic(gaps, inverted), q),
        draws=draws,
        low=(float(low) - mean) / n,
        high=(float(high) - mean) / n,
    )


def _counted(stack: Counts, log: Floats) -> float:
    """Return n I(C; A | Z) of a (z, k, g) stack."""
    sums = (stack, stack.sum(axis=(1, 2)), stack.sum(axis=1), stack.sum(axis=2))
    cells, wholes, cols, rows = (float(log[each].sum()) for each in sums)
    return cells + wholes - cols - rows


def _image_shuffles(
    stack: Counts, draws: int, log: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return n I(C; A | Z) of each shuffle, (draws,), and the summed gaps, (draws, k, g). Margins are fixed."""
    from scipy.stats import random_table  # 0.9 s that a warm rerun would wait for

    drawn = np.full(draws, _counted(stack, log) - float(log[stack].sum()))
    gaps = np.tile(-expected_counts(stack).sum(axis=0), (draws, 1, 1))
    for table, rows, cols in map(drop_empty, stack):
        margins = table.sum(axis=1), table.sum(axis=0)
        # Sorted, so that renaming clusters or groups changes no digit.
        order = [np.argsort(side, kind="stable") for side in margins]
        law = random_table(margins[0][order[0]], margins[1][order[1]])
        method = "boyett" if table.sum() < BOYETT_BELOW * table.size else "patefield"
        tables = law.rvs(draws, method=method, random_state=rng).astype(np.intp)
        tables = tables.reshape(draws, *table.shape)
        drawn += log[tables].sum(axis=(1, 2))
        gaps[np.ix_(np.arange(draws), rows[order[0]], cols[order[1]])] += tables
    return drawn, gaps


def _block_shuffles(
    blocks: Blocks, shape: tuple[int, int], draws: int, log: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return the same for shuffles of whole blocks. A stratum's clusters are fixed, its groups are not."""
    drawn, gaps = np.empty(draws), np.empty((draws, *shape))
    for draw, stack in enumerate(blocks.shuffled(shape, draws, rng)):
        drawn[draw] = _counted(stack, log)
        gaps[draw] = summed_gaps(stack)
    return drawn, gaps


def xlogx_upto(n: int) -> Floats:
    """Return x ln x for x = 0..n: a lookup is several times faster than a logarithm."""
    x = np.arange(n + 1, dtype=np.float64)
    return x * np.log(np.maximum(x, 1.0))
