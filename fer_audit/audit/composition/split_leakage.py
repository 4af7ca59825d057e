"""How many people the set names, and whether the parts of a split share photos or people: a model tested on one has then seen them in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.composition.duplicates import SHOWN_GROUPS
from fer_audit.audit.inputs import AuditInputs, group_members
from fer_audit.audit.stats.information import adjusted_mutual_information
from fer_audit.audit.stats.tables import Counts, Mask, Places, cross_table, drop_empty
from fer_audit.audit.types.copies import Crossing, InPart, PartPair, SplitLeak, SubjectFacts
from fer_audit.audit.types.lists import SPLIT_LEAKS
from fer_audit.audit.types.not_computable import because
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.pack.types import PackRows
from fer_audit.text import coefficient, counted, display, encodable, listed

MOST_PAIRS = 100
SHOWN_PARTS = 5


def crossings(
    dataset: FaceDataset, rows: PackRows, near: Counts | None = None
) -> Iterator[Crossing]:
    """Yield, for each split, the groups in more than one part: byte-identical files, near-identical ones, subjects by attribute.

    `near`: (n,) group of each near-identical image, -1 for none; None = nothing was compared.

    Copies are looked for among the images that could be decoded, subjects among all that name one and a part.
    """
    for split in (each for each in dataset.attributes if each.kind == "split"):
        members = _in_several_parts(split, rows.sha256, rows.ok & (rows.sha256 != b""))
        names = tuple(str(rows.sha256[row], "ascii") for row in _first_rows(*members))
        yield Crossing(split, None, *members, names)
        if near is not None:
            members = _in_several_parts(split, near, near >= 0)
            names = tuple(str(near[row]) for row in _first_rows(*members))
            yield Crossing(split, None, *members, names, near_identical=True)
        for subject in (each for each in dataset.attributes if each.kind == "subject"):
            members = _in_several_parts(split, subject.codes, subject.codes >= 0)
            codes = subject.codes[_first_rows(*members)].tolist()
            names = tuple(subject.categories[code] for code in codes)
            yield Crossing(split, subject, *members, names)


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
    split: Attribute, values: NDArray[np.generic], known: Mask
) -> tuple[Places, Places]:
    """Return the rows of each value that lies in two parts or more, and the group of each."""
    rows, owner = group_members(values, known & (split.codes >= 0))
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if not len(starts):
        return rows, owner
    parts = split.codes[rows]
    crosses = np.minimum.reduceat(parts, starts) < np.maximum.reduceat(parts, starts)
    crossing = crosses[owner]
    return rows[crossing], (np.cumsum(crosses) - 1)[owner[crossing]]


def _first_rows(rows: Places, owner: Places) -> Places:
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


def _example(dataset: FaceDataset, split: Attribute, rows: Places) -> tuple[InPart, ...]:
    codes, first = np.unique(split.codes[rows], return_index=True)
    return tuple(
        InPart(split.categories[code], encodable(dataset.ids[row]))
        for code, row in zip(codes[:SHOWN_PARTS].tolist(), rows[first].tolist(), strict=False)
    )


def _leak_findings(result: AuditResult) -> Iterator[Finding]:
    for leak in result.split_leaks:
        if not leak.groups:
            continue
        one, n = leak.groups == 1, leak.groups
        where = f"in more than one part of {display(leak.attribute)}"
        if leak.subject is not None:
            code, shown = "subjects_in_parts", "appears" if one else "appear"
            text = f"{counted(n, 'person', 'people')} ({display(leak.subject)}) {shown} {where}."
        else:
            code, alike = "split_leak", "byte by byte the same"
            if leak.near_identical:
                code, alike = "near_split_leak", "nearly the same"
            text = f"{counted(n, 'photo')} {'lies' if one else 'lie'} {alike} {where}."
        most = ""
        if leak.pairs:
            pair = leak.pairs[0]
            which = "" if len(leak.pairs) == 1 else f"most ({pair.groups:,}) in "
            most = f", {which}{pair.first} and {pair.second}"
        effect = 0.5 + 0.5 * min(1.0, leak.images / max(result.dataset.listed, 1))
        figures = f"{counted(leak.images, 'image')}{most}; a model tested on one part has seen them in another"
        do = "Move each into one part before a model is trained or tested."
        values = (("groups", float(leak.groups)), ("images", float(leak.images)))
        yield Finding(code, "fix", text, leak.attribute, effect, figures, do, SPLIT_LEAKS, values)


def _run_leaks(inputs: AuditInputs) -> tuple[SplitLeak, ...]:
    dataset = inputs.dataset
    found = crossings(dataset, inputs.rows, inputs.near_groups)
    return tuple(split_leak(dataset, each) for each in found)


LEAKS = Analysis(
    name="split_leaks", record=tuple[SplitLeak, ...], run=_run_leaks, findings=_leak_findings
)


SAID = 0.05
"""Adjusted mutual information with people from which the clusters are said to follow them."""


def subject_facts(subject: Attribute) -> SubjectFacts:
    """Return the number of subjects with an image, and of images a subject; None where no image names one."""
    counts = subject.counts()
    counts = counts[counts > 0]
    unnamed = int((subject.codes < 0).sum())
    if not len(counts):
        missing = because("no image names a subject", "least", "median", "most")
        return SubjectFacts(subject.name, 0, None, None, None, unnamed, missing)
    least, median, most = int(counts.min()), float(np.median(counts)), int(counts.max())
    return SubjectFacts(subject.name, len(counts), least, median, most, unnamed)


def _run_subjects(inputs: AuditInputs) -> tuple[SubjectFacts, ...]:
    named = [each for each in inputs.dataset.attributes if each.kind == "subject"]
    return tuple(replace(subject_facts(each), ami=_ami(each, inputs)) for each in named)


def _ami(subject: Attribute, inputs: AuditInputs) -> float | None:
    if inputs.clustering is None:
        return None
    labels = np.where(inputs.tested, inputs.clustering.labels, -1)
    k, people = inputs.clustering.k, len(subject.categories)
    table, _, _ = drop_empty(cross_table(labels, subject.codes, n_rows=k, n_cols=people))
    return adjusted_mutual_information(table) if min(table.shape, default=0) > 1 else None


def _subject_findings(result: AuditResult) -> Iterator[Finding]:
    """Say whether the space sorts people or what is on their faces, where the set has labels of both kinds."""
    labels = [
        each
        for each in result.associations
        if each.kind == "label" and each.ami is not None and each.ami >= SAID
    ]
    for facts in result.subjects:
        if facts.ami is None or facts.ami < SAID or not labels:
            continue
        shares = listed([f"{display(x.attribute)} {coefficient(x.ami, 2)}" for x in labels])
        told = listed([f"{display(x.attribute)} ({coefficient(x.ami, 2)})" for x in labels])
        people = counted(facts.subjects or 0, "person", "people")
        text = f"The clusters follow who is on an image (shared information {coefficient(facts.ami, 2)}) and {told}."
        attribute = facts.attribute
        effect = 0.55 + facts.ami / 4
        figures = f"shared information (AMI; 0 chance, 1 the same partition): people {coefficient(facts.ami, 2)} ({people}), {shares}"
        do = "Split and test by person, or a model is judged on faces it has seen."
        values = (
            ("ami.people", facts.ami),
            *((f"ami.{each.attribute}", each.ami or 0.0) for each in labels),
        )
        yield Finding("people_or_labels", "know", text, attribute, effect, figures, do, "", values)


SUBJECTS = Analysis(
    name="subjects", record=tuple[SubjectFacts, ...], run=_run_subjects, findings=_subject_findings
)
