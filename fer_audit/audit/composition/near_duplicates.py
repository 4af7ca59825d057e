"""Images that are one photo in other bytes, saved or scaled again, and the labels in which they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.composition.duplicates import SHOWN_GROUPS, label_columns
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.near_pairs import complete_linkage, threshold
from fer_audit.audit.types.near import NEAR_DUPLICATES, Disagreement, NearDuplicates, NearPairs
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import counted, display, encodable, listed, part, sentence

CONFIRMED = 0.9
"""Correlation of the pixels above which a pair is confirmed."""
SAME_PIXELS = 0.97
"""Correlation of the pixels above which a pair counts, whatever its cosine."""
FALLBACK = 0.97
"""Cosine where fewer than `FEWEST` pairs are confirmed; the pixels must then confirm each pair."""
FEWEST = 50
YEARS = 5
"""Ages of one photo that are this far apart disagree."""
SHOWN_IMAGES = 5


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The pairs of a set, cut."""

    pairs: NearPairs
    threshold: float | None
    method: str
    groups: NDArray[np.int64]
    """(n,) group of each image, -1 for none."""
    within: NDArray[np.bool_]
    """(m,) pairs of one group."""
    confirmed: NDArray[np.bool_]
    """(m,)"""


def near_duplicate_groups(inputs: AuditInputs) -> NDArray[np.int64] | None:
    """Return the (n,) group of each image, numbered by first images, -1 for none; None = nothing was compared.

    All images of a group are near-identical to each other. Later byte-identical copies are in the group of the first one.
    """
    found = inputs.once(_found)
    return None if found is None else found.groups


def choose_pairs(pairs: NearPairs) -> tuple[NDArray[np.bool_], float | None, str]:
    """Return the (m,) pairs that count, the cosine from which they do, and how it was chosen."""
    confirmed, same = pairs.correlation > CONFIRMED, pairs.correlation > SAME_PIXELS
    if confirmed.sum() < FEWEST:
        counts = same | confirmed & (pairs.cosine >= FALLBACK)
        return (
            counts,
            FALLBACK,
            f"fixed, fewer than {FEWEST} pairs are confirmed: each one must be",
        )
    known = pairs.cosine > pairs.floor
    cut = threshold(pairs.cosine[known], confirmed[known])
    if cut is None:
        return same, None, "no cosine is precise enough: by pixels alone"
    return (
        same | (pairs.cosine >= cut),
        cut,
        "the smallest at which pixels confirm 95 % of all pairs",
    )


def _found(inputs: AuditInputs) -> _Found | None:
    pairs = inputs.extra.near_pairs()
    if pairs is None:
        return None
    counts, cut, method = choose_pairs(pairs)
    groups = np.full(len(inputs.dataset), -1, np.int64)
    for number, rows in enumerate(complete_linkage(pairs.first[counts], pairs.second[counts])):
        groups[list(rows)] = number
    within = counts & (groups[pairs.first] >= 0) & (groups[pairs.first] == groups[pairs.second])
    known = np.flatnonzero(inputs.rows.ok & (inputs.rows.sha256 != b""))
    _, photo = np.unique(inputs.rows.sha256[known], return_inverse=True)
    of_photo = np.full(len(known), -1, np.int64)
    np.maximum.at(of_photo, photo, groups[known])
    groups[known] = of_photo[photo]
    return _Found(pairs, cut, method, groups, within, pairs.correlation > CONFIRMED)


def _run(inputs: AuditInputs) -> NearDuplicates | None:
    found = inputs.once(_found)
    if found is None:
        return None
    pairs, dataset = found.pairs, inputs.dataset
    compared = np.zeros(len(dataset), np.bool_)
    compared[inputs.comparable] = True
    rows = np.flatnonzero(compared & (found.groups >= 0))
    above = pairs.cosine >= (np.inf if found.threshold is None else found.threshold)
    confirmed = found.within & found.confirmed
    members = [rows[found.groups[rows] == group] for group in range(SHOWN_GROUPS)]
    return NearDuplicates(
        compared=int(compared.sum()),
        groups=int(found.groups.max(initial=-1)) + 1,
        images=len(rows),
        pairs=int(found.within.sum()),
        confirmed=int(confirmed.sum()),
        threshold=found.threshold,
        precision=float(found.confirmed[above].mean()) if above.any() else None,
        method=found.method,
        floor=pairs.floor,
        all_pixels=pairs.all_pixels,
        disagreements=tuple(
            _disagreement(name, values, found, confirmed, in_years=values is dataset.ages)
            for name, values in label_columns(dataset)
        ),
        examples=tuple(
            tuple(encodable(dataset.ids[row]) for row in each[:SHOWN_IMAGES].tolist())
            for each in members
            if len(each)
        ),
    )


def _disagreement(
    name: str,
    values: NDArray[np.int16],
    found: _Found,
    confirmed: NDArray[np.bool_],
    *,
    in_years: bool,
) -> Disagreement:
    one = found.pairs.first[confirmed]
    first, second = (
        values[each].astype(np.int64) for each in (one, found.pairs.second[confirmed])
    )
    known = (first >= 0) & (second >= 0)
    years = YEARS if in_years else 0
    differ = known & (np.abs(first - second) >= max(years, 1))
    n, others = int(known.sum()), int(differ.sum())
    groups = len(np.unique(found.groups[one[differ]]))
    return Disagreement(name, n, others, others / n if n else None, groups, years)


def _findings(result: AuditResult) -> Iterator[Finding]:
    near = result.near_duplicates
    if near is None or not near.groups:
        return
    text = f"{counted(near.groups, 'group')} of near-identical photos ({near.images:,} images, listed in {NEAR_DUPLICATES})."
    differ = sorted((x for x in near.disagreements if x.differ), key=lambda x: -(x.share or 0))
    if differ:
        named = listed(
            [
                f"{display(each.attribute)}{each.by_years} in {part(each.differ, each.pairs)}"
                for each in differ
            ]
        )
        text += f" Their labels should be the same, but differ: {named} of the confirmed pairs. That is how far labels can be trusted."
    worst = min(0.5, differ[0].share or 0) if differ else 0.0
    yield Finding(
        code="near_duplicates_disagree" if differ else "near_duplicates",
        severity="warning" if differ else "notice",
        text=sentence(text),
        effect=max(near.images / max(result.dataset.listed, 1), worst / 2),
    )


ANALYSIS = Analysis(
    name="near_duplicates", record=NearDuplicates | None, run=_run, findings=_findings
)
