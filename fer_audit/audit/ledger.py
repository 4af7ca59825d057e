"""The list of every test that was run, with what its p was corrected for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import binomtest

from fer_audit.audit.claims.cells import residual_p
from fer_audit.audit.claims.ledger import NONE, later_entries
from fer_audit.audit.types.claims import Association
from fer_audit.audit.types.composition import AgeHeaping, Representation, SubsetCheck
from fer_audit.audit.types.result import AuditResult, LedgerEntry


def collect_ledger(result: AuditResult) -> tuple[LedgerEntry, ...]:
    """Return an entry for each test in a result; the cells of a table share one entry."""
    return tuple(_entries(result))


def _entries(result: AuditResult) -> Iterator[LedgerEntry]:
    for association in result.associations:
        yield from _of_association(association)
    yield from later_entries(result)
    for representation in result.representation:
        yield from _of_target(representation)
    for check in result.subset_checks:
        yield from _of_subset(check)
    if result.age_heaping is not None:
        yield from _of_ages(result.age_heaping)
    for guess in result.batch_predictions:
        if guess.p is not None:
            yield LedgerEntry(
                family="batch prediction",
                subject=f"{guess.attribute} from {guess.batch}",
                method=f"{guess.permutations:,} fixed-margin tables, accuracy of the best guess",
                p=guess.p,
                p_corrected=None,
                correction=NONE,
            )


def _of_association(association: Association) -> Iterator[LedgerEntry]:
    if association.p_permutation is None:
        return
    family = (
        "association" if association.kind == "demographic" else f"association, {association.kind}"
    )
    yield LedgerEntry(
        family=family,
        subject=f"{association.attribute} x cluster",
        method=f"{association.permutations:,} fixed-margin tables, Pearson's chi-squared",
        p=association.p_permutation,
        p_corrected=association.p_holm,
        correction=NONE if association.p_holm is None else "Holm",
    )
    cells = [
        (cell.residual, cell.p_adjusted)
        for cell in association.cells
        if cell.residual is not None and cell.p_adjusted is not None
    ]
    if cells:
        residuals, adjusted = np.array(cells).T
        yield LedgerEntry(
            family=f"cells of {association.attribute} x cluster",
            subject=f"smallest of {len(cells)} cells",
            method="adjusted residual, two-sided normal",
            p=float(residual_p(residuals).min()),
            p_corrected=float(adjusted.min()),
            correction="Benjamini-Hochberg",
        )


def _of_target(representation: Representation) -> Iterator[LedgerEntry]:
    target = representation.target
    if target.p is not None:
        yield LedgerEntry(
            family="goodness of fit",
            subject=f"{representation.attribute} against {target.target}",
            method="Pearson's chi-squared, multinomial draws",
            p=target.p,
            p_corrected=None,
            correction=NONE,
        )


def _of_subset(check: SubsetCheck) -> Iterator[LedgerEntry]:
    subject = f"{check.attribute} against {check.reference}"
    if check.p is not None:
        yield LedgerEntry(
            family="subset check",
            subject=subject,
            method=f"Pearson's chi-squared, {check.method}",
            p=check.p,
            p_corrected=None,
            correction=NONE,
        )
    if check.worst is not None:
        yield LedgerEntry(
            family=f"groups of {subject}",
            subject=f"{check.worst.name}, smallest of {len(check.groups)} groups",
            method="exact two-sided binomial",
            p=check.worst.p,
            p_corrected=min(1.0, check.worst.p * len(check.groups)),
            correction="Holm",
        )


def _of_ages(ages: AgeHeaping) -> Iterator[LedgerEntry]:
    if ages.whipple is None:
        return
    hits = round(ages.whipple * ages.n / 500)
    yield LedgerEntry(
        family="age heaping",
        subject="ages 23 to 62 that end in 0 or 5",
        method="exact one-sided binomial against 20 %",
        p=float(binomtest(hits, ages.n, 0.2, alternative="greater").pvalue),
        p_corrected=None,
        correction=NONE,
    )
