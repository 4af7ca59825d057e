"""The claim ladders: which questions each claim answers, and what is left of it among images that are alike."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.claims import Conditional, Ladder, Rung
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Cell,
    Charts,
    Climb,
    Column,
    Heading,
    Interval,
    Prose,
    Section,
    Sign,
    Step,
    Table,
    state_of,
)
from fer_audit.report.charts.ladder import ladder
from fer_audit.report.sections.values import alike_in, claimed, without_value
from fer_audit.report.view import N_QUESTIONS, View, weakest
from fer_audit.text import (
    NO_VALUE,
    clipped,
    coefficient,
    counted,
    listed,
    or_dash,
    percent,
    percent_span,
    span,
    whole,
)

N_LOSSES = 3
_GRADE_HOLDS = {"cannot tell": None, "trace": False, "little": True, "part": True, "most": True}
_CHART_NOTE = (
    "Left: Cramér's V, bias-corrected from rung 2 on. Right: how much of the association is left among images that"
    f" are alike; of each rung the {N_QUESTIONS} questions that leave least. Lines are intervals; those of rung 7 are"
    " thin, and reach from the smallest to the largest of other partitions. Grey is what chance gives."
)
_LEFT_NOTE = (
    "100 % left = as strong among images that are alike, 0 % = none; it is also low where strata (sets of images that are"
    " alike) cannot say: usable are those with two clusters and two groups. Free to vary: the share of the attribute's"
    " entropy that these columns do not fix. Of what can vary: what is left over that share; its interval is for another"
    " collection where that is known, and the grade is of it. Control: what the label of the next image collected with"
    " it keeps, which nothing but the collection links to the image."
)


def ladders(view: View) -> Section | None:
    """Return how far each claim climbs, why it stops, and what the questions of rungs 4 to 6 leave of it."""
    found = view.result.ladders
    if not found:
        return None
    k = None if view.result.clustering is None else view.result.clustering.k
    blocks: list[Block] = [
        Prose(
            "A claim says that an attribute is associated with the clusters, or with a label. It climbs a ladder of"
            " questions, one a rung, until one does not hold.",
            tone="lead",
        ),
        _climbs(found),
        *_readings(found),
        Charts(
            lambda: [
                ladder(x, view.association(x.attribute), view.stability(x.attribute), k)
                for x in found
                if x.of == "cluster"
            ]
        ),
        Prose(_CHART_NOTE, "detail", "small"),
    ]
    asked = [each for each in found if each.conditionals]
    if asked:
        blocks += [
            Heading("What is left among images that are alike?"),
            Prose(_LEFT_NOTE, tone="small"),
        ]
    for each in asked:
        blocks += _left(each, view.level)
    blocks += [_ledger(each, view.level) for each in found if each.rungs]
    return Section("ladder", "Is it real, and is it about people?", tuple(blocks))


def _climbs(found: Sequence[Ladder]) -> Table:
    names = {rung.number: rung.name for ladder in found for rung in ladder.rungs}
    legend = ", ".join(f"{number} {clipped(name, 40)}" for number, name in sorted(names.items()))
    rows = tuple((claimed(each), climb_of(each), _held(each)) for each in found)
    columns = (Column("claim", wrap=10), Column("rungs"), Column("holds up to", wrap=14))
    skipped = any(rung.skipped for ladder in found for rung in ladder.rungs)
    signs = "✓ holds, ✗ does not, ? not computable" + (
        ", ○ skipped: nothing to ask" if skipped else ""
    )
    return Table("How far each claim climbs", columns, rows, note=f"{signs}. {legend}.")


def _held(ladder: Ladder) -> str:
    names = {rung.number: rung.name for rung in ladder.rungs}
    name = f": {clipped(names.get(ladder.highest, ''), 40)}" if ladder.highest else ""
    return f"{ladder.highest} of {len(ladder.rungs)}{name}"


def _readings(found: Sequence[Ladder]) -> list[Block]:
    items = tuple(
        f"{claimed(ladder)}, {rung.number} {clipped(rung.name, 40)}: {rung.reading}"
        for ladder in found
        for rung in ladder.rungs
        if _tells(ladder, rung)
    )
    return [Bullets(items)] if items else []


def _tells(ladder: Ladder, rung: Rung) -> bool:
    """Whether a rung's reading belongs in a short list: the last that held, and those above that did not.

    A claim that fails the first rung is over: there is nothing to say about the others.
    """
    if not ladder.highest:
        return rung.number == 1 and rung.holds is False
    return rung.number == ladder.highest or rung.holds is False


def _left(ladder: Ladder, level: str) -> list[Block]:
    """Return the questions of one claim that leave least, and what is too long for the table in words."""
    name, asked = claimed(ladder), ladder.conditionals
    if all(each.kept is None for each in asked):
        reasons = dict.fromkeys(pair for each in asked for pair in _silence(each))
        return without_value([(name, tuple(reasons))])
    shown = _shown(asked)
    full = max(1.0, *(each.high for each in shown if each.high is not None), 1.0)
    columns = (
        Column("images alike in", wrap=14),
        Column("usable strata", right=True, wrap=7),
        Column("images in them", right=True, wrap=8, drop=2),
        Column("free to vary", right=True, wrap=6, drop=3),
        Column("", drop=1),
        Column(f"left ({level}interval)", right=True, wrap=13),
        Column("of what can vary", right=True, wrap=11),
        Column("control", right=True, wrap=7, drop=4),
        Column("grade", wrap=6),
    )
    rows = tuple(
        (*_question(each)[:4], _drawn(each, full), *_question(each)[4:]) for each in shown
    )
    return [
        Table(f"{name}: what is left", columns, rows),
        *_further(asked, shown),
        *without_value(_silent(shown)),
        *_lost(ladder),
    ]


def _shown(asked: Sequence[Conditional]) -> list[Conditional]:
    """Return the questions that leave least, at most three of each rung, in the order they were asked."""
    shown: list[Conditional] = []
    for number in {each.rung for each in asked}:
        of_rung = [each for each in asked if each.rung == number]
        shown += of_rung if number is None else weakest(of_rung)
    return [each for each in asked if each in shown]


def _question(each: Conditional) -> tuple[Cell, ...]:
    words = alike_in(each.given)
    words = f"{words} (asked for)" if each.rung is None else f"{each.rung} {words}"
    left = NO_VALUE if each.informative else f"{NO_VALUE} no information"
    if each.kept is not None:
        left = percent(each.kept)
        if each.low is not None and each.high is not None:
            left += f" ({percent_span(each.low, each.high)})"
    return (
        Sign(state_of(_GRADE_HOLDS[each.grade]), words),
        f"{whole(each.informative)} of {whole(each.strata)}",
        f"{whole(each.n_effective)} of {whole(each.n)}",
        or_dash(each.entropy_left, percent),
        left,
        _per_entropy(each),
        or_dash(next((x.kept for x in each.controls if x.kept is not None), None), percent),
        each.grade,
    )


def _per_entropy(each: Conditional) -> str:
    if each.per_entropy is None:
        return NO_VALUE
    known = each.per_other_low is not None
    low = each.per_other_low if known else each.per_low
    high = each.per_other_high if known else each.per_high
    return f"{coefficient(each.per_entropy, 2)} ({span(low, high, digits=2)})"


def _drawn(each: Conditional, full: float) -> Cell:
    if each.kept is None or each.low is None or each.high is None:
        return ""
    return Interval(each.kept, each.low, each.high, full, 1.0 if full > 1 else None)


def _silence(each: Conditional) -> NotComputable:
    return tuple(pair for pair in each.not_computable if pair[0] == "kept")


def _silent(shown: Sequence[Conditional]) -> list[tuple[str, NotComputable]]:
    """Return the questions without an answer, those of one reason together."""
    by_reason: dict[NotComputable, list[str]] = {}
    for each in shown:
        if each.kept is None:
            by_reason.setdefault(_silence(each), []).append(alike_in(each.given))
    return [(listed(names), reason) for reason, names in by_reason.items()]


def _further(asked: Sequence[Conditional], shown: Sequence[Conditional]) -> list[Block]:
    blocks: list[Block] = []
    for number in sorted({each.rung for each in asked if each.rung is not None}):
        others = [each for each in asked if each.rung == number and each not in shown]
        left = [each.kept for each in others if each.kept is not None]
        if others:
            said = f": they leave {percent_span(min(left), max(left))} %" if left else ""
            further = counted(len(others), "further question")
            blocks.append(Prose(f"Not shown: {further} of rung {number}{said}.", tone="small"))
    return blocks


def _lost(ladder: Ladder) -> list[Block]:
    """Return what is lost where, the largest first."""
    if not ladder.lost:
        return []
    given = {" x ".join(each.given): alike_in(each.given) for each in ladder.conditionals}
    largest = sorted((pair for pair in ladder.lost if pair[1] > 0), key=lambda pair: -pair[1])
    silent = sum(each.kept is None for each in ladder.conditionals)
    if largest:
        words = listed(
            [
                f"{percent(share)} in {given.get(name, clipped(name, 60))}"
                for name, share in largest[:N_LOSSES]
            ]
        )
        text = f"Lost most among images alike: {words}."
    elif silent:
        text = (
            f"Nothing is lost in the questions that have an answer; {counted(silent, 'question')}"
            f" {'has' if silent == 1 else 'have'} none."
        )
    else:
        text = "Nothing is lost, whatever is held fixed."
    return [Prose(text)]


def _ledger(ladder: Ladder, level: str) -> Table:
    """Return every rung, and below it every question it asked."""
    rows: list[tuple[Cell, ...]] = []
    for rung in ladder.rungs:
        sign = Sign(
            state_of(rung.holds, skipped=rung.skipped), f"{rung.number} {clipped(rung.name, 40)}"
        )
        rows.append((sign, *[""] * 6, rung.grade, clipped(rung.reading, 400)))
        rows += [_entry(each) for each in ladder.conditionals if each.rung == rung.number]
    rows += [_entry(each) for each in ladder.conditionals if each.rung is None]
    columns = (
        Column("rung, question", wrap=14),
        Column("usable strata", right=True, wrap=7),
        Column("images in them", right=True, wrap=8),
        Column("free to vary", right=True, wrap=6),
        Column(f"left ({level}interval)", right=True, wrap=8),
        Column("of what can vary", right=True, wrap=8),
        Column("control", right=True, wrap=7),
        Column("grade", wrap=6),
        Column("reading", wrap=20),
    )
    name = claimed(ladder)
    return Table(f"{name}: every rung and every question", columns, tuple(rows), "detail")


def _entry(each: Conditional) -> tuple[Cell, ...]:
    return (*_question(each), clipped(each.reading, 400))


def climb_of(ladder: Ladder) -> Climb:
    """Return the small picture of a ladder."""
    attribute = claimed(ladder)
    steps = [Step(x.number, state_of(x.holds, skipped=x.skipped)) for x in ladder.rungs]
    answers = list(zip(ladder.rungs, steps, strict=True))
    held = [rung.name for rung, step in answers if step.state == "holds"]
    failed = [rung.name for rung, step in answers if step.state == "fails"]
    words = f"{attribute}: reaches question {ladder.highest} of {len(ladder.rungs)}"
    words += f"; holds: {', '.join(held) or 'none'}"
    words += f"; does not hold: {', '.join(failed)}" if failed else ""
    return Climb(attribute, ladder.highest, tuple(steps), words)
