"""The answers of rungs 4 to 6: what is left of an association among images alike in something, how sure, and against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fer_audit.audit.claims.associations import Pair
from fer_audit.audit.claims.confounders import IMAGE_SIZE, Question, combined
from fer_audit.audit.stats.conditional_mi import (
    Information,
    Strata,
    conditional_information,
    stratify,
)
from fer_audit.audit.stats.tables import Codes, Counts, drop_empty
from fer_audit.audit.stats.units import Blocks, make_blocks, unit_variance
from fer_audit.audit.stats.what_is_left import (
    Left,
    between_units,
    interval,
    lagged,
    row_variance,
    unit_interval,
    what_is_left,
)
from fer_audit.audit.types.claim import Grade
from fer_audit.audit.types.claims import Conditional, LaggedControl
from fer_audit.audit.types.not_computable import TOO_FEW, because
from fer_audit.dataset.types import Attribute
from fer_audit.text import coefficient, counted, display, percent, percent_span, span

INFORMATIVE = 0.5
"""Share of images in strata that can tell, below which nothing is said."""
FREE = 0.3
"""Share of the label's entropy that the columns leave, below which nothing is said."""
TRACE = 0.10
LITTLE = 1 / 3
MOST = 2 / 3


def can_tell(n: int, n_effective: int, entropy_left: float | None) -> bool:
    """Return whether enough images lie in strata in which clusters and groups vary, and enough is free to vary."""
    return n_effective >= INFORMATIVE * n and entropy_left is not None and entropy_left >= FREE


def grade(
    low: float | None, high: float | None, *, more: tuple[float, float] | None, informative: bool
) -> Grade:
    """Return the grade of an interval of `per_entropy`; `more` is that of how much more is left than of a control.

    trace: at most a tenth, or perhaps no more than labels of other images of the same strata keep, and at most a third more.
    cannot tell: also where neither nothing nor a third is outside the interval.
    """
    if not informative or low is None or high is None:
        return "cannot tell"
    if high < TRACE or (more is not None and more[0] <= 0 and more[1] < LITTLE):
        return "trace"
    if high < LITTLE:
        return "little"
    if low <= 0:
        return "cannot tell"
    return "most" if low > MOST else "part"


def strength(v: float) -> str:
    """Return the word for a corrected V: below .1 faint, .1-.3 weak, .3-.5 clear, above .5 strong."""
    limits = ((0.1, "faint"), (0.3, "weak"), (0.5, "clear"))
    return next((word for limit, word in limits if v < limit), "strong")


MEAN_DRAWS = 49
"""Shuffles of whole people where only their mean and spread are wanted."""
LAGS = (1, 5, 50)
LONG_LAG_ROWS = 100
"""Mean rows a stratum from which a lag of 50 leaves enough partners."""


def whole_by_people(
    first: Codes, codes: Codes, given: Codes, pair: Pair, draws: int, rng: np.random.Generator
) -> Information:
    """Return I(C; A) of the rows with a stratum, and what shuffles of whole people over all of them make of it."""
    strata, people = _strata(first, codes, np.where(given >= 0, 0, -1), pair)
    return conditional_information(strata, draws=draws, rng=rng, blocks=people)


def _strata(first: Codes, codes: Codes, given: Codes, pair: Pair) -> tuple[Strata, Blocks | None]:
    """Return the three-way table of a pair, and how people are exchanged in it; None = row by row."""
    shape = len(pair.of.categories), len(pair.attribute.categories)
    strata = stratify(first, codes, given, k=shape[0], n_groups=shape[1])
    return strata, make_blocks(first, codes, given, pair.people)


def left_by_people(
    first: Codes, codes: Codes, given: Codes, pair: Pair, rng: np.random.Generator
) -> Left | None:
    """Return what is left of labels less chance, people exchanged as wholes."""
    strata, people = _strata(first, codes, given, pair)
    if people is None or not len(strata.stack):
        return what_is_left(first, codes, given)
    inside = conditional_information(strata, draws=MEAN_DRAWS, rng=rng, blocks=people)
    alone = whole_by_people(first, codes, given, pair, MEAN_DRAWS, rng)
    return what_is_left(first, codes, given, chance=(alone.chance, inside.chance))


def lagged_controls(
    pair: Pair, given: Counts, confidence: float, rng: np.random.Generator
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


DRAWN_CELLS = 4_000_000
"""Cells shuffled for one question, about 0.8 s: 10,000 shuffles of 18 strata of 4 x 5, fewer of 1,000 strata."""
LEAST_DRAWS = 999
FIXES = 0.9
"""Columns that leave less than this of an attribute's entropy are said to fix part of it."""
BEYOND = 2.0
"""A marginal association below this many of its standard deviations under chance leaves nothing to compare with."""
MOST_BLOCK_DRAWS = 999
"""Shuffles of whole people, up to 25 ms each for 200,000 images."""
LEAST_BLOCKS = 20
"""Mean blocks a stratum. Of 4, 6, 12 and 40 clips a session .15, .38, .65 and .95 of a whole association seem left."""
_KEPT = ("kept", "low", "high", "per_entropy", "per_low", "per_high", "null_low", "null_high")


def answer(
    question: Question,
    columns: Sequence[Attribute],
    pair: Pair,
    *,
    permutations: int,
    least: int,
    confidence: float,
    rng: np.random.Generator,
) -> Conditional:
    """Return what is left of the association of a pair given the question's columns; at least `least` shuffles."""
    first, codes, given = pair.first, pair.attribute.codes, combined(columns)
    strata, people = _strata(first, codes, given, pair)
    left = what_is_left(first, codes, given)
    asked = Conditional(
        of=pair.of.name,
        attribute=pair.attribute.name,
        rung=question.rung,
        given=question.given,
        headline=question.headline,
        detail=question.detail,
        n=strata.n,
        strata=strata.count,
        informative=len(strata.stack),
        n_effective=strata.n_effective,
        entropy_left=None if left is None else left.entropy_left,
        exchanged=0 if people is None else len(people.labels),
    )
    if reason := _why_silent(strata):
        missing = () if left else ("entropy_left",)
        fields = (*missing, "marginal", "mi_debiased", *_KEPT, "p_mi", "p_cmh", "p")
        return _read(replace(asked, not_computable=because(reason, *fields)))
    found, chance_sd = None, _chance_sd(strata)
    if not question.detail:
        draws = affordable(int(strata.shapes.prod(axis=0).sum()), permutations)
        draws = max(least, draws if people is None else min(draws, MOST_BLOCK_DRAWS))
        found = conditional_information(
            strata, draws=draws, rng=rng, confidence=confidence, blocks=people
        )
        asked = replace(
            asked, p_mi=found.p, p_cmh=found.p_cmh, p=found.p_both, permutations=found.draws
        )
    if people is not None:
        found = found or conditional_information(
            strata, draws=MEAN_DRAWS, rng=rng, confidence=confidence, blocks=people
        )
        alone = whole_by_people(first, codes, given, pair, min(found.draws, LEAST_DRAWS), rng)
        left = what_is_left(first, codes, given, chance=(alone.chance, found.chance))
        chance_sd = alone.sd
    if left is None or left.marginal <= BEYOND * chance_sd:
        reason = "the two are at chance on these images, so there is nothing to keep"
        return _read(replace(asked, not_computable=because(reason, *_KEPT)))
    asked = replace(asked, marginal=left.marginal, mi_debiased=left.conditional, kept=left.kept)
    asked = _with_intervals(asked, left, strata, found, pair, confidence)
    if question.rung == 6 and all(each.name != IMAGE_SIZE for each in columns):
        asked = replace(asked, controls=lagged_controls(pair, given, confidence, rng))
    return _read(asked)


def affordable(cells: int, wanted: int) -> int:
    """Return how many shuffles a question with so many informative cells gets."""
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def _with_intervals(
    asked: Conditional,
    left: Left,
    strata: Strata,
    found: Information | None,
    pair: Pair,
    confidence: float,
) -> Conditional:
    """Return the answer with the intervals of what is kept and of what is left per entropy, for these images and others."""
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    z = float(norm.ppf((1 + confidence) / 2))
    noise = (_null_sd(strata) if found is None else found.sd) / left.marginal
    people = pair.people[left.known]
    independent = len(np.unique(people)) == len(people)
    chance = 0.0 if found is None else found.chance
    ends: dict[str, Any] = {}
    if found is not None:
        ends |= {"null_low": found.low / left.marginal, "null_high": found.high / left.marginal}
    measures = [("", left.kept, left.kept_influence, 1.0)]
    if left.entropy_left > 0:
        measures.append(("per_", left.per_entropy, left.per_influence, left.entropy_left))
        ends["per_entropy"] = left.per_entropy
    for name, value, influence, free in measures:
        variance = (
            row_variance(influence, chance / (left.marginal * free) ** 2)
            if independent
            else unit_variance(influence, people)
        )
        low, high = interval(value, variance, (noise / free) ** 2, z)
        ends |= {f"{name}low": low, f"{name}high": high}
        if pair.collection is None or left.entropy_left <= 0:
            continue
        variance, units = between_units(influence, pair.collection, left.known)
        if units > 1:
            low, high = unit_interval(value, variance, units, confidence)
            ends |= {f"{name}other_low": low, f"{name}other_high": high}
    return replace(asked, **ends)


def informative(asked: Conditional) -> bool:
    """Return whether a question can tell anything; it is decided before its p is looked at.

    Few blocks in a stratum are nearly as strongly associated after a shuffle as before: what is left is then too small.
    """
    if asked.exchanged and asked.exchanged < LEAST_BLOCKS * asked.strata:
        return False
    return can_tell(asked.n, asked.n_effective, asked.entropy_left)


def _read(asked: Conditional) -> Conditional:
    """Return the answer with its grade and its sentence."""
    known = asked.per_other_low is not None
    low = asked.per_other_low if known else asked.per_low
    high = asked.per_other_high if known else asked.per_high
    ends = ((x.more_low, x.more_high) for x in asked.controls)
    more = next(((a, b) for a, b in ends if a is not None and b is not None), None)
    word = grade(low, high, more=more, informative=informative(asked))
    return replace(asked, grade=word, reading=_sentence(asked, word))


def _sentence(asked: Conditional, word: Grade) -> str:
    names = " × ".join(display(name) for name in asked.given)
    reach = (
        f"{asked.n_effective:,} of {counted(asked.n, 'image')} in {asked.informative:,} of "
        f"{counted(asked.strata, 'stratum', 'strata')} can tell"
    )
    if asked.entropy_left is not None and asked.entropy_left < FIXES:
        reach += f", and {names} alone fixes {percent(1 - asked.entropy_left)} of {display(asked.attribute)}"
    if asked.kept is None or asked.low is None or asked.high is None:
        reason = dict(asked.not_computable).get("kept", "not tested")
        return f"not computable given {names}: {reason}; {reach}"
    kept = kept_words(asked.kept, asked.low, asked.high)
    text = f"given {names} {kept} of the association is left"
    if asked.per_entropy is not None:
        text += f", {coefficient(asked.per_entropy)} of what can still vary"
        if asked.per_other_low is not None and asked.per_other_high is not None:
            text += f" ({span(asked.per_other_low, asked.per_other_high)} in another collection)"
    apart = word == "most" and asked.kept < LITTLE
    text += f": it cannot be separated from {names}" if apart else f": {word}"
    lag = next((each.kept for each in asked.controls if each.kept is not None), None)
    if lag is not None:
        text += f"; labels of another image collected with it keep {percent(max(0.0, lag))}"
    return f"{text}; {reach}"


def kept_words(kept: float, low: float, high: float) -> str:
    """Return a kept share and its interval in words: "84.1 % (79.0-89.2)"."""
    ends = percent_span(low, high)
    if kept > 1:
        return f"{coefficient(kept)} times ({span(low, high)})"
    return f"{percent(kept)} ({ends})" if kept >= 0 else f"nothing ({ends} %)"


def _why_silent(strata: Strata) -> str:
    if strata.n == 0:
        return "no image has all of these labels"
    if not len(strata.stack):
        return "in no stratum do both vary"
    if strata.n_effective < TOO_FEW:
        return f"{counted(strata.n_effective, 'image')} in informative strata are too few"
    return ""


def _chance_sd(strata: Strata) -> float:
    """Return the standard deviation of I(C; A) under chance: 2 n I is chi-squared, variance 2 df."""
    table, _, _ = drop_empty(strata.marginal())
    return float(np.sqrt(2 * (table.shape[0] - 1) * (table.shape[1] - 1)) / (2 * strata.n))


def _null_sd(strata: Strata) -> float:
    """Return the same of I(C; A | Z): the degrees of freedom of the strata add."""
    return float(np.sqrt(2 * (strata.shapes - 1).prod(axis=0).sum()) / (2 * strata.n))
