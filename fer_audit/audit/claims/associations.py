"""The association of the clusters, and of each label, with the attributes of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult, nothing
from fer_audit.audit.claims.cells import cells_ledger
from fer_audit.audit.claims.contingency import Drawn, associate
from fer_audit.audit.claims.pairs import (
    clusters_as_column,
    family,
    label_pairs,
    least_shuffles,
    prediction_pairs,
    too_few_shuffles,
)
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.multiple_testing import holm
from fer_audit.audit.stats.tables import Counts, cross_table
from fer_audit.audit.stats.units import make_blocks
from fer_audit.audit.types.claim_words import CLUSTER
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import HOLM, NO_CORRECTION, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng
from fer_audit.text import display, unreached

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
    for index, each in enumerate(associations):
        if each.kind in CLAIMED and each.p_permutation is not None:
            families.setdefault(family(each.of, each.kind), []).append(index)
    corrected, reasons = list(associations), {}
    for members in families.values():
        adjusted = holm([associations[index].p_permutation or 0.0 for index in members])
        for index, p in zip(members, adjusted, strict=True):
            each = associations[index]
            reasons[index] = too_few_shuffles(each.permutations, len(members), alpha)
            corrected[index] = replace(each, p_holm=None if reasons[index] else p)
    return tuple(
        each
        if each.p_holm is not None
        else replace(
            each,
            not_computable=(
                *each.not_computable,
                ("p_holm", reasons.get(index) or _why_not_corrected(each)),
            ),
        )
        for index, each in enumerate(corrected)
    )


def _why_not_corrected(association: Association) -> str:
    if association.kind not in CLAIMED:
        return "Holm's families are the demographic attributes and the labels"
    return dict(association.not_computable)["p_permutation"]


def affordable_draws(kind: str, cells: int, wanted: int) -> int:
    """Return how many permutations a table of so many cells gets: all of them if a claim is made about it."""
    if kind in CLAIMED:
        return wanted
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def label_table(
    labels: NDArray[np.integer], attribute: Attribute, tested: NDArray[np.bool_], k: int = 1
) -> Counts:
    """Return the (clusters, groups) counts of the tested rows; at least k clusters."""
    return cross_table(
        labels[tested],
        attribute.codes[tested],
        n_rows=max(k, int(labels.max(initial=0)) + 1),
        n_cols=len(attribute.categories),
    )


def associate_labels(
    labels: NDArray[np.integer],
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
    return associate(
        table,
        of=of,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(inputs.config.seed, "audit", purpose, *_named(of), attribute.name),
        permutations=affordable_draws(attribute.kind, table.size, settings.permutations),
        bootstraps=settings.bootstraps,
        confidence=settings.confidence,
        drawn=what_is_drawn(labels, attribute, inputs, table.shape),
        least=least,
    )


def _named(of: str) -> tuple[str, ...]:
    return () if of == CLUSTER else (of,)


def what_is_drawn(
    labels: NDArray[np.integer],
    attribute: Attribute,
    inputs: AuditInputs,
    shape: tuple[int, ...],
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

    def by_unit(codes: NDArray[np.integer]) -> Counts | None:
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


def _with_draws(
    asked: Sequence[tuple[Attribute, Attribute]], inputs: AuditInputs
) -> list[tuple[Attribute, Attribute, int]]:
    return [(of, each, least_shuffles(of.name, each.kind, inputs)) for of, each in asked]


def _of_clusters(inputs: AuditInputs) -> list[tuple[Attribute, Attribute, int]]:
    clusters = inputs.once(clusters_as_column)
    if clusters is None:
        return []
    return _with_draws([(clusters, each) for each in inputs.for_tests], inputs)


def _run(inputs: AuditInputs, of: Attribute, attribute: Attribute, least: int) -> Association:
    purpose, k = "association", len(of.categories)
    return associate_labels(of.codes, attribute, inputs, purpose, k, of.name, least)


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[Association, ...]:
    return correct_for_attributes(pieces, alpha=inputs.config.statistics.alpha)


def how_shuffled(draws: int, unit: str) -> str:
    """Return in words what was drawn for a p."""
    how = "fixed-margin tables" if unit == "image" else f"shuffles of labels by {display(unit)}"
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
    subjects=_of_clusters,
    join=_join,
    needs=("tested", "units"),
    settings=("permutations", "bootstraps", "confidence"),
    ledger=_ledger,
)
OF_LABELS = replace(
    ANALYSIS,
    name="label_associations",
    subjects=lambda inputs: _with_draws(inputs.once(label_pairs), inputs),
    findings=nothing,
)
"""The same of label attributes such as the expression: is one group labelled happy more often?"""
OF_PREDICTIONS = replace(
    OF_LABELS,
    name="prediction_associations",
    subjects=lambda inputs: _with_draws(inputs.once(prediction_pairs), inputs),
)
"""The same of what a FER model predicts. A family of its own: a model adds no claim about labels."""
ASSOCIATIONS = (ANALYSIS.name, OF_LABELS.name, OF_PREDICTIONS.name)
"""Parts that hold the tables of claims."""
