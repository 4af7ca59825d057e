"""How many images of each group to remove from, and to add to, each cluster: the whole-number optimum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np

from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.errors import ConfigError
from fer_audit.text import display, listed, name_some, percent

Mode: TypeAlias = Literal["remove", "add", "both"]
MODES: tuple[Mode, ...] = get_args(Mode)
MOST_SECONDS = 10
"""For one cluster; a table of ten groups takes a hundredth of a second."""
_OPTIMAL, _LIMIT = 0, 1
_SLACK = 1e-6


def balance_plan(
    counts: Counts,
    target: Floats,
    tolerance: float,
    mode: Mode,
    *,
    strata: Sequence[str],
    groups: Sequence[str],
) -> tuple[Counts, Counts]:
    """Return the (strata, groups) images to remove and to add, so that each stratum has the (groups,) `target` shares.

    With k_g images then and K of all groups, abs(k_g - target_g K) <= tolerance K. Fewest changes win (each removal and
    each addition is one), of equal ones the fewest additions. A stratum without an image stays empty.
    Raises ConfigError, which names the stratum and the groups, where no whole numbers do it.
    """
    removed, added = np.zeros_like(counts), np.zeros_like(counts)
    for row, have in enumerate(counts):
        if have.any():
            found = _optimum(have, target, tolerance, mode)
            if found is None:
                raise ConfigError(
                    f"{strata[row]}: {_why(have, target, tolerance, mode, groups)}",
                    hint="Give --mode both, a larger --tolerance, or another --target.",
                )
            removed[row], added[row] = found
    return removed, added


def _optimum(
    have: Counts, target: Floats, tolerance: float, mode: Mode
) -> tuple[Counts, Counts] | None:
    """Return the (groups,) removals and additions of one stratum; None where there are none."""
    from scipy.optimize import (
        Bounds,
        LinearConstraint,
        milp,
    )  # 0.9 s that a warm rerun would wait for

    n = len(have)
    one, ones = np.eye(n), np.ones((n, n))
    change = np.hstack([-np.eye(n), np.eye(n)])  # k = have + change @ (removals, additions)

    def bounded(shares: Floats, low: float, high: float) -> LinearConstraint:
        side = one - shares[:, None] * ones  # k - shares K
        fixed = side @ have
        return LinearConstraint(side @ change, low - fixed, high - fixed)

    limits = [
        bounded(target + tolerance, -np.inf, 0),
        bounded(target - tolerance, 0, np.inf),
        LinearConstraint(change.sum(axis=0), 1 - have.sum(), np.inf),
    ]
    most = [have if mode != "add" else 0 * have, np.full(n, np.inf if mode != "remove" else 0)]
    changes, additions = np.ones(2 * n), np.repeat([0.0, 1.0], n)
    found = np.zeros(2 * n, np.int64)
    for cost in (changes, additions):
        best = milp(
            cost,
            constraints=limits,
            bounds=Bounds(0, np.concatenate(most)),
            integrality=1,
            options={"mip_rel_gap": 0, "time_limit": MOST_SECONDS},
        )
        if best.status == _LIMIT:
            raise ConfigError(
                f"no optimum was found within {MOST_SECONDS} s for {n} groups",
                hint="Give a larger --tolerance.",
            )
        if best.status != _OPTIMAL:
            return None
        limits.append(LinearConstraint(cost, -np.inf, round(best.fun)))
        found = np.rint(best.x).astype(np.int64)
    after = have - found[:n] + found[n:]
    if (np.abs(after - target * after.sum()) > (tolerance + _SLACK) * after.sum()).any():
        return None
    return found[:n], found[n:]


def _why(have: Counts, target: Floats, tolerance: float, mode: Mode, groups: Sequence[str]) -> str:
    """Return why no numbers do it."""
    missing = [groups[i] for i in np.flatnonzero((have == 0) & (target > tolerance)).tolist()]
    unwanted = [groups[i] for i in np.flatnonzero((have > 0) & (target + tolerance <= 0)).tolist()]
    if mode == "remove" and missing:
        return f"it has no image of {listed(missing)}, which removals cannot bring"
    if mode == "add" and unwanted:
        return f"the target has no {listed(unwanted)}, which only removals take away"
    return f"no whole numbers are within {percent(tolerance)} of the target"


def target_shares(
    counts: Counts, groups: Sequence[str], wanted: str | dict[str, int], attribute: str
) -> Floats:
    """Return the (groups,) shares wanted: of "uniform" or "set", or of a reference's counts by group.

    `counts` are the (groups,) images of the whole set. A group without an image is no part of "uniform".
    Raises ConfigError for a reference that names no group of the set, or one that the set has not.
    """
    if wanted == "uniform":
        shares = (counts > 0).astype(np.float64)
    elif isinstance(wanted, str):
        shares = counts.astype(np.float64)
    else:
        strange = [name for name in wanted if name not in groups]
        if strange or not sum(wanted.values()):
            known = f"{display(attribute)} has {name_some(list(groups), limit=40)}"
            what = f"names {name_some(strange)}" if strange else "has no count"
            raise ConfigError(f"The target {what}", hint=f"{known}.")
        shares = np.array([wanted.get(name, 0) for name in groups], dtype=np.float64)
    return np.asarray(shares / shares.sum())
