"""Which images two runs share, and is a group's share in one set another than in the other, when both may hold the same images?"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import first_copies
from fer_audit.audit.stats.goodness_of_fit import wilson_interval
from fer_audit.audit.stats.resampling import benjamini_hochberg, monte_carlo_p
from fer_audit.audit.types.compare import (
    AttributeComparison,
    CommonImages,
    GroupChange,
    RunRows,
)
from fer_audit.audit.types.composition import Representation
from fer_audit.text import counted

DRAWS = 9_999
SAME = "same images, shares equal"
TESTED_KINDS = ("demographic", "label")
"""Nobody claims anything about the share of an hour of the crawl."""
Pairs = NDArray[np.intp]
"""(n, 2) rows of the first run and of the second: an image that both have."""
Three = tuple[int, int, int]
"""Images (in the first run, in the second, in both)."""
_KEYS = (
    lambda name, sha: (name, sha) if sha else None,
    lambda name, sha: sha or None,
    lambda name, sha: (name,),
)


def match_rows(first: RunRows, second: RunRows) -> tuple[Pairs, CommonImages]:
    """Pair the rows of two runs, each row once at most, in the order of the first run; copies in the order of their rows.

    Bytes say more than a name: equal names with equal bytes go first, then equal bytes, then equal names.
    So a file that was renamed is found, and one whose name now belongs to another picture is not mistaken for it.
    """
    one, two = (list(zip(run.ids, run.sha256.tolist(), strict=True)) for run in (first, second))
    partner: dict[int, int] = {}
    found: list[dict[int, int]] = []
    for key in _KEYS:
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        taken = set(partner.values())
        for row, each in enumerate(two):
            if row not in taken:
                waiting[key(*each)].append(row)
        waiting.pop(None, None)
        found.append(
            {
                row: waiting[key(*each)].popleft()
                for row, each in enumerate(one)
                if row not in partner and waiting.get(key(*each))
            }
        )
        partner |= found[-1]
    same, renamed, named = map(len, found)
    changed = sum(bool(one[i][1] and two[j][1]) for i, j in found[2].items())
    pairs = np.array(sorted(partner.items()), dtype=np.intp).reshape(-1, 2)
    return pairs, CommonImages(len(pairs), same + named - changed, renamed, changed)


def difference_interval(
    first: tuple[int, int], second: tuple[int, int], *, shared: int, confidence: float
) -> tuple[float, float]:
    """Return the interval of share(second) - share(first), both given as (count, total).

    Wilson's intervals, joined by the method of variance estimates recovery (Zou & Donner 2008, eq. 4; without shared
    images this is Newcombe 1998, method 10). `shared` images are in both totals and labelled alike, which ties the two
    shares together by shared / sqrt(n1 n2).
    """
    counts, totals = np.array([first, second]).T
    p_1, p_2 = counts / totals
    (low_1, low_2), (high_1, high_2) = wilson_interval(counts, totals, confidence=confidence)
    tie = min(1.0, shared / float(np.sqrt(totals.prod())))

    def joined(one: float, other: float) -> float:
        return float(np.sqrt(max(0.0, one**2 + other**2 - 2 * tie * one * other)))

    gap = float(p_2 - p_1)
    below, above = joined(p_2 - low_2, high_1 - p_1), joined(high_2 - p_2, p_1 - low_1)
    return max(-1.0, gap - below), min(1.0, gap + above)


def share_p(group: Three, images: Three, *, draws: int, rng: np.random.Generator) -> float:
    """Return the two-sided Monte-Carlo p of "this group's share of the images is the same in both sets".

    All images of both runs are pooled, and it is dealt again at random which are only in the first, only in the second, and in
    both. Without common images this is Fisher's test, ordered by the difference of the shares; with the one
    set inside the other it asks whether the smaller is a fair draw of the larger.
    """
    in_first, in_second, in_both = group
    first, second, common = images
    total, everyone = in_first + in_second - in_both, first + second - common
    both = rng.hypergeometric(total, everyone - total, common, size=draws)
    left, apart = total - both, everyone - common
    only_first = rng.hypergeometric(left, apart - left, first - common)
    drawn = (total - only_first) / second - (both + only_first) / first
    return monte_carlo_p(np.abs(drawn), abs(in_second / second - in_first / first))


class Counted(NamedTuple):
    """The single images of an attribute in two runs."""

    common: int
    """Common images annotated in both runs."""
    relabelled: int
    """Those whose group is another one in the second run."""
    images: Three
    """Annotated images that are tested: one copy of each, in both where they are labelled alike."""
    groups: dict[str, Three]


def compare_attribute(
    first: Representation,
    second: Representation,
    found: Counted | None,
    *,
    confidence: float,
    rng: np.random.Generator,
) -> AttributeComparison:
    """Return who is in two sets, by one attribute of both; `found` is None when the labels of single images are not known.

    Shares describe the whole listing.
    """
    untested = _why_untested(first, second, found)
    images = (0, 0, 0) if found is None else found.images
    shares = [{group.name: group for group in each.groups} for each in (first, second)]
    changes = []
    for name in dict.fromkeys((*shares[0], *shares[1])):
        one, two = shares[0].get(name), shares[1].get(name)
        change = GroupChange(name, one, two)
        if one and two and one.share is not None and two.share is not None:
            change = replace(change, difference=two.share - one.share)
            if found is not None and not untested:
                low, high = difference_interval(
                    *((one.count or 0, first.annotated), (two.count or 0, second.annotated)),
                    shared=found.common,
                    confidence=confidence,
                )
                p = share_p(found.groups[name], images, draws=DRAWS, rng=rng)
                change = replace(change, low=low, high=high, p=p)
        changes.append(change)
    tested = [each for each in changes if each.p is not None]
    if tested:
        adjusted = benjamini_hochberg(np.array([each.p for each in tested])).tolist()
        again = {x.name: p for x, p in zip(tested, adjusted, strict=True)}
        changes = [replace(each, p_adjusted=again.get(each.name)) for each in changes]
    how = f"{DRAWS:,} draws; {images[0]:,} and {counted(images[1], 'image')}, {images[2]:,} of them shared"
    return AttributeComparison(
        attribute=first.attribute,
        kind=first.kind,
        common=None if found is None else found.common,
        relabelled=None if found is None else found.relabelled,
        reading=untested or how,
        draws=0 if untested else DRAWS,
        groups=tuple(changes),
    )


def count_images(
    name: str, rows: tuple[RunRows, RunRows], pairs: Pairs, *, keep_copies: bool
) -> Counted | None:
    """Count an attribute's images; None when a rows.parquet lacks its labels."""
    columns = [x for run in rows for x in run.labels if x.name == name]
    if len(columns) < len(rows):
        return None
    groups = tuple(dict.fromkeys(group for column in columns for group in column.groups))
    codes = []
    for column in columns:
        # A last entry for code -1.
        table = np.array([*map(groups.index, column.groups), -1], dtype=np.int32)
        codes.append(table[column.codes])
    one, two = codes[0][pairs[:, 0]], codes[1][pairs[:, 1]]
    known = (one >= 0) & (two >= 0)
    if not keep_copies:
        codes = [
            np.where(first_copies(run.sha256, of >= 0), of, -1)
            for run, of in zip(rows, codes, strict=True)
        ]
    both = codes[0][pairs[:, 0]]
    # Copies may carry different labels, and the runs may keep different copies: those count as two images.
    codes.append(both[both == codes[1][pairs[:, 1]]])
    a, b, c = (np.bincount(of[of >= 0], minlength=len(groups)).tolist() for of in codes)
    return Counted(
        common=int(known.sum()),
        relabelled=int((one[known] != two[known]).sum()),
        images=(sum(a), sum(b), sum(c)),
        groups=dict(zip(groups, zip(a, b, c, strict=True), strict=True)),
    )


def _why_untested(first: Representation, second: Representation, found: Counted | None) -> str:
    """Return why a test of the shares would mean nothing, "" if it means something."""
    if first.kind not in TESTED_KINDS:
        return f"shares of a {first.kind} attribute are not tested"
    if not (first.annotated and second.annotated):
        return "nothing is annotated in one of the runs"
    if found is None:
        return "the labels of the single images are not known"
    if found.relabelled:
        return f"{found.relabelled:,} of {counted(found.common, 'common image')} carry another label: that is no chance"
    if found.common == first.annotated == second.annotated:
        return SAME
    return "" if all(found.images[:2]) else "no image is left once copies are left out"
