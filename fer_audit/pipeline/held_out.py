"""Classifiers fitted on a run's own vectors: what must stay together, and what earlier runs found."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import digest
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.units import near_groups, units_of
from fer_audit.classify.heldout import Apart, held_out_predictions
from fer_audit.classify.types import Predictions, Predictor, Said
from fer_audit.cluster.threads import single_threaded
from fer_audit.dataset.types import FaceDataset
from fer_audit.embed.types import Embeddings
from fer_audit.errors import ConfigError
from fer_audit.pack.types import PackRows
from fer_audit.pipeline.cached_analyses import Part, kept_part
from fer_audit.pipeline.types import Job, Source, Together
from fer_audit.store.fingerprint import source_digest, stage_fingerprint

LABELS = ("expression", "emotion", "class", "label")
"""What sets call the labels to predict, the surest first."""
_KEPT = ("codes", "probabilities", "ok", "reasons", "folds")
_SOURCE = ("classify/heldout.py", "pipeline/held_out.py")


def held_out_source(job: Job, method: str) -> Source:
    """Return what will fit a classifier, `svm` or `linear`, on the run's own vectors.

    What it says is kept with the audits of the same images. ConfigError where the set has no expression labels.
    """
    dataset, seed, model = job.dataset, job.config.seed, job.facts
    named = {each.name: each for each in dataset.attributes if each.kind == "label"}
    if not set(LABELS) & set(named):
        raise ConfigError(
            f"--classify needs expression labels, and {dataset.name} has none",
            hint="Name their column with --label expression=COLUMN.",
        )
    labels, training = next(named[name] for name in LABELS if name in named), None
    for each in dataset.attributes:  # the set's own training part, where it has one
        codes = [i for i, part in enumerate(each.categories) if "train" in part.casefold()]
        if each.kind == "split" and codes and each.counts()[codes].any():
            training = np.isin(each.codes, codes)
            break
    fingerprint = stage_fingerprint(
        "predictions",
        {
            "method": method,
            "depends": [
                job.prints.embed,
                *map(digest, dataset.attributes),
                source_digest(*_SOURCE),
            ],
            "seed": seed,
            "scikit-learn": version("scikit-learn"),
        },
    )
    on = "other images of the set itself"
    by = Predictor(f"{method} on {model.name}", "heldout", model.sha256, on, caveat=model.caveat)

    def make(found: Embeddings, together: Together) -> tuple[Said, ...]:
        def fit() -> Part:
            job.progress.say(f"fitting {by.name}, held out")
            apart = Apart(together(), units_of(dataset).exchanged, training)
            with single_threaded():
                said = held_out_predictions(method, found, labels, apart, seed=seed, by=by)
            arrays = {name: getattr(said, name) for name in _KEPT}
            facts = {"unit": said.unit, "notes": [*said.notes]}
            return facts, {name: array for name, array in arrays.items() if array is not None}

        facts, arrays = kept_part(job.folder("audit"), f"heldout-{method}", fingerprint, fit)
        said: Any = {"probabilities": None, **arrays, "notes": tuple(facts["notes"])}
        said |= {"by": by, "fingerprint": fingerprint, "unit": facts["unit"]}
        return (Predictions(labels.name, labels.categories, **said),)

    return Source(by.name, fingerprint, (), make)


def units_together(
    dataset: FaceDataset, rows: PackRows, pairs: NearPairs | None
) -> NDArray[np.int64]:
    """Return the (n,) unit of each image: images of one person and byte-identical ones have one number.

    So have near-identical ones of which nothing says who is on them: a chain of looks would tie people together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, units = len(dataset), units_of(dataset)
    here = np.arange(n)
    photo = np.unique(rows.sha256, return_inverse=True)[1]
    groups = [units.people(n), np.where(rows.sha256 == b"", n + here, photo)]
    near = near_groups(pairs, rows)
    if near is not None:
        named = near.groups < 0 if units.person is None else units.person.codes >= 0
        groups.append(np.where(named | (near.groups < 0), n + here, near.groups))
    first = []
    for each in groups:
        _, leaders, group = np.unique(each, return_index=True, return_inverse=True)
        first.append(leaders[group])  # each image is tied to the first of its group
    ties = coo_array(
        (np.ones(n * len(first)), (np.tile(here, len(first)), np.concatenate(first))), (n, n)
    )
    return np.asarray(connected_components(ties, directed=False)[1], np.int64)
