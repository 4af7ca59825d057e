"""What a small study would have said."""

from __future__ import annotations

from fer_audit.report.charts.chart import Chart, Sheet
from fer_audit.report.charts.studies import histogram
from fer_audit.report.page.blocks import Block, Charts, Heading, Prose, Section, Table
from fer_audit.report.page.context import Context
from fer_audit.text import because, coefficient, counted, number, p_text, span, whole


def replay_charts(context: Context) -> list[Chart]:
    """Return a histogram for each attribute."""
    found = context.result.replay
    if found is None:
        return []
    facts = context.result.clustering
    k = None if facts is None else facts.k
    charts = [
        histogram(each, found, context.result.published, k=k, level=context.level)
        for each in found.attributes
    ]
    return [chart for chart in charts if chart is not None]


def replay(context: Context) -> Section:
    """Return the section."""
    result = context.result
    blocks: list[Block] = []
    if result.replay is None:
        why = (
            "the set has too few images for a study (--replay-size makes it smaller)"
            if result.config.statistics.replay
            else "none were asked for (--replay 200 draws them)"
        )
        blocks.append(Prose(f"No studies were drawn: {why}."))
    else:
        blocks.append(
            Prose(
                f"{counted(result.replay.studies, 'random sample')} of {counted(result.replay.size, 'image')} of this"
                " set, each clustered and audited anew: what would its authors have written?",
                "lead",
            )
        )
        charts = tuple(replay_charts(context))
        if charts:
            blocks.append(
                Prose(
                    f"The grey ground holds the middle {context.level}of the studies. The solid line is the whole set; a"
                    " dashed one is a published study of as many images and clusters.",
                    "small",
                )
            )
            blocks.append(Charts(charts))
        blocks += [
            Prose(f"{each.attribute}: {because(each.not_computable)}.")
            for each in result.replay.attributes
            if not each.studies
        ]
    if result.published:
        rows = tuple(
            (
                each.source,
                each.attribute,
                whole(each.n),
                str(each.k),
                number(each.v, 3),
                number(each.v_corrected, 3),
                p_text(each.p),
            )
            for each in result.published
        )
        columns = ("published", "attribute", "images", "k", "V", "V~", "p")
        blocks.append(Table("What was published about UTKFace", Sheet(columns, rows), open=True))
    if result.recluster:
        rows_r = tuple(
            (
                each.attribute,
                whole(each.resamples),
                because(each.not_computable)
                if each.v_corrected is None
                else f"{coefficient(each.v_corrected)} ({span(each.low, each.high)})",
            )
            for each in result.recluster
        )
        blocks += [
            Heading("With the clustering done again in every resample"),
            Table(
                "V~ over resamples that were clustered anew",
                Sheet(("attribute", "resamples", "V~ (interval)"), rows_r),
                open=True,
            ),
        ]
    return Section("replay", "Small studies", tuple(blocks))
