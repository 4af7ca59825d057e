"""What do weights do, what if an attribute were erased, and do heads that are meant to treat groups alike do so?"""

from __future__ import annotations

from collections.abc import Iterator

import fer_audit.text as t
from fer_audit.audit.types.remedies import Erasure, Mitigation
from fer_audit.audit.types.remedy_words import before_after, f_gained, points_gained
from fer_audit.audit.types.weighted import Weighted
from fer_audit.report.blocks import Block, Bullets, Charts, Heading, Prose, Sign
from fer_audit.report.charts.groups import before_and_after, gains
from fer_audit.report.sections import values as v
from fer_audit.report.view import View


def _what_if(view: View) -> str:
    names = dict.fromkeys(t.display(each.attribute) for each in view.result.erasures)
    return f"What if {' and '.join(names)} were erased?"


@v.section("what-if", _what_if)
def erasure(view: View) -> Iterator[Block]:
    """Return what each erasure leaves and costs; nothing unless --what-if asked for one."""
    found = view.result.erasures
    if found:
        yield v.small(
            "Erased is what a linear classifier could use (LEACE; SPLINCE keeps the covariance with a label). Each half of the"
            " images is erased as the other half says, clustered again, and probes are fitted and asked there. Nothing is"
            " promised for any other probe. A probe's chance is one over the number of groups; that of clusters is what 95 % of"
            " shuffled labels stay under."
        )
    for each in found:
        yield from _erasure(each, view.level)


def _erasure(found: Erasure, level: str) -> Iterator[Block]:
    kept = f", {v.spoken(found.keeps)} kept" if found.keeps else ""
    title = f"{v.spoken(found.attribute)}{kept} ({found.method})"
    if found.not_computable:
        yield from v.without_value([(title, found.not_computable)])
        return
    yield Heading(title)
    yield Prose(
        f"{t.counted(found.removed, 'dimension')} of {t.counted(found.dimensions, 'principal coordinate')} removed, with"
        f" {t.percent(found.variance_removed)} of the variance; {t.counted(found.n, 'image')}, halves by {t.display(found.unit)}"
        f" ({found.units:,}), covariance {'shrunk (fewer than 10 images a dimension)' if found.shrunk else 'as it is'}."
    )
    yield v.table_of(
        f"{title}: before and after",
        found.found,
        v.left("found by", lambda x: x.by),
        v.left("of", lambda x: v.spoken(x.attribute, 20), wrap=9),
        v.right("before", lambda x: v.zero(x.before.value)),
        v.right("after", lambda x: v.zero(x.after.value)),
        v.right(f"{level}interval", lambda x: t.span(x.after.low, x.after.high)),
        v.right("chance", lambda x: t.or_dash(x.chance, v.zero)),
        note="Clusters: strength (V~). Probes: share recognised, mean over groups.",
    )
    yield Charts(lambda: [before_and_after(found)])


@v.section("mitigation", "Do heads that treat groups alike do so?")
def mitigation(view: View) -> Iterator[Block]:
    """Return how each arm compares with a plain head; nothing unless --mitigate asked for it."""
    if view.result.mitigations:
        yield v.small(
            "Linear heads on the vectors as they are, fitted and asked on different units: probe-level analogues of published"
            " approaches; the network itself is not trained again. F (Xu et al. 2020) is the least sum of recalls of a group over"
            f" the largest, 1 = equal. Gains over the plain head are paired; their {view.level}"
            "intervals hold for all approaches together and say nothing of another training."
        )
    for each in view.result.mitigations:
        yield from _mitigation(each)


def _mitigation(found: Mitigation) -> Iterator[Block]:
    title = f"{v.spoken(found.label)} by {v.spoken(found.attribute)}"
    if not found.arms:
        yield from v.without_value([(title, found.not_computable)])
        return
    yield Heading(title)
    yield Prose(
        f"{t.counted(found.n, 'image')}, folds by {t.display(found.unit)} ({found.units:,}), {t.counted(found.dimensions, 'principal coordinate')};"
        f" groups {t.listed([t.clipped(x, 20) for x in found.groups])}; {t.counted(len(found.classes), 'class', 'classes')} that all of them"
        f" have, the rarest group and class with {t.counted(found.least_cell, 'image')}."
    )
    yield v.table_of(
        f"{title}: each approach",
        found.arms,
        v.left("approach", lambda x: x.arm),
        v.right("F", lambda x: t.coefficient(x.fairness)),
        v.right(
            "worst group", lambda x: f"{t.clipped(x.worst_group, 14)} {t.percent(x.worst)}", wrap=8
        ),
        v.right("best group", lambda x: t.percent(x.best), wrap=8),
        v.right("accuracy", lambda x: t.percent(x.accuracy)),
        v.left("", lambda x: Sign("fails", "levelling down") if x.levelling_down else "", wrap=10),
        note="Groups: mean recall. Levelling down: F rose more because the best group fell than because the worst rose.",
    )
    yield v.table_of(
        f"{title}: gains over the plain head",
        found.arms[1:],
        v.left("approach", lambda x: x.arm),
        v.right("F", lambda x: f_gained(x.fairness_gain), wrap=12),
        v.right("worst group, points", lambda x: points_gained(x.worst_gain), wrap=12),
        v.right("accuracy, points", lambda x: points_gained(x.accuracy_gain), wrap=12),
    )
    yield Charts(lambda: [gains(found)])
    yield Bullets(
        tuple(
            f"{each.method}: a {each.by} probe reads {t.display(found.attribute)} {before_after(each)}, chance {t.percent(each.chance)}."
            for each in found.probes
        )
    )
    yield from v.without_value((name, ((name, reason),)) for name, reason in found.not_computable)


@v.section("weighted", "What do the weights do?")
def weighted(view: View) -> Iterator[Block]:
    """Return the shares and strengths with weights; nothing without --weights."""
    found = view.result.weighted
    if not found:
        return
    yield Prose(
        "Every other number of this report counts each image once: no cluster and no test is weighted."
    )
    yield v.table_of(
        "Strength of the clusters",
        found,
        v.left("attribute", lambda x: v.spoken(x.attribute)),
        v.right("as it is", lambda x: t.or_dash(x.v_corrected, v.zero)),
        v.right("weighted", lambda x: t.or_dash(x.v_weighted, v.zero)),
        v.right("images", lambda x: t.whole(x.n)),
        v.right("worth", lambda x: t.whole(round(x.effective_n))),
        note="Worth: as many images of equal weight would estimate a share as well (Kish).",
    )
    yield from (_weighted_shares(each) for each in found if each.groups)


def _weighted_shares(each: Weighted) -> Block:
    return v.table_of(
        f"{v.spoken(each.attribute)}, {t.counted(each.n, 'image')}",
        each.groups,
        v.left("group", lambda x: x.group, wrap=10),
        v.right("as it is", lambda x: t.percent(x.share)),
        v.right(
            "weighted", lambda x: f"{t.percent(x.weighted)} ({t.percent_span(x.low, x.high)})"
        ),
    )
