"""What the user's cache holds of a dataset: nothing is embedded for a benchmark of what comes after."""

from __future__ import annotations

from pathlib import Path

from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.load import load_dataset
from fer_audit.embed.run import WHOLE
from fer_audit.embed.session import choose_provider
from fer_audit.embed.types import ModelFacts
from fer_audit.encoders.export import find_or_export
from fer_audit.pipeline.model import run_fingerprints
from fer_audit.progress import Silent
from fer_audit.store.stage import StageFolder, cache_folder


def kept_vectors_of(dataset: Path) -> Path | str:
    """Return the .npy of a dataset's finished vectors in the default model, or what would have to be done first."""
    config, cache = AuditConfig(), cache_folder(None)
    model = find_or_export(
        config.model.model,
        config.model.precision,
        Resources(),
        Silent(),
    )
    spec = model.spec
    facts = ModelFacts(spec.name, model.sha256, choose_provider("auto"), model.precision, spec.dim)
    prints = run_fingerprints(load_dataset(dataset, config), facts, spec, config)
    path = StageFolder.open(cache, "embed", prints.embed).path / f"{WHOLE}.vectors.npy"
    return path if path.exists() else "its vectors are not kept; first: fer-audit embed DATASET"
