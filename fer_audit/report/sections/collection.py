"""How images were collected and photographed, and whether a sample of a set is a fair draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fer_audit.audit.types.composition import SubsetCheck
from fer_audit.audit.types.space import StyleTest
from fer_audit.report.blocks import (
    Bar,
    Block,
    Bullets,
    Cell,
    Charts,
    Column,
    Heading,
    Prose,
    Table,
)
from fer_audit.report.charts.collection import batch_guesses, style_differences
from fer_audit.report.sections.values import (
    adjusted_p,
    corrected,
    left,
    right,
    section,
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
    counted,
    display,
    measured,
    or_dash,
    p_phrase,
    p_text,
    percent,
    unreached,
    whole,
)

N_SENTENCES = 3
"""Largest differences that are put into words."""
_PEOPLE = ("demographic", "label")


@section("collection", "Does the way images were collected predict who is in them?")
def collection(view: View) -> Iterator[Block]:
    """Return how well the batch of an image alone guesses each attribute; nothing if the set has no batches."""
    predictions = view.result.batch_predictions
    if computed := [each for each in predictions if each.accuracy is not None]:
        yield Charts(lambda: [batch_guesses(computed)])
        yield table_of(
            "Guessing an attribute from the batch or part alone",
            computed,
            left("attribute", lambda x: spoken(x.attribute), wrap=9),
            left("from", lambda x: spoken(x.batch), wrap=9),
            right("V~", lambda x: or_dash(x.v_corrected, coefficient)),
            right("guessed right", lambda x: f"{percent(x.accuracy)} ({whole(x.right)})", wrap=9),
            right("from the others", lambda x: or_dash(x.left_out_accuracy, percent), wrap=7),
            right(
                "largest group",
                lambda x: f"{percent(x.majority)} {clipped(x.majority_group or '', 20)}".strip(),
                wrap=9,
            ),
            right("shuffled", lambda x: percent(x.chance)),
            right("p", shuffled_p),
            note="Knowing only an image's batch, or its part of a split, and naming the most frequent group there, how often is"
            " one right? Compare with naming the largest group each time. From the others: the same guess, made from the other"
            " images there only, which small batches cannot flatter. Shuffled: what chance would get right.",
        )
    yield from without_value(
        (f"{spoken(each.attribute)} from {spoken(each.batch)}", each.not_computable)
        for each in predictions
        if each.accuracy is None
    )


@section("subset", "Is this sample a fair draw?")
def subset(view: View) -> Iterator[Block]:
    """Return how each attribute compares with the whole set; None without a set to compare with."""
    for check in view.result.subset_checks:
        name = (
            f"{display(clipped(check.attribute, 28))} compared with {clipped(check.reference, 40)}"
        )
        if check.p is None:
            yield Prose(f"{name}: {because(check.not_computable)}.")
            continue
        yield Prose(_fair_or_not(check, view))
        if check.groups:
            yield table_of(
                name,
                check.groups,
                left("group", lambda x: clipped(x.name, 28), wrap=10),
                right("here", lambda x: percent(x.share)),
                right("images", lambda x: whole(x.count)),
                right("in the set", lambda x: percent(x.reference_share)),
                right("exact p", lambda x: p_text(x.p)),
            )


def _fair_or_not(check: SubsetCheck, view: View) -> str:
    unlike = check.p is not None and check.p <= view.alpha
    at_most = unreached(check.p, view.result.config.statistics.permutations)
    text = f"{display(clipped(check.attribute, 28))} of {counted(check.n, 'image')} compared with {clipped(check.reference, 40)}:"
    text += " unlike the set, " if unlike else " as a fair draw would be, "
    text += p_phrase(check.p, at_most=at_most) + (f" ({check.method})" if check.method else "")
    if check.tv is not None:
        text += f"; {percent(check.tv)} of the images would have to change group (TV)"
    if unlike and (worst := check.worst) is not None:
        text += (
            f"; furthest off: {clipped(worst.name, 28)} with {percent(worst.share)} ({whole(worst.count)})"
            f" where the set has {percent(worst.reference_share)}, {p_phrase(worst.p)}"
        )
    return text + "."


@section("style", "Are groups photographed differently?")
def style(view: View) -> Iterator[Block]:
    """Return measure x attribute, the largest differences, and clusters of style alone; nothing if not tested."""
    kinds = {each.attribute: each.kind for each in view.result.representation}
    tests = [x for x in view.result.style_tests if kinds.get(x.attribute, _PEOPLE[0]) in _PEOPLE]
    computed = [test for test in tests if test.rank_effect is not None]
    computed.sort(key=lambda test: -(test.rank_effect or 0.0))
    if computed:
        yield Charts(lambda: [style_differences(computed)])
        yield from _differences(computed, view.alpha)
    elif tests:
        yield Prose(f"Style: {because(tests[0].not_computable)}.")
    baselines = view.result.style_baselines
    if not baselines:
        return
    yield Heading("Would clusters of style alone say the same?")
    if alone := [each for each in baselines if each.v_corrected is not None]:
        yield table_of(
            "Clusters made of ten image-wide measures alone (brightness, colour, sharpness, ...)",
            alone,
            left("attribute", lambda x: spoken(x.attribute), wrap=9),
            right(f"V~ of style alone ({view.level}interval)", corrected, wrap=13),
            right("V~ of the clusters", lambda x: or_dash(x.embedding_v, coefficient), wrap=8),
            right("ratio of V~", lambda x: or_dash(x.reproduced, percent), wrap=7),
            right("p", shuffled_p),
            note="The two need not be the same association, and brightness also measures skin. No ratio where one of the two is"
            " not above chance.",
        )
    yield from without_value(
        (spoken(x.attribute), x.not_computable) for x in baselines if x.v_corrected is None
    )


def _differences(largest_first: Sequence[StyleTest], alpha: float) -> Iterator[Block]:
    yield _matrix(largest_first, alpha)
    clear = [x for x in largest_first if not _by_chance(x, alpha) and x.highest is not None]
    if clear:
        yield Bullets(
            tuple(
                f"{spoken(x.measure, 20)} by {spoken(x.attribute)}: lowest in {clipped(x.lowest or '', 28)} (median"
                f" {measured(x.lowest_median)}), highest in {clipped(x.highest or '', 28)}"
                f" ({measured(x.highest_median)})."
                for x in clear[:N_SENTENCES]
            )
        )
    yield table_of(
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


def _by_chance(test: StyleTest, alpha: float) -> bool:
    return test.p_adjusted is None or test.p_adjusted > alpha


def _matrix(largest_first: Sequence[StyleTest], alpha: float) -> Table:
    by_place = {(test.measure, test.attribute): test for test in largest_first}
    attributes = list(dict.fromkeys(test.attribute for test in largest_first))
    full = max(test.rank_effect or 0.0 for test in largest_first)

    def cells(test: StyleTest | None) -> tuple[Cell, Cell]:
        if test is None or test.rank_effect is None:
            return NO_VALUE, ""
        value = zero(test.rank_effect)
        return f"({value})" if _by_chance(test, alpha) else value, Bar(test.rank_effect, full)

    heads = [(Column(spoken(x, 20), right=True, wrap=8), Column("", drop=1)) for x in attributes]
    rows = tuple(
        (spoken(x, 20), *(cell for y in attributes for cell in cells(by_place.get((x, y)))))
        for x in dict.fromkeys(test.measure for test in largest_first)
    )
    return Table(
        "How much pictures differ between groups",
        (Column("measure", wrap=8), *(column for pair in heads for column in pair)),
        rows,
        note="Epsilon squared, the share of a measure's ranks that lies between the groups: 0 = groups are"
        " photographed alike, 1 = the group decides. In brackets: no more than chance may give (Benjamini-Hochberg over all"
        " of them).",
    )
