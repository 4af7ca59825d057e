"""What our own peers are told, and what they say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fer_audit.config import AuditConfig, Resources
from fer_audit.cores import usable_cores
from fer_audit.embed.session import EmbedSession, choose_provider, runtime_version
from fer_audit.encoders.export import find_or_export
from fer_audit.progress import Silent


class EmbedSetup:
    """The set-up of an embedding peer: faces, model, precision, a folder to work in."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self.faces = Path(setup["faces"])
        self.names: list[str] = setup["names"]
        self.work = Path(setup["work"])
        self.config = AuditConfig.of(model=setup["model"], precision=setup["precision"])
        self.model = find_or_export(
            self.config.model.model,
            self.config.model.precision,
            Resources(),
            Silent(),
        )

    def open_session(self) -> EmbedSession:
        """Return the session that `fer-audit embed` would open here."""
        return EmbedSession(
            self.model, choose_provider("auto"), batch_size=self.config.model.batch_size
        )

    def facts(self, provider: str) -> dict[str, Any]:
        """Return what was really loaded."""
        return {
            "provider": provider,
            "onnxruntime": runtime_version(),
            "threads": usable_cores(),
            "batch": self.config.model.batch_size,
            "model": self.model.spec.name,
            "model_sha256": self.model.sha256,
            "precision": self.model.precision,
        }
