"""Are groups photographed differently, and how much of the clusters is that?"""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.space import StyleBaseline, StyleTest
from fer_audit.report.blocks import (
    Bar,
    Block,
    Bullets,
    Cell,
    Charts,
    Column,
    Heading,
    Prose,
    Section,
    Table,
)
from fer_audit.report.charts.collection import style_differences
from fer_audit.report.sections.values import (
    adjusted_p,
    corrected,
    left,
    right,
    shuffled_p,
    spoken,
    table_of,
    without_value,
    zero,
)
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    because,
    clipped,
    coefficient,
    measured,
    or_dash,
    percent,
)

N_SENTENCES = 3
"""Largest differences that are put into words."""
_PEOPLE = ("demographic", "label")


def style(view: View) -> Section | None:
    """Return measure x attribute, the largest differences, and clusters of style alone; nothing if not tested."""
    result = view.result
    kinds = {each.attribute: each.kind for each in result.representation}
    tests = [
        test for test in result.style_tests if kinds.get(test.attribute, _PEOPLE[0]) in _PEOPLE
    ]
    if not tests and not result.style_baselines:
        return None
    computed = [test for test in tests if test.rank_effect is not None]
    computed.sort(key=lambda test: -(test.rank_effect or 0.0))
    blocks: list[Block] = []
    if computed:
        blocks.append(Charts(lambda: [style_differences(computed)]))
        blocks += _differences(computed, view.alpha)
    elif tests:
        blocks.append(Prose(f"Style: {because(tests[0].not_computable)}."))
    if result.style_baselines:
        blocks += _baselines(result.style_baselines, view.level)
    return Section("style", "Are groups photographed differently?", tuple(blocks))


def _differences(largest_first: Sequence[StyleTest], alpha: float) -> list[Block]:
    clear = [
        test for test in largest_first if not _by_chance(test, alpha) and test.highest is not None
    ]
    sentences = tuple(
        f"{spoken(test.measure, 20)} by {spoken(test.attribute)}: lowest in {clipped(test.lowest or '', 28)} (median"
        f" {measured(test.lowest_median)}), highest in {clipped(test.highest or '', 28)}"
        f" ({measured(test.highest_median)})."
        for test in clear[:N_SENTENCES]
    )
    return [
        _matrix(largest_first, alpha),
        *([Bullets(sentences)] if sentences else []),
        _every_test(largest_first),
    ]


def _matrix(largest_first: Sequence[StyleTest], alpha: float) -> Table:
    measures = dict.fromkeys(test.measure for test in largest_first)
    attributes = dict.fromkeys(test.attribute for test in largest_first)
    by_place = {(test.measure, test.attribute): test for test in largest_first}
    full = max(test.rank_effect or 0.0 for test in largest_first)
    columns = [Column("measure", wrap=8)]
    for name in attributes:
        columns += [Column(spoken(name, 20), right=True, wrap=8), Column("", drop=1)]
    rows = []
    for measure in measures:
        cells: list[Cell] = []
        for name in attributes:
            cells += _cells(by_place.get((measure, name)), full, alpha)
        rows.append((spoken(measure, 20), *cells))
    note = (
        "Epsilon squared, the share of a measure's ranks that lies between the groups: 0 = groups are"
        " photographed alike, 1 = the group decides. In brackets: no more than chance may give (Benjamini-Hochberg over all"
        " of them)."
    )
    return Table("How much pictures differ between groups", tuple(columns), tuple(rows), note=note)


def _cells(test: StyleTest | None, full: float, alpha: float) -> tuple[Cell, Cell]:
    if test is None or test.rank_effect is None:
        return NO_VALUE, ""
    value = zero(test.rank_effect)
    return f"({value})" if _by_chance(test, alpha) else value, Bar(test.rank_effect, full)


def _by_chance(test: StyleTest, alpha: float) -> bool:
    return test.p_adjusted is None or test.p_adjusted > alpha


def _every_test(largest_first: Sequence[StyleTest]) -> Table:
    return table_of(
        "Style measures against every attribute",
        largest_first,
        left("measure", lambda x: spoken(x.measure), wrap=8),
        left("attribute", lambda x: spoken(x.attribute), wrap=9),
        right("epsilon squared", lambda x: zero(x.rank_effect or 0.0), wrap=7),
        right("adjusted p", adjusted_p, wrap=8),
        left("lowest in (median)", lambda x: _end(x.lowest, x.lowest_median), wrap=12),
        left("highest in (median)", lambda x: _end(x.highest, x.highest_median), wrap=12),
        importance="detail",
    )


def _end(group: str | None, median: float | None) -> str:
    return "" if group is None else f"{clipped(group, 28)} ({measured(median)})"


def _baselines(baselines: Sequence[StyleBaseline], level: str) -> list[Block]:
    computed = [each for each in baselines if each.v_corrected is not None]
    blocks: list[Block] = [Heading("Would clusters of style alone say the same?")]
    if computed:
        note = (
            "The two need not be the same association, and brightness also measures skin. No ratio where one of the two is"
            " not above chance."
        )
        blocks.append(
            table_of(
                "Clusters made of ten image-wide measures alone (brightness, colour, sharpness, ...)",
                computed,
                left("attribute", lambda x: spoken(x.attribute), wrap=9),
                right(f"V~ of style alone ({level}interval)", corrected, wrap=13),
                right("V~ of the clusters", lambda x: or_dash(x.embedding_v, coefficient), wrap=8),
                right("ratio of V~", lambda x: or_dash(x.reproduced, percent), wrap=7),
                right("p", shuffled_p),
                note=note,
            )
        )
    return blocks + without_value(
        (spoken(each.attribute), each.not_computable)
        for each in baselines
        if each.v_corrected is None
    )
