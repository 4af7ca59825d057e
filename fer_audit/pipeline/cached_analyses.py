"""What finished audits computed and drew, kept in the cache: another label or another rule costs only what is new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fer_audit.audit.types.result import AuditResult
from fer_audit.pipeline.fingerprints import RunFingerprints
from fer_audit.progress import Progress
from fer_audit.report.files.codec import ShapeError, decode, encode
from fer_audit.report.files.document import result_json
from fer_audit.store.fingerprint import source_digest
from fer_audit.store.stage import StageFolder


def audit_folder(cache: Path, prints: RunFingerprints) -> StageFolder:
    """Return the folder that keeps what audits of the same images found, whatever their labels and settings."""
    return StageFolder.open(cache, "audit", prints.pack)


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
        facts, _ = found
        kept: dict[str, str] = facts["pieces"]
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
