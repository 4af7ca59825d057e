"""One set under several encoders as a report and as JSON."""

from __future__ import annotations

import json

from fer_audit.audit.types.encoders import ClaimUnderEncoder, ClaimUnderEncoders, EncoderComparison
from fer_audit.report.blocks import Bullets, Cell, Column, Report, Section, Sign, Table, state_of
from fer_audit.report.files.codec import encode
from fer_audit.report.sections.values import spoken, zero
from fer_audit.text import NO_VALUE, clipped, coefficient, counted, display, sentence


def encoders_json(found: EncoderComparison) -> str:
    """Return the comparison as docs/mitigation.md describes it; the same comparison gives the same bytes."""
    document = encode(found, EncoderComparison)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def make_encoders(found: EncoderComparison) -> Report:
    """Return the report: a sentence for each claim, then claim by encoder."""
    columns = (Column("claim"), *(Column(clipped(name, 24), wrap=12) for name in found.models))
    rows: list[tuple[Cell, ...]] = []
    for claim in found.claims:
        cells: list[Cell] = [spoken(claim.attribute, 16)]
        for model in found.models:
            cells.append(next((_cell(x) for x in claim.under if x.model == model), NO_VALUE))
        rows.append(tuple(cells))
    table = Table(
        "Claims by encoder",
        columns,
        tuple(rows),
        note="Strength (V~) in a word and a number, then how much is left in the comparison that sums the claim up. ✓: above"
        " chance, more than a trace left, and nothing says that it goes with another seed or another half.",
    )
    section = Section(
        "encoders",
        "Which claims hold under every encoder?",
        (Bullets(tuple(_sentence(claim) for claim in found.claims)), table),
    )
    return Report(
        title=f"{found.dataset}: encoders",
        heading=found.dataset,
        facts=(counted(len(found.models), "encoder"), *(f"{run}/" for run in found.runs)),
        alarm="" if found.complete else "INCOMPLETE: a part of a run is missing. Do not quote.",
        sections=(section,),
        footer="",
    )


def _cell(each: ClaimUnderEncoder) -> Cell:
    number = "" if each.v_corrected is None else f" {zero(each.v_corrected)}"
    grade = f", {each.grade}" if each.grade else ""
    return Sign(state_of(each.holds), f"{each.strength}{number}{grade}")


def _sentence(claim: ClaimUnderEncoders) -> str:
    name, of = (
        sentence(display(claim.attribute)),
        f"of {counted(claim.encoders, 'encoder')}",
    )
    if not claim.holds_under:
        return f"{name}: holds under none {of}."
    all_of_them = claim.holds_under == claim.encoders
    text = f"{name}: holds under {'each' if all_of_them else claim.holds_under} {of}"
    text += "." if all_of_them else "; it depends on the network."
    if claim.above_floor is None:
        return text
    floor = coefficient(claim.floor)
    if claim.above_floor:
        return f"{text} Every one separates it more strongly than random weights ({floor})."
    return f"{text} Random weights separate it about as strongly ({floor}) as one of them."
