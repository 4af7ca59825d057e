"""What is handed over to a paper: one table, a methods paragraph, the evidence of one claim, captions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fer_audit.audit.types.result import AuditResult
from fer_audit.errors import ConfigError
from fer_audit.report.charts.theme import save_captions, save_charts
from fer_audit.report.files.sheets import named_tables, sheet
from fer_audit.report.methods import methods_text
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.sections.claims import QUESTIONS, claim_name, explain
from fer_audit.report.sections.values import claimed
from fer_audit.report.view import View
from tests.report.results import bare, degenerate, hostile, utkface
from tests.report.sections.reading import said

MAKERS = (utkface, degenerate, hostile, bare)


@pytest.mark.parametrize("make", MAKERS)
def test_every_table_has_one_name_and_all_three_forms(make: Callable[[], AuditResult]) -> None:
    report = make_report(View(make()))
    names = named_tables(report)

    for name, table in names.items():
        rows = list(csv.reader(io.StringIO(sheet(report, name, "csv"))))
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(rows) == 1 + len(table.rows)
        latex = sheet(report, name, "latex")
        body = latex[latex.index("\\midrule") : latex.index("\\bottomrule")]
        assert body.count("\\\\") == len(table.rows)
        assert not re.search(r"(?<!\\)[%#_]", body.replace("\\midrule", ""))
        assert sheet(report, name, "md").count("\n|") >= len(table.rows)


def test_the_table_of_claims_holds_their_numbers() -> None:
    result = utkface()

    rows = list(csv.reader(io.StringIO(sheet(make_report(View(result)), "claims", "csv"))))

    assert [row[0] for row in rows[1:]] == [
        claimed(x) for x in result.claims if x.v_corrected is not None
    ]


def test_a_table_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        sheet(make_report(View(utkface())), "claim", "csv")

    assert (caught.value.hint or "").startswith("Did you mean claims? It has: found (Claims); ")


def test_a_cell_that_a_spreadsheet_would_run_is_quoted_and_a_signed_number_is_not() -> None:
    from fer_audit.report.blocks import Report, Section, plain_table

    table = plain_table("t", ("name", "change"), [("=1+1", "+3.1"), ("-x", "-0.2"), ("@a", "1")])
    text = sheet(Report("", "", (), "", (Section("s", "s", (table,)),), ""), "s", "csv")

    assert text.splitlines()[1:] == ["'=1+1,+3.1", "'-x,-0.2", "'@a,1"]


@pytest.mark.parametrize("make", MAKERS)
def test_methods_cite_what_they_list_and_list_what_they_cite(
    make: Callable[[], AuditResult],
) -> None:
    text, entries = methods_text(make()).split("\n\n", 1)

    cited = set(re.findall(r"\[(\w+)\]", text))
    entered = set(re.findall(r"^@\w+\{(\w+),", entries, re.MULTILINE))
    assert entered <= cited
    assert entered == cited or make is hostile  # whose names hold brackets
    assert entries.count("{") == entries.count("}")


def test_methods_say_the_numbers_of_the_run_and_nothing_that_was_not_done() -> None:
    text, without = methods_text(utkface()), methods_text(bare())

    assert "(23,707 images of 23,708)" in text or "23,70" in text
    assert "k = 4" in text
    assert "clustered" not in without


def test_methods_name_claims_about_labels_apart_and_say_how_often_clusters_were_shuffled() -> None:
    result = utkface()
    first = next(x for x in result.claims if x.v_corrected is not None)
    label = replace(first, of="expression")
    both = methods_text(result.having(claims=(*result.claims, label)))
    alone = methods_text(result.having(claims=(label,)))

    drawn = {x.permutations for x in result.associations if x.attribute == first.attribute}
    assert "Association of clusters with race" in both
    assert f" and of expression × {first.attribute} is the" in both
    assert f"({max(drawn):,} shuffles of the same units for clusters)" in both
    assert f"Association of expression × {first.attribute} is the" in alone
    assert "(shuffles of the same units)" in alone


def test_a_claim_is_explained_by_its_own_numbers_and_one_question_by_its_rungs() -> None:
    view = View(utkface())
    for claim in view.result.claims:
        text = "\n".join(map(said, explain(view, claim_name(claim))))
        assert claim.sentence in text
        for question, rungs in QUESTIONS.items():
            (section,) = explain(view, f"{claim_name(claim)}.{question}")
            ladder = next(
                x
                for x in view.result.ladders
                if (x.of, x.attribute) == (claim.of, claim.attribute)
            )
            for rung in ladder.rungs:
                assert (f"{rung.number} {rung.name}: " in said(section)) == (rung.number in rungs)


def test_an_explained_claim_writes_a_share_and_its_control_one_way_and_says_skipped() -> None:
    result = utkface()
    first = next(x for x in result.ladders if x.attribute == "race")
    skipped = replace(first.rungs[7], holds=None, skipped=True, reading="skipped: no half")
    below = tuple(
        replace(x, controls=(replace(x.controls[0], kept=-0.247),)) if x.controls else x
        for x in first.conditionals
    )
    changed = replace(first, rungs=(*first.rungs[:7], skipped), conditionals=below)
    view = View(result.having(ladders=(changed, *result.ladders[1:])))

    collection, stability = (explain(view, f"race.{x}") for x in ("collection", "stability"))

    assert "left 2.1 % (-2.6 to 7.3); " in said(collection[0])
    assert "control 0.0 %; " in said(collection[0])
    assert "-24.7 %" not in said(collection[0])
    assert "8 replicated: skipped: no half" in said(stability[0])


@pytest.mark.parametrize(
    ("asked", "hint"),
    [("rase", "Did you mean race?"), ("race.colour", "After a claim's name: chance")],
)
def test_a_claim_or_question_that_is_not_there_names_the_nearest(asked: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        explain(View(utkface()), asked)

    assert (caught.value.hint or "").startswith(hint)


def test_charts_are_pdfs_with_captions_for_each(tmp_path: Path) -> None:
    charts = charts_of(make_report(View(utkface())))[:3]

    paths = save_charts(charts, tmp_path, "pdf")
    again = [path.read_bytes() for path in paths]
    save_charts(charts, tmp_path, "pdf")
    captions = save_captions(charts, tmp_path).read_text()

    assert [path.read_bytes() for path in paths] == again
    assert all(data.startswith(b"%PDF-") and b"/FontFile2" in data for data in again)
    assert captions.count("\n- **") + 1 == len(charts)
