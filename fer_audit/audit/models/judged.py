"""Is a group of images done worse than shuffled group labels would have it?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fer_audit.audit.claims.contingency import MOST_BLOCK_DRAWS
from fer_audit.audit.models.scored import Ints, Scored
from fer_audit.audit.stats.group_gaps import (
    distance_to_rest,
    max_gap,
    right_tables,
    shuffled_tables,
    step_down_max_t,
)
from fer_audit.audit.stats.resampling import monte_carlo_p
from fer_audit.audit.stats.tables import Floats, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A gap among strata and groups, and what shuffled group labels make of it; arrays are (z, g)."""

    gap: float | None
    gap_p: float | None
    p: Floats
    adjusted: Floats
    draws: int


def judged_gaps(
    group: Ints,
    strata: Ints,
    model: Scored,
    counted: Mask,
) -> Judged:
    """Return the p of each (z, g) cell that is counted, all of them one family; distances in units of their own spread."""
    shape = (counted.shape[0], counted.shape[1])
    seen = right_tables(group, model.right, strata, shape)
    distance = distance_to_rest(seen)
    tested = counted & np.isfinite(distance)
    p, adjusted = np.full(shape, np.nan), np.full(shape, np.nan)
    gap = float(max_gap(seen, counted))
    if not tested.any() or np.isnan(gap):
        return Judged(None, None, p, adjusted, 0)
    stacks = shuffled_tables(
        *(group, model.right, strata, model.units, shape),
        draws=model.settings.permutations,
        unit_draws=MOST_BLOCK_DRAWS,
        rng=model.rng,
    )
    distances, gaps = [], []
    for stack in stacks:
        distances.append(np.nan_to_num(distance_to_rest(stack)[:, tested]))
        gaps.append(np.nan_to_num(max_gap(stack, counted)))
    drawn = np.concatenate(distances)
    spread = np.sqrt((drawn**2).mean(axis=0))
    spread[spread == 0] = np.inf
    p[tested], adjusted[tested] = step_down_max_t(distance[tested] / spread, drawn / spread)
    return Judged(gap, monte_carlo_p(np.concatenate(gaps), gap), p, adjusted, len(drawn))
