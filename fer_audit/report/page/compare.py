"""The comparison of two runs as a page, and its charts as files. It needs nothing but the `Comparison`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fer_audit.audit.types.compare import (
    AttributeComparison,
    Comparison,
    ComparisonFinding,
    RunAssociation,
    RunFacts,
    TextDifference,
)
from fer_audit.report.charts.chart import Chart, Sheet
from fer_audit.report.charts.compare import SIGNS, Runs, cross_map, last_folder, run_names
from fer_audit.report.page.blocks import (
    Block,
    Bullets,
    Climb,
    Definitions,
    Facts,
    Heading,
    Page,
    Prose,
    Section,
    Statement,
    Statements,
    Step,
    Table,
)
from fer_audit.report.page.compare_parts import (
    claim_charts,
    claims_stand,
    clusters_agree,
    share_charts,
    who_is_in_them,
)
from fer_audit.report.page.definitions import COMPARISON_DEFINITIONS
from fer_audit.report.page.render import render_page
from fer_audit.text import clipped, counted, large, number, percent, whole

NONE = "–"
_STEPS: dict[str, str] = {
    "holds": "holds",
    "does not hold": "fails",
    "not computable": "unknown",
    "skipped": "skipped",
    "not asked": "skipped",
}
CANNOT_SAY = (
    "Which run is right. Two runs that agree can be wrong together, and a partition is not better for being the first.",
    "What made a number change, where more than one thing was set differently. Change one thing at a time.",
    "That two values are equal because their intervals overlap, or that they differ for a reason because they do not:"
    " both runs may hold the same images.",
    "Anything from the numbers of the clusters. Cluster 0 of one run is not cluster 0 of the other; the pairs that match"
    " are shown below.",
    "Anything about people outside the two sets, or whether a model is fair.",
)
_ABSOLUTE = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[\\/]")


def comparison_page(comparison: Comparison) -> str:
    """Return the page of two runs. It rests on the comparison alone: the same one gives the same bytes."""
    runs = run_names(comparison)
    shown = [clipped(name, 60) for name in runs]
    page = Page(
        title=f"{shown[0]} and {shown[1]}: fer-audit comparison",
        heading=f"{shown[0]} and {shown[1]}",
        facts=(
            "two runs compared",
            f"● first: {shown[0]}",
            f"◇ second: {shown[1]}",
            f"{counted(comparison.images.common, 'image')} in both",
        ),
        alarm="",
        sections=(
            _changed(comparison, runs),
            _what_was_run(comparison, runs),
            clusters_agree(comparison, runs),
            claims_stand(comparison, runs),
            who_is_in_them(comparison, runs),
            _differences(comparison),
            Section("method", "Method", (Definitions(COMPARISON_DEFINITIONS),)),
        ),
        footer="Made by fer-audit from two finished runs. This page asks for nothing outside itself.",
    )
    return render_page(page)


def comparison_charts(comparison: Comparison) -> list[Chart]:
    """Return every chart of the comparison, in the order of the page."""
    runs = run_names(comparison)
    found = (
        cross_map(comparison.agreement, runs),
        *claim_charts(comparison, runs),
        *share_charts(comparison, runs),
    )
    return [chart for chart in found if chart is not None]


def _changed(comparison: Comparison, runs: Runs) -> Section:
    statements = tuple(
        Statement(each.severity, each.text, _climbs(each, comparison, runs))
        for each in comparison.findings
    )
    blocks: list[Block] = [Statements(statements)]
    if any(each.climbs for each in statements):
        blocks.append(
            Prose(
                "Each small ladder has one bar for each question that a claim must answer. Filled: it holds. Hatched: it"
                " does not. Dotted: it was skipped, not asked or not computable. The number is the last one that held"
                " before one did not.",
                "small",
            )
        )
    blocks += [Heading("What a comparison cannot say"), Bullets(CANNOT_SAY)]
    return Section("changed", "What changed", tuple(blocks))


def _climbs(finding: ComparisonFinding, comparison: Comparison, runs: Runs) -> tuple[Climb, ...]:
    if finding.code != "rungs":
        return ()
    each = next((one for one in comparison.attributes if one.attribute == finding.attribute), None)
    if each is None:
        return ()
    climbs = (_climb(each, each.first, 0, runs), _climb(each, each.second, 1, runs))
    return tuple(climb for climb in climbs if climb is not None)


def _climb(
    each: AttributeComparison, one: RunAssociation | None, side: int, runs: Runs
) -> Climb | None:
    if one is None or one.highest is None:
        return None
    answers = [(rung, (rung.first, rung.second)[side]) for rung in each.ladder]
    steps = tuple(
        Step(rung.number, _STEPS[state]) for rung, state in answers if state != "not asked"
    )
    words = "; ".join(f"{rung.name}: {state}" for rung, state in answers)
    name = f"{('● first', '◇ second')[side]}: {clipped(runs[side], 30)}"
    return Climb(name, one.highest, steps, f"{name}, rung {one.highest} of {one.rungs}; {words}")


def _what_was_run(comparison: Comparison, runs: Runs) -> Section:
    first, second = _facts(comparison.first), _facts(comparison.second)
    rows = tuple(
        (name, one, two, "" if one == two else "differs")
        for (name, one), (_, two) in zip(first, second, strict=True)
    )
    heads = (f"{sign} {clipped(name, 40)}" for sign, name in zip(SIGNS, runs, strict=True))
    images = comparison.images
    blocks: list[Block] = [
        Table("Both runs", Sheet(("fact", *heads, "same?"), rows), open=True),
        Prose("Inertia compares only between runs on the same vectors.", "small"),
        Heading("Which images are in both"),
        Facts(
            (
                ("listed by the first", whole(images.first)),
                ("listed by the second", whole(images.second)),
                ("in both", whole(images.common)),
                ("same name and bytes", whole(images.same)),
                ("same bytes, other name", whole(images.renamed)),
                ("same name, other bytes", whole(images.changed)),
            )
        ),
    ]
    for side, names in (("first", comparison.only_first), ("second", comparison.only_second)):
        if names:
            blocks += [
                Heading(f"Attributes that only the {side} run has"),
                Bullets(tuple(clipped(name, 200) for name in names)),
            ]
    return Section("runs", "The runs", tuple(blocks))


def _facts(run: RunFacts) -> tuple[tuple[str, str], ...]:
    model, vectors = run.model, run.vectors
    length = NONE
    if vectors is not None and vectors.norm_mean is not None:
        length = f"{number(vectors.norm_mean)} (sd {number(vectors.norm_sd)})"
    return (
        ("set", clipped(run.dataset, 80)),
        ("fingerprint of the set", f"{run.fingerprint[:16]}…"),
        ("images listed", whole(run.listed)),
        ("images ok", whole(run.ok)),
        ("images failed", whole(run.failed)),
        ("model", "none" if model is None else clipped(_without_folders(model.name), 80)),
        ("model sha256", NONE if model is None else f"{model.sha256[:16]}…"),
        ("precision", NONE if model is None else clipped(model.precision, 20)),
        ("ran on", NONE if model is None else clipped(model.provider, 60)),
        ("numbers an image", NONE if model is None else whole(model.dim)),
        ("seed", NONE if run.seed is None else clipped(run.seed, 30)),
        ("clusters", "none" if run.k is None else whole(run.k)),
        ("inertia", NONE if run.inertia is None else large(run.inertia)),
        ("zero features", NONE if vectors is None else percent(vectors.zero_share)),
        ("length of a vector", length),
    )


def _differences(comparison: Comparison) -> Section:
    parts = (
        ("Model", "fact", comparison.model),
        ("Settings", "setting", comparison.settings),
        ("Versions", "package", comparison.versions),
    )
    blocks: list[Block] = [
        Table(title, _difference_sheet(name, entries), open=True)
        for title, name, entries in parts
        if entries
    ]
    blocks = blocks or [Prose("Model, settings and versions are the same.")]
    return Section("settings", "Settings and versions that differ", tuple(blocks))


def _difference_sheet(name: str, entries: Sequence[TextDifference]) -> Sheet:
    rows = tuple(
        (clipped(each.name, 60), _value(each.first), _value(each.second)) for each in entries
    )
    return Sheet((name, "first", "second"), rows)


def _value(text: str | None) -> str:
    """Return a setting; an absent one and an empty one are told apart."""
    if text is None:
        return "not there"
    return clipped(_without_folders(text), 200) if text else "empty"


def _without_folders(text: str) -> str:
    """Return a path's last name: where it lay on a disk is nobody's business."""
    if not _ABSOLUTE.match(text):
        return text
    return f"…/{last_folder(text)}"
