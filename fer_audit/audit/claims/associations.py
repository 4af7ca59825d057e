"""What claims are about, clusters and labels x the attributes of a run, and whether the two are associated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from fer_audit.audit.analysis import Analysis, nothing
from fer_audit.audit.claims.contingency import MOST_BLOCK_DRAWS, Drawn, associate, cells_ledger
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.resampling import holm, least_draws
from fer_audit.audit.stats.tables import Codes, Counts, Mask, cross_table
from fer_audit.audit.stats.units import make_blocks
from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import HOLM, NO_CORRECTION, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import counted, display, name_some, unreached

MOST_LABELS = 10
"""Label attributes whose association with every demographic one is asked; forty of them would be hundreds of claims."""

USUAL = 0.05
"""At a larger level as many are shuffled: what was computed is kept for any."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two code columns, of the clusters or a label and of an attribute, and what their rows belong to. All are (n,)."""

    of: Attribute
    attribute: Attribute
    tested: Mask
    people: Codes
    """Rows of one code are not independent."""
    collection: Codes | None
    """What another collection would draw; None = not known."""
    order: Codes
    """Grows with the time of collection, or the place in the listing."""

    @property
    def first(self) -> Counts:
        """(n,) codes of `of`, -1 where not tested."""
        return np.where(self.tested, self.of.codes, -1).astype(np.int64)


def clusters_as_column(inputs: AuditInputs) -> Attribute | None:
    """Return the clusters as a column; None where there are none."""
    clustering = inputs.clustering
    if clustering is None:
        return None
    names = tuple(str(cluster) for cluster in range(clustering.k))
    return Attribute(CLUSTER, names, clustering.labels.astype(np.int16), "label", "predicted")


def labels_not_asked(inputs: AuditInputs) -> str:
    """Return which labels `label_pairs` leaves out and why, "" = none."""
    labels = [each.name for each in inputs.for_tests if each.kind == "label"]
    left_out = labels[MOST_LABELS:]
    if not left_out or not inputs.people:
        return ""
    return (
        f"{len(left_out)} of {counted(len(labels), 'label column')} were not compared with the attributes of people:"
        f" the first {MOST_LABELS} are, as all would be {counted(len(labels) * len(inputs.people), 'claim')} ({name_some(left_out)})."
    )


def label_pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    """Return every label with every demographic attribute, the first `MOST_LABELS` of them."""
    labels = [each for each in inputs.for_tests if each.kind == "label"][:MOST_LABELS]
    return [(label, attribute) for label in labels for attribute in inputs.people]


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


DRAWN_CELLS = 10_000_000
"""Table cells drawn for an attribute that is not demographic: two seconds at most. Hundreds of batches get
fewer permutations than were asked for, and `Association.permutations` says how many."""
LEAST_DRAWS = 199


CLAIMED = ("demographic", "label")
"""Kinds of attributes that claims are made about; each is a family of its own."""


def correct_for_attributes(
    associations: Sequence[Association], *, alpha: float
) -> tuple[Association, ...]:
    """Return the associations with Holm's p over the attributes of one kind of claim.

    Where there are too few shuffles for so many attributes there is none.
    """
    families: dict[tuple[str, str], list[int]] = {}
    corrected = list(associations)
    for index, each in enumerate(associations):
        if each.kind not in CLAIMED:
            why = "Holm's families are the demographic attributes and the labels"
        elif each.p_permutation is None:
            why = dict(each.not_computable)["p_permutation"]
        else:
            families.setdefault(family(each.of, each.kind), []).append(index)
            continue
        corrected[index] = _without_holm(each, why)
    for members in families.values():
        adjusted = holm([associations[index].p_permutation or 0.0 for index in members])
        for index, p in zip(members, adjusted, strict=True):
            each = associations[index]
            few = too_few_shuffles(each.permutations, len(members), alpha)
            corrected[index] = _without_holm(each, few) if few else replace(each, p_holm=p)
    return tuple(corrected)


def _without_holm(each: Association, why: str) -> Association:
    return replace(each, not_computable=(*each.not_computable, ("p_holm", why)))


def affordable_draws(kind: str, cells: int, wanted: int) -> int:
    """Return how many permutations a table of so many cells gets: all of them if a claim is made about it."""
    if kind in CLAIMED:
        return wanted
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def label_table(labels: Codes, attribute: Attribute, tested: Mask, k: int = 1) -> Counts:
    """Return the (clusters, groups) counts of the tested rows; at least k clusters."""
    return cross_table(
        labels[tested],
        attribute.codes[tested],
        n_rows=max(k, int(labels.max(initial=0)) + 1),
        n_cols=len(attribute.categories),
    )


def associate_labels(
    labels: Codes,
    attribute: Attribute,
    inputs: AuditInputs,
    purpose: str,
    k: int = 1,
    of: str = CLUSTER,
    least: int = 0,
) -> Association:
    """Return the association of an attribute with (n,) clusters or groups, over the tested rows; at least `least` shuffles."""
    settings = inputs.config.statistics
    table = label_table(labels, attribute, inputs.tested, k)
    named = () if of == CLUSTER else (of,)
    return associate(
        table,
        of=of,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(inputs.config.seed, "audit", purpose, *named, attribute.name),
        permutations=affordable_draws(attribute.kind, table.size, settings.permutations),
        bootstraps=settings.bootstraps,
        confidence=settings.confidence,
        drawn=what_is_drawn(labels, attribute, inputs, table.shape),
        least=least,
    )


def what_is_drawn(
    labels: Codes, attribute: Attribute, inputs: AuditInputs, shape: tuple[int, ...]
) -> Drawn:
    """Return the units of a table: people are exchanged as wholes, and another collection draws its own."""
    units = inputs.units
    first = np.where(inputs.tested, labels, -1)
    known = (first >= 0) & (attribute.codes >= 0)
    claimed = attribute.kind in CLAIMED  # thousands of batches for each of thousands of people
    people = units.people(len(first))
    blocks = make_blocks(first, attribute.codes, np.zeros(len(first), np.int64), people)

    def shuffled(draws: int, rng: np.random.Generator) -> Iterator[Counts]:
        assert blocks is not None  # noqa: S101 - not called otherwise
        return (each[0] for each in blocks.shuffled((shape[0], shape[1]), draws, rng))

    def by_unit(codes: Codes) -> Counts | None:
        inside = known & (codes >= 0)
        parts, number = np.unique(codes[inside], return_inverse=True)
        if len(parts) < 2:
            return None
        cell = (number * shape[0] + first[inside]) * shape[1] + attribute.codes[inside]
        size = len(parts) * shape[0] * shape[1]
        return np.bincount(cell, minlength=size).reshape(len(parts), *shape)

    return Drawn(
        shuffled=None if blocks is None else shuffled,
        people=None if blocks is None or not claimed else by_unit(people),
        collection=by_unit(units.collection.codes) if units.collection and claimed else None,
        unit=units.exchanged,
        drawn=units.drawn,
    )


def _asked(
    pairs_of: Callable[[AuditInputs], Sequence[tuple[Attribute, Attribute]]], inputs: AuditInputs
) -> list[tuple[Attribute, Attribute, int]]:
    """Return the subjects of an analysis: what is asked, with the shuffles that it needs."""
    found = inputs.once(pairs_of)
    return [(of, each, least_shuffles(of.name, each.kind, inputs)) for of, each in found]


def _cluster_pairs(inputs: AuditInputs) -> list[tuple[Attribute, Attribute]]:
    clusters = inputs.once(clusters_as_column)
    return [(clusters, each) for each in inputs.for_tests] if clusters else []


def _run(inputs: AuditInputs, of: Attribute, attribute: Attribute, least: int) -> Association:
    purpose, k = "association", len(of.categories)
    return associate_labels(of.codes, attribute, inputs, purpose, k, of.name, least)


def how_shuffled(draws: int, unit: str, images: str = "fixed-margin tables") -> str:
    """Return in words what was drawn for a p; `images` where images are exchanged one by one."""
    how = images if unit == "image" else f"shuffles of labels by {display(unit)}"
    return f"{draws:,} {how}"


def _ledger(found: Sequence[Association]) -> Iterator[LedgerEntry]:
    for each in found:
        if each.p_permutation is None:
            continue
        family = "association" if each.kind == "demographic" else f"association, {each.kind}"
        if each.of != CLUSTER:
            family += f" and {each.of}"
        yield LedgerEntry(
            family=family,
            subject=f"{each.attribute} x {each.of}",
            method=f"{how_shuffled(each.permutations, each.unit)}, Pearson's chi-squared",
            p=each.p_permutation,
            p_corrected=each.p_holm,
            correction=NO_CORRECTION if each.p_holm is None else HOLM,
            tests=1 + (each.p_asymptotic is not None),
            at_most=unreached(each.p_permutation, each.permutations),
        )
        yield from cells_ledger(each)


ANALYSIS = Analysis(
    name="associations",
    record=Association,
    run=_run,
    subjects=partial(_asked, _cluster_pairs),
    join=lambda inputs, found, _: correct_for_attributes(
        found, alpha=inputs.config.statistics.alpha
    ),
    needs=("tested", "units"),
    settings=("permutations", "bootstraps", "confidence"),
    ledger=_ledger,
)
OF_LABELS = replace(
    ANALYSIS,
    name="label_associations",
    subjects=partial(_asked, label_pairs),
    findings=nothing,
)
"""The same of label attributes such as the expression: is one group labelled happy more often?"""
OF_PREDICTIONS = replace(
    OF_LABELS,
    name="prediction_associations",
    subjects=partial(_asked, prediction_pairs),
)
"""The same of what a FER model predicts. A family of its own: a model adds no claim about labels."""
ASSOCIATIONS = (ANALYSIS.name, OF_LABELS.name, OF_PREDICTIONS.name)
"""Parts that hold the tables of claims."""
