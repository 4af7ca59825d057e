"""The records of rungs 4 to 6: every question of every demographic attribute, corrected over the attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.confounders import Question, combined
from fer_audit.audit.stats.conditional_mi import (
    Strata,
    conditional_information,
    kept_interval,
    marginal_information,
    stratify,
)
from fer_audit.audit.stats.information import entropy
from fer_audit.audit.stats.multiple_testing import holm
from fer_audit.audit.stats.tables import drop_empty
from fer_audit.audit.types.claims import Conditional
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.dataset.types import Attribute
from fer_audit.text import counted, display, p_phrase, percent, percent_span

DRAWN_CELLS = 4_000_000
"""Cells shuffled for one question, about 0.8 s: 10,000 shuffles of 18 strata of 4 x 5, fewer of 1,000 strata."""
LEAST_DRAWS = 999
MINOR_DRAWS = 999
"""Shuffles for one of many style measures: enough for p = 0.001."""
FIXES = 0.9
"""Columns that leave less than this of an attribute's entropy are said to fix part of it."""
BEYOND = 2.0
"""A marginal association below this many of its standard deviations under chance leaves nothing to compare with."""
_KEPT = ("kept", "low", "high", "null_low", "null_high")


def answer(
    question: Question,
    attribute: Attribute,
    clusters: NDArray[np.integer],
    *,
    k: int,
    permutations: int,
    confidence: float,
    rng: np.random.Generator,
) -> Conditional:
    """Return what is left of the association of (n,) clusters and an attribute given the question's columns.

    Rows with a negative cluster are left out. `p_holm`, `holds` and `reading` are set by `correct`.
    """
    given = combined(question.columns)
    strata = stratify(clusters, attribute.codes, given, k=k, n_groups=len(attribute.categories))
    asked = Conditional(
        attribute=attribute.name,
        rung=question.rung,
        given=question.given,
        n=strata.n,
        strata=strata.count,
        informative=len(strata.tables),
        n_effective=strata.n_effective,
        entropy_left=_entropy_left(clusters, attribute.codes, given),
        marginal=None,
        mi=None,
        mi_debiased=None,
        kept=None,
        low=None,
        high=None,
        p=None,
        p_holm=None,
        permutations=0,
        holds=None,
        reading="",
    )
    if reason := _why_silent(strata):
        fields: tuple[str, ...] = (
            "marginal",
            "mi",
            "mi_debiased",
            *_KEPT,
            "p",
            "p_holm",
        )
        if asked.entropy_left is None:
            fields = ("entropy_left", *fields)
        return replace(asked, not_computable=tuple((name, reason) for name in fields))
    draws = affordable(strata.cells, permutations, minor=question.minor)
    found = conditional_information(strata, draws=draws, rng=rng, confidence=confidence)
    marginal = marginal_information(strata)
    asked = replace(
        asked,
        marginal=marginal,
        mi=found.counted,
        mi_debiased=found.counted - found.chance,
        p=found.p,
        permutations=found.draws,
    )
    if marginal <= BEYOND * _chance_sd(strata):
        reason = "clusters and groups are at chance on these images, so there is nothing to keep"
        return replace(asked, not_computable=tuple((name, reason) for name in _KEPT))
    low, high = kept_interval(strata, found, marginal, confidence=confidence)
    return replace(
        asked,
        kept=(found.counted - found.chance) / marginal,
        low=low,
        high=high,
        null_low=found.low / marginal,
        null_high=found.high / marginal,
    )


def affordable(cells: int, wanted: int, *, minor: bool) -> int:
    """Return how many shuffles a question with so many informative cells gets."""
    most = MINOR_DRAWS if minor else max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1))
    return min(wanted, most)


def correct(
    asked: Mapping[str, Sequence[tuple[str, Conditional]]], *, alpha: float
) -> dict[str, tuple[Conditional, ...]]:
    """Return (family, question) pairs by attribute with Holm's p, a verdict and a reading.

    Attributes that were asked the same thing are one family.
    """
    families: dict[str, list[float]] = {}
    for pairs in asked.values():
        for family, each in pairs:
            if each.p is not None:
                families.setdefault(family, []).append(each.p)
    adjusted = {family: iter(holm(p)) for family, p in families.items()}
    return {
        name: tuple(
            _judged(each, next(adjusted[family]) if each.p is not None else None, alpha)
            for family, each in pairs
        )
        for name, pairs in asked.items()
    }


def _judged(each: Conditional, p_holm: float | None, alpha: float) -> Conditional:
    holds = None
    if p_holm is not None and each.low is not None:
        holds = each.low > 0 and p_holm <= alpha
    judged = replace(each, p_holm=p_holm, holds=holds)
    return replace(judged, reading=_read(judged))


def _read(each: Conditional) -> str:
    names = " × ".join(display(name) for name in each.given)
    reach = (
        f"{each.n_effective:,} of {counted(each.n, 'image')} in {each.informative:,} of "
        f"{counted(each.strata, 'stratum', 'strata')} can tell"
    )
    if each.entropy_left is not None and each.entropy_left < FIXES:
        reach += f", and {names} alone fixes {percent(1 - each.entropy_left)} of {display(each.attribute)}"
    if each.kept is None or each.low is None or each.high is None or each.p_holm is None:
        reason = dict(each.not_computable).get("kept", "not tested")
        return f"not computable given {names}: {reason}; {reach}"
    return (
        f"given {names} {kept_words(each.kept, each.low, each.high)} of the association is left, "
        f"{p_phrase(each.p_holm)} after Holm; {reach}"
    )


def kept_words(kept: float, low: float, high: float) -> str:
    """Return a kept share and its interval in words: "84.1 % (79.0-89.2)"."""
    ends = percent_span(low, high)
    return f"{percent(kept)} ({ends})" if kept >= 0 else f"nothing ({ends} %)"


def _why_silent(strata: Strata) -> str:
    if strata.n == 0:
        return "no image has a cluster and all of these labels"
    if not strata.tables:
        return "no stratum holds two clusters and two groups"
    if strata.n_effective < TOO_FEW:
        return f"{counted(strata.n_effective, 'image')} in informative strata are too few"
    return ""


def _chance_sd(strata: Strata) -> float:
    """Return the standard deviation of I(C; A) under chance: 2 n I is chi-squared, variance 2 df."""
    table, _, _ = drop_empty(strata.marginal())
    df = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(np.sqrt(2 * df) / (2 * strata.n))


def _entropy_left(
    clusters: NDArray[np.integer], codes: NDArray[np.integer], strata: NDArray[np.integer]
) -> float | None:
    """Return H(A | Z) / H(A) = (H(A, Z) - H(Z)) / H(A), None where A has no entropy."""
    known = (clusters >= 0) & (codes >= 0) & (strata >= 0)
    if not known.any():
        return None
    a, z = codes[known].astype(np.int64), strata[known]
    alone = entropy(np.bincount(a))
    if alone <= 0:
        return None
    joint = np.unique(z * (int(a.max()) + 1) + a, return_counts=True)[1]
    return min(
        1.0, max(0.0, entropy(joint) - entropy(np.unique(z, return_counts=True)[1])) / alone
    )
