"""What do the weights do?"""

from __future__ import annotations

from fer_audit.audit.types.weighted import Weighted
from fer_audit.report.blocks import Block, Prose, Section
from fer_audit.report.sections.values import left, right, spoken, table_of, zero
from fer_audit.report.view import View
from fer_audit.text import counted, or_dash, percent, percent_span, whole


def weighted(view: View) -> Section | None:
    """Return the shares and strengths with weights; None without weights."""
    found = view.result.weighted
    if not found:
        return None
    strengths = table_of(
        "Strength of the clusters",
        found,
        left("attribute", lambda x: spoken(x.attribute)),
        right("as it is", lambda x: or_dash(x.v_corrected, zero)),
        right("weighted", lambda x: or_dash(x.v_weighted, zero)),
        right("images", lambda x: whole(x.n)),
        right("worth", lambda x: whole(round(x.effective_n))),
        note="Worth: as many images of equal weight would estimate a share as well (Kish).",
    )
    blocks: list[Block] = [
        Prose(
            "Every other number of this report counts each image once; weights change no cluster and no test."
        ),
        strengths,
        *(_shares(each) for each in found if each.groups),
    ]
    return Section("weighted", "What do the weights do?", tuple(blocks))


def _shares(each: Weighted) -> Block:
    return table_of(
        f"{spoken(each.attribute)}, {counted(each.n, 'image')}",
        each.groups,
        left("group", lambda x: x.group, wrap=10),
        right("as it is", lambda x: percent(x.share)),
        right("weighted", lambda x: f"{percent(x.weighted)} ({percent_span(x.low, x.high)})"),
    )
