"""How many people the set names, and how many images it has of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.information import adjusted_mutual_information
from fer_audit.audit.stats.tables import cross_table, drop_empty
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.audit.types.splits import SubjectFacts
from fer_audit.dataset.types import Attribute
from fer_audit.text import coefficient, counted, display, listed

SAID = 0.05
"""Adjusted mutual information with people from which the clusters are said to follow them."""


def subject_facts(subject: Attribute) -> SubjectFacts:
    """Return the number of subjects with an image, and of images a subject; None where no image names one."""
    counts = subject.counts()
    counts = counts[counts > 0]
    unnamed = int((subject.codes < 0).sum())
    if not len(counts):
        fields = ("least", "median", "most")
        missing = tuple((name, "no image names a subject") for name in fields)
        return SubjectFacts(subject.name, 0, None, None, None, unnamed, missing)
    least, median, most = int(counts.min()), float(np.median(counts)), int(counts.max())
    return SubjectFacts(subject.name, len(counts), least, median, most, unnamed)


def _run(inputs: AuditInputs) -> tuple[SubjectFacts, ...]:
    named = [each for each in inputs.dataset.attributes if each.kind == "subject"]
    return tuple(replace(subject_facts(each), ami=_ami(each, inputs)) for each in named)


def _ami(subject: Attribute, inputs: AuditInputs) -> float | None:
    if inputs.clustering is None:
        return None
    labels = np.where(inputs.tested, inputs.clustering.labels, -1)
    k, people = inputs.clustering.k, len(subject.categories)
    table, _, _ = drop_empty(cross_table(labels, subject.codes, n_rows=k, n_cols=people))
    return adjusted_mutual_information(table) if min(table.shape, default=0) > 1 else None


def _findings(result: AuditResult) -> Iterator[Finding]:
    """Say whether the space sorts people or what is on their faces, where the set has labels of both kinds."""
    labels = [
        each
        for each in result.associations
        if each.kind == "label" and each.ami is not None and each.ami >= SAID
    ]
    for facts in result.subjects:
        if facts.ami is None or facts.ami < SAID or not labels:
            continue
        shares = listed(
            [f"{display(each.attribute)} {coefficient(each.ami, 2)}" for each in labels]
        )
        told = listed([f"{display(x.attribute)} ({coefficient(x.ami, 2)})" for x in labels])
        people = counted(facts.subjects or 0, "person", "people")
        yield Finding(
            code="people_or_labels",
            severity="know",
            text=f"The clusters follow who is on an image (shared information {coefficient(facts.ami, 2)}) and {told}.",
            attribute=facts.attribute,
            effect=0.55 + facts.ami / 4,
            figures=f"shared information (AMI; 0 chance, 1 the same partition): people {coefficient(facts.ami, 2)} ({people}), {shares}",
            do="Split and test by person, or a model is judged on faces it has seen.",
            values=(
                ("ami.people", facts.ami),
                *((f"ami.{each.attribute}", each.ami or 0.0) for each in labels),
            ),
        )


ANALYSIS = Analysis(name="subjects", record=tuple[SubjectFacts, ...], run=_run, findings=_findings)
