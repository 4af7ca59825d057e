"""How strongly the clusters separate the groups of every attribute, and one claim's evidence for an answer to a reviewer."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import fer_audit.text as t
from fer_audit.audit.types.claim import CLUSTER, Claim
from fer_audit.audit.types.claims import Association, Conditional, Rung
from fer_audit.errors import ConfigError
from fer_audit.report.blocks import Block, Bullets, Facts, Heading, Prose, Section
from fer_audit.report.sections import values as v
from fer_audit.report.sections.ladder import control_of, ladders
from fer_audit.report.sections.stability import stability
from fer_audit.report.view import View

QUESTIONS = {
    "chance": (1, 2, 3),
    "others": (4,),
    "style": (5,),
    "collection": (6,),
    "stability": (7, 8),
}
"""What may stand after a claim's name -> the rungs that it is about."""


@v.section("claims", "Do the clusters separate people?")
def claims(view: View) -> Iterator[Block]:
    """Return the association of every attribute with the clusters."""
    result = view.result
    found = (*result.associations, *result.label_associations, *result.prediction_associations)
    if not found:
        yield Prose("Nothing to compare: it takes clusters and at least one attribute.")
        return
    yield from _summed_up([each for each in result.claims if each.v_corrected is not None])
    yield from v.without_value((_name(x), x.not_computable) for x in found if x.v is None)
    if result.not_asked:
        yield Prose(result.not_asked)
    if computed := [each for each in found if each.v is not None]:
        yield from _table(view, computed)


def _summed_up(found: list[Claim]) -> Iterator[Block]:
    """Return each claim in three steps: how strong, how much is left, and whether it would come back."""
    if not found:
        return
    yield v.table_of(
        "What may be claimed",
        found,
        v.left("claim", v.claimed, wrap=12),
        v.left("strength", lambda x: x.strength, wrap=8),
        v.right("V~, these images", v.corrected, wrap=11),
        v.right(
            "another collection", lambda x: v.span_or_dash(x.other_low, x.other_high), wrap=10
        ),
        v.left("left among alike images", _grades, wrap=18),
        v.left("comes back", lambda x: x.comes_back, wrap=7, drop=1),
        note="Strength by V~: below .1 faint, .1-.3 weak, .3-.5 clear, above .5 strong. Left: of what can still vary among"
        " images alike in it; trace, little (at most a third), part, most (at least two thirds).",
    )
    yield Bullets(tuple(each.sentence for each in found if each.limited_by != "chance"))


def _grades(claim: Claim) -> str:
    told = [f"{t.display(x.level)} {x.grade}" for x in claim.left if x.headline]
    return t.listed(told) if told and claim.limited_by != "chance" else t.NO_VALUE


def _table(view: View, computed: list[Association]) -> Iterator[Block]:
    def ladder(each: Association) -> str:
        found = view.ladder(each.of, each.attribute)
        return t.NO_VALUE if found is None else f"{found.highest} of {len(found.rungs)}"

    yield v.table_of(
        "Association of every attribute with the clusters",
        computed,
        v.left("attribute", _name, wrap=9),
        v.right("images", lambda x: t.whole(x.n), drop=2),
        v.right("V", lambda x: t.coefficient(x.v), drop=1),
        v.right("chance", lambda x: v.span_or_dash(x.null_mean, x.null_95)),
        v.right(f"V~ ({view.level}interval)", v.corrected, wrap=11),
        v.right("p (Holm p)", _p, wrap=8),
        v.right("U", lambda x: t.or_dash(x.u_corrected, t.percent), drop=3),
        v.right("ladder", ladder),
        note="V (Cramér's V) is 0 when clusters ignore the attribute and 1 when they sort by it. V~ is V without its bias:"
        " judge by it, not by p. Chance: V of unrelated labels, their mean and 95 % limit.",
    )
    more = (
        "U (Theil's U): share of the uncertainty about the attribute that is gone for somebody who knows the cluster,"
        " beyond chance. Ladder: how many of the questions below a claim answers before one does not hold."
    )
    shuffles = sorted({x.permutations for x in computed if x.p_permutation is not None})
    if shuffles:
        more += (
            f" p: share of {t.listed(list(map(t.whole, shuffles)), 'or')} shuffles of the labels (of whole people where the"
            " set says who is on its images) that are as extreme; Holm p: corrected for the number of demographic attributes."
        )
    yield v.small(more)


def _p(each: Association) -> str:
    alone, shuffles = each.p_permutation, each.permutations
    both = v.p_or_dash(alone, alone, shuffles)
    return both if each.p_holm is None else f"{both} ({v.p_or_dash(each.p_holm, alone, shuffles)})"


def _name(each: Association) -> str:
    name = v.claimed(each)
    return name if each.kind == "demographic" else f"{name} ({each.kind})"


def claim_name(claim: Claim) -> str:
    """Return what one writes for a claim: race, or of two labels expression:race."""
    return claim.attribute if claim.of == CLUSTER else f"{claim.of}:{claim.attribute}"


def explain(view: View, asked: str) -> list[Section]:
    """Return the evidence of one claim, e.g. race, or of one question of it, e.g. race.collection.

    Raises ConfigError for a claim or a question that there is not.
    """
    names = {claim_name(each): each for each in view.result.claims}
    spoken = {v.claimed(each): claim_name(each) for each in view.result.claims}
    for shown, name in spoken.items():  # as the reports call it: age group
        if asked == shown or asked.startswith(f"{shown}."):
            asked = name + asked[len(shown) :]
    name, _, question = (asked, "", "") if asked in names else asked.rpartition(".")
    if name not in names:
        near = difflib.get_close_matches(asked, [*names, *spoken], n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]}? " if near else ""
        hint += f"It has: {', '.join(names) or 'none'}"
        raise ConfigError(f"{asked}: the run has no such claim", hint=hint)
    if question and question not in QUESTIONS:
        hint = f"After a claim's name: {', '.join(QUESTIONS)}"
        raise ConfigError(f"{asked}: no such question", hint=hint)
    claim = names[name]
    return [_in_short(claim, view, question), *([] if question else _sections(view, claim))]


def _in_short(claim: Claim, view: View, question: str) -> Section:
    numbers = QUESTIONS.get(question, range(1, 9))
    ladder = view.ladder(claim.of, claim.attribute)
    rungs, asked = ((), ()) if ladder is None else (ladder.rungs, ladder.conditionals)
    answers = tuple(
        f"{rung.number} {rung.name}: {_answer(rung)}" for rung in rungs if rung.number in numbers
    )
    levels = tuple((v.alike_in(x.given), _left(x)) for x in asked if x.rung in numbers)
    blocks: list[Block] = [Bullets((claim.sentence,))]
    blocks += [Heading("Each question"), Bullets(answers)] if answers else []
    blocks += [Heading("Among images alike"), Facts(levels)] if levels else []
    return Section("explain", f"What is said of {v.claimed(claim)}, and why", tuple(blocks))


def _answer(rung: Rung) -> str:
    says = {True: "holds", False: "does not hold", None: "not computable"}
    return rung.reading if rung.skipped else f"{rung.grade or says[rung.holds]}. {rung.reading}"


def _left(each: Conditional) -> str:
    known = each.low is not None and each.high is not None
    interval = f" ({t.percent_span(each.low, each.high)})" if known else ""
    return (
        f"left {t.or_dash(each.kept, t.percent)}{interval};"
        f" free to vary {t.or_dash(each.entropy_left, t.percent)}; of that {t.coefficient(each.per_entropy, 2)};"
        f" control {control_of(each)}; {t.whole(each.n_effective)} of {t.whole(each.n)} images can tell; {each.grade}"
    )


def _sections(view: View, claim: Claim) -> list[Section]:
    """Return the sections of a report, about this claim alone."""
    result, key = view.result, (claim.of, claim.attribute)
    of_labels = (*result.label_associations, *result.prediction_associations)
    alone = result.having(
        claims=(claim,),
        associations=tuple(x for x in result.associations if (x.of, x.attribute) == key),
        label_associations=tuple(x for x in of_labels if (x.of, x.attribute) == key),
        prediction_associations=(),
        ladders=tuple(x for x in result.ladders if (x.of, x.attribute) == key),
    )
    shown = (claims, ladders, stability) if claim.of == CLUSTER else (claims, ladders)
    return [made for each in shown if (made := each(View(alone))) is not None]
