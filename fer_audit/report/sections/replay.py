"""Would a small study have said the same? Many random samples, each clustered and audited again."""

from __future__ import annotations

from fer_audit.audit.types.stability import Replay, ReplayAttribute
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Cell,
    Charts,
    Heading,
    Interval,
    Prose,
    Section,
    Table,
)
from fer_audit.report.charts.replay import histogram
from fer_audit.report.sections.values import (
    corrected,
    estimate,
    left,
    right,
    spoken,
    table_of,
    without_value,
    zero,
)
from fer_audit.report.view import View
from fer_audit.text import (
    NO_VALUE,
    NONE,
    clipped,
    coefficient,
    counted,
    or_dash,
    p_text,
    percent,
    percent_span,
    whole,
)


def replay(view: View) -> Section:
    """Return what small studies of this set would have said, what was published, and V~ with the clustering done again."""
    result = view.result
    if result.replay is None:
        why = (
            "the set has too few images for a study (--replay-size makes it smaller)"
            if result.config.statistics.replay
            else "none were asked for (--replay 200 draws them)"
        )
        blocks: list[Block] = [Prose(f"No studies were drawn: {why}.", "detail")]
    else:
        blocks = _studies(view, result.replay)
    if result.published:
        blocks.append(_published(view))
    if result.recluster:
        blocks += _reclustered(view)
    return Section("replay", "Would a small study have said the same?", tuple(blocks))


def _studies(view: View, found: Replay) -> list[Block]:
    blocks: list[Block] = [
        Prose(
            f"{counted(found.studies, 'random sample')} of {counted(found.size, 'image')} of this set, each clustered and"
            " audited again: what would its authors have written?",
            tone="lead",
        )
    ]
    computed = [each for each in found.attributes if each.v_corrected is not None]
    if computed:
        ends = [
            end
            for each in computed
            for end in (each.v_corrected_high, each.v_corrected, each.v_full)
        ]
        clustering = view.result.clustering
        k = None if clustering is None else clustering.k
        full = max(end for end in ends if end is not None)
        blocks.append(
            table_of(
                "The studies and the whole set",
                computed,
                left("attribute", lambda x: spoken(x.attribute), wrap=9),
                right("studies", lambda x: whole(x.studies), drop=2),
                right("V~ of the studies", _mean, wrap=11),
                left("", lambda x: _spread(x, full), drop=1),
                right("whole set", lambda x: or_dash(x.v_full, zero), wrap=5),
                right("other largest", lambda x: or_dash(x.other_largest, percent), wrap=7),
                right(
                    "other under", lambda x: or_dash(x.other_under_represented, percent), wrap=6
                ),
                right('p says "clusters differ"', _differ, wrap=10),
                note=(
                    f"V~: the mean, and where {view.level}of the studies lie. Other largest, other under: studies that name"
                    " another largest group, or other under-represented groups, than the whole set does. In brackets: whether"
                    " p of the whole set says so."
                ),
            )
        )
        blocks += [
            Charts(
                lambda: [
                    histogram(each, found, view.result.published, k=k, level=view.level)
                    for each in found.attributes
                ]
            ),
            Prose(
                f"The grey ground holds the middle {view.level}of the studies. The solid line is the whole set; a dashed one"
                " is a published study of as many images and clusters.",
                "detail",
                "small",
            ),
        ]
    blocks += without_value(
        (spoken(each.attribute), each.not_computable)
        for each in found.attributes
        if each.v_corrected is None
    )
    least_sure = tuple(text for x in found.attributes for text in _least_sure(x, view.level))
    return [*blocks, *([Bullets(least_sure)] if least_sure else [])]


def _mean(each: ReplayAttribute) -> str:
    return estimate(each.v_corrected, each.v_corrected_low, each.v_corrected_high)


def _spread(each: ReplayAttribute, full: float) -> Cell:
    value, low, high = each.v_corrected or 0.0, each.v_corrected_low, each.v_corrected_high
    return "" if low is None or high is None else Interval(value, low, high, full, each.v_full)


def _differ(each: ReplayAttribute) -> str:
    whole_set = {True: "yes", False: "no", None: NO_VALUE}[each.full_called_different]
    return f"{or_dash(each.called_different, percent)} ({whole_set})"


def _least_sure(each: ReplayAttribute, level: str) -> list[str]:
    """Return the group whose share a small study gets most wrong, for its size."""
    present = [group for group in each.groups if group.share > 0]
    if not present:
        return []
    worst = max(present, key=lambda group: (group.high - group.low) / group.share)
    return [
        f"{spoken(each.attribute)}: least sure is {clipped(worst.group, 28)}, {percent(worst.share)} of the set;"
        f" {level}of the studies say {percent_span(worst.low, worst.high)} %."
    ]


def _published(view: View) -> Table:
    return table_of(
        "What was published about this set",
        view.result.published,
        left("published", lambda x: clipped(x.source, 120), wrap=20),
        left("attribute", lambda x: spoken(x.attribute), wrap=9),
        right("images", lambda x: whole(x.n)),
        right("k", lambda x: f"{x.k}"),
        right("V", lambda x: coefficient(x.v)),
        right("V~", lambda x: zero(x.v_corrected)),
        right("p", lambda x: p_text(x.p)),
        note="A study may have prepared its images otherwise, and its value is then no estimate of these: the origin study"
        " fed RGB / 255 to a network made for other numbers (resnet50-keras-paper does the same).",
    )


def _reclustered(view: View) -> list[Block]:
    """Return V~ with its interval, clusters fixed and clustered again in every resample."""
    found = view.result.recluster

    def fixed(attribute: str) -> str:
        association = view.association(attribute)
        return NO_VALUE if association is None else corrected(association)

    return [
        Heading("How sure is it when the clusters are made again?"),
        table_of(
            "V~ over resamples that were clustered again",
            found,
            left("attribute", lambda x: spoken(x.attribute), wrap=9),
            right("resamples", lambda x: whole(x.resamples)),
            right(
                f"V~, clusters fixed ({view.level}interval)", lambda x: fixed(x.attribute), wrap=13
            ),
            right(
                f"V~, clustered again ({view.level}interval)",
                lambda x: NONE if x.v_corrected is None else corrected(x),
                wrap=13,
            ),
            note="Clustered again in every bootstrap resample: the clusters are part of the uncertainty.",
        ),
        *without_value(
            (spoken(each.attribute), each.not_computable)
            for each in found
            if each.v_corrected is None
        ),
    ]
