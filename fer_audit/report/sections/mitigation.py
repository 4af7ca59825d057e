"""Do heads that are meant to treat groups alike do so?"""

from __future__ import annotations

from fer_audit.audit.types.remedies import Mitigation
from fer_audit.audit.types.remedy_words import before_after, f_gained, points_gained
from fer_audit.report.blocks import Block, Bullets, Charts, Heading, Prose, Section, Sign
from fer_audit.report.charts.remedies import gains
from fer_audit.report.sections.values import left, right, spoken, table_of, without_value
from fer_audit.report.view import View
from fer_audit.text import clipped, coefficient, counted, display, level, listed, percent


def mitigation(view: View) -> Section | None:
    """Return how each arm compares with a plain head; nothing unless --mitigate asked for it."""
    found = view.result.mitigations
    if not found:
        return None
    blocks: list[Block] = [
        Prose(
            "Linear heads on the vectors as they are, fitted and asked on different units: probe-level analogues of published"
            " approaches; the network itself is not trained again. F (Xu et al. 2020) is the least sum of recalls of a group over"
            f" the largest, 1 = equal. Gains over the plain head are paired; their {level(view.result.config.statistics.confidence)}"
            " intervals hold for all approaches together and say nothing of another training.",
            tone="small",
        )
    ]
    for each in found:
        blocks += _mitigation(each)
    return Section("mitigation", "Do heads that treat groups alike do so?", tuple(blocks))


def _mitigation(found: Mitigation) -> list[Block]:
    title = f"{spoken(found.label)} by {spoken(found.attribute)}"
    if not found.arms:
        return without_value([(title, found.not_computable)])
    text = (
        f"{counted(found.n, 'image')}, folds by {display(found.unit)} ({found.units:,}), {counted(found.dimensions, 'principal coordinate')};"
        f" groups {listed([clipped(x, 20) for x in found.groups])}; {counted(len(found.classes), 'class', 'classes')} that all of them"
        f" have, the rarest group and class with {counted(found.least_cell, 'image')}."
    )
    return [
        Heading(title),
        Prose(text),
        table_of(
            f"{title}: each approach",
            found.arms,
            left("approach", lambda x: x.arm),
            right("F", lambda x: coefficient(x.fairness)),
            right(
                "worst group", lambda x: f"{clipped(x.worst_group, 14)} {percent(x.worst)}", wrap=8
            ),
            right("best group", lambda x: percent(x.best), wrap=8),
            right("accuracy", lambda x: percent(x.accuracy)),
            left(
                "", lambda x: Sign("fails", "levelling down") if x.levelling_down else "", wrap=10
            ),
            note="Groups: mean recall. Levelling down: F rose more because the best group fell than because the worst rose.",
        ),
        table_of(
            f"{title}: gains over the plain head",
            found.arms[1:],
            left("approach", lambda x: x.arm),
            right("F", lambda x: f_gained(x.fairness_gain), wrap=12),
            right("worst group, points", lambda x: points_gained(x.worst_gain), wrap=12),
            right("accuracy, points", lambda x: points_gained(x.accuracy_gain), wrap=12),
        ),
        Charts(lambda: [gains(found)]),
        Bullets(
            tuple(
                f"{each.method}: a {each.by} probe reads {display(found.attribute)} {before_after(each)}, chance {percent(each.chance)}."
                for each in found.probes
            )
        ),
        *without_value([(name, ((name, reason),)) for name, reason in found.not_computable]),
    ]
