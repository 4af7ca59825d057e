"""Images that are one photo in other bytes, saved or scaled again, and the labels in which they differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.composition.duplicates import SHOWN_GROUPS, label_columns
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.near_groups import NearGroups
from fer_audit.audit.stats.near_pairs import FLOOR, MOST_PAIRS
from fer_audit.audit.types.lists import NEAR_DUPLICATES
from fer_audit.audit.types.near import Disagreement, NearDuplicates
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import coefficient, counted, display, encodable, percent, rounded_percent

YEARS = 5
"""Ages of one photo that are this far apart disagree."""
SHOWN_IMAGES = 5


def _run(inputs: AuditInputs) -> NearDuplicates | None:
    found = inputs.near
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
        cut=_cut(found),
        examples=tuple(
            tuple(encodable(dataset.ids[row]) for row in each[:SHOWN_IMAGES].tolist())
            for each in members
            if len(each)
        ),
    )


def _disagreement(
    name: str,
    values: NDArray[np.int16],
    found: NearGroups,
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


def _cut(found: NearGroups) -> str:
    """Return which pairs were not looked at, if some of them might count: none does where known ones do not."""
    pairs, floor = found.pairs, found.pairs.floor
    known = pairs.cosine[pairs.cosine > floor]
    enough = pairs.all_pixels if found.threshold is None else (known < found.threshold).any()
    if floor <= FLOOR or enough:
        return ""
    which = (
        f"only those above {coefficient(floor, 4)} were"
        if floor < 1
        else "as they are equal, none was"
    )
    return (
        f"More than {MOST_PAIRS:,} pairs of images have a cosine above {coefficient(FLOOR)}: {which} looked at, and there may"
        " be more near-identical photos than are listed"
    )


def _findings(result: AuditResult) -> Iterator[Finding]:
    near = result.near_duplicates
    if near is not None and near.cut:
        yield Finding(
            code="near_duplicates_cut",
            severity="know",
            text="There may be more near-identical photos than are listed.",
            effect=0.4,
            figures=near.cut,
            do="Sample the set, or leave out what is blank or made of one picture.",
            values=(("floor", near.floor),),
        )
    if near is None or not near.groups:
        return
    share = near.images / max(result.dataset.listed, 1)
    size = f"{counted(near.groups, 'group')}, {counted(near.images, 'image')}"
    values = (("groups", float(near.groups)), ("images", float(near.images)))
    differ = sorted((x for x in near.disagreements if x.differ), key=lambda x: -(x.share or 0))
    if not differ:
        one = near.groups == 1
        yield Finding(
            code="near_duplicates",
            severity="know",
            text=f"{counted(near.groups, 'photo')} {'is' if one else 'are'} in the set more than once, saved or cropped differently.",
            effect=share,
            figures=size,
            do="Keep each group in one part of a split.",
            files=NEAR_DUPLICATES,
            values=values,
        )
        return
    most = differ[0]
    named = ", ".join(
        f"{display(each.attribute)}{each.by_years} {percent(each.share)}" for each in differ
    )
    yield Finding(
        code="near_duplicates_disagree",
        severity="fix",
        text=f"Nearly identical photos carry different labels: {display(most.attribute)}{most.by_years} differs in {rounded_percent(most.share or 0)} of {counted(most.pairs, 'pair')}.",
        effect=max(share, min(0.5, most.share or 0) / 2),
        figures=f"{named} of {counted(most.pairs, 'confirmed pair')}; {size}",
        do="Read it as how far labels can be trusted; correct the pairs, and keep each group in one part of a split.",
        files=NEAR_DUPLICATES,
        values=(*values, *((f"differ.{each.attribute}", each.share or 0.0) for each in differ)),
    )


ANALYSIS = Analysis(
    name="near_duplicates", record=NearDuplicates | None, run=_run, findings=_findings
)
