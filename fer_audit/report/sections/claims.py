"""How strongly the clusters separate the groups of every attribute."""

from __future__ import annotations

from fer_audit.audit.types.claims import Association
from fer_audit.report.blocks import Block, Cell, Column, Prose, Section, Table
from fer_audit.report.sections.values import (
    estimate,
    span_or_dash,
    spoken,
    without_value,
)
from fer_audit.report.view import View
from fer_audit.text import NO_VALUE, coefficient, listed, or_dash, p_text, percent, whole

_TITLE = "Do the clusters separate people?"


def claims(view: View) -> Section:
    """Return the association of every attribute with the clusters."""
    associations = view.result.associations
    if not associations:
        text = "Nothing to compare: it takes clusters and at least one attribute."
        return Section("claims", _TITLE, (Prose(text),))
    computed = [each for each in associations if each.v is not None]
    blocks = without_value(
        (_name(each), each.not_computable) for each in associations if each.v is None
    )
    if computed:
        blocks += _table(view, computed)
    return Section("claims", _TITLE, tuple(blocks))


def _table(view: View, computed: list[Association]) -> list[Block]:
    columns = (
        Column("attribute", wrap=9),
        Column("images", right=True, drop=2),
        Column("V", right=True, drop=1),
        Column("chance", right=True),
        Column(f"V~ ({view.level}interval)", right=True, wrap=11),
        Column("p (Holm p)", right=True, wrap=8),
        Column("U", right=True, drop=3),
        Column("ladder", right=True),
    )
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
            f" p: share of {listed([whole(n) for n in permutations], 'or')} tables with the same margins and no association"
            " that are as extreme; Holm p: corrected for the number of demographic attributes."
        )
    return [
        Table(
            "Association of every attribute with the clusters",
            columns,
            tuple(_row(view, each) for each in computed),
            "summary",
            note=note,
        ),
        Prose(more, tone="small"),
    ]


def _row(view: View, each: Association) -> tuple[Cell, ...]:
    ladder = view.ladder(each.attribute)
    return (
        _name(each),
        whole(each.n),
        coefficient(each.v),
        span_or_dash(each.null_mean, each.null_95),
        estimate(each.v_corrected, each.low, each.high),
        or_dash(each.p_permutation, p_text)
        + ("" if each.p_holm is None else f" ({p_text(each.p_holm)})"),
        or_dash(each.u_corrected, percent),
        NO_VALUE if ladder is None else f"{ladder.highest} of {len(ladder.rungs)}",
    )


def _name(each: Association) -> str:
    name = spoken(each.attribute)
    return name if each.kind == "demographic" else f"{name} ({each.kind})"
