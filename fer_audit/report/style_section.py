"""Are groups photographed differently, and how much of the clusters is that?"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.space import StyleBaseline, StyleTest
from fer_audit.report.bars import bar
from fer_audit.report.tables import Column, FirstThatFits, Grid, Heading, Item, plain, prose
from fer_audit.text import because, clipped, coefficient, measured, p_text, percent, span

NO_VALUE = "–"
SENTENCES = 3
"""Largest differences that are put into words."""
_PEOPLE = ("demographic", "label")
_BARS = (10, 4)


def style(result: AuditResult, alpha: float, confidence: str) -> list[RenderableType]:
    """Return measure x attribute, the largest differences, and clusters of style alone; nothing if not tested."""
    kinds = {each.attribute: each.kind for each in result.representation}
    tests = [
        test for test in result.style_tests if kinds.get(test.attribute, _PEOPLE[0]) in _PEOPLE
    ]
    known = [test for test in tests if test.rank_effect is not None]
    if not tests and not result.style_baselines:
        return []
    parts: list[RenderableType] = [Heading("Are groups photographed differently?")]
    if known:
        parts += _differences(known, alpha)
    elif tests:
        parts.append(prose(f"Style: {because(tests[0].not_computable)}."))
    if result.style_baselines:
        parts += [Text("")] if tests else []
        parts += _baselines(result.style_baselines, confidence)
    return parts


def _differences(known: Sequence[StyleTest], alpha: float) -> list[RenderableType]:
    largest = sorted(known, key=lambda test: -(test.rank_effect or 0.0))
    told = [test for test in largest if not _by_chance(test, alpha) and test.highest is not None]
    parts: list[RenderableType] = [
        prose(
            "How much of a picture's rank by each measure the group tells (epsilon squared):"
            " 0 = groups are photographed alike, 1 = the group decides."
            " In brackets: not told from chance (Benjamini-Hochberg over all of them)."
        ),
        Text(""),
        FirstThatFits([_matrix(largest, alpha, cells) for cells in _BARS]),
    ]
    parts += [Text("")] if told else []
    return parts + [_sentence(test) for test in told[:SENTENCES]]


def _matrix(largest_first: Sequence[StyleTest], alpha: float, cells: int) -> Grid:
    measures = dict.fromkeys(test.measure for test in largest_first)
    attributes = dict.fromkeys(test.attribute for test in largest_first)
    by_place = {(test.measure, test.attribute): test for test in largest_first}
    full = max(test.rank_effect or 0.0 for test in largest_first)
    columns = [Column(Text("measure"), squeeze=8)]
    columns += [Column(plain(clipped(name, 20), "bold"), squeeze=cells + 7) for name in attributes]
    return Grid(
        columns,
        [
            [
                plain(clipped(measure, 20)),
                *(_cell(by_place.get((measure, name)), full, alpha, cells) for name in attributes),
            ]
            for measure in measures
        ],
    )


def _cell(test: StyleTest | None, full: float, alpha: float, cells: int) -> Text:
    if test is None or test.rank_effect is None:
        return Text(NO_VALUE)
    value = ".000" if test.rank_effect < 0.0005 else coefficient(test.rank_effect)
    line = bar(test.rank_effect, full=full, cells=cells)
    if _by_chance(test, alpha):
        return Text.assemble(line, (f" ({value})", "dim"))
    return Text.assemble(line, f"  {value}")


def _by_chance(test: StyleTest, alpha: float) -> bool:
    return test.p_adjusted is None or test.p_adjusted > alpha


def _sentence(test: StyleTest) -> RenderableType:
    text = (
        f"{clipped(test.measure, 20)} by {clipped(test.attribute, 28)}: lowest in"
        f" {clipped(test.lowest or '', 28)} (median {measured(test.lowest_median)}), highest in"
        f" {clipped(test.highest or '', 28)} ({measured(test.highest_median)})."
    )
    return Item(Text("●", "cyan"), plain(text))


def _baselines(baselines: Sequence[StyleBaseline], confidence: str) -> list[RenderableType]:
    known = [each for each in baselines if each.v_corrected is not None]
    parts: list[RenderableType] = [
        prose(
            "Style alone: clusters made from ten image-wide measures (brightness, colour, sharpness, ...), beside"
            " the embedding's. Not necessarily the same association; brightness also measures skin."
            " No ratio where one of the two is not above chance."
        ),
    ]
    if known:
        parts += [Text(""), _baseline_grid(known, confidence)]
    return parts + [
        Item(
            plain(f"? {clipped(each.attribute, 28)}", "bold"), plain(because(each.not_computable))
        )
        for each in baselines
        if each.v_corrected is None
    ]


def _baseline_grid(baselines: Sequence[StyleBaseline], confidence: str) -> Grid:
    columns = [
        Column(Text("attribute"), squeeze=9),
        Column(Text(f"V~ of style alone ({confidence}interval)"), squeeze=16),
        Column(Text("V~ of the clusters"), right=True, squeeze=8),
        Column(Text("ratio of V~"), right=True),
        Column(Text("p"), right=True),
    ]
    rows = [
        [
            plain(clipped(each.attribute, 28), "bold"),
            Text(f"{coefficient(each.v_corrected)} ({span(each.low, each.high)})"),
            Text(NO_VALUE if each.embedding_v is None else coefficient(each.embedding_v)),
            Text(NO_VALUE if each.reproduced is None else percent(each.reproduced), "bold"),
            Text(NO_VALUE if each.p is None else p_text(each.p)),
        ]
        for each in baselines
    ]
    return Grid(columns, rows)
