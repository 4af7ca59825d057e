"""The model of a run, a network or an encoder that a library computes: found, where it runs, and opened; what each stage depends on.

Everything else knows only `Model`, `ModelFacts` and `Session`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from typing import Literal

from fer_audit import __version__
from fer_audit.audit.units import half_codes
from fer_audit.cluster.run import cluster_fingerprint
from fer_audit.config import AuditConfig, ClassifierSettings, Resources
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.computed import ComputedSession
from fer_audit.embed.run import embed_fingerprint
from fer_audit.embed.session import (
    choose_place,
    choose_provider,
    open_sessions,
    refuse_half_on_cpu,
    runtime_version,
)
from fer_audit.embed.types import ModelFacts, Place, Session
from fer_audit.encoders import lbp
from fer_audit.encoders.export import find_or_export, spec_of
from fer_audit.encoders.sidecar import check_graph
from fer_audit.encoders.types import ComputedModel, Model, ModelSpec
from fer_audit.errors import ModelError
from fer_audit.pack.build import pack_fingerprint
from fer_audit.pipeline.types import Job, Order, RunFingerprints
from fer_audit.progress import Progress
from fer_audit.store.fingerprint import stage_fingerprint

COMPUTED: Mapping[str, Callable[[], ComputedModel]] = {lbp.NAME: lbp.lbp_model}
"""Encoders without a graph, by name."""
_OTHER_TASK = {
    "embed": ("classes and no embedding, so there is nothing to cluster", "--model an encoder"),
    "classify": ("an embedding and no classes", "a classifier"),
}


def job_of(order: Order, task: Literal["embed", "classify"]) -> Job:
    """Return the order with its model; raises what `find_model` does, and ModelError for a model of the other task."""
    refuse_other_task(spec_of(order.config.model.model, order.resources), task)
    model = find_model(order.dataset, order.config, order.resources, order.progress)
    facts = facts_of(model, order.resources)
    prints = run_fingerprints(order.dataset, facts, model.spec, order.config)
    asked = {each.name: getattr(order, each.name) for each in fields(Order)}
    return Job(**asked, model=model, facts=facts, prints=prints)


def refuse_other_task(spec: ModelSpec, task: Literal["embed", "classify"]) -> None:
    """Raise ModelError for a classifier that is to embed, or an encoder that is to classify."""
    gives, needed = _OTHER_TASK[task]
    if spec.task != task:
        hint = f"Give {needed}; fer-audit models lists both kinds."
        raise ModelError(f"{spec.name} gives {gives}", hint=hint)


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
    if precision == "fp16":  # before it is built
        refuse_half_on_cpu(name, precision, choose_provider(resources.device))
    if precision == "int8":
        from fer_audit.pipeline.quantized import find_or_quantize  # of no use to other runs

        return find_or_quantize(dataset, config, resources, progress)
    return find_or_export(name, precision, resources, progress)


def facts_of(model: Model, resources: Resources) -> ModelFacts:
    """Return what a result says of the model: with the provider that will run it, or a ModelError where that is not there."""
    if isinstance(model, ComputedModel):
        provider = model.library
    else:
        provider = choose_provider(resources.device)
    spec = model.spec
    return ModelFacts(spec.name, model.sha256, provider, model.precision, spec.dim, spec.caveat)


def open_model(job: Job, *, at_most: int) -> list[Session]:
    """Return a session for each device that was asked for, but not more than `at_most`."""
    model, batch, threads = job.model, job.config.model.batch_size, job.resources.threads
    if isinstance(model, ComputedModel):
        return [ComputedSession(model, batch_size=batch, threads=threads)]
    check_graph(model)
    place = choose_place(job.resources.device)
    place = Place(place.provider, place.devices[:at_most])
    return [*open_sessions(model, place, batch_size=batch, threads=threads)]


def run_fingerprints(
    dataset: FaceDataset, model: ModelFacts, spec: ModelSpec, config: AuditConfig
) -> RunFingerprints:
    """Return the fingerprints of a run on `dataset` with the images that `spec` wants, but for those of its predictions."""
    pack = pack_fingerprint(dataset, spec.size, padded=spec.padded)
    embed = embed_fingerprint(
        pack,
        model.sha256,
        provider=model.provider,
        batch_size=config.model.batch_size,
        runtime=runtime_version(),
    )
    cluster = cluster_fingerprint(
        embed,
        config.clusters,
        seed=config.seed,
        versions=(version("numpy"), version("scipy"), version("scikit-learn")),
        units=half_codes(dataset),
    )
    words = (dataset.name, dataset.format, dataset.terms, dataset.label_source, *dataset.notes)
    # rules change no number; predictions have fingerprints of their own
    settings = replace(config, fail_on=(), classifiers=ClassifierSettings())
    depends = {
        "dataset": dataset.fingerprint,
        "words": words,
        "rejects": [[reject.item, reject.reason] for reject in dataset.rejects],
        "cluster": cluster,
        "config": asdict(settings),
        "versions": versions(),
    }
    audit = stage_fingerprint("audit", depends)
    return RunFingerprints(dataset.fingerprint, pack, embed, cluster, audit)


def versions() -> tuple[tuple[str, str], ...]:
    """Return (package, version) of everything that computes a number."""
    packages = ("numpy", "scipy", "scikit-learn", "pillow")
    others = ((name, version(name)) for name in packages)
    return (("fer-audit", __version__), *others, ("onnxruntime", runtime_version()))
