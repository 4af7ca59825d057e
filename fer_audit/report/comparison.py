"""Two runs side by side, and one set under several encoders: as a report and as JSON."""

from __future__ import annotations

import json

import fer_audit.text as words
from fer_audit.audit.types import compare as types
from fer_audit.report import blocks
from fer_audit.report.blocks import Section
from fer_audit.report.files.codec import encode
from fer_audit.report.sections.compare import SECTIONS, signed_runs
from fer_audit.report.sections.definitions import COMPARISON_DEFINITIONS
from fer_audit.report.sections.values import spoken, zero
from fer_audit.text import NO_VALUE, clipped, coefficient, counted


def comparison_json(found: types.Comparison | types.EncoderComparison) -> str:
    """Return the comparison as docs/compare.md or docs/mitigation.md describes it; the same one gives the same bytes.

    Raises ValueError for NaN and infinity, which no field may hold.
    """
    document = encode(found, type(found))
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def make_comparison(found: types.Comparison) -> blocks.Report:
    """Return the report of two runs. It rests on the comparison alone: the same one gives the same blocks."""
    names = [f"{sign} {clipped(run.name, 60)}" for sign, run in signed_runs(found)]
    heading = " and ".join(clipped(run.name, 60) for _, run in signed_runs(found))
    sections = [Section(key, title, tuple(make(found))) for key, title, make in SECTIONS]
    method = Section("method", "Method", (blocks.Definitions(COMPARISON_DEFINITIONS),))
    return blocks.Report(
        title=f"{heading}: fer-audit comparison",
        heading=heading,
        facts=("two runs compared", *names, f"{counted(found.images.common, 'image')} in both"),
        alarm="",
        sections=(*(each for each in sections if each.blocks), method),
        footer="Made by fer-audit from two finished runs. This page asks for nothing outside itself.",
    )


def make_encoders(found: types.EncoderComparison) -> blocks.Report:
    """Return the report of one set under several encoders: a sentence for each claim, then claim by encoder."""
    table = blocks.Table(
        "Claims by encoder",
        (blocks.Column("claim"), *(blocks.Column(clipped(x, 24), wrap=12) for x in found.models)),
        tuple((spoken(x.attribute, 16), *map(_under, x.under)) for x in found.claims),
        note="Strength (V~) in a word and a number, then how much is left in the comparison that leaves least. ✓: above"
        " chance, more than a trace left, and nothing says that it goes with another seed or another half.",
    )
    told = blocks.Bullets(tuple(map(_held, found.claims)))
    return blocks.Report(
        title=f"{found.dataset}: encoders",
        heading=found.dataset,
        facts=(counted(len(found.models), "encoder"), *(f"{run}/" for run in found.runs)),
        alarm="" if found.complete else "INCOMPLETE: a part of a run is missing. Do not quote.",
        sections=(Section("encoders", "Which claims hold under every encoder?", (told, table)),),
        footer="",
    )


def _under(each: types.ClaimInRun | None) -> blocks.Cell:
    if each is None:
        return NO_VALUE
    value = "" if each.v_corrected is None else f" {zero(each.v_corrected)}"
    grade = "" if each.left is None else f", {each.left.grade}"
    return blocks.Sign(blocks.state_of(each.holds), f"{each.strength}{value}{grade}")


def _held(claim: types.ClaimUnderEncoders) -> str:
    name = words.sentence(words.display(claim.attribute))
    of, floor = f"of {counted(claim.encoders, 'encoder')}", coefficient(claim.floor)
    if not claim.holds_under:
        return f"{name}: holds under none {of}."
    text = f"{name}: holds under {claim.holds_under} {of}; it depends on the network."
    if claim.holds_under == claim.encoders:
        text = f"{name}: holds under each {of}."
    if claim.above_floor is None:
        return text
    if claim.above_floor:
        return f"{text} Every one separates it more strongly than random weights ({floor})."
    return f"{text} Random weights separate it about as strongly ({floor}) as one of them."
