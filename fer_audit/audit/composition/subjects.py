"""How many people the set names, and how many images it has of each."""

from __future__ import annotations

import numpy as np

from fer_audit.audit.analysis import Analysis
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.splits import SubjectFacts
from fer_audit.dataset.types import Attribute


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
    named = (each for each in inputs.dataset.attributes if each.kind == "subject")
    return tuple(map(subject_facts, named))


ANALYSIS = Analysis(name="subjects", record=tuple[SubjectFacts, ...], run=_run)
