"""The ladder of every demographic attribute of a run: its questions, its eight rungs, its findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.conditional_tests import answer, correct
from fer_audit.audit.claims.confounders import Question, questions_for
from fer_audit.audit.claims.findings import ladder_findings
from fer_audit.audit.claims.rungs import climb, conditional_rung
from fer_audit.audit.claims.stability import replicated, stable
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.types.claims import Association, Conditional, Ladder, StabilityFacts
from fer_audit.audit.types.result import HOLM, LedgerEntry
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng

ATTRIBUTES = "there is no other demographic attribute"
STYLE = "no style measure varies"
BATCH = "no batch attribute"


def full_ladder(
    association: Association,
    conditionals: Sequence[Conditional],
    facts: StabilityFacts | None,
    *,
    alpha: float,
) -> Ladder:
    """Return the eight rungs of one demographic attribute."""
    further = (
        conditional_rung(4, "not the other attributes", conditionals, nothing_to_ask=ATTRIBUTES),
        conditional_rung(5, "not image style", conditionals, nothing_to_ask=STYLE),
        conditional_rung(6, "not the crawl", conditionals, nothing_to_ask=BATCH),
        stable(facts, association.attribute, len(association.table), n=association.n),
        replicated(facts, association.attribute, alpha),
    )
    return climb(association, alpha=alpha, further=further, conditionals=conditionals)


def _questions(inputs: AuditInputs) -> list[tuple[Attribute, Question]]:
    if inputs.clustering is None:
        return []
    return [
        (attribute, question)
        for attribute in inputs.demographic
        for question in questions_for(attribute, inputs)
    ]


def _run(inputs: AuditInputs, attribute: Attribute, question: Question) -> Conditional:
    clustering = inputs.clustering
    assert clustering is not None  # noqa: S101 - no questions without clusters
    return answer(
        question,
        attribute,
        np.where(inputs.tested, clustering.labels, -1),
        k=clustering.k,
        permutations=inputs.config.statistics.permutations,
        confidence=inputs.config.statistics.confidence,
        rng=stage_rng(inputs.config.seed, "audit", "given", attribute.name, question.family),
    )


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[Ladder, ...]:
    alpha = inputs.config.statistics.alpha
    asked: dict[str, list[tuple[str, Conditional]]] = {
        each.name: [] for each in inputs.demographic
    }
    for (attribute, question), piece in zip(inputs.once(_questions), pieces, strict=True):
        asked[attribute.name].append((f"{question.rung} {question.family}", piece))
    conditionals = correct(asked, alpha=alpha)
    return tuple(
        full_ladder(each, conditionals[each.attribute], parts["stability"], alpha=alpha)
        for each in parts["associations"]
        if each.kind == "demographic"
    )


def _ledger(ladders: Sequence[Ladder]) -> Iterator[LedgerEntry]:
    for each in (each for ladder in ladders for each in ladder.conditionals):
        if each.p is not None:
            yield LedgerEntry(
                family=f"rung {each.rung}, conditional" if each.rung else "given by the user",
                subject=f"{each.attribute} x cluster given {' x '.join(each.given)}",
                method=f"{each.permutations:,} shuffles within strata, conditional mutual information",
                p=each.p,
                p_corrected=each.p_holm,
                correction=HOLM,
            )


ANALYSIS = Analysis(
    name="ladders",
    record=Conditional,
    run=_run,
    subjects=lambda inputs: inputs.once(_questions),
    join=_join,
    needs=("clustering.labels", "clustering.k", "tested"),
    settings=("permutations", "confidence"),
    findings=ladder_findings,
    ledger=_ledger,
)
