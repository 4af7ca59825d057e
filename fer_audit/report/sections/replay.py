"""Would a small study have said the same? Many random samples, each clustered and audited again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_audit.audit.types.claims import GroupSpread, Replay, ReplayAttribute
from fer_audit.report.blocks import (
    Block,
    Bullets,
    Cell,
    Charts,
    Column,
    Heading,
    Interval,
    Prose,
    Section,
    Table,
)
from fer_audit.report.sections.values import estimate, spoken, without_value, zero
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

if TYPE_CHECKING:
    from fer_audit.report.charts.chart import Chart


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
        full = max(end for end in ends if end is not None)
        blocks.append(
            Table(
                "The studies and the whole set",
                (
                    Column("attribute", wrap=9),
                    Column("studies", right=True, drop=2),
                    Column("V~ of the studies", right=True, wrap=11),
                    Column("", drop=1),
                    Column("whole set", right=True, wrap=5),
                    Column("other largest", right=True, wrap=7),
                    Column("other under", right=True, wrap=6),
                    Column('p says "clusters differ"', right=True, wrap=10),
                ),
                tuple(_study(each, full) for each in computed),
                note=(
                    f"V~: the mean, and where {view.level}of the studies lie. Other largest, other under: studies that name"
                    " another largest group, or other under-represented groups, than the whole set does. In brackets: whether"
                    " p of the whole set says so."
                ),
            )
        )
        blocks += [
            Charts(lambda: _charts(view)),
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


def _charts(view: View) -> list[Chart | None]:
    from fer_audit.report.charts.studies import histogram

    result, facts = view.result, view.result.clustering
    if result.replay is None:
        return []
    k = None if facts is None else facts.k
    return [
        histogram(each, result.replay, result.published, k=k, level=view.level)
        for each in result.replay.attributes
    ]


def _study(each: ReplayAttribute, full: float) -> tuple[Cell, ...]:
    value, low, high = each.v_corrected or 0.0, each.v_corrected_low, each.v_corrected_high
    whole_set = {True: "yes", False: "no", None: NO_VALUE}[each.full_called_different]
    return (
        spoken(each.attribute),
        whole(each.studies),
        estimate(value, low, high),
        "" if low is None or high is None else Interval(value, low, high, full, each.v_full),
        or_dash(each.v_full, zero),
        or_dash(each.other_largest, percent),
        or_dash(each.other_under_represented, percent),
        f"{or_dash(each.called_different, percent)} ({whole_set})",
    )


def _least_sure(each: ReplayAttribute, level: str) -> list[str]:
    """Return the group whose share a small study gets most wrong, for its size."""
    present = [group for group in each.groups if group.share > 0]
    if not present:
        return []
    worst = max(present, key=_uncertainty)
    return [
        f"{spoken(each.attribute)}: least sure is {clipped(worst.group, 28)}, {percent(worst.share)} of the set;"
        f" {level}of the studies say {percent_span(worst.low, worst.high)} %."
    ]


def _uncertainty(group: GroupSpread) -> float:
    return (group.high - group.low) / group.share


def _published(view: View) -> Table:
    rows = tuple(
        (
            clipped(each.source, 120),
            spoken(each.attribute),
            whole(each.n),
            f"{each.k}",
            coefficient(each.v),
            zero(each.v_corrected),
            p_text(each.p),
        )
        for each in view.result.published
    )
    columns = (
        Column("published", wrap=20),
        Column("attribute", wrap=9),
        *(Column(name, right=True) for name in ("images", "k", "V", "V~", "p")),
    )
    return Table("What was published about this set", columns, rows)


def _reclustered(view: View) -> list[Block]:
    """Return V~ with its interval, clusters fixed and clustered again in every resample."""
    found = view.result.recluster
    rows = []
    for each in found:
        fixed = view.association(each.attribute)
        rows.append(
            (
                spoken(each.attribute),
                whole(each.resamples),
                NO_VALUE if fixed is None else estimate(fixed.v_corrected, fixed.low, fixed.high),
                NONE
                if each.v_corrected is None
                else estimate(each.v_corrected, each.low, each.high),
            )
        )
    columns = (
        Column("attribute", wrap=9),
        Column("resamples", right=True),
        Column(f"V~, clusters fixed ({view.level}interval)", right=True, wrap=13),
        Column(f"V~, clustered again ({view.level}interval)", right=True, wrap=13),
    )
    return [
        Heading("How sure is it when the clusters are made again?"),
        Table(
            "V~ over resamples that were clustered again",
            columns,
            tuple(rows),
            note="Clustered again in every bootstrap resample: the clusters are part of the uncertainty.",
        ),
        *without_value(
            (spoken(each.attribute), each.not_computable)
            for each in found
            if each.v_corrected is None
        ),
    ]
