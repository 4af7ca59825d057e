"""What claims are about: clusters x demographic, clusters x label, label x demographic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.units import Codes
from fer_audit.audit.types.claim_words import CLUSTER
from fer_audit.dataset.types import Attribute

MOST_LABELS = 10
"""Label attributes whose association with every demographic one is asked; forty of them would be hundreds of claims."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two code columns, of the clusters or a label and of an attribute, and what their rows belong to. All are (n,)."""

    of: Attribute
    attribute: Attribute
    tested: NDArray[np.bool_]
    people: Codes
    """Rows of one code are not independent."""
    collection: Codes | None
    """What another collection would draw; None = not known."""
    order: NDArray[np.integer]
    """Grows with the time of collection, or the place in the listing."""

    @property
    def first(self) -> NDArray[np.int64]:
        """(n,) codes of `of`, -1 where not tested."""
        return np.where(self.tested, self.of.codes, -1).astype(np.int64)


def clusters_as_column(inputs: AuditInputs) -> Attribute | None:
    """Return the clusters as a column; None where there are none."""
    clustering = inputs.clustering
    if clustering is None:
        return None
    names = tuple(str(cluster) for cluster in range(clustering.k))
    return Attribute(CLUSTER, names, clustering.labels.astype(np.int16), "label", "predicted")


def label_pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every label with every demographic attribute."""
    labels = [each for each in inputs.for_tests if each.kind == "label"][:MOST_LABELS]
    people = [each for each in inputs.for_tests if each.kind == "demographic"]
    return [(label, attribute) for label in labels for attribute in people]


def pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every claim as (of, attribute), those of clusters first."""
    clusters = inputs.once(clusters_as_column)
    about = [each for each in inputs.for_tests if each.kind in ("demographic", "label")]
    return [
        *((clusters, each) for each in about if clusters is not None),
        *label_pairs(inputs),
    ]


def pair_of(of: Attribute, attribute: Attribute, inputs: AuditInputs) -> Pair:
    """Return a claim's two columns with what their rows belong to. Labels of images need no clusters."""
    units, dataset = inputs.units, inputs.dataset
    n = len(dataset)
    return Pair(
        of=of,
        attribute=attribute,
        tested=inputs.tested,
        people=units.people(n),
        collection=None if units.collection is None else units.collection.codes,
        order=np.arange(n) if dataset.taken is None else dataset.taken,
    )
