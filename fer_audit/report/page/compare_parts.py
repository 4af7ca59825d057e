"""The sections of a comparison that have charts: clusters, claims, and who is in the sets."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.compare import AttributeComparison, Comparison
from fer_audit.report.charts.chart import Chart, Sheet
from fer_audit.report.charts.compare import Runs, agreement_words, cross_map, cross_sheet
from fer_audit.report.charts.compare_claims import (
    ladders_in_both,
    ladders_sheet,
    strength_in_both,
    strength_sheet,
)
from fer_audit.report.charts.compare_shares import (
    HOW_TO_READ,
    sentence,
    shares_in_both,
    shares_sheet,
)
from fer_audit.report.charts.palette import Palette, make_palette
from fer_audit.report.page.blocks import Block, Charts, Heading, Prose, Section, Table
from fer_audit.report.settings import level_words
from fer_audit.text import clipped, counted

_SHOWN_KINDS = ("demographic", "label")


def clusters_agree(comparison: Comparison, runs: Runs) -> Section:
    """Return the agreement of the two partitions in words, as a picture and as counts."""
    found = comparison.agreement
    blocks: list[Block] = [Prose(agreement_words(found, level_words(comparison.confidence)))]
    if found.ari is not None:
        blocks.append(
            Prose(
                "1 is the same partition, 0 no more alike than chance; the numbers of the clusters do not matter."
                f" p rests on {counted(found.permutations, 'drawn table')}, the interval on"
                f" {counted(found.bootstraps, 'resample')}.",
                "small",
            )
        )
    chart = cross_map(found, runs)
    if chart is not None:
        blocks.append(Charts((chart,)))
    elif found.n:
        sheet = cross_sheet(found)
        blocks.append(Table("Images in each pair of clusters", sheet))
    return Section("clusters", "Do the clusters agree?", tuple(blocks))


def claims_stand(comparison: Comparison, runs: Runs) -> Section:
    """Return how strongly clusters and attributes go together in both runs, and how far each claim climbs."""
    asked = _associated(comparison)
    strength, ladders = claim_charts(comparison, runs)
    blocks: list[Block] = []
    if not asked:
        blocks.append(
            Prose("Nothing to compare: it takes an attribute of both runs, and clusters.")
        )
    elif strength is None:
        sheet = strength_sheet(asked, _level(comparison))
        blocks.append(Table("How strongly clusters and attributes go together", sheet, open=True))
    else:
        blocks.append(Charts((strength,)))
    climbed = [each for each in asked if each.ladder]
    if ladders is not None:
        blocks.append(Charts((ladders,)))
    elif climbed:
        blocks.append(Table("How far each claim climbs", ladders_sheet(climbed)))
    gaps = _gaps(asked)
    if gaps:
        blocks.append(
            Table(
                "What could not be computed", Sheet(("attribute, run", "values", "because"), gaps)
            )
        )
    return Section("claims", "Do the claims stand?", tuple(blocks))


def claim_charts(comparison: Comparison, runs: Runs) -> tuple[Chart | None, Chart | None]:
    """Return the chart of V~ and the chart of the ladders; None where there is nothing to draw."""
    asked = _associated(comparison)
    return strength_in_both(asked, runs, _level(comparison)), ladders_in_both(asked, runs)


def _associated(comparison: Comparison) -> list[AttributeComparison]:
    return [each for each in comparison.attributes if each.first or each.second]


def _gaps(asked: Sequence[AttributeComparison]) -> tuple[tuple[str, ...], ...]:
    rows = []
    for each in asked:
        for side, one in (("first", each.first), ("second", each.second)):
            reasons = () if one is None else one.not_computable
            for reason in dict.fromkeys(reason for _, reason in reasons):
                fields = ", ".join(field for field, why in reasons if why == reason)
                rows.append((f"{clipped(each.attribute, 60)}, {side}", fields, reason))
    return tuple(rows)


def who_is_in_them(comparison: Comparison, runs: Runs) -> Section:
    """Return every group's share in both runs."""
    blocks: list[Block] = []
    people = _of_people(comparison)
    if not people:
        blocks.append(Prose("The runs have no attribute of people in common."))
    else:
        blocks.append(Prose(HOW_TO_READ, "small"))
    charts: list[Chart] = []
    for each in people:
        chart = _shares_chart(each, comparison, runs)
        if chart is not None:
            charts.append(chart)
            continue
        blocks.append(_shares_table(each, comparison))
    blocks += [Charts(tuple(charts))] if charts else []
    others = [each for each in comparison.attributes if each.kind not in _SHOWN_KINDS]
    if others:
        blocks.append(Heading("How the sets were collected"))
        blocks += [_shares_table(each, comparison) for each in others]
    return Section("people", "Who is in them?", tuple(blocks))


def share_charts(comparison: Comparison, runs: Runs) -> list[Chart | None]:
    """Return a chart for each attribute of people; None where there is nothing to draw."""
    return [_shares_chart(each, comparison, runs) for each in _of_people(comparison)]


def _of_people(comparison: Comparison) -> list[AttributeComparison]:
    return [each for each in comparison.attributes if each.kind in _SHOWN_KINDS]


def _shares_chart(each: AttributeComparison, comparison: Comparison, runs: Runs) -> Chart | None:
    return shares_in_both(
        each, runs, _palette(comparison), level=_level(comparison), alpha=comparison.alpha
    )


def _shares_table(each: AttributeComparison, comparison: Comparison) -> Table:
    title = f"{clipped(each.attribute, 60)} ({each.kind})"
    if each.reading:
        title += f". {sentence(each.reading)}"
    return Table(title, shares_sheet(each, _level(comparison), comparison.alpha))


def _palette(comparison: Comparison) -> Palette:
    attributes = [
        (each.attribute, each.kind, tuple(group.name for group in each.groups))
        for each in comparison.attributes
    ]
    return make_palette(attributes, 0)


def _level(comparison: Comparison) -> str:
    """Return the level of the intervals; nothing where the runs' own intervals have another one each."""
    if any(each.name == "confidence" for each in comparison.settings):
        return ""
    return level_words(comparison.confidence)
