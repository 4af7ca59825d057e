"""How images were collected and photographed, and whether a sample of a set is a fair draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fer_audit.text as t
from fer_audit.audit.types.composition import SubsetCheck
from fer_audit.audit.types.space import StyleTest
from fer_audit.report import blocks as b
from fer_audit.report.charts.groups import batch_guesses, style_differences
from fer_audit.report.sections import values as v
from fer_audit.report.view import View

N_SENTENCES = 3
"""Largest differences that are put into words."""
_PEOPLE = ("demographic", "label")


@v.section("collection", "Does the way images were collected predict who is in them?")
def collection(view: View) -> Iterator[b.Block]:
    """Return how well the batch of an image alone guesses each attribute; nothing if the set has no batches."""
    predictions = view.result.batch_predictions
    if computed := [each for each in predictions if each.accuracy is not None]:
        yield b.Charts(lambda: [batch_guesses(computed)])
        yield v.table_of(
            "Guessing an attribute from the batch or part alone",
            computed,
            v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
            v.left("from", lambda x: v.spoken(x.batch), wrap=9),
            v.right("V~", lambda x: t.or_dash(x.v_corrected, t.coefficient)),
            v.right(
                "guessed right", lambda x: f"{t.percent(x.accuracy)} ({t.whole(x.right)})", wrap=9
            ),
            v.right(
                "from the others", lambda x: t.or_dash(x.left_out_accuracy, t.percent), wrap=7
            ),
            v.right(
                "largest group",
                lambda x: (
                    f"{t.percent(x.majority)} {t.clipped(x.majority_group or '', 20)}".strip()
                ),
                wrap=9,
            ),
            v.right("shuffled", lambda x: t.percent(x.chance)),
            v.right("p", v.shuffled_p),
            note="Knowing only an image's batch, or its part of a split, and naming the most frequent group there, how often is"
            " one right? Compare with naming the largest group each time. From the others: the same guess, made from the other"
            " images there only, which small batches cannot flatter. Shuffled: what chance would get right.",
        )
    yield from v.without_value(
        (f"{v.spoken(each.attribute)} from {v.spoken(each.batch)}", each.not_computable)
        for each in predictions
        if each.accuracy is None
    )


@v.section("subset", "Is this sample a fair draw?")
def subset(view: View) -> Iterator[b.Block]:
    """Return how each attribute compares with the whole set; None without a set to compare with."""
    for check in view.result.subset_checks:
        name = f"{t.display(t.clipped(check.attribute, 28))} compared with {t.clipped(check.reference, 40)}"
        if check.p is None:
            yield b.Prose(f"{name}: {t.because(check.not_computable)}.")
            continue
        yield b.Prose(_fair_or_not(check, view))
        if check.groups:
            yield v.table_of(
                name,
                check.groups,
                v.left("group", lambda x: t.clipped(x.name, 28), wrap=10),
                v.right("here", lambda x: t.percent(x.share)),
                v.right("images", lambda x: t.whole(x.count)),
                v.right("in the set", lambda x: t.percent(x.reference_share)),
                v.right("exact p", lambda x: t.p_text(x.p)),
            )


def _fair_or_not(check: SubsetCheck, view: View) -> str:
    unlike = check.p is not None and check.p <= view.alpha
    at_most = t.unreached(check.p, view.result.config.statistics.permutations)
    text = f"{t.display(t.clipped(check.attribute, 28))} of {t.counted(check.n, 'image')} compared with {t.clipped(check.reference, 40)}:"
    text += " unlike the set, " if unlike else " as a fair draw would be, "
    text += t.p_phrase(check.p, at_most=at_most) + (f" ({check.method})" if check.method else "")
    if check.tv is not None:
        text += f"; {t.percent(check.tv)} of the images would have to change group (TV)"
    if unlike and (worst := check.worst) is not None:
        text += (
            f"; furthest off: {t.clipped(worst.name, 28)} with {t.percent(worst.share)} ({t.whole(worst.count)})"
            f" where the set has {t.percent(worst.reference_share)}, {t.p_phrase(worst.p)}"
        )
    return text + "."


@v.section("style", "Are groups photographed differently?")
def style(view: View) -> Iterator[b.Block]:
    """Return measure x attribute, the largest differences, and clusters of style alone; nothing if not tested."""
    kinds = {each.attribute: each.kind for each in view.result.representation}
    tests = [x for x in view.result.style_tests if kinds.get(x.attribute, _PEOPLE[0]) in _PEOPLE]
    computed = [test for test in tests if test.rank_effect is not None]
    computed.sort(key=lambda test: -(test.rank_effect or 0.0))
    if computed:
        yield b.Charts(lambda: [style_differences(computed)])
        yield from _differences(computed, view.alpha)
    elif tests:
        yield b.Prose(f"Style: {t.because(tests[0].not_computable)}.")
    baselines = view.result.style_baselines
    if not baselines:
        return
    yield b.Heading("Would clusters of style alone say the same?")
    if alone := [each for each in baselines if each.v_corrected is not None]:
        yield v.table_of(
            "Clusters made of ten image-wide measures alone (brightness, colour, sharpness, ...)",
            alone,
            v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
            v.right(f"V~ of style alone ({view.level}interval)", v.corrected, wrap=13),
            v.right(
                "V~ of the clusters", lambda x: t.or_dash(x.embedding_v, t.coefficient), wrap=8
            ),
            v.right("ratio of V~", lambda x: t.or_dash(x.reproduced, t.percent), wrap=7),
            v.right("p", v.shuffled_p),
            note="The two need not be the same association, and brightness also measures skin. No ratio where one of the two is"
            " not above chance.",
        )
    yield from v.without_value(
        (v.spoken(x.attribute), x.not_computable) for x in baselines if x.v_corrected is None
    )


def _differences(largest_first: Sequence[StyleTest], alpha: float) -> Iterator[b.Block]:
    yield _matrix(largest_first, alpha)
    clear = [x for x in largest_first if not _by_chance(x, alpha) and x.highest is not None]
    if clear:
        yield b.Bullets(
            tuple(
                f"{v.spoken(x.measure, 20)} by {v.spoken(x.attribute)}: lowest in {t.clipped(x.lowest or '', 28)} (median"
                f" {t.measured(x.lowest_median)}), highest in {t.clipped(x.highest or '', 28)}"
                f" ({t.measured(x.highest_median)})."
                for x in clear[:N_SENTENCES]
            )
        )
    yield v.table_of(
        "Style measures against every attribute",
        largest_first,
        v.left("measure", lambda x: v.spoken(x.measure), wrap=8),
        v.left("attribute", lambda x: v.spoken(x.attribute), wrap=9),
        v.right("epsilon squared", lambda x: v.zero(x.rank_effect or 0.0), wrap=7),
        v.right("adjusted p", v.adjusted_p, wrap=8),
        v.left("lowest in (median)", lambda x: _end(x.lowest, x.lowest_median), wrap=12),
        v.left("highest in (median)", lambda x: _end(x.highest, x.highest_median), wrap=12),
        importance="detail",
    )


def _end(group: str | None, median: float | None) -> str:
    return "" if group is None else f"{t.clipped(group, 28)} ({t.measured(median)})"


def _by_chance(test: StyleTest, alpha: float) -> bool:
    return test.p_adjusted is None or test.p_adjusted > alpha


def _matrix(largest_first: Sequence[StyleTest], alpha: float) -> b.Table:
    by_place = {(test.measure, test.attribute): test for test in largest_first}
    attributes = list(dict.fromkeys(test.attribute for test in largest_first))
    full = max(test.rank_effect or 0.0 for test in largest_first)

    def cells(test: StyleTest | None) -> tuple[b.Cell, b.Cell]:
        if test is None or test.rank_effect is None:
            return t.NO_VALUE, ""
        value = v.zero(test.rank_effect)
        return f"({value})" if _by_chance(test, alpha) else value, b.Bar(test.rank_effect, full)

    heads = [
        (b.Column(v.spoken(x, 20), right=True, wrap=8), b.Column("", drop=1)) for x in attributes
    ]
    rows = tuple(
        (v.spoken(x, 20), *(cell for y in attributes for cell in cells(by_place.get((x, y)))))
        for x in dict.fromkeys(test.measure for test in largest_first)
    )
    return b.Table(
        "How much pictures differ between groups",
        (b.Column("measure", wrap=8), *(column for pair in heads for column in pair)),
        rows,
        note="Epsilon squared, the share of a measure's ranks that lies between the groups: 0 = groups are"
        " photographed alike, 1 = the group decides. In brackets: no more than chance may give (Benjamini-Hochberg over all"
        " of them).",
    )
