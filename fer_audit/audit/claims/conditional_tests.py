"""The answers of rungs 4 to 6: what is left of an association among images alike in something, how sure, and against what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.confounders import IMAGE_SIZE, Question, combined
from fer_audit.audit.claims.controls import MEAN_DRAWS, lagged_controls, whole_by_people
from fer_audit.audit.claims.grades import LITTLE, can_tell, grade
from fer_audit.audit.claims.pairs import Pair
from fer_audit.audit.stats.conditional_mi import (
    Information,
    Strata,
    conditional_information,
    stratify,
)
from fer_audit.audit.stats.tables import drop_empty
from fer_audit.audit.stats.units import make_blocks, unit_variance
from fer_audit.audit.stats.what_is_left import (
    Left,
    between_units,
    interval,
    row_variance,
    unit_interval,
    what_is_left,
)
from fer_audit.audit.types.claim_words import Grade
from fer_audit.audit.types.claims import Conditional
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.dataset.types import Attribute
from fer_audit.text import coefficient, counted, display, percent, percent_span, span

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
_P = ("p_mi", "p_cmh", "p")


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
    shape = len(pair.of.categories), len(pair.attribute.categories)
    strata = stratify(first, codes, given, k=shape[0], n_groups=shape[1])
    people = make_blocks(first, codes, given, pair.people)
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
        informative=len(strata.tables),
        n_effective=strata.n_effective,
        entropy_left=None if left is None else left.entropy_left,
        exchanged=0 if people is None else len(people.labels),
    )
    if reason := _why_silent(strata):
        missing = () if left else ("entropy_left",)
        fields = (*missing, "marginal", "mi_debiased", *_KEPT, *_P)
        return _read(replace(asked, not_computable=tuple((name, reason) for name in fields)))
    found, chance_sd = None, _chance_sd(strata)
    if not question.detail:
        draws = affordable(strata.cells, permutations)
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
        return _read(replace(asked, not_computable=tuple((name, reason) for name in _KEPT)))
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
    from scipy.stats import norm  # 0.9 s that a warm rerun would wait for

    z = float(norm.ppf((1 + confidence) / 2))
    sd = _null_sd(strata) if found is None else found.sd
    noise = sd / left.marginal
    people = pair.people[left.known]
    independent = len(np.unique(people)) == len(people)
    chance = 0.0 if found is None else found.chance

    def variance(influence: NDArray[np.float64], free: float) -> float:
        if independent:
            return row_variance(influence, chance / (left.marginal * free) ** 2)
        return unit_variance(influence, people)

    low, high = interval(left.kept, variance(left.kept_influence, 1.0), noise**2, z)
    asked = replace(asked, low=low, high=high)
    if found is not None:
        asked = replace(
            asked, null_low=found.low / left.marginal, null_high=found.high / left.marginal
        )
    if left.entropy_left <= 0:
        return asked
    free = left.entropy_left
    low, high = interval(
        left.per_entropy, variance(left.per_influence, free), (noise / free) ** 2, z
    )
    asked = replace(asked, per_entropy=left.per_entropy, per_low=low, per_high=high)
    if pair.collection is None:
        return asked
    of_kept, units = between_units(left.kept_influence, pair.collection, left.known)
    of_per, _ = between_units(left.per_influence, pair.collection, left.known)
    if units < 2:
        return asked
    low, high = unit_interval(left.kept, of_kept, units, confidence)
    asked = replace(asked, other_low=low, other_high=high)
    low, high = unit_interval(left.per_entropy, of_per, units, confidence)
    return replace(asked, per_other_low=low, per_other_high=high)


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
    more = next(
        (
            (x.more_low, x.more_high)
            for x in asked.controls
            if x.more_low is not None and x.more_high is not None
        ),
        None,
    )
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
    text = (
        f"given {names} {kept_words(asked.kept, asked.low, asked.high)} of the association is left"
    )
    if asked.per_entropy is not None:
        text += f", {coefficient(asked.per_entropy)} of what can still vary"
        if asked.per_other_low is not None and asked.per_other_high is not None:
            text += f" ({span(asked.per_other_low, asked.per_other_high)} in another collection)"
    if word == "most" and asked.kept < LITTLE:
        text += f": it cannot be separated from {names}"
    else:
        text += f": {word}"
    lag = next((each for each in asked.controls if each.kept is not None), None)
    if lag is not None and lag.kept is not None:
        text += f"; labels of another image collected with it keep {percent(max(0.0, lag.kept))}"
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
    if not strata.tables:
        return "in no stratum do both vary"
    if strata.n_effective < TOO_FEW:
        return f"{counted(strata.n_effective, 'image')} in informative strata are too few"
    return ""


def _chance_sd(strata: Strata) -> float:
    """Return the standard deviation of I(C; A) under chance: 2 n I is chi-squared, variance 2 df."""
    table, _, _ = drop_empty(strata.marginal())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(np.sqrt(2 * df) / (2 * strata.n))


def _null_sd(strata: Strata) -> float:
    """Return the same of I(C; A | Z): the degrees of freedom of the strata add."""
    df = sum((len(table) - 1) * (table.shape[1] - 1) for table in strata.tables)
    return float(np.sqrt(2 * df) / (2 * strata.n))
