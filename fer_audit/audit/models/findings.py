"""Findings about FER models: whom they fail, whom they call what more often, and what such numbers cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fer_audit.audit.claims.summary import left_figures
from fer_audit.audit.types.claim import CLUSTER, SAYS, Claim
from fer_audit.audit.types.models import ByAttribute, ModelAudit, RecallCell, group_words
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import (
    coefficient,
    counted,
    display,
    p_phrase,
    percent,
    percent_span,
    rounded_percent,
    unreached,
)


def model_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield what is known of each model; nothing about what is right where there are no true labels."""
    if result.models is None:
        return
    alpha, models = result.config.statistics.alpha, result.models.models
    for model in models:
        for by in model.by:
            if by.recall_gap is not None and (by.demographic or by.attribute == CLUSTER):
                yield _whom_it_fails(model, by, alpha)
        if model.in_sample and model.truth:
            yield Finding(
                code="in_sample",
                severity="know",
                text=f"{model.model} was trained on this set: its {percent(model.accuracy)} right here do not hold for new images.",
                effect=0.7,
                figures=f"trained on: {model.trained_on}",
                do="Judge it by images that it has not seen.",
                values=(("accuracy", model.accuracy or 0.0),),
            )
    yield from _called_more(result)
    if any(model.about == "expression" for model in models):
        read = ", and the labels are annotators' readings of faces"
        truth = any(model.truth for model in models)
        yield Finding(
            code="expressions",
            severity="know",
            text=f"Expressions are not emotions{read if truth else ''}.",
            effect=0.46,
            figures="emotion recognition at work and in education is prohibited in the EU (AI Act, Art. 5)",
            do="Say so wherever a number about a model is quoted.",
        )


def shown_cells(by: ByAttribute, alpha: float) -> list[tuple[RecallCell, float]]:
    """Return the cells that are worse than all other groups beyond chance, with the recall of those; the worst first."""
    found = []
    for cell in by.cells:
        others = [x for x in by.cells if x.label == cell.label and x.group != cell.group]
        n = sum(each.n for each in others)
        if cell.recall is None or cell.p_adjusted is None or cell.too_few or not n:
            continue
        rest = sum(each.right for each in others) / n
        if cell.p_adjusted <= alpha and cell.recall < rest:
            found.append((cell, rest))
    return sorted(found, key=lambda each: (each[0].recall or 0.0, each[0].group))


def _whom_it_fails(model: ModelAudit, by: ByAttribute, alpha: float) -> Finding:
    name, gap = display(by.attribute), by.recall_gap or 0.0
    at_most = unreached(by.recall_gap_p, by.permutations)
    apart = (
        f"widest gap in recall {coefficient(gap)}, {p_phrase(by.recall_gap_p, at_most=at_most)}"
    )
    if by.accuracy_gap is not None:
        chance = p_phrase(by.accuracy_gap_p, at_most=unreached(by.accuracy_gap_p, by.permutations))
        apart += f"; gap in accuracy {coefficient(by.accuracy_gap)}, {chance}, equal treatment gives {coefficient(by.chance_gap)}"
    if by.xu_f is not None:
        apart += f"; Xu's F {coefficient(by.xu_f)}"
    values = tuple(
        (key, value)
        for key, value in (("recall_gap", by.recall_gap), ("xu_f", by.xu_f))
        if value is not None
    )
    worse = shown_cells(by, alpha)
    if not worse:
        tested = (by.accuracy_gap_p, by.recall_gap_p)
        differs = any(p is not None and p <= alpha for p in tested)
        return Finding(
            code="model_differs" if differs else "model_alike",
            severity="know" if differs else "fine",
            text=f"What {model.model} gets right differs by {name}, in no single class beyond chance."
            if differs
            else f"No difference by {name} is shown in what {model.model} gets right.",
            attribute=by.attribute,
            effect=0.5,
            figures=f"{apart}, n = {model.labelled:,}",
            do=f"Report accuracy by {name}."
            if differs
            else f"Nothing; a smaller one than {counted(model.labelled, 'image')} can show may be there.",
            values=values,
        )
    cell, rest = worse[0]
    reached = unreached(cell.p, by.permutations)
    return Finding(
        code="model_fails",
        severity="know",
        text=(
            f"{model.model} is right about {cell.label} in {rounded_percent(cell.recall or 0.0)} of"
            f" {group_words(by.attribute, cell.group)} and in {rounded_percent(rest)} of all others."
        ),
        attribute=by.attribute,
        effect=0.5 + (rest - (cell.recall or 0.0)) / 2,
        figures=(
            f"{percent(cell.recall)} ({cell.right:,} of {cell.n:,}; {percent_span(cell.low, cell.high)}),"
            f" {p_phrase(cell.p_adjusted, at_most=reached)} over {counted(sum(x.p is not None for x in by.cells), 'cell')}"
            f" (Westfall-Young), {counted(len(worse), 'cell')} shown; {apart}"
        ),
        do=f"Report recall by {name} and class; one accuracy hides it.",
        values=(("recall", cell.recall or 0.0), ("others", rest), *values),
    )


def _called_more(result: AuditResult) -> Iterator[Finding]:
    """Yield, for each attribute, the class that models predict of one group most more often than of another."""
    if result.models is None:
        return
    claims = {(x.of, x.attribute): x for x in result.claims if x.strength in SAYS}
    found: dict[tuple[str, str], list[tuple[ModelAudit, Claim, tuple[str, str, str], str]]] = {}
    for model in result.models.models:
        for by in model.by:
            claim, ends = claims.get((model.model, by.attribute)), widest_rates(by)
            if claim is not None and ends is not None:
                said, rates = ends
                found.setdefault((model.about, by.attribute), []).append(
                    (model, claim, said, f"{model.model} {rates}")
                )
    for (about, attribute), each in found.items():
        (label, high, low), n = Counter(x[2] for x in each).most_common(1)[0]
        mine = [x for x in each if x[2] == (label, high, low)]
        together = sum(model.about == about for model in result.models.models)
        who, verb = mine[0][0].model, "calls"
        if n > 1:
            who = f"{n} of {together} models" if n < together else "The models"
            verb = "call"
        strong = max(mine, key=lambda x: x[1].v_corrected or 0.0)[1]
        left = [left_figures(x) for x in strong.left if x.headline]
        unlabelled = not any(model.truth for model, *_ in mine)
        yield Finding(
            code="predicted_more",
            severity="fine" if strong.strength == "faint" else "know",
            text=f"{who} {verb} {group_words(attribute, high)} {label} more often than {group_words(attribute, low)}.",
            attribute=attribute,
            effect=0.6 + (strong.v_corrected or 0.0) / 5,
            figures="; ".join(
                [
                    *(x[3] for x in mine),
                    f"strength {coefficient(strong.v_corrected)} (corrected V)",
                    *left,
                ]
            ),
            do=(
                "Do not call it the models' bias: it cannot be separated from who shows it in these photos."
                if unlabelled
                else "Compare with recall: rates also follow who shows it in these photos."
            ),
            values=(("strength", strong.v_corrected or 0.0),),
        )


def widest_rates(by: ByAttribute) -> tuple[tuple[str, str, str], str] | None:
    """Return the class with the widest gap, the groups with the most and the least of it, and their rates in words."""
    shares = [
        (rate.share, each.group)
        for each in by.rates
        if not each.too_few
        for rate in each.rates
        if rate.label == by.parity_class and rate.share is not None
    ]
    if len(shares) < 2 or by.attribute == CLUSTER:
        return None
    (low, least), (high, most) = min(shares), max(shares)
    words = f"{percent(high)} of {group_words(by.attribute, most)}, {percent(low)} of {group_words(by.attribute, least)}"
    return (by.parity_class, most, least), words
