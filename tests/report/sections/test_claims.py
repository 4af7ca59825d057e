"""The association of every attribute with the clusters."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.sections.claims import claims
from fer_audit.report.view import View
from fer_audit.text import coefficient
from tests.report.results import bare, degenerate, paper, utkface
from tests.report.sections.reading import rows, said, tables

TITLE = "Association of every attribute with the clusters"


def test_every_number_of_an_association_stands_under_its_name() -> None:
    (row,) = rows(claims(View(paper())), TITLE)

    assert row == {
        "attribute": "race",
        "images": "500",
        "V": ".090",
        "chance": ".089-.118",
        "V~ (95 % interval)": ".010 (.000-.061)",
        "p (Holm p)": ".423 (> .999)",
        "U": "1.1 %",
        "ladder": "0 of 8",
    }


def test_no_two_associations_are_mixed_up() -> None:
    base = utkface()
    result = base.having(
        associations=tuple(
            replace(each, null_mean=0.011 + 0.01 * place, null_95=0.018 + 0.01 * place)
            for place, each in enumerate(base.associations)
        ),
    )

    table = rows(claims(View(result)), TITLE)

    for row, each in zip(table, result.associations, strict=True):
        assert row["attribute"].startswith(each.attribute)
        assert row["images"] == f"{each.n:,}"
        assert row["V"] == coefficient(each.v)
        assert row["chance"] == f"{coefficient(each.null_mean)}-{coefficient(each.null_95)}"
        assert row["V~ (95 % interval)"].startswith(f"{coefficient(each.v_corrected)} (")


def test_what_is_no_demographic_attribute_has_its_kind_and_neither_holm_p_nor_ladder() -> None:
    table = {row["attribute"]: row for row in rows(claims(View(utkface())), TITLE)}

    assert table["race"]["p (Holm p)"] == "< .001 (< .001)"
    assert table["race"]["ladder"] == "5 of 8"
    assert table["crawl hour (batch)"]["p (Holm p)"] == "< .001"
    assert table["crawl hour (batch)"]["ladder"] == "–"


def test_the_level_and_the_permutations_are_the_ones_of_the_run() -> None:
    base = utkface()
    other = claims(View(replace(base, config=base.config.having(confidence=0.9))))

    assert "V~ (90 % interval)" in rows(other, TITLE)[0]
    assert "share of 10,000 shuffles of the labels" in said(other)


def test_an_attribute_without_a_value_says_why_and_has_no_row() -> None:
    section = claims(View(degenerate()))

    assert "race: not computable (one cluster)." in said(section)
    assert not tables(section)


def test_without_attributes_there_is_nothing_to_compare() -> None:
    assert "Nothing to compare" in said(claims(View(bare())))
