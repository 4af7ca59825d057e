"""Is it real, and is it about people? The claim ladders, and what is left of a claim among images that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.claims import Conditional, Ladder, Rung
from fer_audit.report.bars import interval, scale
from fer_audit.report.questions import weakest
from fer_audit.report.tables import Column, FirstThatFits, Flow, Grid, Item, plain, prose
from fer_audit.text import because, clipped, counted, p_text, percent, percent_span

NO_VALUE = "–"
LOSSES = 3
_CELLS = 20


def climbs(ladders: Sequence[Ladder], confidence: str) -> list[RenderableType]:
    """Return the rungs of every claim, why each stops, and what the questions of rungs 4 to 6 leave of it."""
    if not ladders:
        return []
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
    marks = [Text("✓ holds"), Text("✗ does not"), Text("? not computable")]
    if any(rung.skipped for ladder in ladders for rung in ladder.rungs):
        marks.append(Text("○ skipped, nothing to ask"))
    parts: list[RenderableType] = [Text(""), Grid(columns, rows), Text("")]
    parts += [Flow([*marks, *legend]), Text("")]
    readings = [
        (_marker(ladder, rung), rung)
        for ladder in ladders
        for rung in ladder.rungs
        if _tells(ladder, rung)
    ]
    width = max((marker.cell_len for marker, _ in readings), default=0)
    parts += [
        Item(
            marker,
            Text.assemble(plain(clipped(rung.name, 40), "bold"), ": ", plain(rung.reading)),
            width,
        )
        for marker, rung in readings
    ]
    return parts + _all_kept([ladder for ladder in ladders if ladder.conditionals], confidence)


def _all_kept(ladders: Sequence[Ladder], confidence: str) -> list[RenderableType]:
    if not ladders:
        return []
    parts: list[RenderableType] = [
        Text(""),
        prose(
            "What is left when only images that are alike are compared: 100 % kept = as strong among alike"
            " images, 0 % = none left; it is also low where strata cannot tell: only those with two clusters and two"
            " groups can. Left to vary: the share of the attribute's entropy that these columns do not fix."
        ),
    ]
    for ladder in ladders:
        parts += [Text(""), *_kept(ladder, confidence)]
    return parts


def _kept(ladder: Ladder, confidence: str) -> list[RenderableType]:
    """Return the table of one attribute, what is too long for it, and what was lost where in one line."""
    if all(each.kept is None for each in ladder.conditionals):
        reasons = dict.fromkeys(_silence(each) for each in ladder.conditionals)
        name = plain(f"? {clipped(ladder.attribute, 28)}", "bold")
        return [Item(name, plain("; ".join(reasons)))]
    shown = _weakest(ladder.conditionals)
    full = max(1.0, *(each.high for each in shown if each.high is not None), 1.0)
    table = KeptTable(ladder.attribute, shown, full, confidence)
    parts: list[RenderableType] = [
        FirstThatFits([table.beside(), table.below(), table.without()]),
    ]
    for number in sorted({each.rung for each in ladder.conditionals if each.rung is not None}):
        asked = [each for each in ladder.conditionals if each.rung == number]
        left = [each for each in asked if each not in shown]
        if not left:
            continue
        kept = [each.kept for each in left if each.kept is not None]
        said = f": they keep {percent_span(min(kept), max(kept))} %" if kept else ""
        parts.append(
            prose(
                f"... and {counted(len(left), 'further question')} of rung {number} in result.json{said}."
            )
        )
    for reason in dict.fromkeys(_silence(each) for each in shown if each.kept is None):
        given = [_given(each) for each in shown if each.kept is None and _silence(each) == reason]
        parts.append(Item(Text("?", "bold yellow"), plain(f"{', '.join(given)}: {reason}")))
    return [*parts, *_lost(ladder)]


def _weakest(conditionals: Sequence[Conditional]) -> list[Conditional]:
    """Return the questions that leave least, at most three of each rung, in the order they were asked."""
    shown: list[Conditional] = []
    for number in {each.rung for each in conditionals}:
        asked = [each for each in conditionals if each.rung == number]
        shown += asked if number is None else weakest(asked)
    return [each for each in conditionals if each in shown]


@dataclass(frozen=True, slots=True)
class KeptTable:
    """What is left of one claim, question by question, in three shapes."""

    attribute: str
    shown: Sequence[Conditional]
    full: float
    """Right end of the drawn intervals."""
    confidence: str

    def beside(self) -> Grid:
        """Return the table with each interval drawn in a column of its own."""
        head = self._head(" ")
        head.insert(4, Column(Text("\n") + scale(percent(self.full), _CELLS)))
        rows = []
        for each in self.shown:
            row = self._row(each, " ")
            row.insert(4, self._line(each))
            rows.append(row)
        return Grid(head, rows, cap=140)

    def below(self) -> Grid:
        """Return the table in rows of two lines, each interval drawn below its numbers."""
        head = self._head("\n")
        head[4] = Column(
            Text(f"kept ({self.confidence}interval)\n") + scale(percent(self.full), _CELLS)
        )
        rows = []
        for each in self.shown:
            row = self._row(each, "\n")
            if each.kept is not None:
                row[4] = row[4] + "\n" + self._line(each)
            rows.append(row)
        return Grid(head, rows)

    def without(self) -> Grid:
        """Return the numbers only, in columns that may be squeezed."""
        return Grid(self._head(" "), [self._row(each, " ") for each in self.shown])

    def _head(self, joint: str) -> list[Column]:
        tell = "\ntell" if joint == "\n" else "\nthat tell"
        name = clipped(self.attribute, 28 if joint == " " else 15)
        return [
            Column(Text.assemble(plain(name), " among\nimages alike in"), squeeze=18),
            Column(Text(f"strata{tell}"), right=True, squeeze=9),
            Column(Text(f"images{tell}"), right=True, squeeze=9),
            Column(Text("left to\nvary"), right=True),
            Column(Text(f"kept\n({self.confidence}interval)"), squeeze=14),
            Column(Text("Holm\np"), right=True),
        ]

    def _row(self, each: Conditional, joint: str) -> list[Text]:
        symbol, style = _sign(each.holds)
        number = f"{symbol}{each.rung} " if each.rung is not None else f"{symbol}  "
        given = Text(f" ×{joint}").join(plain(clipped(name, 20)) for name in each.given)
        asked = "" if each.rung is not None else f"{joint}(asked for)"
        kept = Text(NO_VALUE if each.informative else f"{NO_VALUE} no information")
        if each.kept is not None:
            kept = Text(percent(each.kept))
            if each.low is not None and each.high is not None:
                kept.append(f" ({percent_span(each.low, each.high)})")
        return [
            Text.assemble((number, style), given, asked),
            Text(f"{each.informative:,}{joint}of {each.strata:,}"),
            Text(f"{each.n_effective:,}{joint}of {each.n:,}"),
            Text(NO_VALUE if each.entropy_left is None else percent(each.entropy_left)),
            kept,
            Text(NO_VALUE if each.p_holm is None else p_text(each.p_holm)),
        ]

    def _line(self, each: Conditional) -> Text:
        if each.kept is None or each.low is None or each.high is None:
            return Text("")
        mark = 1.0 if self.full > 1 else None
        return interval(each.kept, each.low, each.high, full=self.full, cells=_CELLS, mark=mark)


def _given(each: Conditional) -> str:
    return " × ".join(clipped(name, 20) for name in each.given)


def _silence(each: Conditional) -> str:
    return because(tuple((field, why) for field, why in each.not_computable if field == "kept"))


def _lost(ladder: Ladder) -> list[RenderableType]:
    """Return what was lost where, the largest first, in one line."""
    if not ladder.lost:
        return []
    given = {" x ".join(each.given): _given(each) for each in ladder.conditionals}
    largest = sorted((pair for pair in ladder.lost if pair[1] > 0), key=lambda pair: -pair[1])
    pieces = [
        plain(f"{percent(share)} given {given.get(name, clipped(name, 60))}")
        for name, share in largest[:LOSSES]
    ]
    if not pieces:
        silent = sum(each.kept is None for each in ladder.conditionals)
        if silent:
            return [
                prose(
                    f"Nothing is lost in the questions that have an answer; {counted(silent, 'question')}"
                    f" {'has' if silent == 1 else 'have'} none."
                )
            ]
        return [prose("Nothing is lost, whatever is held fixed.")]
    pieces[0] = Text.assemble(("lost most: ", "bold"), pieces[0])
    return [Flow(pieces)]


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
    return ("○", "") if rung.skipped else _sign(rung.holds)


def _sign(holds: bool | None) -> tuple[str, str]:
    if holds is None:
        return "?", "bold yellow"
    return ("✓", "green") if holds else ("✗", "bold red")


def _marker(ladder: Ladder, rung: Rung) -> Text:
    symbol, style = _symbol(rung)
    return Text.assemble(
        plain(clipped(ladder.attribute, 20), "bold"), " ", (f"{symbol}{rung.number}", style)
    )
