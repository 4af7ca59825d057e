"""The ladder of every claim of a run: its questions, its eight rungs, its findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from fer_audit.audit.analysis import Analysis, Parts, SubjectResult
from fer_audit.audit.claims.associations import (
    ASSOCIATIONS,
    claims_together,
    family,
    pair_of,
    pairs,
    predicted_names,
)
from fer_audit.audit.claims.conditional_tests import answer
from fer_audit.audit.claims.confounders import Question, questions_for
from fer_audit.audit.claims.rungs import (
    climb,
    conditional_rung,
    decides,
    none_reached,
    replicated,
    rung_p,
    stable,
)
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.resampling import holm, least_draws
from fer_audit.audit.types.claim import CLUSTER
from fer_audit.audit.types.claims import Association, Conditional, Ladder, Rung
from fer_audit.audit.types.result import HOLM, NO_CORRECTION, LedgerEntry
from fer_audit.audit.types.stability import StabilityFacts
from fer_audit.dataset.types import Attribute
from fer_audit.rng import stage_rng

CONDITIONAL = {
    4: ("not the other attributes", "there is no other demographic attribute"),
    5: ("not image style", "no style measure varies"),
    6: ("not the crawl", "no batch attribute"),
}
"""Rung -> its name, and why it may have nothing to ask."""


def full_ladder(
    association: Association,
    conditionals: Sequence[Conditional],
    p_holm: Mapping[int, float],
    facts: StabilityFacts | None,
    *,
    alpha: float,
) -> Ladder:
    """Return the eight rungs of one claim; `p_holm` is the corrected p of each of rungs 4 to 6 that has one."""
    further = [
        conditional_rung(
            number, name, conditionals, p_holm.get(number), alpha=alpha, nothing_to_ask=why
        )
        for number, (name, why) in CONDITIONAL.items()
    ]
    if association.of == CLUSTER:
        further.append(stable(facts, association, n=association.n))
        further.append(replicated(facts, association.attribute, alpha))
    else:
        skipped = "skipped: these labels are not clusters"
        further.append(Rung(7, "stable", reading=skipped, skipped=True))
        further.append(Rung(8, "replicated", reading=skipped, skipped=True))
    return climb(association, alpha=alpha, further=further, conditionals=conditionals)


def _questions(inputs: AuditInputs) -> list[tuple[Attribute, Attribute, Question, int]]:
    """Return every question with the least shuffles that the number of claims in its family makes necessary."""
    # 2 / (B + 1) is the least p there is; also at a level of .01
    alpha = min(0.02, inputs.config.statistics.alpha)
    together, said = inputs.once(claims_together), predicted_names(inputs)
    return [
        (of, to, question, least_draws(2 * together[family(of.name, to.kind, said)], alpha))
        for of, to in inputs.once(pairs)
        for question in questions_for(of, to, inputs)
    ]


def _run(
    inputs: AuditInputs, of: Attribute, attribute: Attribute, question: Question, least: int
) -> Conditional:
    """Return an answer, from at least so many shuffles."""
    settings = inputs.config.statistics
    return answer(
        question,
        question.held_fixed(attribute, inputs),
        pair_of(of, attribute, inputs),
        permutations=settings.permutations,
        least=least,
        confidence=settings.confidence,
        rng=stage_rng(
            inputs.config.seed, "audit", "given", of.name, attribute.name, question.family
        ),
    )


def _join(
    inputs: AuditInputs, pieces: Sequence[SubjectResult], parts: Parts
) -> tuple[Ladder, ...]:
    alpha = inputs.config.statistics.alpha
    kinds = {(of.name, to.name): to.kind for of, to in inputs.once(pairs)}
    asked: dict[tuple[str, str], list[Conditional]] = {key: [] for key in kinds}
    for piece in pieces:
        asked[piece.of, piece.attribute].append(piece)
    p_holm = corrected_over_attributes(asked, kinds, predicted_names(inputs))
    found = {(x.of, x.attribute): x for name in ASSOCIATIONS for x in parts[name]}
    return tuple(
        full_ladder(found[key], asked[key], p_holm[key], parts["stability"], alpha=alpha)
        for key in asked
        if key in found
    )


def corrected_over_attributes(
    asked: Mapping[tuple[str, str], Sequence[Conditional]],
    kinds: Mapping[tuple[str, str], str],
    predicted: Collection[str] = (),
) -> dict[tuple[str, str], dict[int, float]]:
    """Return the p of each rung of each (of, attribute), Holm over the attributes of one kind of claim."""
    corrected: dict[tuple[str, str], dict[int, float]] = {key: {} for key in asked}
    for number in CONDITIONAL:
        families: dict[tuple[str, str], list[tuple[tuple[str, str], float]]] = {}
        for key, conditionals in asked.items():
            p = rung_p(conditionals, number)
            if p is not None:
                families.setdefault(family(key[0], kinds[key], predicted), []).append((key, p))
        for members in families.values():
            adjusted = holm([p for _, p in members])
            for (key, _), p in zip(members, adjusted, strict=True):
                corrected[key][number] = p
    return corrected


def _ledger(ladders: Sequence[Ladder]) -> Iterator[LedgerEntry]:
    for ladder in ladders:
        rungs = {rung.number: rung for rung in ladder.rungs}
        for each in ladder.conditionals:
            if each.p is None:
                continue
            p = rungs[each.rung].p if each.rung and decides(each, each.rung) else None
            yield LedgerEntry(
                family=f"rung {each.rung}, conditional" if each.rung else "given by the user",
                subject=f"{each.attribute} x {each.of} given {' x '.join(each.given)}",
                method=f"{each.permutations:,} shuffles within strata, conditional mutual information and Cochran-Mantel-Haenszel",
                p=each.p,
                p_corrected=p,
                correction=NO_CORRECTION if p is None else HOLM,
                tests=2,
                at_most=none_reached(each),
            )


ANALYSIS = Analysis(
    name="ladders",
    record=Conditional,
    run=_run,
    subjects=lambda inputs: inputs.once(_questions),
    join=_join,
    needs=("tested", "units", "dataset.taken", "rows.style"),
    settings=("permutations", "confidence"),
    ledger=_ledger,
)
