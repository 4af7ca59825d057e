"""A finished run as a dataset card: the one door to its formats."""

from __future__ import annotations

from typing import Literal

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.card_croissant import croissant_card
from fer_audit.report.card_markdown import markdown_card

CardFormat = Literal["markdown", "croissant"]


def dataset_card(result: AuditResult, *, form: CardFormat = "markdown") -> str:
    """Return the card of a result: sections of a README.md, or a block of JSON-LD.

    Both say the same, with the same sentences, from the numbers of the result alone.
    The same result gives the same text.
    """
    return croissant_card(result) if form == "croissant" else markdown_card(result)
