"""Who is in the set: composition, ages, intersections, copies and conflicts, and what is known to be wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.composition import RejectCount, Representation, SubsetCheck
from fer_audit.report.charts.chart import Chart, Sheet, key_of
from fer_audit.report.charts.intersections import heatmap, smallest_sheet
from fer_audit.report.charts.people import composition, composition_sheet, pyramid
from fer_audit.report.page.blocks import Block, Bullets, Charts, Heading, Prose, Section, Table
from fer_audit.report.page.context import Context
from fer_audit.text import coefficient, counted, listed, number, p_phrase, p_text, percent, whole


def people_charts(context: Context) -> list[Chart]:
    """Return the charts of this section that can be drawn."""
    result = context.result
    found = [composition(each, context.palette, context.level) for each in result.representation]
    found += [pyramid(result.intersections, context.palette), heatmap(result.intersections)]
    return [chart for chart in found if chart is not None]


def people(context: Context) -> Section:
    """Return the section."""
    result = context.result
    blocks: list[Block] = []
    charts = people_charts(context)
    if not result.representation:
        blocks.append(Prose("No attribute: the set has no labels, so nobody can be counted."))
    bars = tuple(chart for chart in charts if not chart.wide)
    if bars:
        targets = sorted(
            {each.target.target for each in result.representation if each.kind == "demographic"}
        )
        note = f"Lines are {context.level}Wilson intervals."
        note += f" Diamonds mark the target: {listed(targets)} shares." if targets else ""
        blocks += [Prose(note, "small"), Charts(bars)]
    drawn = {chart.key for chart in bars}
    blocks += [
        Table(
            f"{each.attribute}: {counted(len(each.groups), 'group')}, too many to draw",
            composition_sheet(each, context.level),
        )
        for each in result.representation
        if key_of("composition", each.attribute) not in drawn and each.groups
    ]
    blocks += _diversity(result.representation)
    blocks += [Charts((chart,)) for chart in charts if chart.wide]
    blocks += _ages(context) + _small_cells(context)
    blocks += _copies(context) + _defects(context) + _draws(context)
    return Section("people", "Who is in the set", tuple(blocks))


def _diversity(found: Sequence[Representation]) -> list[Block]:
    rows = tuple(
        (
            each.attribute,
            str(each.indices.R),
            number(each.indices.ENS),
            number(each.indices.inverse_D),
            number(each.indices.SEI),
            number(each.indices.NSD),
            number(each.indices.IR),
            number(each.indices.BP),
            f"{each.target.target}: {coefficient(each.target.tv)}",
            p_text(each.target.p),
        )
        for each in found
        if each.kind in ("demographic", "label")
    )
    if not rows:
        return []
    columns = ("attribute", "R", "ENS", "1/D", "SEI", "NSD", "IR", "BP", "TV to the target", "p")
    return [
        Table("Diversity indices and distance to the target", Sheet(columns, rows)),
    ]


def _ages(context: Context) -> list[Block]:
    heaping = context.result.age_heaping
    if heaping is None or heaping.whipple is None:
        return []
    return [
        Prose(
            f"Whipple's index of the ages is {heaping.whipple:.1f} over {counted(heaping.n, 'image')} aged 23 to 62:"
            " 100 means no preference for ages ending in 0 or 5, 500 only such ages."
        )
    ]


def _small_cells(context: Context) -> list[Block]:
    found = context.result.intersections
    if found is None or not found.smallest:
        return []
    return [
        Prose(
            f"Of {counted(found.cells, 'combination')} of {' × '.join(found.attributes)}, {whole(found.empty)} have no"
            f" image and {whole(found.under_30)} have 1 to 29 ({counted(found.n, 'image')} with all labels)."
        ),
        Table("The smallest combinations", smallest_sheet(found)),
    ]


def _copies(context: Context) -> list[Block]:
    found = context.result.duplicates
    blocks: list[Block] = [Heading("Copies and conflicting labels")]
    if not found.groups:
        return [*blocks, Prose("No two files are byte-identical.")]
    left = (
        f"{counted(found.left_out, 'copy', 'copies')} left out of the tests."
        if found.left_out
        else "all kept in the tests."
    )
    blocks.append(
        Prose(
            f"{counted(found.files, 'file')} in {counted(found.groups, 'group')} of byte-identical files; {left}"
        )
    )
    conflicts = tuple((each.name, whole(each.count)) for each in found.conflicts if each.count)
    if conflicts:
        blocks.append(
            Table(
                "Groups whose copies disagree, so at least one label is wrong",
                Sheet(("label", "groups"), conflicts),
                open=True,
            )
        )
    examples = tuple((" = ".join(each),) for each in found.examples)
    if examples:
        blocks.append(Table("Examples", Sheet(("identical files",), examples)))
    return blocks


def _defects(context: Context) -> list[Block]:
    facts = context.result.dataset
    blocks: list[Block] = [
        Heading("Known defects, files and labels"),
        Prose(
            f"{whole(facts.listed)} files listed = {whole(facts.ok)} ok + {whole(facts.failed)} failed;"
            f" {whole(facts.fully_labelled)} carry all labels."
        ),
    ]
    if facts.notes:
        blocks.append(Bullets(facts.notes))
    for title, reasons in (
        ("Failed: could not be embedded", facts.failures),
        ("Flagged: ok but odd", facts.flags),
        ("Rejected: labels that could not be read", facts.rejects),
    ):
        if reasons:
            blocks.append(Table(title, _reasons(reasons), open=True))
    return blocks


def _reasons(reasons: Sequence[RejectCount]) -> Sheet:
    return Sheet(
        ("reason", "count", "for example"),
        tuple((each.reason, whole(each.count), ", ".join(each.examples)) for each in reasons),
    )


def _draws(context: Context) -> list[Block]:
    checks = context.result.subset_checks
    if not checks:
        return []
    blocks: list[Block] = [Heading("Is this sample a fair draw?")]
    for check in checks:
        blocks += _draw(check, context.alpha)
    return blocks


def _draw(check: SubsetCheck, alpha: float) -> list[Block]:
    subject = f"{check.attribute} against {check.reference}"
    if check.p is None:
        reasons = "; ".join(dict.fromkeys(reason for _, reason in check.not_computable))
        return [Prose(f"{subject}: not computable ({reasons}).")]
    verdict = "unlike the set" if check.p <= alpha else "as a fair draw would be"
    text = f"{subject}: {verdict}, {p_phrase(check.p)}"
    text += f" ({check.method})" if check.method else ""
    if check.tv is not None:
        text += f"; {percent(check.tv)} of the images would have to change group"
    rows = tuple(
        (
            each.name,
            percent(each.share),
            whole(each.count),
            percent(each.reference_share),
            p_text(each.p),
        )
        for each in check.groups
    )
    columns = ("group", "here", "images", "in the set", "exact p")
    return [Prose(text + "."), Table(f"Groups: {subject}", Sheet(columns, rows))]
