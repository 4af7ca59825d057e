"""Small datasets, packs and partitions made from a table of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, NoCache
from fer_audit.audit.claims.contingency import associate
from fer_audit.audit.inputs import AuditInputs, ExtraPartitions
from fer_audit.audit.run import audit
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.types import Clustering, Stability, Study
from fer_audit.config import AuditConfig
from fer_audit.dataset.sources.files import Files
from fer_audit.dataset.types import Attribute, FaceDataset, Kind
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.pack.types import STYLE_NAMES, PackRows

Codes = Sequence[int] | NDArray[np.integer]

TABLE_ONE = np.array(
    [[117, 6, 28, 26, 22], [51, 3, 20, 14, 12], [7, 0, 7, 4, 1], [96, 4, 29, 34, 19]]
)
"""The paper's Table I: clusters 0-3 x (White, Black, Asian, Indian, Other), 500 images."""

RACES = ("White", "Black", "Asian", "Indian", "Other")


def attribute(
    name: str, codes: Codes, categories: Sequence[str], kind: Kind = "demographic"
) -> Attribute:
    """Return an attribute of those codes."""
    return Attribute(name, tuple(categories), np.asarray(codes, dtype=np.int16), kind)


def dataset_of(
    *attributes: Attribute, n: int | None = None, ages: Codes | None = None
) -> FaceDataset:
    """Return a dataset with those columns."""
    n = len(attributes[0].codes) if n is None else n
    names = tuple(f"{i:05d}.jpg" for i in range(n))
    return FaceDataset(
        name="faces",
        root=Path("faces"),
        source=Files("faces", names, np.full(n, 100, dtype=np.int64), np.zeros(n, dtype=np.int64)),
        ids=names,
        attributes=attributes,
        ages=None if ages is None else np.asarray(ages, dtype=np.int16),
        rejects=(),
        notes=(),
        label_source="The labels were drawn by a test.",
        parent=None,
        fingerprint="0" * 64,
    )


def rows_of(n: int, *, content: Sequence[str] | None = None) -> PackRows:
    """Return pack rows of decodable files; `content` names equal bytes by equal words."""
    words = content if content is not None else [f"{i:064d}" for i in range(n)]
    return PackRows(
        ok=np.ones(n, dtype=np.bool_),
        reasons=np.full(n, "", dtype="U20"),
        flags=np.full(n, "", dtype="U20"),
        sha256=np.array([word.encode() for word in words], dtype="S64"),
        style=np.zeros((n, len(STYLE_NAMES)), dtype=np.float32),
        widths=np.full(n, 200, dtype=np.int32),
        heights=np.full(n, 200, dtype=np.int32),
    )


def failed(rows: PackRows, reasons: Mapping[int, str]) -> PackRows:
    """Return the rows with some of them unreadable."""
    ok, why = rows.ok.copy(), rows.reasons.copy()
    for row, reason in reasons.items():
        ok[row], why[row] = False, reason
    return replace(rows, ok=ok, reasons=why)


def embeddings_of(rows: PackRows, *, caveat: str = "") -> Embeddings:
    """Return embeddings of every row that is ok."""
    return Embeddings(
        vectors=np.zeros((len(rows.ok), 2), dtype=np.float32),
        ok=rows.ok,
        reasons=rows.reasons,
        model=ModelFacts("tiny", "0" * 64, "CPUExecutionProvider", "fp32", 2, caveat),
        fingerprint="1" * 64,
    )


def clustering_of(
    labels: Codes, *, k: int, starts: Sequence[float] = (10.0, 10.0, 10.0)
) -> Clustering:
    """Return a partition with those labels."""
    codes = np.asarray(labels, dtype=np.int32)
    return Clustering(
        labels=codes,
        centers=np.zeros((k, 2), dtype=np.float32),
        distances=np.zeros(len(codes), dtype=np.float32),
        inertia=10.0,
        start_inertias=tuple(starts),
        sweep=(),
        fingerprint="2" * 64,
    )


def labels_of(table: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and column codes, one pair an image, that give this table."""
    rows, cols = np.indices(table.shape)
    return np.repeat(rows.ravel(), table.ravel()), np.repeat(cols.ravel(), table.ravel())


def picked(record: object, *names: str) -> dict[str, object]:
    """Return some fields of a record by name."""
    return {name: getattr(record, name) for name in names}


def association_of(
    table: Sequence[Sequence[int]] | NDArray[np.integer],
    *,
    permutations: int = 200,
    bootstraps: int = 100,
    seed: int = 0,
    kind: str = "demographic",
) -> Association:
    """Return the association of a table whose groups are called g0, g1, ..."""
    counts = np.asarray(table, dtype=np.int64)
    return associate(
        counts,
        attribute="race",
        kind=kind,
        groups=tuple(f"g{j}" for j in range(counts.shape[1])),
        rng=np.random.default_rng(seed),
        permutations=permutations,
        bootstraps=bootstraps,
        confidence=0.95,
    )


def inputs_of(
    dataset: FaceDataset,
    rows: PackRows | None = None,
    embeddings: Embeddings | None = None,
    clustering: Clustering | None = None,
    *,
    config: AuditConfig,
    stability: Stability | None = None,
    coordinates: NDArray[np.floating] | None = None,
    style_labels: NDArray[np.integer] | None = None,
    replays: Sequence[Study] = (),
    reclusters: Sequence[Study] = (),
    **others: Any,  # noqa: ANN401 - other fields by name
) -> AuditInputs:
    """Return what an audit reads, of what a test has made; what was clustered was embedded."""
    rows = rows_of(len(dataset)) if rows is None else rows
    if clustering is None and coordinates is not None:
        clustering = clustering_of(np.zeros(len(dataset), dtype=np.int32), k=1)
    if clustering is not None:
        embeddings = embeddings_of(rows) if embeddings is None else embeddings
        clustering = replace(
            clustering,
            stability=stability,
            coordinates=None if coordinates is None else coordinates.astype(np.float32),
        )
    labels = None if style_labels is None else style_labels.astype(np.int32)
    return AuditInputs(
        dataset=dataset,
        rows=rows,
        embeddings=embeddings,
        clustering=clustering,
        config=config,
        extra=ExtraPartitions(lambda: labels, lambda: tuple(replays), lambda: tuple(reclusters)),
        **others,
    )


def audit_dataset(*given: Any, **named: Any) -> AuditResult:  # noqa: ANN401 - see inputs_of
    """Return the audit of what a test has made."""
    return audit(inputs_of(*given, **named))


def part_of(analysis: Analysis, inputs: AuditInputs, **earlier: Any) -> Any:  # noqa: ANN401 - the part of any analysis
    """Return what one analysis finds, after the earlier parts given by name."""
    return analysis.audit(inputs, earlier, NoCache())
