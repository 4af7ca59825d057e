"""Audit face datasets: who is in them, and whether a latent space sorts people by who they are.

from fer_audit import AuditConfig, run_audit

run = run_audit("path/to/UTKFace", "runs/utkface", config=AuditConfig.of(k=4))
print(run.result.findings[0].text)
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

# onnxruntime >= 1.29 sends telemetry unless this is set before its first import.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"

_HOMES = {
    "AuditConfig": "fer_audit.config",
    "AuditResult": "fer_audit.audit.types.result",
    "ConfigError": "fer_audit.errors",
    "DatasetError": "fer_audit.errors",
    "FaceDataset": "fer_audit.dataset.types",
    "FerAuditError": "fer_audit.errors",
    "LockedError": "fer_audit.errors",
    "ModelError": "fer_audit.errors",
    "Resources": "fer_audit.config",
    "Run": "fer_audit.pipeline",
    "StoreError": "fer_audit.errors",
    "load_dataset": "fer_audit.dataset.load",
    "read_result": "fer_audit.report.files.document",
    "run_audit": "fer_audit.pipeline",
}

__all__ = [
    "AuditConfig",
    "AuditResult",
    "ConfigError",
    "DatasetError",
    "FaceDataset",
    "FerAuditError",
    "LockedError",
    "ModelError",
    "Resources",
    "Run",
    "StoreError",
    "__version__",
    "load_dataset",
    "read_result",
    "run_audit",
]

if TYPE_CHECKING:
    from fer_audit.audit.types.result import AuditResult
    from fer_audit.config import AuditConfig, Resources
    from fer_audit.dataset.load import load_dataset
    from fer_audit.dataset.types import FaceDataset
    from fer_audit.errors import (
        ConfigError,
        DatasetError,
        FerAuditError,
        LockedError,
        ModelError,
        StoreError,
    )
    from fer_audit.pipeline import Run, run_audit
    from fer_audit.report.files.document import read_result


def __getattr__(name: str) -> object:
    """Load a public name when it is first used, so that `fer-audit --help` does not load numpy."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
