"""The stages after the vectors: cluster, audit, report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.run import audit
from fer_audit.audit.types.result import AuditResult
from fer_audit.bench.measure import Step, nothing
from fer_audit.cluster.run import cluster_embeddings
from fer_audit.cluster.types import Clustering
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute, FaceDataset
from fer_audit.embed.types import Embeddings, ModelFacts
from fer_audit.pack.rows import empty_rows
from fer_audit.pack.types import PackRows
from fer_audit.pipeline.extra_partitions import extra_partitions
from fer_audit.progress import Silent
from fer_audit.rng import stage_rng

LEAST_IMAGES = 2_000
"""Fewer embedded images than this say little about K-Means and the audit: drawn vectors take their place."""

_BLOBS = 8
_DIRECTIONS = 32
"""Directions in which the rows of a blob differ from each other more than by noise; real vectors are no balls either."""


@dataclass(frozen=True, slots=True, eq=False)
class RowInputs:
    """What the stages after the vectors work on."""

    dataset: FaceDataset
    rows: PackRows
    embeddings: Embeddings
    what: str
    """In words, for the result."""


def drawn_inputs(n: int, model: ModelFacts) -> RowInputs:
    """Return n seeded rows of model.dim numbers in blobs, with labels of which one is tied to the blobs."""
    rng = stage_rng(0, "bench", "rows")
    blob = rng.integers(0, _BLOBS, n)
    vectors = rng.standard_normal((n, model.dim), dtype=np.float32)
    vectors *= np.float32(0.5)
    # block by block: the product alone would be as large as the vectors
    directions = rng.standard_normal((_DIRECTIONS, model.dim), dtype=np.float32) * np.float32(0.3)
    centres = rng.standard_normal((_BLOBS, model.dim), dtype=np.float32)
    for start in range(0, n, 4096):
        block = vectors[start : start + 4096]
        block += rng.standard_normal((len(block), _DIRECTIONS), dtype=np.float32) @ directions
        block += centres[blob[start : start + 4096]]
    tied = np.where(rng.random(n) < 0.5, blob % 5, rng.integers(0, 5, n))
    columns = {
        "group": (("A", "B", "C", "D", "E"), tied),
        "gender": (("female", "male"), rng.integers(0, 2, n)),
        "age_bin": (("0-17", "18-39", "40-64", "65+"), rng.integers(0, 4, n)),
    }
    dataset = drawn_dataset(
        n,
        tuple(
            Attribute(name, categories, codes.astype(np.int16), "demographic")
            for name, (categories, codes) in columns.items()
        ),
    )
    rows = empty_rows(n)
    rows.ok[:] = True
    rows.sha256[:] = [hashlib.sha256(each.encode()).hexdigest().encode() for each in dataset.ids]
    rows.style[:] = rng.random(rows.style.shape, dtype=np.float32)
    rows.widths[:] = rows.heights[:] = 200
    embeddings = Embeddings(vectors, rows.ok, rows.reasons, model, "0" * 64)
    what = f"{n:,} drawn rows of {model.dim:,} numbers in {_BLOBS} blobs, seeded"
    return RowInputs(dataset, rows, embeddings, what)


def drawn_dataset(n: int, attributes: tuple[Attribute, ...]) -> FaceDataset:
    """Return a set of n images that were never made, with labels that were drawn."""
    return FaceDataset(
        name="drawn rows",
        root=Path("drawn"),
        ids=tuple(f"{row:08d}" for row in range(n)),
        sizes=np.full(n, 1, np.int64),
        mtimes=np.zeros(n, np.int64),
        attributes=attributes,
        ages=None,
        rejects=(),
        notes=(),
        label_source="The labels were drawn by lot.",
        parent=None,
        fingerprint="0" * 64,
    )


class RowStages:
    """Cluster, audit and report of the same rows, each on what the one before left."""

    def __init__(self, inputs: RowInputs, config: AuditConfig, threads: int) -> None:
        self._inputs = inputs
        self._config = config
        self._threads = threads
        self._clustering: Clustering | None = None
        self._result: AuditResult | None = None

    def step(self, stage: str) -> Step:
        """Return the step of "cluster", "audit" or "report"."""
        steps = {
            "cluster": self.cluster_step,
            "audit": self.audit_step,
            "report": self.report_step,
        }
        return steps[stage]()

    def cluster_step(self) -> Step:
        """K-Means alone, the speed that is compared with other libraries'."""
        what = f"k = {self._config.clusters.k}, {self._config.clusters.starts} starts; no sweep, no stability"
        return self._step("cluster", what, lambda: self._cluster(whole=False))

    def audit_step(self) -> Step:
        """Compute everything a run does after the partition and before its page."""
        what = "every claim, interval and permutation; style baseline, small studies"
        return self._step("audit", what, self._audit, self._need_clusters)

    def report_step(self) -> Step:
        """Write the page, without map and faces."""
        what = "report.html with all charts; no map, no faces"
        return self._step("report", what, self._report, self._need_result)

    def _step(
        self,
        stage: str,
        what: str,
        work: Callable[[], object],
        prepare: Callable[[], None] | None = None,
    ) -> Step:
        n = int(self._inputs.embeddings.ok.sum())
        return Step(stage, what, n, "rows", self._threads, work, prepare or nothing)

    def _need_clusters(self) -> None:
        if self._clustering is None or self._clustering.stability is None:
            self._clustering = self._cluster(whole=True)

    def _need_result(self) -> None:
        self._need_clusters()
        if self._result is None:
            self._audit()

    def _cluster(self, *, whole: bool) -> Clustering:
        config, embeddings = self._config, self._inputs.embeddings
        return cluster_embeddings(
            embeddings.vectors,
            embeddings.ok,
            config.clusters if whole else replace(config.clusters, sweep_max=1),
            seed=config.seed,
            stability=whole,
            progress=Silent(),
        )

    def _audit(self) -> None:
        inputs, config, clustering = self._inputs, self._config, self._clustering
        extra = extra_partitions(inputs.rows, inputs.embeddings, clustering, config, Silent())
        self._result = audit(
            AuditInputs(
                dataset=inputs.dataset,
                rows=inputs.rows,
                embeddings=inputs.embeddings,
                clustering=clustering,
                config=config,
                extra=extra,
            )
        )

    def _report(self) -> str:
        from fer_audit.report.page import report_page  # matplotlib

        assert self._result is not None  # noqa: S101 - prepared before
        return report_page(self._result)
