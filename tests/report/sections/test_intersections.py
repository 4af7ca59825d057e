"""Which combinations are missing: the worst of them, what to collect, and tables that were refused."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.sections.groups import intersections
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said, tables


def test_combinations_are_counted_and_the_worst_listed_with_what_to_collect() -> None:
    section = intersections(View(utkface()))

    assert "race × gender × age: 90 combinations, 1 without an image, 11 with 1 to 29" in said(
        section
    )
    assert rows(section, "Smallest")[0] == {
        "combination": "Other × male × 70+",
        "images": "0",
        "expected": "24.9",
        "residual": "-5.0",
        "p": ".004",
        "to collect": "74,000",
    }
    gap = rows(section, "Furthest below what unrelated attributes would give")[0]
    assert (gap["combination"], gap["expected"]) == ("Black × male × 0-2", "187.4")
    beyond = rows(section, "Furthest from what pairs of attributes would give")[0]
    assert (beyond["images"], beyond["expected"], beyond["residual"]) == ("412", "351.9", "+5.2")


def test_a_cross_table_that_was_refused_says_why() -> None:
    base = utkface()
    assert base.intersections is not None
    refused = replace(
        base.intersections, n=0, smallest=(), largest_gaps=(), beyond_pairs=(),
        not_computable=(("smallest", "2000000 cells are more than 1000000"),),
    )  # fmt: skip

    section = intersections(View(base.having(intersections=refused)))

    reason = "not computable (2000000 cells are more than 1000000)"
    assert f"race × gender × age: {reason}." in said(section)
    assert tables(section) == {}
    assert "two or more demographic attributes" in said(intersections(View(bare())))
