"""What small studies of the set would have said, and V~ with the clustering done again."""

from __future__ import annotations

from dataclasses import replace

from fer_audit.report.blocks import Interval
from fer_audit.report.sections.stability import replay
from fer_audit.report.view import View
from tests.report.results import bare, utkface
from tests.report.sections.reading import rows, said, tables

STUDIES = "The studies and the whole set"
AGAIN = "V~ over resamples that were clustered again"


def test_small_studies_stand_next_to_the_whole_set() -> None:
    section = replay(View(utkface()))

    first, *_ = rows(section, STUDIES)

    assert list(first.values()) == [
        "race",
        "200",
        ".184 (.081-.292)",
        ".213",
        "0.5 %",
        "34.5 %",
        "91.5 % (yes)",
    ]
    drawn = next(cell for cell in tables(section)[STUDIES].rows[0] if isinstance(cell, Interval))
    assert (drawn.low, drawn.high, drawn.mark) == (0.081, 0.292, 0.2127)
    assert "200 random samples of 500 images" in said(section)
    assert "gender: not computable (no study has two clusters and two groups)." in said(section)


def test_the_group_a_small_study_gets_most_wrong_is_named() -> None:
    assert (
        "race: least sure is White, 20.0 % of the set; 95 % of the studies say 16.9-23.6 %."
        in said(replay(View(utkface())))
    )


def test_published_values_have_a_table() -> None:
    (row,) = rows(replay(View(utkface())), "What was published about this set")

    assert list(row.values())[1:] == ["race", "500", "4", ".090", ".010", ".432"]


def test_clustering_again_stands_next_to_fixed_clusters() -> None:
    table = {row["attribute"]: row for row in rows(replay(View(utkface())), AGAIN)}

    assert list(table["age"].values()) == ["age", "50", ".250 (.230-.301)", ".209 (.161-.247)"]


def test_clustering_again_needs_no_studies() -> None:
    section = replay(View(utkface().having(replay=None)))

    assert AGAIN in tables(section)
    assert STUDIES not in tables(section)


def test_without_studies_the_reason_is_said() -> None:
    base = bare()

    asked_for, not_asked_for = (
        replay(View(replace(base, config=base.config.having(replay=studies))))
        for studies in (200, 0)
    )

    assert "the set has too few images for a study" in said(asked_for)
    assert "none were asked for (--replay 200 draws them)" in said(not_asked_for)
