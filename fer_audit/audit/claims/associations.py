"""The association of the clusters with each attribute of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.cells import cells_ledger
from fer_audit.audit.claims.contingency import associate
from fer_audit.audit.claims.findings import association_findings
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.multiple_testing import holm
from fer_audit.audit.stats.tables import Counts, cross_table
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.result import HOLM, NO_CORRECTION, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng

DRAWN_CELLS = 10_000_000
"""Table cells drawn for an attribute that is not demographic: two seconds at most. Hundreds of batches get
fewer permutations than were asked for, and `Association.permutations` says how many."""
LEAST_DRAWS = 199


def correct_for_attributes(associations: Sequence[Association]) -> tuple[Association, ...]:
    """Return the associations with Holm's p over the demographic attributes among them."""
    tested = [
        index
        for index, each in enumerate(associations)
        if each.kind == "demographic" and each.p_permutation is not None
    ]
    adjusted = holm([associations[index].p_permutation or 0.0 for index in tested])
    p_holm = dict(zip(tested, adjusted, strict=True))
    return tuple(
        replace(each, p_holm=p_holm[index])
        if index in p_holm
        else replace(
            each, not_computable=(*each.not_computable, ("p_holm", _why_not_corrected(each)))
        )
        for index, each in enumerate(associations)
    )


def _why_not_corrected(association: Association) -> str:
    if association.kind != "demographic":
        return "Holm's family is the demographic attributes"
    return dict(association.not_computable)["p_permutation"]


def affordable_draws(kind: str, cells: int, wanted: int) -> int:
    """Return how many permutations a table of so many cells gets: all of them if it is demographic."""
    if kind == "demographic":
        return wanted
    return min(wanted, max(LEAST_DRAWS, DRAWN_CELLS // max(cells, 1)))


def _subjects(inputs: AuditInputs) -> list[tuple[Attribute, ...]]:
    return [(each,) for each in inputs.compared if inputs.clustering is not None]


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
) -> Association:
    """Return the association of an attribute with (n,) clusters, over the tested rows."""
    settings = inputs.config.statistics
    table = label_table(labels, attribute, inputs.tested, k)
    return associate(
        table,
        attribute=attribute.name,
        kind=attribute.kind,
        groups=attribute.categories,
        rng=stage_rng(inputs.config.seed, "audit", purpose, attribute.name),
        permutations=affordable_draws(attribute.kind, table.size, settings.permutations),
        bootstraps=settings.bootstraps,
        confidence=settings.confidence,
    )


def _run(inputs: AuditInputs, attribute: Attribute) -> Association:
    clustering = inputs.clustering
    assert clustering is not None  # noqa: S101 - no pieces without clusters
    return associate_labels(clustering.labels, attribute, inputs, "association", clustering.k)


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[Association, ...]:
    return correct_for_attributes(pieces)


def _ledger(found: Sequence[Association]) -> Iterator[LedgerEntry]:
    for each in found:
        if each.p_permutation is None:
            continue
        family = "association" if each.kind == "demographic" else f"association, {each.kind}"
        yield LedgerEntry(
            family=family,
            subject=f"{each.attribute} x cluster",
            method=f"{each.permutations:,} fixed-margin tables, Pearson's chi-squared",
            p=each.p_permutation,
            p_corrected=each.p_holm,
            correction=NO_CORRECTION if each.p_holm is None else HOLM,
            tests=1 + (each.p_asymptotic is not None),
        )
        yield from cells_ledger(each)


ANALYSIS = Analysis(
    name="associations",
    record=Association,
    run=_run,
    subjects=_subjects,
    join=_join,
    needs=("clustering.labels", "clustering.k", "tested"),
    settings=("permutations", "bootstraps", "confidence"),
    findings=association_findings,
    ledger=_ledger,
)
