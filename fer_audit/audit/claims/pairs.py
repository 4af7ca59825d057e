"""What claims are about: clusters x demographic, clusters x label, label x demographic, predictions x demographic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.claims.contingency import MOST_BLOCK_DRAWS
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.resampling import least_draws
from fer_audit.audit.stats.units import Codes
from fer_audit.audit.types.claim_words import CLUSTER
from fer_audit.dataset.types import Attribute
from fer_audit.text import counted, name_some

MOST_LABELS = 10
"""Label attributes whose association with every demographic one is asked; forty of them would be hundreds of claims."""

USUAL = 0.05
"""At a larger level as many are shuffled: what was computed is kept for any."""


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


def _labels(inputs: AuditInputs) -> list[Attribute]:
    return [each for each in inputs.for_tests if each.kind == "label"]


def labels_not_asked(inputs: AuditInputs) -> str:
    """Return which labels `label_pairs` leaves out and why, "" = none."""
    labels, people = _labels(inputs), [x for x in inputs.for_tests if x.kind == "demographic"]
    left_out = [each.name for each in labels[MOST_LABELS:]]
    if not left_out or not people:
        return ""
    return (
        f"{len(left_out)} of {counted(len(labels), 'label column')} were not compared with the attributes of people:"
        f" the first {MOST_LABELS} are, as all would be {counted(len(labels) * len(people), 'claim')} ({name_some(left_out)})."
    )


def label_pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every label with every demographic attribute, the first `MOST_LABELS` of them."""
    labels = _labels(inputs)[:MOST_LABELS]
    people = [each for each in inputs.for_tests if each.kind == "demographic"]
    return [(label, attribute) for label in labels for attribute in people]


def prediction_pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every column of predictions with every demographic attribute but the one that is predicted."""
    return [
        (said, attribute)
        for said, made in zip(inputs.predicted, inputs.predictions, strict=True)
        for attribute in inputs.people
        if made.about not in (attribute.name, attribute.mapped_from)
    ][: MOST_LABELS * max(1, len(inputs.people))]


def pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every claim as (of, attribute), those of clusters first."""
    clusters = inputs.once(clusters_as_column)
    about = [each for each in inputs.for_tests if each.kind in ("demographic", "label")]
    return [
        *((clusters, each) for each in about if clusters is not None),
        *label_pairs(inputs),
        *prediction_pairs(inputs),
    ]


def family(of: str, kind: str, predicted: Collection[str] = ()) -> tuple[str, str]:
    """Return the kind of claim that p is corrected over; `predicted` names the columns of predictions."""
    return CLUSTER if of == CLUSTER else "prediction" if of in predicted else "label", kind


def predicted_names(inputs: AuditInputs) -> frozenset[str]:
    """Return the names of the columns of predictions."""
    return frozenset(each.name for each in inputs.predicted)


def claims_together(inputs: AuditInputs) -> Counter[tuple[str, str]]:
    """Return how many claims are in each family."""
    said = predicted_names(inputs)
    return Counter(family(of.name, each.kind, said) for of, each in inputs.once(pairs))


def least_shuffles(of: str, kind: str, inputs: AuditInputs) -> int:
    """Return how many shuffles the number of claims in a family makes necessary; 0 where there are enough anyway."""
    settings = inputs.config.statistics
    together = inputs.once(claims_together)[family(of, kind, predicted_names(inputs))]
    least = least_draws(together, min(USUAL, settings.alpha))
    return least if least > min(settings.permutations, MOST_BLOCK_DRAWS) else 0


def too_few_shuffles(draws: int, tests: int, alpha: float) -> str:
    """Return why a p from so many shuffles cannot be corrected over a family; "" = it can."""
    least = least_draws(tests, alpha)
    return (
        f"{counted(tests, 'claim')} at a level of {alpha:g} need {counted(least, 'shuffle')}, {draws:,} were drawn"
        if draws < least
        else ""
    )


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
