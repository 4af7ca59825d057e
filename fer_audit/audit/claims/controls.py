"""What is left less what chance leaves where people are exchanged as wholes, and labels that only the strata can link."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.pairs import Pair
from fer_audit.audit.stats.conditional_mi import Information, conditional_information, stratify
from fer_audit.audit.stats.units import Codes, make_blocks
from fer_audit.audit.stats.what_is_left import (
    Left,
    between_units,
    lagged,
    unit_interval,
    what_is_left,
)
from fer_audit.audit.types.claims import LaggedControl
from fer_audit.audit.types.not_computable import TOO_FEW

MEAN_DRAWS = 49
"""Shuffles of whole people where only their mean and spread are wanted."""
LAGS = (1, 5, 50)
LONG_LAG_ROWS = 100
"""Mean rows a stratum from which a lag of 50 leaves enough partners."""


def whole_by_people(
    first: Codes, codes: Codes, given: Codes, pair: Pair, draws: int, rng: np.random.Generator
) -> Information:
    """Return I(C; A) of the rows with a stratum, and what shuffles of whole people over all of them make of it."""
    one = np.where(given >= 0, 0, -1)
    shape = len(pair.of.categories), len(pair.attribute.categories)
    strata = stratify(first, codes, one, k=shape[0], n_groups=shape[1])
    people = make_blocks(first, codes, one, pair.people)
    return conditional_information(strata, draws=draws, rng=rng, blocks=people)


def left_by_people(
    first: Codes, codes: Codes, given: Codes, pair: Pair, rng: np.random.Generator
) -> Left | None:
    """Return what is left of labels less chance, people exchanged as wholes."""
    people = make_blocks(first, codes, given, pair.people)
    shape = len(pair.of.categories), len(pair.attribute.categories)
    strata = stratify(first, codes, given, k=shape[0], n_groups=shape[1])
    if people is None or not strata.tables:
        return what_is_left(first, codes, given)
    inside = conditional_information(strata, draws=MEAN_DRAWS, rng=rng, blocks=people)
    alone = whole_by_people(first, codes, given, pair, MEAN_DRAWS, rng)
    return what_is_left(first, codes, given, chance=(alone.chance, inside.chance))


def lagged_controls(
    pair: Pair, given: NDArray[np.int64], confidence: float, rng: np.random.Generator
) -> tuple[LaggedControl, ...]:
    """Return what labels of other images of the same strata keep, on the scale of the real ones."""
    first, codes = pair.first, pair.attribute.codes
    given = np.where(first >= 0, given, -1)
    rows = np.bincount(given[given >= 0])
    typical = float(rows[rows > 0].mean()) if rows.any() else 0.0
    found = []
    for lag in LAGS:
        if lag == LAGS[-1] and typical < LONG_LAG_ROWS:
            continue
        later = lagged(codes, given, pair.order, lag, pair.people)
        here = np.where(later >= 0, first, -1)
        real = left_by_people(here, codes, given, pair, rng)
        moved = left_by_people(here, later, given, pair, rng)
        n = int((here >= 0).sum())
        control = LaggedControl(lag, n, None)
        if n >= TOO_FEW and real is not None:
            kept = 0.0 if moved is None else moved.conditional / real.marginal
            more = real if moved is None else real.less(moved)
            control = _compared(replace(control, kept=kept), more, pair, confidence)
        found.append(control)
    return tuple(found)


def _compared(control: LaggedControl, more: Left, pair: Pair, confidence: float) -> LaggedControl:
    """Return the control with how much more is left of the real labels; both have the same hours and people."""
    drawn = pair.people if pair.collection is None else pair.collection
    variance, units = between_units(more.per_influence, drawn, more.known)
    if units < 2 or more.entropy_left <= 0:
        return control
    low, high = unit_interval(more.per_entropy, variance, units, confidence)
    return replace(control, more=more.per_entropy, more_low=low, more_high=high)
