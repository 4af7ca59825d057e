"""Is a group's share in one set another than in a second one, when the two may hold the same images?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.resampling import benjamini_hochberg, monte_carlo_p
from fer_audit.audit.types.compare import GroupChange
from fer_audit.audit.types.composition import GroupShare, Representation

DRAWS = 9_999


@dataclass(frozen=True, slots=True)
class SharedCounts:
    """One attribute's tested images: one copy of each image, those in both runs labelled alike."""

    first: int
    """Images annotated in the first run."""
    second: int
    common: int
    """Those annotated in both."""
    listed_common: int
    """The same, all copies counted."""
    groups: dict[str, tuple[int, int, int]]
    """Group -> images (in the first run, in the second, in both)."""


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], *, shared: int, confidence: float
) -> tuple[float, float]:
    """Return the interval of share(second) - share(first), both given as (count, total).

    Wilson's intervals, joined by the method of variance estimates recovery (Zou & Donner 2008, eq. 4; without shared
    images this is Newcombe 1998, method 10). `shared` images are in both totals and labelled alike, which ties the two
    shares together by shared / sqrt(n1 n2).
    """
    (count_1, n_1), (count_2, n_2) = first, second
    p_1, p_2 = count_1 / n_1, count_2 / n_2
    low_1, high_1 = (
        float(end[0]) for end in wilson_interval(np.array([count_1]), n_1, confidence=confidence)
    )
    low_2, high_2 = (
        float(end[0]) for end in wilson_interval(np.array([count_2]), n_2, confidence=confidence)
    )
    tie = min(1.0, shared / float(np.sqrt(n_1 * n_2)))
    gap = p_2 - p_1
    below = _joined(p_2 - low_2, high_1 - p_1, tie)
    above = _joined(high_2 - p_2, p_1 - low_1, tie)
    return max(-1.0, gap - below), min(1.0, gap + above)


def share_p(
    in_first: int,
    in_second: int,
    in_both: int,
    *,
    tested: SharedCounts,
    draws: int,
    rng: np.random.Generator,
) -> float:
    """Return the two-sided Monte-Carlo p of "this group's share is the same in both sets".

    All images of both runs are pooled, and it is dealt again at random which are only in the first, only in the second, and in
    both. Without common images this is Fisher's test, ordered by the difference of the shares; with the one
    set inside the other it asks whether the smaller is a fair draw of the larger.
    """
    total = in_first + in_second - in_both
    everyone = tested.first + tested.second - tested.common
    both = rng.hypergeometric(total, everyone - total, tested.common, size=draws)
    left = total - both
    apart = everyone - tested.common
    only_first = rng.hypergeometric(left, apart - left, tested.first - tested.common)
    first = (both + only_first) / tested.first
    second = (total - only_first) / tested.second
    seen = abs(in_second / tested.second - in_first / tested.first)
    return monte_carlo_p(np.abs(second - first), seen)


def compare_shares(
    first: Representation,
    second: Representation,
    *,
    tested: SharedCounts | None,
    untested: str,
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[GroupChange, ...]:
    """Return every group of either run, the first run's first.

    Shares describe the whole listing; `tested` holds the images that the tests are about, None if `untested` says why not.
    """
    groups_1 = {group.name: group for group in first.groups}
    groups_2 = {group.name: group for group in second.groups}
    changes = []
    for name in dict.fromkeys((*groups_1, *groups_2)):
        change = _describe(name, groups_1.get(name), groups_2.get(name))
        count_1, count_2 = change.first_count, change.second_count
        if change.difference is None or count_1 is None or count_2 is None:
            changes.append(change)
        elif tested is None:
            changes.append(_without(change, untested, "low", "high", "p", "p_adjusted"))
        else:
            low, high = difference_interval(
                (count_1, first.annotated),
                (count_2, second.annotated),
                shared=tested.listed_common,
                confidence=confidence,
            )
            counts = tested.groups[name]
            p = share_p(*counts, tested=tested, draws=draws, rng=rng)
            changes.append(replace(change, low=low, high=high, p=p))
    return _adjusted(changes)


def _describe(name: str, one: GroupShare | None, two: GroupShare | None) -> GroupChange:
    """Return a group's share in both runs, and what has no value there."""
    compared = ("difference", "low", "high", "p", "p_adjusted")
    seen: dict[str, Any] = dict.fromkeys(compared)
    for side, group in (("first", one), ("second", two)):
        for field in ("count", "share", "low", "high"):
            seen[f"{side}_{field}"] = None if group is None else getattr(group, field)
    if seen["first_share"] is not None and seen["second_share"] is not None:
        seen["difference"] = seen["second_share"] - seen["first_share"]
    change = GroupChange(name=name, **seen)
    for side, group in (("first", one), ("second", two)):
        shares = tuple(f"{side}_{field}" for field in ("share", "low", "high"))
        if group is None:
            reason = f"the {side} run has no such group"
            change = _without(change, reason, f"{side}_count", *shares, *compared)
        elif group.share is None:
            reason = f"nothing is annotated in the {side} run"
            change = _without(change, reason, *shares, *compared)
    return change


def _without(change: GroupChange, reason: str, *fields: str) -> GroupChange:
    """Say why fields are None; the first reason of a field stays."""
    known = dict(change.not_computable)
    new = tuple((field, reason) for field in fields if field not in known)
    return replace(change, not_computable=(*change.not_computable, *new))


def _adjusted(changes: Sequence[GroupChange]) -> tuple[GroupChange, ...]:
    p = [change.p for change in changes if change.p is not None]
    if not p:
        return tuple(changes)
    adjusted = iter(benjamini_hochberg(np.array(p)).tolist())
    return tuple(
        change if change.p is None else replace(change, p_adjusted=next(adjusted))
        for change in changes
    )


def _joined(one: float, other: float, tie: float) -> float:
    return float(np.sqrt(max(0.0, one**2 + other**2 - 2 * tie * one * other)))
