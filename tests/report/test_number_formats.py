"""A kind of number is spelled in one way, in the audit's sentences, the report's tables and its charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer_audit.audit.types.compare import Comparison
from fer_audit.audit.types.result import AuditResult
from fer_audit.encoders.types import ExportedModel
from fer_audit.report.blocks import Report, Statements, Table
from fer_audit.report.card import dataset_card
from fer_audit.report.comparison import make_comparison
from fer_audit.report.files.document import read_result
from fer_audit.report.render.html import render_page
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from tests.report import comparisons, pages, results
from tests.report.markup import Element, read_markup
from tests.report.render.test_terminal import shown

P = re.compile(r"\bp ?([=<>≤≥]+) ?([-+]?[\d.][\d.e-]*)")
SOUND_P = re.compile(r"p ([=≤] \.\d{3}|< \.001|> \.999)\.?$")
PERCENT = re.compile(r"(?<![\d.,])[\d.,]*\d ?%")
ROUNDED = re.compile(r"[1-9]\d? %|(\d|99|100)\.\d %")
"""In the sentence of a finding: whole from 1 to 99, else with one digit."""
LITERAL = {"0 %", "20 %", "95 %", "100 %"}
"""No measured shares: the ends of a scale, a fifth of all ages, the level of a null band."""
COEFFICIENT = re.compile(
    r"\b(?:V~?|ARI|AMI|AUC|silhouette(?: at most)?) ?=? ?(-?\d*\.\d+|1)\b(?! ?(?:%|means|=))"
)
ASSOCIATED = "How strongly clusters, labels and attributes are associated"
FROM_TO = re.compile(r"(?<![-+\w.])(\d*\.\d+|\d+) to (\d*\.\d+)\b")
DASHED = re.compile(r"\d[–−]\.?\d|(?<![\w.-])[-+]\.?\d[\d.]*-[-+]?\.?\d")


def spoken(element: Element) -> str:
    """Return the text of an element without scripts, styles and the ticks of charts."""
    if element.tag in ("script", "style", "svg"):
        return ""
    return " ".join(part if isinstance(part, str) else spoken(part) for part in element.parts)


def texts_of(report: Report) -> Iterator[str]:
    (body,) = read_markup(render_page(report)).all("body")
    yield spoken(body)
    yield shown(report, 1_000, "detail")
    for chart in charts_of(report):
        yield f"{chart.title} {chart.alt} {chart.note}"


def rounded(report: Report) -> frozenset[str]:
    """Return the rounded shares of a report: of the sentence of each finding, and of the claims' table."""
    texts = [
        each.text
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Statements)
        for each in block.items
    ]
    texts += [
        cell
        for section in report.sections
        for block in section.blocks
        if isinstance(block, Table)
        and block.title in ("Claims", "The clusters", "Smaller clusters", ASSOCIATED)
        for row in block.rows
        for cell in row
        if isinstance(cell, str)
    ]
    found = frozenset(each for text in texts for each in PERCENT.findall(text))
    assert all(ROUNDED.fullmatch(each) for each in found), found
    return found


def misspelt(text: str, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Return what is not spelled as text.py says, with the words around it."""
    flat = " ".join(text.split())
    wrong = [found for found in P.finditer(flat) if not SOUND_P.match(found[0])]
    wrong += [
        found
        for found in PERCENT.finditer(flat)
        if not re.fullmatch(r"[\d,]+\.\d %", found[0]) and found[0] not in LITERAL | allowed
    ]
    wrong += [
        found
        for found in COEFFICIENT.finditer(flat)
        if not re.fullmatch(r"-?\.\d{3}|1\.000", found[1])
    ]
    wrong += [*FROM_TO.finditer(flat), *DASHED.finditer(flat)]
    return [flat[max(0, each.start() - 40) : each.end() + 20] for each in wrong]


def assert_sound(texts: Iterator[str], allowed: frozenset[str] = frozenset()) -> None:
    assert [words for text in texts for words in misspelt(text, allowed)] == []


@pytest.mark.parametrize(
    "make", [results.utkface, results.paper, results.degenerate, results.bare]
)
def test_a_report_and_its_card_spell_each_kind_of_number_alike(
    make: Callable[[], AuditResult],
) -> None:
    report = make_report(View(make()))

    assert_sound(texts_of(report), rounded(report))
    assert_sound(iter([re.sub(r"\\(\W)", r"\1", dataset_card(make()))]), rounded(report))


@pytest.mark.parametrize("make", comparisons.MAKERS[:5])
def test_a_comparison_spells_each_kind_of_number_alike(make: Callable[[], Comparison]) -> None:
    report = make_comparison(make())

    assert_sound(texts_of(report), rounded(report))


def test_a_run_on_the_demo_set_spells_each_kind_of_number_alike(
    tmp_path: Path, tiny_model: ExportedModel
) -> None:
    """Its sentences are the audit's own, those of the planted facts included."""
    page = pages.demo_page(tmp_path, tiny_model)

    result = read_result(page.parent / "result.json")

    assert result.planted
    report = make_report(View(result))
    assert rounded(report)
    assert_sound(texts_of(report), rounded(report))


@pytest.mark.parametrize(
    "text",
    [
        *("p = 0.042", "p=.042", "p = .04", "p = 1.2e-05", "p < 0.001", "p = .0001"),
        *("31.2%", "31 % of the images", "31.25 %"),
        *("V~ 0.185 (", "V~ .19", "ARI 0.9", "AUC 1.00", "ARI = .96", "silhouette at most 0.123"),
        *("(79.0 to 89.2)", "-.02-.06", ".010–.061"),
    ],
)
def test_another_spelling_is_found(text: str) -> None:
    assert len(misspelt(f"some words, {text} and more")) >= 1


@pytest.mark.parametrize(
    "text",
    [
        *("p = .042", "p < .001.", "p > .999", "p <= alpha", "31.2 % (6,240; 30.6-31.9)"),
        *("a 95 % interval", "V~ .185 (.170-.201)", "-.020 to .061", "-0.3 to +2.1", "AUC 1.000"),
        *("V = 1.000", "k - 1 .. k + 2", "ages 23 to 62", "2017-01-09", "60-69"),
    ],
)
def test_the_spelling_of_text_is_sound(text: str) -> None:
    assert misspelt(f"some words, {text} and more") == []
