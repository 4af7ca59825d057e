"""What finished audits computed and drew, kept in the cache: another label or another rule costs only what is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import ExtraPartitions
from fer_audit.audit.types.result import AuditResult
from fer_audit.cluster.kmeans import best_start, by_size, start_seeds
from fer_audit.cluster.studies import bootstrap_studies, cluster_style, sample_studies
from fer_audit.cluster.types import NotClusterable, Study
from fer_audit.config import AuditConfig
from fer_audit.pipeline.types import Work
from fer_audit.progress import Progress
from fer_audit.report.files.codec import ShapeError, decode, encode
from fer_audit.report.files.document import result_json
from fer_audit.store.fingerprint import source_digest
from fer_audit.store.stage import StageFolder

Part = tuple[dict[str, Any], dict[str, NDArray[Any]]]
"""Facts, and arrays by name."""


def kept_part(folder: StageFolder, part: str, of: str, make: Callable[[], Part]) -> Part:
    """Return a part that depends on `of`: from the folder if it has it, else made and kept there."""
    with folder.locked():
        found = folder.read_part(part)
    if not isinstance(found, str) and found[0].get("of") == of:
        return found
    facts, arrays = make()
    with folder.locked():
        folder.write_part(part, {"of": of, **facts}, **arrays)
    return facts, arrays


class CachedAnalyses:
    """One file for each analysis, in a folder of the images they are about; see `audit.analysis.AnalysisCache`."""

    def __init__(self, folder: StageFolder, progress: Progress) -> None:
        self._folder = folder
        self._progress = progress
        self._kept: dict[str, dict[str, str]] = {}

    def find(self, analysis: str, fingerprint: str, kind: Any) -> Any:  # noqa: ANN401 - any type of a record
        """Return a result; KeyError when it is not there, or is of another version."""
        if analysis not in self._kept:
            self._kept[analysis] = self._read(analysis)
        text = self._kept[analysis][fingerprint]
        try:
            return decode(json.loads(text), kind, analysis)
        except ShapeError as exc:
            self._progress.say(f"{analysis} is computed again: {exc}")
            raise KeyError(fingerprint) from exc

    def keep(self, analysis: str, results: Mapping[str, Any], kind: Any) -> None:  # noqa: ANN401 - any type of a record
        """Add results to those of this and of other runs, but for those that JSON would change."""
        texts = {name: json.dumps(encode(result, kind)) for name, result in results.items()}
        new = {
            name: text
            for name, text in texts.items()
            if decode(json.loads(text), kind, analysis) == results[name]
        }
        with self._folder.locked():
            self._folder.write_part(analysis, {"pieces": self._read(analysis) | new})

    def _read(self, analysis: str) -> dict[str, str]:
        found = self._folder.read_part(analysis)
        if isinstance(found, str):
            if found:
                self._progress.say(f"{analysis} is computed again: {found}")
            return {}
        kept: dict[str, str] = found[0]["pieces"]
        return kept


class KeptCharts:
    """The drawn charts of the last page about the same images; those of any other result are drawn again."""

    _PART = "charts"

    def __init__(self, folder: StageFolder, result: AuditResult, pictures: str) -> None:
        self._folder = folder
        numbers = result.having(gate=(), findings=(), config=result.config.having(fail_on=()))
        code = source_digest("report", "text.py")
        drawn_from = [result_json(numbers), pictures, code, version("matplotlib")]
        self._key = hashlib.sha256("\n".join(drawn_from).encode()).hexdigest()
        found = folder.read_part(self._PART)
        kept = {} if isinstance(found, str) or found[0].get("of") != self._key else found[0]["svg"]
        self._before = len(kept)
        self.drawn: dict[str, str] = kept
        """SVG by the key of its chart."""

    def keep(self) -> None:
        """Keep the charts, if some are new."""
        if len(self.drawn) > self._before:
            with self._folder.locked():
                self._folder.write_part(self._PART, {"of": self._key, "svg": self.drawn})


def extra_partitions(work: Work, config: AuditConfig, progress: Progress) -> ExtraPartitions:
    """Return the partitions that a claim is compared with; each is made when an analysis first asks for it."""
    clustering, settings = work.clustering, config.statistics
    if clustering is None or clustering.coordinates is None:
        return ExtraPartitions()
    ok, coordinates = work.embeddings.ok, clustering.coordinates
    k, seed = clustering.k, config.seed

    @cache
    def style_labels() -> NDArray[np.int32] | None:
        try:
            return cluster_style(work.rows.style, ok, k=k, seed=seed)
        except NotClusterable as exc:
            progress.say(f"no style-only baseline: {exc}")
            return None

    @cache
    def replays() -> tuple[Study, ...]:
        studies, size = settings.replay, settings.replay_size
        if not studies:
            return ()
        try:
            return sample_studies(coordinates, ok, studies=studies, size=size, k=k, seed=seed)
        except NotClusterable as exc:
            progress.say(f"no replay: {exc}; --replay-size makes the studies smaller")
            return ()

    @cache
    def reclusters() -> tuple[Study, ...]:
        times = settings.recluster
        return bootstrap_studies(coordinates, ok, resamples=times, k=k, seed=seed) if times else ()

    def clusters_of(points: NDArray[np.float32]) -> NDArray[np.int32]:
        found, _ = best_start(points, k, start_seeds(seed, k, config.clusters.starts))
        return by_size(found.labels, k)

    return ExtraPartitions(style_labels, replays, reclusters, clusters_of=clusters_of)
