"""Ledger entries of the upper half of the ladder, of style and of the latent space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_audit.audit.claims.cells import residual_p
from fer_audit.audit.types.claims import Conditional
from fer_audit.audit.types.result import AuditResult, LedgerEntry
from fer_audit.audit.types.space import LatentOverlap, StyleTest

NONE = "none"
HOLM = "Holm"
BH = "Benjamini-Hochberg"


def later_entries(result: AuditResult) -> Iterator[LedgerEntry]:
    """Yield an entry for each question, and one for each table of pairs or measures."""
    for ladder in result.ladders:
        for each in ladder.conditionals:
            yield from _of_conditional(each)
    if result.stability is not None:
        for half in result.stability.attributes:
            if half.half_p is not None:
                yield LedgerEntry(
                    family="association in the held-out half",
                    subject=f"{half.attribute} x nearest centre",
                    method=f"{half.half_permutations:,} fixed-margin tables, Pearson's chi-squared",
                    p=half.half_p,
                    p_corrected=half.half_p_holm,
                    correction=HOLM,
                )
    if result.intersections is not None and result.intersections.beyond_pairs:
        worst = result.intersections.beyond_pairs[0]
        if worst.p_adjusted is not None and worst.residual_pairs is not None:
            yield LedgerEntry(
                family="cells of the intersections",
                subject=f"{' x '.join(worst.groups)}, smallest of all cells",
                method="adjusted residual under all two-way margins, two-sided normal",
                p=float(residual_p(np.array(worst.residual_pairs))),
                p_corrected=worst.p_adjusted,
                correction=BH,
            )
    yield from _of_style(result.style_tests)
    for baseline in result.style_baselines:
        if baseline.p is not None:
            yield LedgerEntry(
                family="style-only clusters",
                subject=f"{baseline.attribute} x style cluster",
                method=f"{baseline.permutations:,} fixed-margin tables, Pearson's chi-squared",
                p=baseline.p,
                p_corrected=None,
                correction=NONE,
            )
    for overlap in result.latent:
        yield from _of_overlap(overlap)


def _of_conditional(each: Conditional) -> Iterator[LedgerEntry]:
    if each.p is None:
        return
    names = " x ".join(each.given)
    yield LedgerEntry(
        family=f"rung {each.rung}, conditional" if each.rung else "given by the user",
        subject=f"{each.attribute} x cluster given {names}",
        method=f"{each.permutations:,} shuffles within strata, conditional mutual information",
        p=each.p,
        p_corrected=each.p_holm,
        correction=HOLM,
    )


def _of_style(tests: Sequence[StyleTest]) -> Iterator[LedgerEntry]:
    for attribute in dict.fromkeys(each.attribute for each in tests):
        done = [each for each in tests if each.attribute == attribute and each.p is not None]
        if done:
            least = min(done, key=lambda each: (each.p or 0.0, -(each.rank_effect or 0.0)))
            yield LedgerEntry(
                family="style",
                subject=f"{least.measure} by {attribute}, smallest of {len(done)} measures",
                method=f"{least.permutations:,} shuffles, Kruskal-Wallis H",
                p=least.p or 0.0,
                p_corrected=least.p_adjusted,
                correction=BH,
            )


def _of_overlap(overlap: LatentOverlap) -> Iterator[LedgerEntry]:
    if overlap.p is not None:
        yield LedgerEntry(
            family="latent overlap",
            subject=f"{overlap.attribute} of {overlap.neighbours} nearest neighbours",
            method=f"{overlap.permutations:,} shuffles, share of neighbours of the same group",
            p=overlap.p,
            p_corrected=None,
            correction=NONE,
        )
    tested = [each for each in overlap.pairs if each.p is not None]
    if tested:
        least = min(tested, key=lambda each: (each.p or 0.0, -(each.auc or 0.0)))
        yield LedgerEntry(
            family=f"pairs of {overlap.attribute}",
            subject=f"{least.first} and {least.second}, smallest of {len(tested)} pairs",
            method=f"{least.permutations:,} shuffles within folds, AUC of a linear probe",
            p=least.p or 0.0,
            p_corrected=least.p_adjusted,
            correction=BH,
        )
