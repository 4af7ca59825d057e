"""How strongly the clusters separate the groups of every attribute."""

from __future__ import annotations

from fer_audit.audit.types.claim import Claim
from fer_audit.audit.types.claims import Association, Ladder
from fer_audit.report.blocks import Block, Bullets, Prose, Section
from fer_audit.report.sections.values import (
    claimed,
    corrected,
    left,
    right,
    span_or_dash,
    table_of,
    without_value,
)
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    coefficient,
    display,
    listed,
    or_dash,
    p_text,
    percent,
    unreached,
    whole,
)

_TITLE = "Do the clusters separate people?"


def claims(view: View) -> Section:
    """Return the association of every attribute with the clusters."""
    associations = (
        *view.result.associations,
        *view.result.label_associations,
        *view.result.prediction_associations,
    )
    if not associations:
        text = "Nothing to compare: it takes clusters and at least one attribute."
        return Section("claims", _TITLE, (Prose(text),))
    computed = [each for each in associations if each.v is not None]
    blocks = _summed_up(view)
    blocks += without_value(
        (_name(each), each.not_computable) for each in associations if each.v is None
    )
    if view.result.not_asked:
        blocks.append(Prose(view.result.not_asked))
    if computed:
        blocks += _table(view, computed)
    return Section("claims", _TITLE, tuple(blocks))


def _summed_up(view: View) -> list[Block]:
    """Return each claim in three steps: how strong, how much is left, and whether it would come back."""
    found = [each for each in view.result.claims if each.v_corrected is not None]
    if not found:
        return []
    return [
        table_of(
            "What may be claimed",
            found,
            left("claim", claimed, wrap=12),
            left("strength", lambda x: x.strength, wrap=8),
            right("V~, these images", corrected, wrap=11),
            right(
                "another collection", lambda x: span_or_dash(x.other_low, x.other_high), wrap=10
            ),
            left("left among alike images", _grades, wrap=18),
            left("comes back", lambda x: x.comes_back, wrap=7, drop=1),
            note=(
                "Strength by V~: below .1 faint, .1-.3 weak, .3-.5 clear, above .5 strong. Left: of what can still vary among"
                " images alike in it; trace, little (at most a third), part, most (at least two thirds)."
            ),
        ),
        Bullets(tuple(each.sentence for each in found if each.limited_by != "chance")),
    ]


def _grades(claim: Claim) -> str:
    told = [f"{display(x.level)} {x.grade}" for x in claim.left if x.headline]
    return listed(told) if told and claim.limited_by != "chance" else NO_VALUE


def _table(view: View, computed: list[Association]) -> list[Block]:
    note = (
        "V (Cramér's V) is 0 when clusters ignore the attribute and 1 when they sort by it. V~ is V without its bias:"
        " judge by it, not by p. Chance: V of unrelated labels, their mean and 95 % limit."
    )
    permutations = sorted({x.permutations for x in computed if x.p_permutation is not None})
    more = (
        "U (Theil's U): share of the uncertainty about the attribute that is gone for somebody who knows the cluster,"
        " beyond chance. Ladder: how many of the questions below a claim answers before one does not hold."
    )
    if permutations:
        more += (
            f" p: share of {listed([whole(n) for n in permutations], 'or')} shuffles of the labels (of whole people where the"
            " set says who is on its images) that are as extreme; Holm p: corrected for the number of demographic attributes."
        )
    return [
        table_of(
            "Association of every attribute with the clusters",
            computed,
            left("attribute", _name, wrap=9),
            right("images", lambda x: whole(x.n), drop=2),
            right("V", lambda x: coefficient(x.v), drop=1),
            right("chance", lambda x: span_or_dash(x.null_mean, x.null_95)),
            right(f"V~ ({view.level}interval)", corrected, wrap=11),
            right("p (Holm p)", _p, wrap=8),
            right("U", lambda x: or_dash(x.u_corrected, percent), drop=3),
            right("ladder", lambda x: _reached(_ladder(view, x))),
            note=note,
        ),
        Prose(more, tone="small"),
    ]


def _p(each: Association) -> str:
    if each.p_permutation is None:
        return NO_VALUE
    at_most = unreached(each.p_permutation, each.permutations)
    holm = "" if each.p_holm is None else f" ({p_text(each.p_holm, at_most=at_most)})"
    return p_text(each.p_permutation, at_most=at_most) + holm


def _ladder(view: View, each: Association) -> Ladder | None:
    ladders = view.result.ladders
    return next((x for x in ladders if (x.of, x.attribute) == (each.of, each.attribute)), None)


def _reached(ladder: Ladder | None) -> str:
    return NO_VALUE if ladder is None else f"{ladder.highest} of {len(ladder.rungs)}"


def _name(each: Association) -> str:
    name = claimed(each)
    return name if each.kind == "demographic" else f"{name} ({each.kind})"
