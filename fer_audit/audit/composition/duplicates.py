"""Photos that are there more than once, byte by byte or saved and scaled again, and what their labels disagree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs, contradicted, group_members
from fer_audit.audit.stats.near_pairs import FLOOR, MOST_PAIRS
from fer_audit.audit.stats.tables import Mask, Places
from fer_audit.audit.types.composition import Count, Duplicates
from fer_audit.audit.types.copies import Disagreement, NearDuplicates
from fer_audit.audit.types.lists import CONFLICTS, DROP_COPIES, NEAR_DUPLICATES
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.audit.units import NearGroups
from fer_audit.dataset.types import FaceDataset
from fer_audit.text import (
    coefficient,
    counted,
    display,
    encodable,
    listed,
    percent,
    rounded_percent,
    whole,
)

SHOWN_GROUPS = 5


def find_duplicates(
    dataset: FaceDataset, sha256: NDArray[np.bytes_], ok: Mask, *, left_out: int
) -> Duplicates:
    """Return the groups of byte-identical files among the rows that could be decoded; those that disagree most first."""
    rows, owner = group_members(sha256, ok & (sha256 != b""))
    n_groups = int(owner.max(initial=-1)) + 1
    columns = label_columns(dataset)
    conflicts = {name: contradicted(values[rows], owner) for name, values in columns}
    any_conflict = np.zeros(n_groups, np.bool_)
    for each in conflicts.values():
        any_conflict |= each
    worst = conflicting_groups(dataset, rows, owner)
    order = [*worst, *np.flatnonzero(~any_conflict).tolist()][:SHOWN_GROUPS]
    return Duplicates(
        groups=n_groups,
        files=len(rows),
        left_out=left_out,
        contradicting=int(any_conflict.sum()),
        conflicts=tuple(Count(name, int(found.sum())) for name, found in conflicts.items()),
        examples=tuple(
            tuple(encodable(dataset.ids[row]) for row in rows[owner == group].tolist())
            for group in order
        ),
        worst=_described(dataset, rows[owner == worst[0]]) if worst else "",
        across_age_groups=_across_age_groups(dataset, rows, owner),
    )


def _across_age_groups(dataset: FaceDataset, rows: Places, owner: Places) -> int | None:
    """Return how many groups of copies lie in two age groups; None where ages have none."""
    named = (each for each in dataset.attributes if each.name == "age_bin")
    ages = None if dataset.ages is None else next(named, None)
    return None if ages is None else int(contradicted(ages.codes[rows], owner).sum())


def conflicting_groups(
    dataset: FaceDataset, rows: Places, owner: Places, *, years: int = 1
) -> list[int]:
    """Return the groups whose labels contradict each other: widest gap of ages first, then most attributes, then their order.

    Ages contradict each other from a gap of `years`.
    """
    columns = label_columns(dataset)
    found = np.array([contradicted(values[rows], owner) for _, values in columns])
    if not found.size:
        return []
    gaps = np.zeros(found.shape[1], np.int64)
    if dataset.ages is not None:
        ages = dataset.ages[rows].astype(np.int64)
        low, high = np.full(len(gaps), 999), np.full(len(gaps), -1)
        np.minimum.at(low, owner[ages >= 0], ages[ages >= 0])
        np.maximum.at(high, owner, ages)
        gaps = np.maximum(high - low, 0)
        found[-1] &= gaps >= years
    order = np.lexsort((np.arange(len(gaps)), -found.sum(axis=0), -gaps))
    any_label: Mask = np.logical_or.reduce(found, axis=0)
    conflicting: list[int] = order[any_label[order]].tolist()
    return conflicting


def _described(dataset: FaceDataset, rows: Places) -> str:
    """Return what the copies of one photo are labelled: "age 5 and 53"."""
    told, categories = [], {each.name: each.categories for each in dataset.attributes}
    for name, values in label_columns(dataset):
        codes = sorted({int(code) for code in values[rows] if code >= 0})
        if len(codes) > 1:
            words = [str(x) if values is dataset.ages else categories[name][x] for x in codes]
            told.append(f"{display(name)} {listed(words)}")
    return ", ".join(reversed(told))


def conflicting_names(duplicates: Duplicates) -> Sequence[Count]:
    """Return the attributes that copies disagree on, most conflicts first."""
    found = [each for each in duplicates.conflicts if each.count > 0]
    return sorted(found, key=lambda each: -each.count)


def label_columns(dataset: FaceDataset) -> list[tuple[str, NDArray[np.int16]]]:
    """Return (name, (n,) values) of what one photo cannot have twice: labels and ages in years, -1 where not annotated."""
    binned = () if dataset.ages is None else ("age", "age_bin")  # these only repeat the ages
    columns = [
        (each.name, each.codes)
        for each in dataset.attributes
        if each.kind in ("demographic", "label")
        and not each.mapped_from
        and each.name not in binned
    ]
    return columns if dataset.ages is None else [*columns, ("age", dataset.ages)]


def _copies_findings(result: AuditResult) -> Iterator[Finding]:
    copies = result.duplicates
    if not copies.groups:
        return
    # Copies are one face labelled more than once: the rate says how far labels can be trusted, but rests on few.
    extra = copies.files - copies.groups
    share = copies.files / max(result.dataset.listed, 1)
    conflicts = conflicting_names(copies)
    if contradicting := copies.contradicting:
        across = copies.across_age_groups
        border = f" ({whole(across)} across age groups)" if across is not None else ""
        named = ", ".join(
            f"{display(each.name)} {whole(each.count)}{border if each.name == 'age' else ''}"
            for each in conflicts
        )
        one = contradicting == 1
        widest = f"; widest: {copies.worst}" if copies.worst else ""
        yield Finding(
            code="conflicting_copies",
            severity="fix",
            text=f"{whole(contradicting)} of {counted(copies.groups, 'photo')} that {'is' if copies.groups == 1 else 'are'} there more than once {'has' if one else 'have'} contradicting labels.",
            effect=0.5,
            figures=f"{counted(copies.files, 'file')}; {named}{widest}",
            do="Correct or drop them; the tests count a copy as not annotated in what it contradicts.",
            files=CONFLICTS,
            values=(
                ("photos", contradicting),
                *((f"photos.{each.name}", each.count) for each in conflicts),
                *((("photos.age_groups", across),) if across is not None else ()),
            ),
        )
    in_tests = "left out of" if copies.left_out else "part of"
    yield Finding(
        code="duplicates",
        severity="fix",
        text=f"{counted(extra, 'file is an exact copy', 'files are exact copies')} of another.",
        effect=share,
        figures=f"{counted(copies.groups, 'photo')} in {counted(copies.files, 'file')}, {percent(share)} of the set; copies are {in_tests} the tests",
        do="Keep one file of each photo, without the labels that its copies contradict.",
        files=DROP_COPIES,
        values=(("extra", extra), ("photos", copies.groups), ("files", copies.files)),
    )


def _run_copies(inputs: AuditInputs) -> Duplicates:
    left_out = int((inputs.usable & ~inputs.tested).sum())
    return find_duplicates(inputs.dataset, inputs.rows.sha256, inputs.rows.ok, left_out=left_out)


COPIES = Analysis(name="duplicates", record=Duplicates, run=_run_copies, findings=_copies_findings)


YEARS = 5
"""Ages of one photo that are this far apart disagree."""
SHOWN_IMAGES = 5


def _run_near(inputs: AuditInputs) -> NearDuplicates | None:
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
    name: str, values: NDArray[np.int16], found: NearGroups, confirmed: Mask, *, in_years: bool
) -> Disagreement:
    one = found.pairs.first[confirmed]
    both = one, found.pairs.second[confirmed]
    first, second = (values[each].astype(np.int64) for each in both)
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
    some = f"only those above {coefficient(floor, 4)} were"
    which = some if floor < 1 else "as they are equal, none was"
    return (
        f"More than {MOST_PAIRS:,} pairs of images have a cosine above {coefficient(FLOOR)}: {which} looked at, and there may"
        " be more near-identical photos than are listed"
    )


def _near_findings(result: AuditResult) -> Iterator[Finding]:
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
    named = ", ".join(f"{display(x.attribute)}{x.by_years} {percent(x.share)}" for x in differ)
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


NEAR = Analysis(
    name="near_duplicates", record=NearDuplicates | None, run=_run_near, findings=_near_findings
)
