"""The model of a run, a network or an encoder that a library computes: found, where it runs, and opened.

Everything else knows only `Model`, `ModelFacts` and `Session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fer_audit.config import AuditConfig, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.computed import ComputedSession
from fer_audit.embed.session import choose_place, choose_provider, open_sessions
from fer_audit.embed.types import ModelFacts, Place, Session
from fer_audit.encoders import lbp
from fer_audit.encoders.export import find_or_export, models_folder
from fer_audit.encoders.graph_check import check_graph
from fer_audit.encoders.types import ComputedModel, Model
from fer_audit.errors import ModelError
from fer_audit.progress import Progress
from fer_audit.store.stage import cache_folder

COMPUTED: Mapping[str, Callable[[], ComputedModel]] = {lbp.NAME: lbp.lbp_model}
"""Encoders without a graph, by name."""


def find_model(
    dataset: FaceDataset, config: AuditConfig, resources: Resources, progress: Progress
) -> Model:
    """Return the model a run on `dataset` uses, building it on first use.

    Raises ModelError as `find_or_export` does, for int8 on CUDA or of a network that cannot be quantized, and for an encoder
    whose library is not installed; DatasetError for a set that is too small to calibrate int8 on.
    """
    name, precision = config.model.model, config.model.precision
    if name in COMPUTED:
        if precision != "fp32" or resources.device.startswith("cuda"):
            asked = f"--precision {precision} --device {resources.device}"
            raise ModelError(
                f"{name} is no network: it is computed on the CPU, in one precision; asked for {asked}",
                hint="Leave --precision and --device out.",
            )
        return COMPUTED[name]()
    if precision == "int8":
        from fer_audit.pipeline.quantized import find_or_quantize  # of no use to other runs

        return find_or_quantize(dataset, config, resources, progress)
    return find_or_export(
        name,
        precision,
        models_dir=models_folder(resources.models_dir, resources.cache_dir),
        weights_dir=cache_folder(resources.cache_dir) / "weights",
        progress=progress,
    )


def facts_of(model: Model, resources: Resources) -> ModelFacts:
    """Return what a result says of the model: with the provider that will run it, or a ModelError where that is not there."""
    if isinstance(model, ComputedModel):
        provider = model.library
    else:
        provider = choose_provider(resources.device)
    spec = model.spec
    return ModelFacts(spec.name, model.sha256, provider, model.precision, spec.dim, spec.caveat)


def open_model(
    model: Model, resources: Resources, *, batch_size: int, at_most: int
) -> list[Session]:
    """Return a session for each device that was asked for, but not more than `at_most`."""
    if isinstance(model, ComputedModel):
        return [ComputedSession(model, batch_size=batch_size, threads=resources.threads)]
    check_graph(model)
    place = choose_place(resources.device)
    place = Place(place.provider, place.devices[:at_most])
    return [*open_sessions(model, place, batch_size=batch_size, threads=resources.threads)]
