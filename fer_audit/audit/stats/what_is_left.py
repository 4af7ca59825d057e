"""How much of an association is left among rows that are alike in something else, and how sure that is.

    kept        = I(C; A | Z) / I(C; A), both less what chance adds
    per entropy = kept / (H(A | Z) / H(A)): what is left of what can still vary

Z may fix A almost: then little can be kept, and per entropy says that it cannot be separated rather than that it is gone.
Both are smooth in the counts, so that each row has an influence on them, whatever it is that was drawn: rows, people, or
hours of collection. The variance follows from the sums of the influences over such units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fer_audit.audit.stats.information import expected_mutual_information
from fer_audit.audit.stats.tables import Codes, Counts, Floats, Mask, drop_empty
from fer_audit.audit.stats.units import unit_variance


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What is left, and the influence of each row on it; only rows with all three codes are counted."""

    known: Mask
    """(n,) the rows that count, m of them."""
    marginal: float
    """I(C; A) in nats, less chance."""
    conditional: float
    """I(C; A | Z) in nats, less chance."""
    entropy_left: float
    """H(A | Z) / H(A)."""
    whole: Floats
    """(m,) influence on `marginal`, of mean 0 as all of them."""
    inside: Floats
    """(m,) influence on `conditional`."""
    entropy: Floats
    """(m,) influence on the logarithm of `entropy_left`; 0 where there is none."""

    @property
    def kept(self) -> float:
        """`conditional` over `marginal`."""
        return self.conditional / self.marginal

    @property
    def per_entropy(self) -> float:
        """`kept` over `entropy_left`; nan where Z leaves no entropy."""
        return self.kept / self.entropy_left if self.entropy_left > 0 else np.nan

    @property
    def kept_influence(self) -> Floats:
        """(m,) influence on `kept`."""
        return (self.inside - self.kept * self.whole) / self.marginal

    @property
    def per_influence(self) -> Floats:
        """(m,) influence on `per_entropy`."""
        if self.entropy_left <= 0:
            return np.zeros_like(self.inside)
        return self.kept_influence / self.entropy_left - self.per_entropy * self.entropy

    def less(self, control: Left) -> Left:
        """Return the same with what is left of other labels of the same rows taken off `conditional`."""
        return replace(
            self,
            conditional=self.conditional - control.conditional,
            inside=self.inside - control.inside,
        )


def what_is_left(
    clusters: Codes, labels: Codes, strata: Codes, *, chance: tuple[float, float] | None = None
) -> Left | None:
    """Return what is left among rows of one stratum, from (n,) codes; None where I(C; A) is not above 0.

    `chance` is what chance adds to I(C; A) and to I(C; A | Z), where rows are not exchanged one by one; otherwise both are
    the exact means over shuffled labels.
    """
    known = (clusters >= 0) & (labels >= 0) & (strata >= 0)
    c, a = clusters[known].astype(np.int64), labels[known].astype(np.int64)
    z = np.unique(strata[known], return_inverse=True)[1].astype(np.int64)
    if len(a) == 0 or a.min() == a.max():
        return None
    whole, whole_chance = _lifts(c, a, np.zeros_like(z))
    inside, inside_chance = _lifts(c, a, z)
    if chance is not None:
        whole_chance, inside_chance = chance
    whole, inside = whole - whole_chance, inside - inside_chance
    marginal, conditional = float(whole.mean()), float(inside.mean())
    if marginal <= 0:
        return None
    alone = -np.log(np.bincount(a)[a] / len(a))
    given = _surprise(a, z)
    h, h_given = float(alone.mean()), float(given.mean())
    left = min(1.0, max(0.0, h_given / h))
    entropy = (given - h_given) / h_given - (alone - h) / h if left > 0 else np.zeros_like(whole)
    return Left(
        known, marginal, conditional, left, whole - marginal, inside - conditional, entropy
    )


def interval(
    value: float, first_order: float, shuffles: float, critical: float
) -> tuple[float, float]:
    """Return the interval of a ratio from its first-order variance and its variance where nothing is left.

    Where nothing is left the first order vanishes: the variance under shuffling is added, as in a non-central
    chi-squared, whose variance is 2 df + 4 lambda. The lower end is a score interval, as Wilson's: at a smaller value
    the first order is smaller in proportion, so that 0 lies outside exactly when the value exceeds what chance gives.
    Measured with 18 and 132 strata, n = 23,704, 0 to 0.7 kept: 94 to 98 % cover at a nominal 95 %, and 0 is excluded in
    2 to 5 % of samples where nothing is left.
    """
    high = value + critical * float(np.sqrt(shuffles + first_order))
    if value <= critical * np.sqrt(shuffles):
        return value - critical * float(np.sqrt(shuffles)), high
    # (value - x)^2 = critical^2 (shuffles + first_order * x / value): the smaller root.
    middle = value + critical**2 * first_order / value / 2
    under = middle**2 - value**2 + critical**2 * shuffles
    return middle - float(np.sqrt(max(0.0, under))), high


def unit_interval(
    value: float, variance: float, units: int, confidence: float
) -> tuple[float, float]:
    """Return value -+ t s, t of Student's law with units - 1 degrees of freedom; the variance is `between_units`'."""
    from scipy.stats import t  # 0.9 s that a warm rerun would wait for

    half = float(t.ppf((1 + confidence) / 2, units - 1) * np.sqrt(variance))
    return value - half, value + half


def row_variance(influence: Floats, noise: float) -> float:
    """Return the variance of a mean of independent rows from their influences.

    Log-lifts are counted on the same rows: their mean square is too large by up to twice the `noise` that chance adds,
    of which once is taken off.
    """
    return max(0.0, float((influence * influence).mean()) - noise) / len(influence)


def between_units(influence: Floats, units: Codes, known: Mask) -> tuple[float, int]:
    """Return the variance over (n,) units of the rows in `known`, and how many units those are; -1 is no unit."""
    inside = units[known]
    has_unit = inside >= 0
    count = len(np.unique(inside[has_unit]))
    return (unit_variance(influence[has_unit], inside[has_unit]) if count > 1 else np.nan), count


def lagged(
    labels: Codes, strata: Codes, order: Codes, lag: int, people: Codes | None = None
) -> Counts:
    """Return the label of the row `lag` places later in `order` within the same stratum; -1 where there is none.

    Nothing links a row and such a label but the stratum: what is left of it is what the stratum alone leaves. So there is
    none either where that row has the same of `people`.
    """
    rows = np.flatnonzero((labels >= 0) & (strata >= 0))
    rows = rows[np.lexsort((rows, order[rows], strata[rows]))]
    found = np.full(len(labels), -1, dtype=np.int64)
    here, there = rows[:-lag], rows[lag:]
    same = strata[here] == strata[there]
    if people is not None:
        same &= people[here] != people[there]
    found[here[same]] = labels[there[same]]
    return found


def _lifts(c: Codes, a: Codes, z: Codes) -> tuple[Floats, float]:
    """Return ln(n_ca n / (n_c n_a)) of each row's cell within its stratum, and the mean that chance gives."""
    k, g = int(c.max()) + 1, int(a.max()) + 1
    stack = np.bincount((z * k + c) * g + a, minlength=(int(z.max()) + 1) * k * g).reshape(
        -1, k, g
    )
    rows, cols, n = stack.sum(axis=2), stack.sum(axis=1), stack.sum(axis=(1, 2))
    lift = np.log(stack[z, c, a] * n[z] / (rows[z, c] * cols[z, a]))
    total = sum(int(size) * _chance(table) for size, table in zip(n, stack, strict=True))
    return np.asarray(lift, dtype=np.float64), total / len(a)


def _chance(table: Counts) -> float:
    small, _, _ = drop_empty(table)
    if min(small.shape, default=0) < 2:
        return 0.0
    sides = (np.sort(small.sum(axis=axis)).tolist() for axis in (1, 0))
    return _expected(*(tuple(side) for side in sides))


@lru_cache(maxsize=65_536)  # of thousands of small strata most have a twin
def _expected(rows: tuple[int, ...], cols: tuple[int, ...]) -> float:
    return expected_mutual_information(np.array(rows), np.array(cols))


def _surprise(a: Codes, z: Codes) -> Floats:
    """Return -ln p(a | z) of each row."""
    g = int(a.max()) + 1
    joint = np.bincount(z * g + a, minlength=(int(z.max()) + 1) * g)
    return np.asarray(-np.log(joint[z * g + a] / np.bincount(z)[z]))
