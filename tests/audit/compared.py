"""Runs to compare: audits of small sets made from columns of labels, as a run directory would give them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.compare.run import ReadRun
from fer_audit.audit.types.compare import LabelColumn, RunRows
from fer_audit.config import AuditConfig
from tests.audit.inputs import (
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    embeddings_of,
    rows_of,
)

QUICK = AuditConfig.of(permutations=99, bootstraps=50)
GENDERS = ("male", "female")


def run_of(
    groups: Mapping[str, tuple[NDArray[np.integer], Sequence[str]]],
    clusters: NDArray[np.integer] | None,
    *,
    name: str = "runs/a",
    ids: Sequence[str] | None = None,
    content: Sequence[str] | None = None,
    config: AuditConfig = QUICK,
) -> ReadRun:
    """Return the run on images with these {attribute: (codes, groups)} and clusters.

    `content` names equal files by equal words; without it the bytes follow from the id.
    """
    columns = [attribute(name, codes, names) for name, (codes, names) in groups.items()]
    n = len(columns[0].codes)
    dataset = dataset_of(*columns)
    dataset = replace(dataset, ids=tuple(ids) if ids is not None else dataset.ids)
    words = list(content) if content is not None else [f"bytes of {each}" for each in dataset.ids]
    rows = rows_of(n, content=words)
    clustering = None if clusters is None else clustering_of(clusters, k=int(clusters.max()) + 1)
    result = audit_dataset(dataset, rows, embeddings_of(rows), clustering, config=config)
    labels = np.full(n, -1) if clusters is None else clusters
    return ReadRun(
        name=name,
        result=result,
        rows=RunRows(
            ids=dataset.ids,
            sha256=rows.sha256,
            ok=rows.ok,
            clusters=labels.astype(np.int32),
            labels=tuple(
                LabelColumn(each.name, each.categories, each.codes.astype(np.int32))
                for each in columns
            ),
        ),
        vectors=np.ones((n, 4), np.float32),
    )
