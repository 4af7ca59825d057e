"""The model of a run: exported on first use, and for int8 made for the set."""

from __future__ import annotations

from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.types import ExportedModel
from fer_audit.progress import Progress
from fer_audit.store.stage import cache_folder


def find_model(
    dataset: FaceDataset, config: AuditConfig, resources: Resources, progress: Progress
) -> ExportedModel:
    """Return the model a run on `dataset` uses, building it on first use.

    Raises ModelError as `find_or_export` does, and for int8 on CUDA or of a network that cannot be quantized; DatasetError
    for a set that is too small to calibrate int8 on.
    """
    if config.model.precision == "int8":
        from fer_audit.pipeline.quantized import find_or_quantize  # of no use to other runs

        return find_or_quantize(dataset, config, resources, progress)
    return find_or_export(
        config.model.model,
        config.model.precision,
        models_dir=models_folder(resources.models_dir, resources.cache_dir),
        weights_dir=cache_folder(resources.cache_dir) / "weights",
        progress=progress,
    )
