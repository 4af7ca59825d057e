"""What a cluster is called: neighbouring ages together, the widest gap first, nothing where counts are withheld."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_audit.report.sections.cluster_cards import GAIN, N_NAMES, cluster_name, telling
from fer_audit.report.view import View
from tests.report.results import association, bare

BINS = ("0-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+")
EVEN = (100,) * len(BINS)


def view_of(*tables: tuple[str, tuple[str, ...], tuple[tuple[int, ...], ...]]) -> View:
    return View(bare().having(associations=tuple(association(*each) for each in tables)))


@pytest.mark.parametrize(
    ("more", "name"),
    [
        (("20-29", "30-39"), "age 20-39"),
        (("60-69", "70+"), "age 60+"),
        (("70+",), "age 70+"),
        (("0-9",), "age 0-9"),
        (("0-9", "10-19", "20-29"), "age 0-29"),
        (("0-9", "40-49", "50-59"), "age 40-59"),
    ],
)
def test_neighbouring_ages_are_one_range(more: tuple[str, ...], name: str) -> None:
    first = tuple(300 if each in more else 100 for each in BINS)

    found = telling(view_of(("age_bin", BINS, (first, EVEN, EVEN))), 0)

    assert [each.name for each in found] == [name]
    assert found[0].in_cluster > found[0].in_set


def test_years_alone_and_other_groups_are_not_joined() -> None:
    years, moods = ("1", "2", "3"), ("calm", "glad", "sad")
    table = ((300, 300, 100), (100, 100, 300))

    assert cluster_name(view_of(("age", years, table)), 0) == "mostly age 1-2"
    assert cluster_name(view_of(("mood", moods, table)), 0) == "more calm"


def test_the_widest_gap_comes_first_and_a_small_one_names_nothing() -> None:
    weak, strong, slight = (
        ("race", ("a", "b"), ((700, 300), (500, 500))),
        ("gender", ("male", "female"), ((900, 100), (100, 900))),
        ("mood", ("calm", "sad"), ((30_900, 29_100), (29_000, 31_000))),
    )

    found = telling(view_of(weak, slight, strong), 0)

    assert [each.words for each in found] == ["male 90 % (set 50)", "a 70 % (set 60)"]


@pytest.mark.parametrize("hidden", [True, False])
def test_a_table_that_is_withheld_names_nobody(*, hidden: bool) -> None:
    found = association("gender", ("male", "female"), ((900, 100), (100, 900)))
    rows = ((900, None), (100, 900)) if hidden else found.table
    view = View(bare().having(associations=(replace(found, table=rows),)))

    assert cluster_name(view, 0) == ("" if hidden else "mostly male")
    assert cluster_name(View(bare().having(associations=(replace(found, table=()),))), 0) == ""


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 900), min_size=8, max_size=8), min_size=2, max_size=4))
def test_the_shares_are_those_of_the_ages_in_the_name(table: list[list[int]]) -> None:
    rows = tuple(map(tuple, table))
    view = view_of(("age_bin", BINS, rows))
    (about,) = view.result.associations
    total = sum(map(sum, rows))

    for cluster, row in enumerate(rows):
        found = telling(view, cluster)
        assert len(found) <= N_NAMES
        for each in found:
            low, _, high = each.name.removeprefix("age ").removesuffix("+").partition("-")
            ages = [
                at
                for at, name in enumerate(BINS)
                if int(low)
                <= int(name.rstrip("+").partition("-")[0])
                <= int(high or (999 if "+" in each.name else low))
            ]
            assert each.in_cluster == pytest.approx(sum(row[at] for at in ages) / sum(row))
            assert each.in_set == pytest.approx(sum(x[at] for x in rows for at in ages) / total)
            assert each.in_cluster - each.in_set >= GAIN
            above = {
                x.group for x in about.cells if x.cluster == cluster and (x.residual or 0) > 3
            }
            assert {BINS[at] for at in ages} <= above
