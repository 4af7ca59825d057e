"""Do the parts of a split share photos or people? A model tested on one part has then seen them in another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.composition.duplicates import SHOWN_GROUPS
from fer_audit.audit.inputs import AuditInputs, group_members
from fer_audit.audit.types.lists import SPLIT_LEAKS
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.audit.types.splits import Crossing, InPart, PartPair, SplitLeak
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.types import PackRows
from fer_audit.text import counted, display, encodable

MOST_PAIRS = 100
SHOWN_PARTS = 5


def crossings(
    dataset: FaceDataset, rows: PackRows, near: NDArray[np.int64] | None = None
) -> Iterator[Crossing]:
    """Yield, for each split, the groups in more than one part: byte-identical files, near-identical ones, subjects by attribute.

    `near`: (n,) group of each near-identical image, -1 for none; None = nothing was compared.

    Copies are looked for among the images that could be decoded, subjects among all that name one and a part.
    """
    for split in dataset.attributes:
        if split.kind != "split":
            continue
        members = _in_several_parts(split, rows.sha256, rows.ok & (rows.sha256 != b""))
        names = [str(rows.sha256[row], "ascii") for row in _first_rows(*members)]
        yield Crossing(split, None, *members, tuple(names))
        if near is not None:
            members = _in_several_parts(split, near, near >= 0)
            names = [str(near[row]) for row in _first_rows(*members)]
            yield Crossing(split, None, *members, tuple(names), near_identical=True)
        for subject in dataset.attributes:
            if subject.kind == "subject":
                members = _in_several_parts(split, subject.codes, subject.codes >= 0)
                codes = subject.codes[_first_rows(*members)].tolist()
                names = [subject.categories[code] for code in codes]
                yield Crossing(split, subject, *members, tuple(names))


def split_leak(dataset: FaceDataset, found: Crossing) -> SplitLeak:
    """Return how many groups cross, between which parts, and a few of them."""
    return SplitLeak(
        attribute=found.split.name,
        subject=None if found.subject is None else found.subject.name,
        groups=len(found.names),
        images=len(found.rows),
        pairs=_pairs(found),
        examples=tuple(
            _example(dataset, found.split, found.rows[found.owner == group])
            for group in range(min(len(found.names), SHOWN_GROUPS))
        ),
        near_identical=found.near_identical,
    )


def _in_several_parts(
    split: Attribute, values: NDArray[np.generic], known: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows of each value that lies in two parts or more, and the group of each."""
    rows, owner = group_members(values, known & (split.codes >= 0))
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if not len(starts):
        return rows, owner
    parts = split.codes[rows]
    crosses = np.minimum.reduceat(parts, starts) < np.maximum.reduceat(parts, starts)
    crossing = crosses[owner]
    return rows[crossing], (np.cumsum(crosses) - 1)[owner[crossing]]


def _first_rows(rows: NDArray[np.intp], owner: NDArray[np.intp]) -> NDArray[np.intp]:
    return rows[np.flatnonzero(np.diff(owner, prepend=-1))]


def _pairs(found: Crossing) -> tuple[PartPair, ...]:
    from scipy.sparse import coo_array  # 0.2 s that a warm rerun would wait for

    names = found.split.categories
    places = (found.owner, found.split.codes[found.rows])
    shape = (len(found.names), len(names))
    images = coo_array((np.ones(len(found.rows), np.int64), places), shape).tocsr()
    there = images.sign()
    groups, one_side = (there.T @ there).tocoo(), (images.T @ there).tocsr()
    both = [
        (int(n), first, second)
        for first, second, n in zip(*groups.coords, groups.data, strict=True)
        if first < second
    ]
    both.sort(key=lambda pair: (-pair[0], *pair[1:]))
    return tuple(
        PartPair(names[a], names[b], n, int(one_side[a, b] + one_side[b, a]))
        for n, a, b in both[:MOST_PAIRS]
    )


def _example(dataset: FaceDataset, split: Attribute, rows: NDArray[np.intp]) -> tuple[InPart, ...]:
    codes, first = np.unique(split.codes[rows], return_index=True)
    return tuple(
        InPart(split.categories[code], encodable(dataset.ids[row]))
        for code, row in zip(codes[:SHOWN_PARTS].tolist(), rows[first].tolist(), strict=False)
    )


def _findings(result: AuditResult) -> Iterator[Finding]:
    for leak in result.split_leaks:
        if not leak.groups:
            continue
        one = leak.groups == 1
        where = f"in more than one part of {display(leak.attribute)}"
        if leak.subject is None:
            alike = "nearly the same" if leak.near_identical else "byte by byte the same"
            text = f"{counted(leak.groups, 'photo')} {'lies' if one else 'lie'} {alike} {where}."
        else:
            people = counted(leak.groups, "person", "people")
            text = f"{people} ({display(leak.subject)}) {'appears' if one else 'appear'} {where}."
        yield Finding(
            code=_code(leak),
            severity="fix",
            text=text,
            attribute=leak.attribute,
            effect=0.5 + 0.5 * min(1.0, leak.images / max(result.dataset.listed, 1)),
            figures=f"{counted(leak.images, 'image')}{_where(leak)}; a model tested on one part has seen them in another",
            do="Move each into one part before a model is trained or tested.",
            files=SPLIT_LEAKS,
            values=(("groups", float(leak.groups)), ("images", float(leak.images))),
        )


def _code(leak: SplitLeak) -> str:
    if leak.subject is not None:
        return "subjects_in_parts"
    return "near_split_leak" if leak.near_identical else "split_leak"


def _where(leak: SplitLeak) -> str:
    if not leak.pairs:
        return ""
    most = leak.pairs[0]
    parts = f"{most.first} and {most.second}"
    return f", {parts}" if len(leak.pairs) == 1 else f", most ({most.groups:,}) in {parts}"


def _run(inputs: AuditInputs) -> tuple[SplitLeak, ...]:
    dataset = inputs.dataset
    found = crossings(dataset, inputs.rows, inputs.near_groups)
    return tuple(split_leak(dataset, each) for each in found)


ANALYSIS = Analysis(name="split_leaks", record=tuple[SplitLeak, ...], run=_run, findings=_findings)
