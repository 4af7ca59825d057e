"""The claim ladders: which questions each claim answers, and what is left of it among images that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import fer_audit.text as t
from fer_audit.audit.types.claims import Conditional, Ladder, Rung
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.report import blocks as b
from fer_audit.report.charts.ladder import ladder
from fer_audit.report.sections import values as v
from fer_audit.report.view import N_QUESTIONS, View, weakest

N_LOSSES = 3
_GRADE_HOLDS = {"cannot tell": None, "trace": False, "little": True, "part": True, "most": True}
_LEFT_NOTE = (
    "100 % left = as strong among images that are alike, 0 % = none; it is also low where strata (sets of images that are"
    " alike) cannot say: usable are those with two clusters and two groups. Free to vary: the share of the attribute's"
    " entropy that these columns do not fix. Of what can vary: what is left over that share; its interval is for another"
    " collection where that is known, and the grade is of it. Control: what the label of the next image collected with"
    " it keeps, which nothing but the collection links to the image. Signs: of the question that sums up a rung, whether"
    " the rung holds (by p); of any other, its grade, ? where it cannot tell."
)


@v.section("ladder", "Is it real, and is it about people?")
def ladders(view: View) -> Iterator[b.Block]:
    """Return how far each claim climbs, why it stops, and what the questions of rungs 4 to 6 leave of it."""
    found = view.result.ladders
    if not found:
        return
    yield b.Prose(
        "A claim says that an attribute is associated with the clusters, or with a label. It climbs a ladder of"
        " questions, one a rung, until one does not hold.",
        tone="lead",
    )
    yield _climbs(found)
    if readings := tuple(
        f"{v.claimed(each)}, {rung.number} {t.clipped(rung.name, 40)}: {rung.reading}"
        for each in found
        for rung in each.rungs
        if _tells(each, rung)
    ):
        yield b.Bullets(readings)
    yield b.Charts(
        lambda: [
            ladder(x, view.association(x.attribute), view.stability(x.attribute), view.k)
            for x in found
            if x.of == "cluster"
        ]
    )
    yield b.Prose(
        "Left: Cramér's V, bias-corrected from rung 2 on. Right: how much of the association is left among images that"
        f" are alike; of each rung the {N_QUESTIONS} questions that leave least. Lines are intervals; those of rung 7 are"
        " thin, and reach from the smallest to the largest of other partitions. Grey is what chance gives.",
        "detail",
        "small",
    )
    asked = [each for each in found if each.conditionals]
    if asked:
        yield b.Heading("What is left among images that are alike?")
        yield v.small(_LEFT_NOTE)
    for each in asked:
        yield from _left(each, view.level)
    yield from (_ledger(each, view.level) for each in found if each.rungs)


def _climbs(found: Sequence[Ladder]) -> b.Table:
    def held(each: Ladder) -> str:
        name = {rung.number: rung.name for rung in each.rungs}.get(each.highest, "")
        named = f": {t.clipped(name, 40)}" if each.highest else ""
        return f"{each.highest} of {len(each.rungs)}{named}"

    names = {rung.number: rung.name for ladder in found for rung in ladder.rungs}
    legend = ", ".join(f"{number} {t.clipped(name, 40)}" for number, name in sorted(names.items()))
    skipped = any(rung.skipped for ladder in found for rung in ladder.rungs)
    signs = (
        f"✓ holds, ✗ does not, ? not computable{', ○ skipped: nothing to ask' if skipped else ''}. A rung among alike images holds by"
        " its p and more than a trace left; of how much is left the grade may still be that one cannot tell"
    )
    return v.table_of(
        "How far each claim climbs",
        found,
        v.left("claim", v.claimed, wrap=10),
        v.left("rungs", climb_of),
        v.left("holds up to", held, wrap=14),
        note=f"{signs}. {legend}.",
    )


def _tells(ladder: Ladder, rung: Rung) -> bool:
    """Whether a rung's reading belongs in a short list: the last that held, and those above that did not.

    A claim that fails the first rung is over: there is nothing to say about the others.
    """
    if not ladder.highest:
        return rung.number == 1 and rung.holds is False
    return rung.number == ladder.highest or rung.holds is False


def _left(ladder: Ladder, level: str) -> Iterator[b.Block]:
    """Return the questions of one claim that leave least, and what is too long for the table in words."""
    name, asked = v.claimed(ladder), ladder.conditionals
    if all(each.kept is None for each in asked):
        reasons = dict.fromkeys(pair for each in asked for pair in _silence(each))
        yield from v.without_value([(name, tuple(reasons))])
        return
    shown = _shown(asked)
    full = max(1.0, *(each.high for each in shown if each.high is not None), 1.0)

    def drawn(each: Conditional) -> b.Cell:
        if each.kept is None or each.low is None or each.high is None:
            return ""
        return b.Interval(each.kept, each.low, each.high, full, 1.0 if full > 1 else None)

    yield v.table_of(
        f"{name}: what is left",
        shown,
        v.left("images alike in", lambda x: _alike(x, ladder), wrap=14),
        v.right(
            "usable strata", lambda x: f"{t.whole(x.informative)} of {t.whole(x.strata)}", wrap=7
        ),
        v.right("images in them", _images, wrap=8, drop=2),
        v.right("free to vary", lambda x: t.or_dash(x.entropy_left, t.percent), wrap=6, drop=3),
        v.left("", drawn, drop=1),
        v.right(f"left ({level}interval)", _kept, wrap=13),
        v.right("of what can vary", _per_entropy, wrap=11),
        v.right("control", control_of, wrap=7, drop=4),
        v.left("grade", lambda x: x.grade, wrap=6),
    )
    for number in sorted({each.rung for each in asked if each.rung is not None}):
        others = [each for each in asked if each.rung == number and each not in shown]
        kept = [each.kept for each in others if each.kept is not None]
        if others:
            said = f": they leave {t.percent_span(min(kept), max(kept))} %" if kept else ""
            said = f": it leaves {t.percent(kept[0])}" if len(others) == len(kept) == 1 else said
            further = t.counted(len(others), "further question")
            yield v.small(f"Not shown: {further} of rung {number}{said}.")
    silent: dict[NotComputable, list[str]] = {}
    for each in shown:
        if each.kept is None:
            silent.setdefault(_silence(each), []).append(v.alike_in(each.given))
    yield from v.without_value((t.listed(names), reason) for reason, names in silent.items())
    if ladder.lost:
        yield b.Prose(_lost(ladder))


def _shown(asked: Sequence[Conditional]) -> list[Conditional]:
    """Return the questions that leave least, at most three of each rung, in the order they were asked."""
    shown: list[Conditional] = []
    for number in {each.rung for each in asked}:
        of_rung = [each for each in asked if each.rung == number]
        shown += of_rung if number is None else weakest(of_rung)
    return [each for each in asked if each in shown]


def _alike(each: Conditional, ladder: Ladder) -> b.Sign:
    """Return the sign of a question, which is the rung's where it sums up a rung, and what it holds fixed."""
    words = v.alike_in(each.given)
    words = f"{words} (asked for)" if each.rung is None else f"{each.rung} {words}"
    first = next((x for x in ladder.conditionals if x.headline and x.rung == each.rung), None)
    rung = next((x for x in ladder.rungs if each is first and x.number == each.rung), None)
    return b.Sign(b.state_of(_GRADE_HOLDS[each.grade] if rung is None else rung.holds), words)


def _images(each: Conditional) -> str:
    return f"{t.whole(each.n_effective)} of {t.whole(each.n)}"


def _kept(each: Conditional) -> str:
    if each.kept is None:
        return t.NO_VALUE if each.informative else f"{t.NO_VALUE} no information"
    known = each.low is not None and each.high is not None
    return t.percent(each.kept) + (f" ({t.percent_span(each.low, each.high)})" if known else "")


def _per_entropy(each: Conditional) -> str:
    if each.per_entropy is None:
        return t.NO_VALUE
    low, high = each.per_other_low, each.per_other_high
    low, high = (each.per_low, each.per_high) if low is None else (low, high)
    return f"{t.coefficient(each.per_entropy, 2)} ({t.span(low, high, digits=2)})"


def control_of(each: Conditional) -> str:
    """Write what the first control that has an answer keeps; less than nothing is nothing, as its reading says."""
    kept = next((max(0.0, x.kept) for x in each.controls if x.kept is not None), None)
    return t.or_dash(kept, t.percent)


def _silence(each: Conditional) -> NotComputable:
    return tuple(pair for pair in each.not_computable if pair[0] == "kept")


def _lost(ladder: Ladder) -> str:
    """Return what is lost where, the largest first."""
    given = {" x ".join(each.given): v.alike_in(each.given) for each in ladder.conditionals}
    largest = sorted((pair for pair in ladder.lost if pair[1] > 0), key=lambda pair: -pair[1])
    words = [
        f"{'all' if x >= 1 else t.percent(x)} in {given.get(name, t.clipped(name, 60))}"
        for name, x in largest
    ]
    if words:
        return f"Lost most among images alike: {t.listed(words[:N_LOSSES])}."
    silent = sum(each.kept is None for each in ladder.conditionals)
    if not silent:
        return "Nothing is lost, whatever is held fixed."
    questions = f"{t.counted(silent, 'question')} {'has' if silent == 1 else 'have'} none"
    return f"Nothing is lost in the questions that have an answer; {questions}."


def _ledger(ladder: Ladder, level: str) -> b.Table:
    """Return every rung, and below it every question it asked."""
    asked = ladder.conditionals
    rows: list[Rung | Conditional] = []
    for rung in ladder.rungs:
        rows += [rung, *(each for each in asked if each.rung == rung.number)]
    rows += [each for each in asked if each.rung is None]

    def first(x: Rung | Conditional) -> b.Cell:
        if isinstance(x, Conditional):
            return _alike(x, ladder)
        return b.Sign(
            b.state_of(x.holds, skipped=x.skipped), f"{x.number} {t.clipped(x.name, 40)}"
        )

    def number(
        title: str, show: Callable[[Conditional], str], wrap: int
    ) -> v.Shown[Rung | Conditional]:
        return v.right(title, lambda x: show(x) if isinstance(x, Conditional) else "", wrap=wrap)

    return v.table_of(
        f"{v.claimed(ladder)}: every rung and every question",
        rows,
        v.left("rung, question", first, wrap=14),
        number("usable strata", lambda x: f"{t.whole(x.informative)} of {t.whole(x.strata)}", 7),
        number("images in them", _images, 8),
        number("free to vary", lambda x: t.or_dash(x.entropy_left, t.percent), 6),
        number(f"left ({level}interval)", _kept, 8),
        number("of what can vary", _per_entropy, 8),
        number("control", control_of, 7),
        v.left("grade", lambda x: x.grade, wrap=6),
        v.left("reading", lambda x: t.clipped(x.reading, 400), wrap=20),
        importance="detail",
    )


def climb_of(ladder: Ladder) -> b.Climb:
    """Return the small picture of a ladder."""
    steps = tuple(b.Step(x.number, b.state_of(x.holds, skipped=x.skipped)) for x in ladder.rungs)
    names = {
        state: ", ".join(
            x.name for x, step in zip(ladder.rungs, steps, strict=True) if step.state == state
        )
        for state in ("holds", "fails")
    }
    words = f"{v.claimed(ladder)}: reaches question {ladder.highest} of {len(ladder.rungs)}"
    words += f"; holds: {names['holds'] or 'none'}"
    words += f"; does not hold: {names['fails']}" if names["fails"] else ""
    return b.Climb(v.claimed(ladder), ladder.highest, steps, words)
