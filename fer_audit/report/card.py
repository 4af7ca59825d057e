"""A finished run as a dataset card: sections of a README.md, or fields of Croissant RAI, from the same blocks.

The titles of the markdown are those of huggingface_hub's dataset card template; "Considerations for Using the Data" is
that of the older template of the library datasets. Croissant RAI specification 1.0 (MLCommons, 2024),
https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from fer_audit.audit.types.not_computable import MIN_CELL
from fer_audit.audit.types.result import AuditResult
from fer_audit.report import blocks as b
from fer_audit.report import card_sentences as say
from fer_audit.report.render.markdown import blocks_lines, cell_text, code, heading
from fer_audit.report.sections.claims import claims
from fer_audit.report.sections.collection import collection, subset
from fer_audit.report.sections.found import CANNOT_SAY
from fer_audit.report.sections.labels import copies_in_words
from fer_audit.report.sections.ladder import ladders
from fer_audit.report.sections.method import run_command_line
from fer_audit.report.sections.models import models
from fer_audit.report.sections.values import Maker
from fer_audit.report.sections.who import composition
from fer_audit.report.view import View
from fer_audit.text import clipped

CardFormat = Literal["markdown", "croissant"]

BEGIN = "<!-- fer-audit card: begin. Paste this into the dataset's README.md in place of the sections of the same names. -->"
END = "<!-- fer-audit card: end -->"
CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0"

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
}
"""Those lines of the context that Croissant 1.0 recommends (its appendix 1) which this block uses."""
_ONE_TEXT = ("dataAnnotationProtocol", "dataCollectionMissingData")
"""Fields of which the specification wants one text; of the others it takes a list."""
MAX_TEXT = 5_000
"""Longest text of a field: an attribute of many groups, or a stranger's note."""
_IN_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""JSON-LD often stands inside a script element, which no text of ours may close."""


class CardSection(NamedTuple):
    """One heading of a card, what stands under it, and the Croissant field that says the same."""

    level: int
    title: str
    blocks: tuple[b.Block, ...] = ()
    field: str = ""
    """"" = Croissant has no place for it."""


def dataset_card(result: AuditResult, *, form: CardFormat = "markdown") -> str:
    """Return the card of a result, from its measured numbers alone; the same result gives the same text.

    It names groups and attributes, never an image file. Groups and combinations of fewer than 30 images are marked
    and never ranked.
    """
    parts = _parts(result)
    return _croissant(result, parts) if form == "croissant" else _markdown(result, parts)


def _parts(result: AuditResult) -> list[CardSection]:
    about = say.about_people(result)
    told = tuple(each for each in result.associations if each.v_corrected is not None)
    people = View(result.having(representation=tuple(about), associations=told))

    def of(*sections: Maker, least: b.Importance = "normal") -> tuple[b.Block, ...]:
        """Return what a card shows of sections."""
        made = (section for each in sections if (section := each(people)) is not None)
        return tuple(x for section in made for x in section.blocks if b.is_shown(x, least))

    conflicts = say.conflicts(result)
    gaps = [copies_in_words(result), *say.notes(result)]
    limits: tuple[b.Block, ...] = (
        b.Prose("The audit cannot say:"),
        b.Bullets(CANNOT_SAY),
        *(b.Prose(text) for text in say.about_the_model(result)),
    )
    who, biases = "dataAnnotationProtocol", "dataBiases"
    protocol = who if about else ""
    shown = of(composition, subset, collection)
    sorts = of(claims, ladders) if told else ()
    read = of(models, least="summary") if result.models else ()
    disagree = (b.Prose(conflicts),) if conflicts else ()
    computed = (b.Facts(tuple(say.computation(result))),)
    personal, gone = "personalSensitiveInformation", "dataCollectionMissingData"
    return [
        CardSection(3, "Annotations"),
        CardSection(4, "Annotation process", _list(say.annotated(result))),
        CardSection(4, "Who are the annotators?", _list(say.label_makers(result)), protocol),
        CardSection(
            4, "Personal and Sensitive Information", _list(say.personal(result)), personal
        ),
        CardSection(2, "Bias, Risks, and Limitations", tuple(say.risks(result))),
        CardSection(3, "Who is in the set", shown, biases if about else ""),
        CardSection(3, "Empty and thin combinations", tuple(say.combinations(result)), biases),
        CardSection(3, "Copies and contradicting labels", disagree, "dataAnnotationAnalysis"),
        CardSection(3, "Duplicates, conflicts and gaps", _list(gaps), "dataLimitations"),
        CardSection(4, "Missing data", _list(say.missing(result)), gone),
        CardSection(3, "Do clusters of the vectors sort people?", sorts, biases),
        CardSection(3, "Whom do models fail?", read, biases),
        CardSection(3, "Considerations for Using the Data", limits, "dataLimitations"),
        CardSection(3, "Recommendations", _list(say.recommendations(result))),
        CardSection(3, "How this was computed", computed, "dataLimitations"),
    ]


def _list(texts: Sequence[str]) -> tuple[b.Block, ...]:
    return (b.Bullets(tuple(texts)),)


def _markdown(result: AuditResult, parts: Sequence[CardSection]) -> str:
    lines = [BEGIN, ""]
    for part in parts:
        shown = blocks_lines(part.blocks, level=part.level + 1, least="normal")
        if shown or part.title == "Annotations":
            lines += [*heading(part.level, part.title), *shown]
    command, is_incomplete = run_command_line(result)
    lines += code(command)
    if is_incomplete:
        text = "Names of columns, age bins or a larger set's counts were given too: see config in result.json."
        lines += blocks_lines((b.Prose(text),), level=4, least="normal")
    return "\n".join([*lines, END, ""])


def _croissant(result: AuditResult, parts: Sequence[CardSection]) -> str:
    """Return the parts as JSON-LD text, to be merged into a dataset's own croissant.json.

    A field the audit does not know (how images were collected, what the set is for) is left out. The block alone is
    no Croissant document: it has no name, licence or files.
    """
    fields: dict[str, list[str]] = {}
    if not result.complete:
        fields["dataLimitations"] = [say.INCOMPLETE]
    for finding in result.findings:
        if finding.code == MIN_CELL:  # what was withheld must be known wherever the numbers are
            fields.setdefault("dataLimitations", []).append(finding.text)
    for part in parts:
        texts = [text for block in part.blocks for text in _texts(block)]
        if part.field and texts:
            fields.setdefault(part.field, []).extend(texts)
    command, _ = run_command_line(result)
    fields["dataLimitations"].append(f"Computed with: {command}")
    shown = {name: [clipped(text, MAX_TEXT) for text in texts] for name, texts in fields.items()}
    document: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
    }
    for name, texts in shown.items():
        document[f"rai:{name}"] = " ".join(texts) if name in _ONE_TEXT else texts
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return text.translate(_IN_HTML) + "\n"


def _texts(block: b.Block) -> list[str]:
    """Return a block as texts: a sentence each, a table as one text a row."""
    if isinstance(block, b.Prose):
        return [block.text]
    if isinstance(block, b.Bullets):
        return list(block.items)
    if isinstance(block, b.Facts):
        return [f"{name}: {value}" for name, value in block.pairs]
    if isinstance(block, b.Table):
        columns, rows = b.without_drawings(block)
        found = []
        for name, *cells in rows:
            named = zip(columns[1:], map(cell_text, cells), strict=True)
            values = ", ".join(f"{column.title} {text}".strip() for column, text in named if text)
            found.append(f"{block.title}: {cell_text(name)}: {values}")
        return found
    return []
