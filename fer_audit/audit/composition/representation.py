"""Who is in the set: the groups of one attribute, and the ages."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.composition.diversity import diversity_indices
from fer_audit.audit.stats.goodness_of_fit import ratio_interval, target_distance, wilson_interval
from fer_audit.audit.stats.tables import Counts, Floats
from fer_audit.audit.types.composition import AgeHeaping, GroupShare, Representation
from fer_audit.dataset.types import Attribute

HEAPED_AGES = (23, 62)
"""Whipple's range: whole tens of years around the ages people round, childhood and old age left out."""


def represent(
    attribute: Attribute,
    *,
    tested: NDArray[np.bool_],
    reference: Mapping[str, int] | None,
    draws: int,
    confidence: float,
    rng: np.random.Generator,
) -> Representation:
    """Return who is in the set, for one attribute.

    Shares, indices and distances describe every listed row, also of images that failed; the test of
    fit uses the rows in `tested`, one copy of each image. The target is `reference` (counts by group)
    if there is one, else an even share for every category, also those without an image. Groups that
    only the reference has become rows with no image.
    """
    names = _group_names(attribute, reference)
    counts = _counts(attribute.codes, len(names))
    shares = target_shares(names, reference)
    target = target_distance(
        counts,
        shares,
        target="uniform" if reference is None else "reference",
        tested=_counts(attribute.codes[tested], len(names)),
        untested=_why_no_target(attribute, reference),
        draws=draws,
        rng=rng,
    )
    annotated = int(counts.sum())
    return Representation(
        attribute=attribute.name,
        kind=attribute.kind,
        source=attribute.source,
        annotated=annotated,
        not_annotated=len(attribute.codes) - annotated,
        groups=_group_shares(names, counts, shares, confidence=confidence),
        indices=diversity_indices(counts),
        target=target,
    )


def target_shares(names: tuple[str, ...], reference: Mapping[str, int] | None) -> Floats:
    """Return the (g,) shares the target wants: even ones without a reference."""
    if reference is None:
        return np.full(len(names), 1 / max(len(names), 1))
    counts = np.array([reference.get(name, 0) for name in names], dtype=np.float64)
    return np.asarray(counts / max(counts.sum(), 1.0))


def age_heaping(ages: NDArray[np.int16]) -> AgeHeaping:
    """Return Whipple's index of (n,) ages in years, -1 = not annotated.

    500 times the share of ages 23 to 62 that end in 0 or 5: 100 = no preference, 500 = nothing else.
    UN, Methods of Appraisal of Quality of Basic Data, Manual II (1955).
    """
    low, high = HEAPED_AGES
    counted = ages[(ages >= low) & (ages <= high)]
    if len(counted) == 0:
        reason = f"no image has an age of {low} to {high}"
        return AgeHeaping(whipple=None, n=0, not_computable=(("whipple", reason),))
    return AgeHeaping(whipple=float(500 * np.mean(counted % 5 == 0)), n=len(counted))


def _group_names(attribute: Attribute, reference: Mapping[str, int] | None) -> tuple[str, ...]:
    known = attribute.categories
    return (*known, *(name for name in reference or {} if name not in known))


def _counts(codes: NDArray[np.int16], n_groups: int) -> Counts:
    return np.bincount(codes[codes >= 0], minlength=n_groups)


def _why_no_target(attribute: Attribute, reference: Mapping[str, int] | None) -> str:
    if reference is None and attribute.kind in ("batch", "style"):
        return f"nobody wants even shares of a {attribute.kind} attribute"
    return ""


def _group_shares(
    names: tuple[str, ...], counts: Counts, target: Floats, *, confidence: float
) -> tuple[GroupShare, ...]:
    total = int(counts.sum())
    if total == 0:
        fields = ("share", "low", "high", "ratio", "ratio_low", "ratio_high")
        missing = tuple((name, "no image is annotated") for name in fields)
        return tuple(
            GroupShare(name=name, count=0, **dict.fromkeys(fields), not_computable=missing)
            for name in names
        )
    low, high = wilson_interval(counts, total, confidence=confidence)
    ratios = np.stack(ratio_interval(counts, total, target, confidence=confidence), axis=1)
    return tuple(
        _group_share(name, int(count), total, (float(low[i]), float(high[i])), ratios[i])
        for i, (name, count) in enumerate(zip(names, counts.tolist(), strict=True))
    )


def _group_share(
    name: str, count: int, total: int, interval: tuple[float, float], ratios: Floats
) -> GroupShare:
    ratio, ratio_low, ratio_high = (None if np.isnan(x) else float(x) for x in ratios)
    missing: tuple[tuple[str, str], ...] = ()
    if ratio is None:
        reason = "the target has none of this group"
        missing = tuple((field, reason) for field in ("ratio", "ratio_low", "ratio_high"))
    elif ratio_low is None:
        reason = "a ratio of 0 has no log-interval"
        missing = (("ratio_low", reason), ("ratio_high", reason))
    return GroupShare(
        name=name,
        count=count,
        share=count / total,
        low=interval[0],
        high=interval[1],
        ratio=ratio,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        not_computable=missing,
    )
