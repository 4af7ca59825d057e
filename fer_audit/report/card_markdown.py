"""A dataset card's sections in markdown, to be pasted into the README.md of a dataset on the Hugging Face Hub.

The titles are those of huggingface_hub's dataset card template; "Considerations for Using the Data" is that of the older
template of the library datasets.
"""

from __future__ import annotations

from collections.abc import Sequence

from fer_audit.audit.types.composition import Cell, Representation
from fer_audit.audit.types.result import AuditResult
from fer_audit.report import card_claims as claims
from fer_audit.report import card_words as words
from fer_audit.report.render.markdown import bullets, heading, paragraph, table
from fer_audit.report.sections.composition import FOUR_FIFTHS
from fer_audit.report.sections.findings import CANNOT_SAY
from fer_audit.report.sections.method import run_command_line
from fer_audit.text import clipped, counted, p_text, percent, percent_span, span, whole

BEGIN = "<!-- fer-audit card: begin. Paste this into the dataset's README.md in place of the sections of the same names. -->"
END = "<!-- fer-audit card: end -->"

_FINDINGS = 12
_RANKED = "thin_intersections"
"""The finding that singles out the thinnest combination; the section of combinations ranks none under 30 images."""
_HEAPED = 110.0
"""Whipple's index up to here is fairly accurate on the UN's scale."""
_UNCLEAR = "–"


def markdown_card(result: AuditResult) -> str:
    """Return the card's sections as markdown; the same result gives the same text.

    It names groups and attributes, never an image file. Groups and combinations of fewer than 30 images are marked and stand in
    the order of their names: they are not ranked.
    """
    lines = [
        BEGIN,
        "",
        *_annotations(result),
        *_risks(result),
        *_who(result),
        *_combinations(result),
        *_files(result),
        *_claims(result),
        *_considerations(result),
        *_recommendations(result),
        *_computation(result),
        END,
        "",
    ]
    return "\n".join(lines)


def _annotations(result: AuditResult) -> list[str]:
    process = [
        f"{words.name_of(each.attribute)}: {counted(each.annotated, 'image')} {each.source},"
        f" {each.not_annotated:,} not."
        for each in words.about_people(result)
    ]
    found = words.conflicts(result)
    return [
        *heading(3, "Annotations"),
        *heading(4, "Annotation process"),
        *bullets([*process, *([found] if found else [])] or ["The set has no labels."]),
        *heading(4, "Who are the annotators?"),
        *bullets(words.label_makers(result)),
        *heading(4, "Personal and Sensitive Information"),
        *bullets(words.personal(result)),
    ]


def _risks(result: AuditResult) -> list[str]:
    told = [
        each.text for each in result.findings if each.severity != "info" and each.code != _RANKED
    ]
    name = words.name_of(result.dataset.name)
    lines = [
        *heading(2, "Bias, Risks, and Limitations"),
        *paragraph(
            f"Measured on {name}: {counted(result.dataset.listed, 'image')} listed, {result.dataset.ok:,} used."
            " Every share stands beside its count and its interval."
        ),
    ]
    if not result.complete:
        lines += paragraph(
            "THIS AUDIT IS INCOMPLETE: a part of the work is missing. Quote no number of it."
        )
    lines += bullets([clipped(text, words.SENTENCE) for text in told[:_FINDINGS]])
    if len(told) > _FINDINGS:
        lines += paragraph(
            f"... and {counted(len(told) - _FINDINGS, 'further finding')} in result.json."
        )
    return lines


def _who(result: AuditResult) -> list[str]:
    lines = heading(3, "Who is in the set")
    people = words.about_people(result)
    if not people:
        return [
            *lines,
            *paragraph("No attribute: the set has no labels, so nobody can be counted."),
        ]
    for each in people:
        lines += _composition(each)
    age = words.rounded_ages(result)
    rest = [*([age] if age else []), *words.draws(result), *words.batch_guesses(result)]
    return [*lines, *bullets(rest)]


def _composition(about: Representation) -> list[str]:
    shown = words.shown_groups(about)
    rows = [
        [
            words.name_of(group.name),
            whole(group.count),
            _UNCLEAR if group.share is None else percent(group.share),
            _UNCLEAR if group.low is None else percent_span(group.low, group.high),
            words.group_note(group),
        ]
        for group in shown
    ]
    rows.append(["not annotated", whole(about.not_annotated), "", "", ""])
    left = len(about.groups) - len(shown)
    titles = [words.name_of(about.attribute), "images", "share", "interval, %", ""]
    return [
        *table(titles, rows, right=(1, 2, 3)),
        *(paragraph(f"... and {counted(left, 'further group')}.") if left else []),
    ]


def _combinations(result: AuditResult) -> list[str]:
    counts = words.combination_counts(result)
    if not counts:
        return []
    thin, gaps = words.thin_cells(result), words.wide_gaps(result)
    lines = [*heading(3, "Empty and thin combinations"), *paragraph(counts)]
    if thin:
        lines += paragraph(
            f"Those that the audit lists; under {words.FEW} images nothing is said but that there are few, and their"
            " order says nothing:"
        )
        lines += _cells(thin)
    if gaps:
        lines += paragraph("Furthest below what unrelated attributes would give:")
        lines += _cells(gaps)
    return lines


def _cells(cells: Sequence[Cell]) -> list[str]:
    rows = [
        [words.cell_name(cell), whole(cell.count), f"{cell.expected:,.1f}", _mark(cell.count)]
        for cell in cells
    ]
    return table(["combination", "images", "if unrelated", ""], rows, right=(1, 2))


def _mark(count: int) -> str:
    return (
        "no image" if not count else f"fewer than {words.FEW} images" if count < words.FEW else ""
    )


def _files(result: AuditResult) -> list[str]:
    found = words.conflicts(result)
    texts = [words.copies(result), *([found] if found else []), *words.missing(result)]
    notes = [clipped(note, words.SENTENCE) for note in words.notes(result)]
    return [*heading(3, "Duplicates, conflicts and gaps"), *bullets([*texts, *notes])]


def _claims(result: AuditResult) -> list[str]:
    lines = heading(3, "Do clusters of the vectors sort people?")
    computed = list(claims.computed_claims(result))
    if not computed:
        return [
            *lines,
            *paragraph("Nothing could be computed: it takes clusters and at least one attribute."),
        ]
    rows = [
        [
            words.name_of(each.attribute)
            + ("" if each.kind == "demographic" else f" ({each.kind})"),
            whole(each.n),
            claims.strength(each),
            _UNCLEAR if each.null_95 is None else span(each.null_mean, each.null_95),
            _UNCLEAR if each.p_holm is None else p_text(each.p_holm),
            claims.rung_reached(ladder),
        ]
        for each, ladder in computed
    ]
    titles = [
        "attribute",
        "images",
        "V~ (interval)",
        "V under chance (mean, 95 %)",
        "Holm p",
        "rung reached",
    ]
    lines += table(titles, rows, right=(1, 2, 3, 4))
    lines += paragraph(
        "V~ is Cramér's V without its bias: 0 when clusters ignore the attribute, 1 when they sort by it. The rung says"
        " how many of the audit's questions the claim answers before one fails: seen, bias-corrected, not chance, not the"
        " other attributes, not image style, not the crawl, stable, replicated."
    )
    kept = [
        [
            words.name_of(ladder.attribute),
            "asked for" if each.rung is None else str(each.rung),
            claims.given_text(each),
            claims.kept_text(each),
            whole(each.n_effective),
        ]
        for _, ladder in computed
        if ladder is not None
        for each in claims.questions(ladder)
    ]
    if kept:
        lines += paragraph(
            "What is kept of each claim when only images that are alike are compared, of each rung the question that"
            " leaves least:"
        )
        titles = ["attribute", "rung", "held fixed", "kept (interval)", "images that can tell"]
        lines += table(titles, kept, right=(3, 4))
    return lines


def _considerations(result: AuditResult) -> list[str]:
    return [
        *heading(3, "Considerations for Using the Data"),
        *paragraph("The audit cannot say:"),
        *bullets(CANNOT_SAY),
        *(paragraph(" ".join(about)) if (about := claims.about_the_model(result)) else []),
    ]


def _recommendations(result: AuditResult) -> list[str]:
    """Return what follows from the numbers; nothing that was not measured is recommended."""
    texts = []
    if words.has_groups(result):
        texts.append(
            "Report a model's results for each group with counts and intervals, not as one number."
        )
    low = [
        f"{words.name_of(group.name)} ({words.name_of(each.attribute)})"
        for each in words.about_people(result)
        for group in words.shown_groups(each)
        if (group.count or 0) >= words.FEW
        and group.ratio is not None
        and group.ratio < FOUR_FIFTHS
    ]
    if low:
        texts.append(f"A result over the whole set says little about: {', '.join(low)}.")
    found = result.intersections
    thin = 0 if found is None or not found.n else (found.empty or 0) + (found.under_30 or 0)
    if thin:
        texts.append(
            f"Make no statement about the {counted(thin, 'combination')} with fewer than {words.FEW} images."
        )
    if result.duplicates.groups:
        texts.append("Keep all copies of an image in the same split, or keep one copy.")
    if words.conflicts(result):
        texts.append(
            "Look at the labels of the copies that disagree before trusting single labels."
        )
    ages = result.age_heaping
    if ages is not None and ages.whipple is not None and ages.whipple >= _HEAPED:
        texts.append("Use bins of ages rather than single years: ages are rounded.")
    held = [
        words.name_of(each.attribute)
        for each, ladder in claims.computed_claims(result)
        if each.kind == "demographic" and ladder is not None and ladder.highest >= 3
    ]
    if held:
        texts.append(
            f"Check what a model that starts from these vectors makes of: {', '.join(held)}; the clusters go together with"
            " it beyond chance."
        )
    if words.has_groups(result):
        texts.append("Do not take the labels for what people say of themselves.")
    said = bullets(texts) or paragraph("None: nothing was measured that one could follow from.")
    return [*heading(3, "Recommendations"), *said]


def _computation(result: AuditResult) -> list[str]:
    command, missing = run_command_line(result)
    rows = [list(fact) for fact in claims.computation(result)]
    lines = [
        *heading(3, "How this was computed"),
        *table(["what", "value"], rows, right=()),
        "```bash",
        command,
        "```",
        "",
    ]
    if missing:
        lines += paragraph(
            "Names of columns, age bins or a larger set's counts were given too: see config in result.json."
        )
    return lines
