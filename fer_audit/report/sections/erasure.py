"""What if an attribute were erased from the vectors?"""

from __future__ import annotations

from fer_audit.audit.types.remedies import Erasure
from fer_audit.report.blocks import Block, Charts, Heading, Prose, Section
from fer_audit.report.charts.remedies import before_and_after
from fer_audit.report.sections.values import left, right, spoken, table_of, without_value, zero
from fer_audit.report.view import View
from fer_audit.text import counted, display, or_dash, percent, span


def erasure(view: View) -> Section | None:
    """Return what each erasure leaves and costs; nothing unless --what-if asked for one."""
    found = view.result.erasures
    if not found:
        return None
    blocks: list[Block] = [
        Prose(
            "Erased is what a linear classifier could use (LEACE; SPLINCE keeps the covariance with a label). Each half of the"
            " images is erased as the other half says, clustered again, and probes are fitted and asked there. Nothing is"
            " promised for any other probe. A probe's chance is one over the number of groups; that of clusters is what 95 % of"
            " shuffled labels stay under.",
            tone="small",
        )
    ]
    for each in found:
        blocks += _erasure(each, view)
    names = " and ".join(dict.fromkeys(display(each.attribute) for each in found))
    return Section("what-if", f"What if {names} were erased?", tuple(blocks))


def _erasure(found: Erasure, view: View) -> list[Block]:
    title = spoken(found.attribute)
    title += (
        f", {spoken(found.keeps)} kept ({found.method})" if found.keeps else f" ({found.method})"
    )
    if found.not_computable:
        return without_value([(title, found.not_computable)])
    text = (
        f"{counted(found.removed, 'dimension')} of {counted(found.dimensions, 'principal coordinate')} removed, with"
        f" {percent(found.variance_removed)} of the variance; {counted(found.n, 'image')}, halves by {display(found.unit)}"
        f" ({found.units:,}), covariance {'shrunk (fewer than 10 images a dimension)' if found.shrunk else 'as it is'}."
    )
    return [
        Heading(title),
        Prose(text),
        table_of(
            f"{title}: before and after",
            found.found,
            left("found by", lambda x: x.by),
            left("of", lambda x: spoken(x.attribute, 20), wrap=9),
            right("before", lambda x: zero(x.before.value)),
            right("after", lambda x: zero(x.after.value)),
            right(f"{view.level}interval", lambda x: span(x.after.low, x.after.high)),
            right("chance", lambda x: or_dash(x.chance, zero)),
            note="Clusters: strength (V~). Probes: share recognised, mean over groups.",
        ),
        Charts(lambda: [before_and_after(found)]),
    ]
