"""Do clusters and people go together? The association table, and the claim ladders below it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import Association, Ladder
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.ladder_section import climbs
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, Item, plain, prose
from fer_audit.text import because, clipped, coefficient, p_text, percent, span, whole

NO_VALUE = "–"


def claims(result: AuditResult, confidence: str) -> list[RenderableType]:
    """Return the association of every attribute with the clusters, and how far each claim climbs."""
    parts: list[RenderableType] = [Heading("Do clusters and people go together?")]
    if not result.associations:
        return [*parts, prose("Nothing to compare: it takes clusters and at least one attribute.")]
    ladders = {ladder.attribute: ladder for ladder in result.ladders}
    computed = [association for association in result.associations if association.v is not None]
    parts += [
        _not_computable(association)
        for association in result.associations
        if association.v is None
    ]
    if not computed:
        return parts
    parts += [
        FirstThatFits(
            [
                _association_grid(computed, ladders, confidence, wide=True),
                _association_grid(computed, ladders, confidence, wide=False),
            ]
        ),
        Text(""),
        prose(
            "How to read it: V is 0 when clusters ignore the attribute and 1 when they sort by it."
            " Chance is the V of unrelated labels: mean-95 % limit; a V inside it means nothing."
            f" V~ is V without that bias, with its {confidence}interval; judge by it, not by p."
            " Known: the share of the uncertainty about the attribute that is gone once one knows the cluster (Theil's U,"
            " chance taken off)."
            " The rung is how many questions of the ladder the claim answers before one fails."
        ),
        *_permutations(computed),
    ]
    return [*parts, *climbs(result.ladders, confidence)]


def _association_grid(
    associations: Sequence[Association], ladders: dict[str, Ladder], confidence: str, *, wide: bool
) -> Grid:
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text("images"), right=True),
        Column(Text("V"), right=True),
        Column(Text("chance"), right=True),
        Column(Text(f"V~ ({confidence}interval)" if wide else "V~\ninterval"), right=True),
        *(
            [Column(Text("p"), right=True), Column(Text("Holm p"), right=True)]
            if wide
            else [Column(Text("p\nHolm p"), right=True)]
        ),
        Column(Text("known"), right=True),
        Column(Text("rung reached"), squeeze=12),
    ]
    joint = Text(" " if wide else "\n")
    rows = []
    for association in associations:
        name = Text.assemble(plain(clipped(association.attribute, 28), "bold"))
        if association.kind != "demographic":
            name.append_text(joint).append_text(plain(f"({association.kind})"))
        interval = _span(association.low, association.high)
        p, holm = Text(_p(association.p_permutation)), Text(_p(association.p_holm))
        rows.append(
            [
                name,
                Text(whole(association.n)),
                Text(_value(association.v)),
                Text(_span(association.null_mean, association.null_95)),
                Text.assemble(
                    (_value(association.v_corrected), "bold"),
                    joint,
                    f"({interval})" if wide else interval,
                ),
                *([p, holm] if wide else [p + joint + holm]),
                Text(_percent(association.u_corrected)),
                _reached(ladders.get(association.attribute)),
            ]
        )
    return Grid(columns, rows)


def _not_computable(association: Association) -> Item:
    """Return the line of an attribute that has no row in the table."""
    text = because(association.not_computable)
    return Item(plain(f"? {clipped(association.attribute, 28)}", "bold"), plain(text))


def _value(value: float | None) -> str:
    return NO_VALUE if value is None else coefficient(value)


def _span(low: float | None, high: float | None) -> str:
    return NO_VALUE if low is None or high is None else span(low, high)


def _p(p: float | None) -> str:
    return NO_VALUE if p is None else p_text(p)


def _percent(share: float | None) -> str:
    return NO_VALUE if share is None else percent(share)


def _reached(ladder: Ladder | None) -> Text:
    if ladder is None:
        return Text("no ladder")
    if ladder.highest < 1:
        return Text("0 none")
    names = {rung.number: rung.name for rung in ladder.rungs}
    return plain(f"{ladder.highest} {clipped(names.get(ladder.highest, ''), 40)}".strip())


def _permutations(associations: Sequence[Association]) -> list[RenderableType]:
    drawn = sorted({a.permutations for a in associations if a.p_permutation is not None})
    if not drawn:
        return []
    amounts = " or ".join(f"{amount:,}" for amount in drawn)
    return [
        prose(
            f"p: share of {amounts} tables with the same margins and no association that are as extreme;"
            " Holm p: corrected for the number of demographic attributes."
        )
    ]
