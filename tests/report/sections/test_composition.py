"""Who is in the set: shares, targets, diversity and ages, with the result's own numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.report.blocks import Bar, Charts, Table
from fer_audit.report.sections.who import composition
from fer_audit.report.view import View
from tests.report.results import RACES, representation, utkface
from tests.report.sections.reading import blocks_of, rows, tables

SHARE = "share (count; 95 % interval)"


@pytest.mark.parametrize("attribute", ["race", "gender"])
def test_every_group_has_its_share_its_count_and_how_far_it_is_from_its_target(
    attribute: str,
) -> None:
    (about,) = (each for each in utkface().representation if each.attribute == attribute)

    *groups, missing = rows(composition(View(utkface())), attribute)

    for row, group in zip(groups, about.groups, strict=True):
        assert row["group"] == group.name
        assert group.share is not None
        assert group.ratio is not None
        assert row[SHARE].startswith(f"{100 * group.share:.1f} % ({group.count:,}; ")
        assert row["of target"].startswith(f"{group.ratio:.2f}×")
        assert row["its interval"] == f"{group.ratio_low:.2f}-{group.ratio_high:.2f}"
    assert missing["group"] == "not annotated"
    assert missing[SHARE] == f"3 (annotated: {about.annotated:,})"


def test_age_groups_have_shares_and_no_even_target() -> None:
    """They span unequal numbers of years."""
    for row in rows(composition(View(utkface())), "age"):
        assert "of target" not in row


def test_a_group_is_under_its_target_only_with_its_whole_interval() -> None:
    about = representation("race", ("a", "b"), (30, 50), 0)

    marks = [
        row["of target"]
        for row in rows(composition(View(utkface().having(representation=(about,)))), "race")
    ]

    assert marks == ["0.75× ▼ may be", "1.25×", ""]


def test_groups_far_from_their_target_are_marked() -> None:
    marks = [row["of target"] for row in rows(composition(View(utkface())), "race")]

    assert marks == ["2.13× ▲ over", "0.95×", "0.72× ▼ under", "0.84×", "0.36× ▼ under", ""]


def test_a_bar_ends_at_the_share_and_has_its_tick_at_the_target() -> None:
    table = tables(composition(View(utkface())))["race"]

    bars = [cell for row in table.rows for cell in row if isinstance(cell, Bar)]

    full = 10_078 / 23_704
    assert [bar.value for bar in bars] == pytest.approx(
        [count / 23_704 for count in (10_078, 4_525, 3_434, 3_975, 1_692)]
    )
    assert all(bar.full == pytest.approx(full) for bar in bars)
    assert [bar.target for bar in bars] == pytest.approx([0.2] * 5)


def test_a_batch_of_many_groups_is_summarised_and_listed_in_full_below() -> None:
    section = composition(View(utkface()))

    short, whole = (
        tables(section)[title]
        for title in ("crawl hour (batch)", "crawl hour (batch): all 213 groups")
    )

    assert [row[0] for row in short.rows] == [
        *("2017-01-09 00h", "2017-01-09 01h", "2017-01-09 02h", "not annotated")
    ]
    assert short.note == "... and 210 smaller groups; 213 groups in all."
    assert (short.importance, whole.importance) == ("normal", "detail")
    assert len(whole.rows) == 213 + 1
    assert [column.title for column in whole.columns] == ["group", SHARE, ""]
    assert all(bar.target is None for row in whole.rows for bar in row if isinstance(bar, Bar))


def test_a_sample_counts_the_groups_that_have_images() -> None:
    base = utkface()
    hour = next(x for x in base.representation if x.kind == "batch")
    none = tuple(replace(x, count=0) for x in hour.groups[5:])
    sample = replace(hour, groups=(*hour.groups[:5], *none))

    found = tables(composition(View(base.having(representation=(sample,)))))

    assert found["crawl hour (batch)"].note == "... and 2 smaller groups; 5 groups in all."
    assert "crawl hour (batch): all 5 groups" in found


def test_groups_of_fewer_than_30_images_are_faint() -> None:
    about = representation("race", RACES, (0, 29, 30, 500, 2), 0)
    table = tables(composition(View(utkface().having(representation=(about,)))))["race"]

    assert table.faint == {0, 1, 4}


def test_predicted_labels_and_labels_to_learn_are_called_so() -> None:
    race, *_ = utkface().representation
    about = (
        replace(race, source="predicted"),
        replace(race, attribute="head_pose", kind="label"),
    )

    section = composition(View(utkface().having(representation=about)))

    assert {"race (predicted)", "head pose (label)"} <= tables(section).keys()


def test_every_attribute_has_its_diversity_and_each_with_a_target_its_distance() -> None:
    section = composition(View(utkface()))

    diversity, distance = rows(section, "Diversity"), rows(section, "Distance to the target")

    assert [row["attribute"] for row in diversity] == [
        "race",
        "gender",
        "age",
        "crawl hour (batch)",
    ]
    assert [row["attribute"] for row in distance] == ["race", "gender"]


def test_each_attribute_of_few_groups_and_the_ages_have_a_chart() -> None:
    (block,) = blocks_of(composition(View(utkface())), Charts)

    keys = [chart.key for chart in block.make() if chart is not None]

    assert keys == ["composition-race", "composition-gender", "composition-age"]
    assert all(isinstance(each, Table) for each in tables(composition(View(utkface()))).values())
