"""The fields of Croissant's vocabulary for responsible AI, to be merged into a dataset's own croissant.json.

Croissant RAI specification 1.0 (MLCommons, 2024), https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html.
"""

from __future__ import annotations

import json
from typing import Any

from fer_audit.audit.types.not_computable import MIN_CELL
from fer_audit.audit.types.result import AuditResult
from fer_audit.report import card_claims as claims
from fer_audit.report import card_words as words
from fer_audit.report.sections.findings import CANNOT_SAY
from fer_audit.report.sections.method import run_command_line
from fer_audit.text import clipped

RAI = "http://mlcommons.org/croissant/RAI/"
CONFORMS_TO = "http://mlcommons.org/croissant/RAI/1.0"

_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "dct": "http://purl.org/dc/terms/",
    "rai": RAI,
    "sc": "https://schema.org/",
}
"""Those lines of the context that Croissant 1.0 recommends (its appendix 1) which this block uses."""
_TEXT = 5_000
"""Longest text of a field: an attribute of many groups, or a stranger's note."""
_IN_HTML = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""JSON-LD often stands inside a script element, which no text of ours may close."""


def croissant_card(result: AuditResult) -> str:
    """Return the block as JSON-LD text; the same result gives the same text.

    It holds what the audit knows: biases, limitations, personal information, who made the labels, how far copies
    disagree, what is missing. A field the audit does not know (how images were collected, the social impact, what the
    set is for) is left out. The block alone is no Croissant document: it has no name, licence or files.
    """
    document = croissant_document(result)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    return text.translate(_IN_HTML) + "\n"


def croissant_document(result: AuditResult) -> dict[str, Any]:
    """Return the block as dicts, lists and texts: one text where the specification says ONE, else a list."""
    process = " ".join(words.label_makers(result))
    found = words.conflicts(result)
    fields: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "rai:dataBiases": _biases(result),
        "rai:dataLimitations": _limitations(result),
        "rai:personalSensitiveInformation": words.personal(result),
        "rai:dataAnnotationProtocol": process if words.about_people(result) else "",
        "rai:dataAnnotationAnalysis": [found] if found else [],
        "rai:dataCollectionMissingData": " ".join(words.missing(result)),
    }
    return {name: _clean(value) for name, value in fields.items() if value}


def _biases(result: AuditResult) -> list[str]:
    texts = [words.composition(each) for each in words.about_people(result)]
    counts = words.combination_counts(result)
    texts += [counts] if counts else []
    thin = words.thin_cells(result)
    if thin:
        named = "; ".join(f"{words.cell_name(cell)} {cell.count:,}" for cell in thin)
        texts.append(
            f"Among the combinations with fewer than {words.FEW} images, in no ranking: {named}."
        )
    texts += words.draws(result)
    texts += words.batch_guesses(result)
    texts += [claims.claim(each, ladder) for each, ladder in claims.computed_claims(result)]
    return texts


def _limitations(result: AuditResult) -> list[str]:
    age = words.rounded_ages(result)
    command, _ = run_command_line(result)
    computed = "; ".join(f"{what} {value}" for what, value in claims.computation(result))
    incomplete = "The audit behind these statements is incomplete: a part of the work is missing."
    return [
        *([] if result.complete else [incomplete]),
        *(each.text for each in result.findings if each.code == MIN_CELL),
        *(f"The audit cannot say: {text}" for text in CANNOT_SAY),
        *claims.about_the_model(result),
        words.copies(result),
        *([age] if age else []),
        *words.notes(result),
        f"These statements were measured: {computed}; command {command}.",
    ]


def _clean(value: Any) -> Any:  # noqa: ANN401 - a text, a list of texts, or the context
    """Make every text visible: control and bidi characters stand escaped."""
    if isinstance(value, str):
        return clipped(value, _TEXT)
    return [_clean(each) for each in value] if isinstance(value, list) else value
