"""Findings about remedies that were tried out: what an erasure leaves and costs, and which heads treat groups alike."""

from __future__ import annotations

from collections.abc import Iterator

from fer_audit.audit.types.lists import SUSPECTS
from fer_audit.audit.types.remedy_words import before_after, f_gained, points_gained
from fer_audit.audit.types.result import AuditResult, Finding
from fer_audit.text import (
    coefficient,
    counted,
    display,
    percent,
    rounded_percent,
    whole,
)

COST = 0.01
"""Balanced accuracy that another attribute loses from which the cost is named."""
NEARLY_EQUAL = 0.95
"""F from which nothing needs to be done."""
PROBES = {"linear": "linear classifier", "neighbours": "nearest-neighbour vote"}


def suspect_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield one finding for all labels that held-out probes contradict, if there are such."""
    found = [each for each in result.label_suspects if each.listed]
    if not found:
        return
    total = sum(each.listed for each in found)
    yield Finding(
        code="label_suspects",
        severity="know",
        text=f"{counted(total, 'label')} may be wrong: classifiers that had not seen the image are sure of another one.",
        attribute=found[0].attribute if len(found) == 1 else "",
        effect=0.2,
        figures="; ".join(
            f"{display(each.attribute)} {whole(each.listed)} of {whole(each.n)}, the classifier finds {percent(each.recall)} of its groups"
            for each in found
        ),
        do="Look at the first rows of the list: further down, many are the classifier's own errors.",
        files=SUSPECTS,
        values=tuple((f"{each.attribute}.label_suspects", each.listed) for each in found),
    )


def erasure_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield one finding for each attribute whose erasure could be tried out, by LEACE: it moves the vectors least."""
    for each in result.erasures:
        probes = [x for x in each.found if x.by in PROBES]
        own = [x for x in probes if x.attribute == each.attribute]
        if not own or each.keeps:
            continue
        name = display(each.attribute)
        read = [x for x in own if x.after.low > (x.chance or 0)]
        if all(x.before.low <= (x.chance or 0) for x in own):
            text = f"No probe reads {name} from these vectors, so there is nothing to erase."
        elif read:
            best = max(read, key=lambda x: x.after.value)
            text = f"After {name} is erased, a {PROBES[best.by]} still reads it on new images: {rounded_percent(best.after.value)} right."
        else:
            text = f"After {name} is erased, no probe that was tried reads it better than chance."
        costs = [x for x in probes if x.attribute != each.attribute]
        lost = [x for x in costs if x.before.value - x.after.value >= COST]
        yield Finding(
            code="erasure",
            severity="know",
            text=text,
            attribute=each.attribute,
            effect=0.3,
            figures="; ".join(
                [
                    *(
                        f"{PROBES[x.by]} {before_after(x)}, chance {percent(x.chance)}"
                        for x in own
                    ),
                    *(
                        f"strength of clusters {coefficient(x.before.value)} before, {coefficient(x.after.value)} after"
                        for x in each.found[:1]
                        if x.by == "clusters"
                    ),
                    *(f"a linear probe of {display(x.attribute)} {before_after(x)}" for x in lost),
                    f"{each.method}, {counted(each.n, 'image')}, halves by {display(each.unit)}",
                ]
            ),
            do="Erase it only where a linear classifier follows: nothing is promised for any other.",
            values=tuple(
                (f"{x.by}.{x.attribute}.{side}", value.value)
                for x in each.found
                for side, value in (("before", x.before), ("after", x.after))
            ),
        )


def mitigation_findings(result: AuditResult) -> Iterator[Finding]:
    """Yield one finding for each label and attribute whose heads could be compared."""
    for each in result.mitigations:
        if not each.arms:
            continue
        base, *others = each.arms
        better = [x for x in others if x.fairness_gain.low > 0]
        level = [x for x in better if x.levelling_down]
        fair = [x for x in better if not x.levelling_down]
        paying = [x for x in better if x.accuracy_gain.high < 0]
        what = f"{display(each.label)} across {display(each.attribute)}"
        best = ""
        if fair:
            most = max(fair, key=lambda x: x.fairness_gain.value)
            best = most.arm
            text = f"The {best} head makes recall of {what} most equal: F {coefficient(base.fairness)} becomes {coefficient(most.fairness)}."
        elif level:
            text = f"Recall of {what} becomes more equal only where the best group falls."
        else:
            text = (
                f"No way of training a linear head makes recall of {what} measurably more equal."
            )
        warned = [f"{x.arm}: F rose because the best group fell (levelling down)" for x in level]
        warned += [
            f"{x.arm} costs accuracy, {points_gained(x.accuracy_gain)} points" for x in paying
        ]
        yield Finding(
            code="mitigation",
            severity="know",
            text=text,
            attribute=each.attribute,
            effect=0.3 + max((x.fairness_gain.value for x in fair), default=0.0) / 4,
            figures="; ".join(
                [
                    f"F {coefficient(base.fairness)}, worst group {base.worst_group} {percent(base.worst)}, accuracy {percent(base.accuracy)}",
                    *(f"{x.arm} {f_gained(x.fairness_gain)}" for x in others),
                    *warned,
                    f"probe-level analogues, {counted(each.n, 'image')}, held out by {display(each.unit)}",
                ]
            ),
            do=_advice(best, base.fairness, level=bool(level)),
            values=tuple((f"F.{x.arm}", x.fairness) for x in each.arms),
        )


def _advice(best: str, base: float, *, level: bool) -> str:
    if best == "attribute-aware":
        return (
            "It must be told the group of every image; where that is not wanted, see the others."
        )
    if level:
        return "Do not take a higher F for a better model where the best group pays for it."
    if base >= NEARLY_EQUAL:
        return "Nothing: the plain head treats these groups nearly alike on these vectors."
    return (
        "Try the approach on the network itself: a head cannot mend what the vectors do not hold."
    )
