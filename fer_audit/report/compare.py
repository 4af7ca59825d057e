"""A Comparison for people and for programs: two runs side by side on a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from fer_audit.audit.types.compare import Comparison, ComparisonFinding, RunFacts, TextDifference
from fer_audit.report.compare_tables import associations, cross_table, rung_changes, shares
from fer_audit.report.files.codec import encode
from fer_audit.report.render.any_encoding import AnyEncoding
from fer_audit.report.settings import level_words
from fer_audit.report.tables import Column, Grid, Heading, Item, plain, prose
from fer_audit.report.verdict_section import SEVERITY_MARKS
from fer_audit.text import clipped, coefficient, large, number, p_phrase, percent, span, whole

_MARK_WIDTH = max(mark.cell_len for mark in SEVERITY_MARKS.values())
ABSENT = "–"


def comparison_json(comparison: Comparison) -> str:
    """Return the comparison as docs/compare.md describes it; the same comparison gives the same bytes.

    Raises ValueError for NaN and infinity, which no field may hold.
    """
    document = encode(comparison, Comparison)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def comparison_view(comparison: Comparison) -> RenderableType:
    """Return the comparison for a terminal. It fits any width and needs no colour."""
    level = level_words(comparison.confidence)
    parts: list[RenderableType] = [
        Text.assemble(("fer-audit", "bold cyan"), "  ", Text("two runs compared", "bold")),
        Text(""),
        _runs(comparison),
        Heading("What changed?"),
        *map(_sentence, comparison.findings),
        *_agreement(comparison, level),
        *associations(comparison, level),
        *rung_changes(comparison),
        *shares(comparison, level),
        *_differences(comparison),
    ]
    return AnyEncoding(Group(*parts))


def _sentence(finding: ComparisonFinding) -> RenderableType:
    return Item(SEVERITY_MARKS[finding.severity], plain(finding.text), _MARK_WIDTH)


def _runs(comparison: Comparison) -> Grid:
    """Return what was run, a fact a line, both runs beside each other."""
    columns = [
        Column(Text("run"), squeeze=8),
        Column(plain(clipped(comparison.first.name, 60)), squeeze=12),
        Column(plain(clipped(comparison.second.name, 60)), squeeze=12),
        Column(Text("")),
    ]
    first, second = _facts(comparison.first), _facts(comparison.second)
    rows = [
        [Text(name), plain(one), plain(two), Text("" if one == two else "differs", "bold")]
        for (name, one), (_, two) in zip(first, second, strict=True)
    ]
    return Grid(columns, rows, cap=120)


def _facts(run: RunFacts) -> list[tuple[str, str]]:
    model, vectors = run.model, run.vectors
    return [
        ("set", clipped(run.dataset, 60)),
        ("images", f"{run.listed:,} listed, {run.ok:,} ok"),
        ("model", "none" if model is None else clipped(model.name, 60)),
        ("precision", ABSENT if model is None else clipped(model.precision, 20)),
        ("ran on", ABSENT if model is None else clipped(model.provider, 40)),
        ("seed", ABSENT if run.seed is None else clipped(run.seed, 20)),
        ("clusters", "none" if run.k is None else f"{run.k}"),
        ("inertia", ABSENT if run.inertia is None else large(run.inertia)),
        ("zero features", ABSENT if vectors is None else percent(vectors.zero_share)),
        (
            "vector length",
            ABSENT
            if vectors is None or vectors.norm_mean is None
            else f"{number(vectors.norm_mean)} (sd {number(vectors.norm_sd)})",
        ),
    ]


def _agreement(comparison: Comparison, level: str) -> list[RenderableType]:
    parts: list[RenderableType] = [Heading("Do the clusters agree?")]
    found = comparison.agreement
    if found.ari is None:
        reason = dict(found.not_computable).get("ari", "")
        return [*parts, prose(f"Not computable: {reason}.")]
    parts.append(
        prose(
            f"ARI {coefficient(found.ari)} ({level}interval {span(found.low, found.high)}),"
            f" {p_phrase(found.p)} against shuffled labels, 95 % of which stay under {coefficient(found.null_95)};"
            f" AMI {coefficient(found.ami)}; {whole(found.n)} images."
            " 1 is the same partition, 0 no more alike than chance; the numbers of the clusters do not matter."
        )
    )
    return [*parts, Text(""), *cross_table(found)]


def _differences(comparison: Comparison) -> list[RenderableType]:
    parts: list[RenderableType] = [Heading("What was set differently?")]
    sections = (
        ("model", comparison.model),
        ("setting", comparison.settings),
        ("version", comparison.versions),
    )
    if not any(entries for _, entries in sections):
        return [*parts, prose("Model, settings and versions are the same.")]
    for title, entries in sections:
        if entries:
            parts += [_difference_grid(title, entries), Text("")]
    return parts[:-1]


def _difference_grid(title: str, entries: Sequence[TextDifference]) -> Grid:
    columns = [
        Column(Text(title), squeeze=10),
        Column(Text("first"), squeeze=10),
        Column(Text("second"), squeeze=10),
    ]
    rows = [
        [plain(clipped(each.name, 40)), _value(each.first), _value(each.second)]
        for each in entries
    ]
    return Grid(columns, rows, cap=140)


def _value(text: str | None) -> Text:
    """Return a setting; an absent one and an empty one are told apart."""
    if text is None:
        return Text("not there", "italic")
    return plain(clipped(text, 80)) if text else Text("empty", "italic")
