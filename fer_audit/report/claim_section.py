"""Is it real, and is it about people? The association table and the claim ladders."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types import Association, AuditResult, Ladder, Rung
from fer_audit.report.tables import Column, FirstThatFits, Flow, Grid, Heading, Item, plain, prose
from fer_audit.report.words import (
    because,
    clipped,
    coefficient,
    p_text,
    percent,
    span,
    whole,
)

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
            " Explained is how much of the attribute one knows by knowing the cluster (Theil's U)."
            " The rung is how many questions of the ladder the claim answers before one fails."
        ),
        *_permutations(computed),
    ]
    if result.ladders:
        parts += _ladders(result.ladders)
    return parts


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
        Column(Text("explained" if wide else "ex-\nplained"), right=True),
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
                Text(_percent(association.u_group_from_cluster)),
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


def _ladders(ladders: Sequence[Ladder]) -> list[RenderableType]:
    names = {rung.number: rung.name for ladder in ladders for rung in ladder.rungs}
    legend = [plain(f"{index} {clipped(name, 40)}") for index, name in sorted(names.items())]
    columns = [
        Column(Text("claim ladder"), squeeze=10),
        Column(Text("rungs")),
        Column(Text("holds up to"), squeeze=14),
    ]
    rows = [
        [plain(clipped(ladder.attribute, 28), "bold"), _strip(ladder), _held(ladder)]
        for ladder in ladders
    ]
    parts: list[RenderableType] = [Text(""), Grid(columns, rows), Text("")]
    parts.append(Flow([Text("✓ holds"), Text("✗ does not"), Text("? not computable"), *legend]))
    parts.append(Text(""))
    readings = [
        (_marker(ladder, rung), rung)
        for ladder in ladders
        for rung in ladder.rungs
        if _tells(ladder, rung)
    ]
    width = max((marker.cell_len for marker, _ in readings), default=0)
    return parts + [
        Item(
            marker,
            Text.assemble(plain(clipped(rung.name, 40), "bold"), ": ", plain(rung.reading)),
            width,
        )
        for marker, rung in readings
    ]


def _tells(ladder: Ladder, rung: Rung) -> bool:
    """Whether a rung's reading belongs in the short report: the last that held, and those above that did not.

    A claim that fails the first rung is over: there is nothing to say about the others.
    """
    if not ladder.highest:
        return rung.number == 1 and rung.holds is False
    return rung.number == ladder.highest or rung.holds is False


def _held(ladder: Ladder) -> Text:
    names = {rung.number: rung.name for rung in ladder.rungs}
    name = f": {clipped(names.get(ladder.highest, ''), 40)}" if ladder.highest else ""
    return plain(f"{ladder.highest} of {len(ladder.rungs)}{name}")


def _strip(ladder: Ladder) -> Text:
    """Return the rungs in a row, tied together as far as the claim climbs."""
    strip = Text("")
    for index, rung in enumerate(ladder.rungs):
        if index:
            strip.append("─" if rung.number <= ladder.highest else " ", "green")
        symbol, style = _symbol(rung)
        strip.append(f"{symbol}{rung.number}", style)
    return strip


def _symbol(rung: Rung) -> tuple[str, str]:
    if rung.holds is None:
        return "?", "bold yellow"
    return ("✓", "green") if rung.holds else ("✗", "bold red")


def _marker(ladder: Ladder, rung: Rung) -> Text:
    symbol, style = _symbol(rung)
    return Text.assemble(
        plain(clipped(ladder.attribute, 20), "bold"), " ", (f"{symbol}{rung.number}", style)
    )
