"""Byte-identical files, and what they disagree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs, contradicted, group_members
from fer_audit.audit.types.composition import Count, Duplicates
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.dataset.types import FaceDataset
from fer_audit.text import counted, display, encodable, listed, sentence

SHOWN_GROUPS = 5


def find_duplicates(
    dataset: FaceDataset,
    sha256: NDArray[np.bytes_],
    ok: NDArray[np.bool_],
    *,
    left_out: int,
) -> Duplicates:
    """Return the groups of byte-identical files among the rows that could be decoded."""
    rows, owner = group_members(sha256, ok & (sha256 != b""))
    n_groups = int(owner[-1]) + 1 if len(owner) else 0
    starts = np.searchsorted(owner, np.arange(min(n_groups, SHOWN_GROUPS) + 1))
    return Duplicates(
        groups=n_groups,
        files=len(rows),
        left_out=left_out,
        conflicts=tuple(
            Count(name, int(contradicted(values[rows], owner).sum()))
            for name, values in label_columns(dataset)
        ),
        examples=tuple(
            tuple(encodable(dataset.ids[row]) for row in rows[start:stop].tolist())
            for start, stop in pairwise(starts.tolist())
        ),
    )


def conflicting_names(duplicates: Duplicates) -> Sequence[Count]:
    """Return the attributes that copies disagree on, most conflicts first."""
    found = [each for each in duplicates.conflicts if each.count > 0]
    return sorted(found, key=lambda each: -each.count)


def label_columns(dataset: FaceDataset) -> list[tuple[str, NDArray[np.int16]]]:
    """Return (name, (n,) values) of what one photo cannot have twice: labels and ages in years, -1 where not annotated."""
    columns = [
        (attribute.name, attribute.codes)
        for attribute in dataset.attributes
        if attribute.kind in ("demographic", "label")
        and not attribute.mapped_from
        and not _is_binned_age(dataset, attribute.name)
    ]
    return columns if dataset.ages is None else [*columns, ("age", dataset.ages)]


def _is_binned_age(dataset: FaceDataset, name: str) -> bool:
    """Tell whether an attribute only repeats the ages, coarser."""
    return dataset.ages is not None and name in ("age", "age_bin")


def _findings(result: AuditResult) -> Iterator[Finding]:
    copies = result.duplicates
    if not copies.groups:
        return
    conflicts = conflicting_names(copies)
    used = (
        f"{copies.left_out:,} copies are left out of the tests"
        if copies.left_out
        else "all are tested"
    )
    text = f"{counted(copies.groups, 'group')} of byte-identical files ({copies.files:,} files); {used}."
    if conflicts:
        named = listed([f"{display(each.name)} in {each.count:,}" for each in conflicts])
        text += f" Copies of one image carry different labels: {named} of the groups."
    worst = conflicts[0].count / copies.groups if conflicts else 0.0
    yield Finding(
        code="conflicting_copies" if conflicts else "duplicates",
        severity="warning" if conflicts else "notice",
        text=sentence(text),
        # Copies are one face labelled twice: the rate says how far labels can be trusted, but rests on few.
        effect=max(copies.files / max(result.dataset.listed, 1), min(0.5, worst) / 2),
    )


def _run(inputs: AuditInputs) -> Duplicates:
    left_out = int((inputs.usable & ~inputs.tested).sum())
    return find_duplicates(inputs.dataset, inputs.rows.sha256, inputs.rows.ok, left_out=left_out)


ANALYSIS = Analysis(name="duplicates", record=Duplicates, run=_run, findings=_findings)
