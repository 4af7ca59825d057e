"""One claim's evidence, for an answer to a reviewer."""

from __future__ import annotations

import difflib

from fer_audit.audit.types.claim import CLUSTER, Claim
from fer_audit.errors import ConfigError
from fer_audit.report.blocks import Bullets, Facts, Heading, Section
from fer_audit.report.sections.claims import claims
from fer_audit.report.sections.ladder import ladders
from fer_audit.report.sections.stability import stability
from fer_audit.report.sections.values import claimed
from fer_audit.report.view import View
from fer_audit.text import coefficient, or_dash, percent, span, whole

QUESTIONS = {
    "chance": (1, 2, 3),
    "others": (4,),
    "style": (5,),
    "collection": (6,),
    "stability": (7, 8),
}
"""What may stand after a claim's name -> the rungs that it is about."""


def claim_name(claim: Claim) -> str:
    """Return what one writes for a claim: race, or of two labels expression:race."""
    return claim.attribute if claim.of == CLUSTER else f"{claim.of}:{claim.attribute}"


def explain(view: View, asked: str) -> list[Section]:
    """Return the evidence of one claim, e.g. race, or of one question of it, e.g. race.collection.

    Raises ConfigError for a claim or a question that there is not.
    """
    names = {claim_name(each): each for each in view.result.claims}
    spoken = {claimed(each): claim_name(each) for each in view.result.claims}
    for shown, name in spoken.items():  # as the reports call it: age group
        if asked == shown or asked.startswith(f"{shown}."):
            asked = name + asked[len(shown) :]
    name, _, question = (asked, "", "") if asked in names else asked.rpartition(".")
    if name not in names:
        near = difflib.get_close_matches(asked, [*names, *spoken], n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise ConfigError(
            f"{asked}: the run has no such claim",
            hint=f"{hint}It has: {', '.join(names) or 'none'}",
        )
    if question and question not in QUESTIONS:
        raise ConfigError(
            f"{asked}: no such question", hint=f"After a claim's name: {', '.join(QUESTIONS)}"
        )
    claim = names[name]
    return [_in_short(claim, view, question), *([] if question else _sections(view, claim))]


def _in_short(claim: Claim, view: View, question: str) -> Section:
    rungs = QUESTIONS.get(question, tuple(range(1, 9)))
    ladder = next(
        (x for x in view.result.ladders if (x.of, x.attribute) == (claim.of, claim.attribute)),
        None,
    )
    answers = [
        f"{rung.number} {rung.name}: {rung.grade or {True: 'holds', False: 'does not hold', None: 'not computable'}[rung.holds]}. {rung.reading}"
        for rung in (() if ladder is None else ladder.rungs)
        if rung.number in rungs
    ]
    asked = [] if ladder is None else [x for x in ladder.conditionals if x.rung in rungs]
    levels = [
        (
            f"{' × '.join(each.given)}",
            f"left {or_dash(each.kept, percent)} ({span(each.low, each.high, digits=2)}); free to vary {or_dash(each.entropy_left, percent)};"
            f" of that {coefficient(each.per_entropy, 2)}; control {or_dash(next((x.kept for x in each.controls if x.kept is not None), None), percent)};"
            f" {whole(each.n_effective)} of {whole(each.n)} images can tell; {each.grade}",
        )
        for each in asked
    ]
    return Section(
        "explain",
        f"What is said of {claimed(claim)}, and why",
        (
            Bullets((claim.sentence,)),
            *((Heading("Each question"), Bullets(tuple(answers))) if answers else ()),
            *((Heading("Among images alike"), Facts(tuple(levels))) if levels else ()),
        ),
    )


def _sections(view: View, claim: Claim) -> list[Section]:
    """Return the sections of a report, about this claim alone."""
    key = (claim.of, claim.attribute)
    facts = view.result.stability
    result = view.result.having(
        claims=(claim,),
        associations=tuple(x for x in view.result.associations if (x.of, x.attribute) == key),
        label_associations=tuple(
            x
            for x in (*view.result.label_associations, *view.result.prediction_associations)
            if (x.of, x.attribute) == key
        ),
        prediction_associations=(),
        ladders=tuple(x for x in view.result.ladders if (x.of, x.attribute) == key),
    )
    alone = View(result, None, ())
    found = [claims(alone), ladders(alone)]
    if facts is not None and claim.of == CLUSTER:
        found.append(stability(alone))
    return [each for each in found if each is not None]
