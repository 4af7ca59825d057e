"""Which combinations of groups are empty, thin, or rarer than the attributes suggest."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.sections.intersections import intersections
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said


def test_empty_and_thin_combinations_are_counted() -> None:
    text = said(intersections(View(utkface())))

    assert "race × gender × age: 90 combinations, 1 without an image, 11 with 1 to 29" in text


def test_combinations_beyond_pairs_and_what_to_collect() -> None:
    section = intersections(View(utkface()))

    beyond = rows(section, "Furthest from what pairs of attributes would give")
    smallest = rows(section, "Smallest")

    assert list(beyond[0].values())[:5] == [
        "Asian × female × 0-2",
        "412",
        "351.9",
        "+5.2",
        "< .001",
    ]
    assert list(smallest[0].values()) == [
        "Other × male × 70+",
        "0",
        "24.9",
        "-5.0",
        ".004",
        "74,125",
    ]


def test_a_cross_table_that_was_refused_says_why() -> None:
    base = utkface()
    assert base.intersections is not None
    refused = replace(
        base.intersections,
        n=0,
        smallest=(),
        largest_gaps=(),
        beyond_pairs=(),
        not_computable=(("smallest", "2000000 cells are more than 1000000"),),
    )

    text = said(intersections(View(base.having(intersections=refused))))

    assert "race × gender × age: not computable (2000000 cells are more than 1000000)" in text


def test_one_attribute_has_nothing_to_combine() -> None:
    assert "It takes two or more" in said(intersections(View(bare())))
