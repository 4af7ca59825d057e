"""What each stage of a run depends on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from fer_audit import __version__
from fer_audit.audit.units import half_codes
from fer_audit.cluster.run import cluster_fingerprint
from fer_audit.config import AuditConfig, ClassifierSettings
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.run import embed_fingerprint
from fer_audit.embed.session import runtime_version
from fer_audit.embed.types import ModelFacts
from fer_audit.pack.build import pack_fingerprint
from fer_audit.store.fingerprint import stage_fingerprint


@dataclass(frozen=True, slots=True)
class RunFingerprints:
    """One fingerprint a stage, in the order of the walk; nothing about speed or rules is in any."""

    dataset: str
    pack: str
    embed: str
    cluster: str
    audit: str
    predictions: Mapping[str, str] = field(default_factory=dict)
    """That of each classifier's and each table's predictions, by its name."""


def run_fingerprints(
    dataset: FaceDataset,
    model: ModelFacts,
    size: int,
    config: AuditConfig,
) -> RunFingerprints:
    """Return the fingerprints of a run on `dataset` at images of `size` pixels, but for those of its predictions."""
    # rules change no number; predictions have fingerprints of their own
    settings = replace(config, fail_on=(), classifiers=ClassifierSettings())
    pack = pack_fingerprint(dataset, size)
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
    audit = stage_fingerprint(
        "audit",
        {
            "dataset": dataset.fingerprint,
            "words": [
                *(dataset.name, dataset.format, dataset.terms),
                *(dataset.label_source, *dataset.notes),
            ],
            "rejects": [[reject.item, reject.reason] for reject in dataset.rejects],
            "cluster": cluster,
            "config": dataclasses.asdict(settings),
            "versions": versions(),
        },
    )
    return RunFingerprints(dataset.fingerprint, pack, embed, cluster, audit)


def versions() -> tuple[tuple[str, str], ...]:
    """Return (package, version) of everything that computes a number."""
    packages = ("numpy", "scipy", "scikit-learn", "pillow")
    return (
        ("fer-audit", __version__),
        *((name, version(name)) for name in packages),
        ("onnxruntime", runtime_version()),
    )
