"""Who is in the set: shares, intersections, copies and fair draws."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from fer_audit.audit.composition.dataset_facts import count_reasons, dataset_facts, fully_labelled
from fer_audit.audit.composition.duplicates import find_duplicates
from fer_audit.audit.composition.intersections import intersect, mutual_residuals
from fer_audit.audit.composition.representation import age_heaping, represent
from fer_audit.audit.composition.subset import WITH_REPLACEMENT, WITHOUT_REPLACEMENT, check_subset
from fer_audit.audit.inputs import first_copies
from fer_audit.audit.types.composition import Count, Representation, SubsetCheck
from fer_audit.dataset.types import Attribute
from tests.audit.inputs import attribute, dataset_of, rows_of
from tests.known import known


def represented(column: Attribute, reference: dict[str, int] | None = None) -> Representation:
    return represent(
        column,
        tested=np.ones(len(column.codes), dtype=np.bool_),
        reference=reference,
        draws=99,
        confidence=0.95,
        rng=np.random.default_rng(0),
    )


def checked(
    counts: dict[str, int], whole: dict[str, int], *, holds_sample: bool = True
) -> SubsetCheck:
    return check_subset(
        counts,
        whole,
        attribute="race",
        reference_name="whole",
        holds_sample=holds_sample,
        draws=999,
        rng=np.random.default_rng(0),
    )


def test_missing_labels_are_counted_not_dropped() -> None:
    found = represented(attribute("race", [0, 0, 1, -1], ("White", "Black", "Asian")))

    assert (found.annotated, found.not_annotated) == (3, 1)
    assert [group.count for group in found.groups] == [2, 1, 0]
    assert found.groups[0].share == pytest.approx(2 / 3)


def test_a_group_without_images_is_a_row() -> None:
    found = represented(attribute("race", [0, 0, 1], ("White", "Black", "Asian")))

    empty = found.groups[2]
    assert (empty.name, empty.count, empty.share, empty.low, empty.ratio) == ("Asian", 0, 0, 0, 0)
    assert (empty.high or 0) > 0.3
    assert empty.ratio_low is None
    assert [name for name, _ in empty.not_computable] == ["ratio_low", "ratio_high"]


def test_the_ratio_is_to_the_reference_when_there_is_one() -> None:
    column = attribute("race", [0] * 60 + [1] * 40, ("White", "Black"))

    even, census = represented(column), represented(column, {"White": 75, "Black": 25})

    assert [group.ratio for group in even.groups] == pytest.approx([1.2, 0.8])
    assert [group.ratio for group in census.groups] == pytest.approx([0.8, 1.6])
    assert (even.target.target, census.target.target) == ("uniform", "reference")
    assert census.target.tv == pytest.approx(0.15)


def test_a_group_only_the_reference_has_becomes_an_empty_row() -> None:
    found = represented(attribute("race", [0, 0], ("White",)), {"White": 5, "Inuit": 5})

    assert [(group.name, group.count) for group in found.groups] == [("White", 2), ("Inuit", 0)]
    assert found.target.tv == pytest.approx(0.5)


def test_a_group_the_reference_lacks_has_no_ratio_and_no_fit() -> None:
    found = represented(attribute("race", [0, 1], ("White", "Black")), {"White": 5})

    assert found.groups[1].ratio is None
    assert found.target.chi2 is None
    assert dict(found.target.not_computable)["p"] == (
        "images belong to groups that the target does not have"
    )


def test_even_shares_are_no_target_for_a_batch() -> None:
    found = represented(attribute("hour", [0, 1, 1], ("a", "b"), "batch"))

    assert found.target.p is None
    assert found.target.tv is not None


@pytest.mark.parametrize("codes", [[], [-1, -1]])
def test_nothing_annotated_gives_reasons_and_no_numbers(codes: list[int]) -> None:
    found = represented(attribute("race", codes, ("White", "Black")))

    assert found.annotated == 0
    for group in found.groups:
        assert group.share is None
        assert dict(group.not_computable)["share"] == "no image is annotated"
    for record in (found.indices, found.target):
        explained = dict(record.not_computable)
        for field in fields(record):
            if getattr(record, field.name) is None:
                assert explained[field.name]


def test_an_attribute_without_categories_is_no_crash() -> None:
    found = represented(attribute("race", [-1], ()))

    assert found.groups == ()
    assert found.indices.R == 0


def test_ages_outside_whipples_range_give_no_index() -> None:
    found = age_heaping(np.array([5, 90, -1], dtype=np.int16))

    assert (found.whipple, found.n) == (None, 0)
    assert found.not_computable


def test_intersections_count_cells_with_few_or_no_images() -> None:
    race = attribute("race", [0] * 40 + [1] * 29 + [0] * 31, ("a", "b"))
    gender = attribute("gender", [0] * 40 + [0] * 29 + [1] * 31, ("x", "y"))

    found = known(intersect([race, gender]))

    assert (found.cells, found.empty, found.under_30, found.n) == (4, 1, 1, 100)
    assert found.smallest[0].groups == ("b", "y")
    assert found.smallest[0].expected == pytest.approx(29 * 31 / 100)
    assert found.largest_gaps[0].groups == ("b", "y")
    assert (found.largest_gaps[0].residual or 0) < -3
    assert all((cell.residual or 0) < 0 for cell in found.largest_gaps)


def test_intersections_need_two_attributes() -> None:
    assert intersect([attribute("race", [0], ("a", "b"))]) is None
    assert intersect([]) is None


def test_rows_that_miss_one_label_are_in_no_intersection() -> None:
    found = known(intersect([attribute("a", [0, -1], "xy"), attribute("b", [0, 1], "uv")]))

    assert (found.n, found.empty) == (1, 3)


def test_intersections_of_an_unannotated_set_are_all_empty() -> None:
    found = known(intersect([attribute("a", [-1, -1], "xy"), attribute("b", [-1, 0], "uv")]))

    assert (found.n, found.empty, found.largest_gaps) == (0, 4, ())
    assert found.smallest[0].residual is None
    assert found.not_computable


@pytest.mark.parametrize("sizes", [(2, 3), (4, 2, 3), (1, 5)])
def test_the_margins_of_the_cross_table_are_who_is_in_the_set(sizes: tuple[int, ...]) -> None:
    """When everything is annotated; the categories say which margin is whose."""
    rng = np.random.default_rng(0)
    columns = [
        attribute(f"a{i}", rng.integers(0, size, 200), [f"{i}{j}" for j in range(size)])
        for i, size in enumerate(sizes)
    ]

    found = known(intersect(columns))

    assert [len(names) for names in found.groups] == list(sizes)
    table = np.array(found.counts).reshape(sizes)
    for axis, column in enumerate(columns):
        others = tuple(other for other in range(len(sizes)) if other != axis)
        groups = represented(column).groups
        assert found.groups[axis] == tuple(each.name for each in groups)
        assert table.sum(axis=others).tolist() == [each.count for each in groups]


def test_the_cross_table_holds_the_cells_that_are_shown() -> None:
    rng = np.random.default_rng(1)
    columns = [attribute(name, rng.integers(-1, 3, 300), "xyz") for name in ("a", "b", "c")]

    found = known(intersect(columns))

    assert sum(count or 0 for count in found.counts) == found.n
    assert found.counts.count(0) == found.empty
    table = np.array(found.counts).reshape(3, 3, 3)
    for cell in (*found.smallest, *found.largest_gaps, *found.beyond_pairs):
        at = tuple(
            names.index(name) for names, name in zip(found.groups, cell.groups, strict=True)
        )
        assert table[at] == cell.count


def test_a_cross_table_of_many_cells_is_summed_up_and_not_listed() -> None:
    names = [str(i) for i in range(150)]
    wide = [attribute(name, np.arange(150), names) for name in ("a", "b")]

    found = known(intersect(wide))

    assert (found.cells, found.n, found.counts) == (22_500, 150, ())
    assert dict(found.not_computable)["counts"] == "22,500 cells are more than 20,000"


def test_a_cross_table_beyond_reason_is_refused() -> None:
    wide = [attribute(f"a{i}", [0], [str(j) for j in range(200)]) for i in range(4)]

    found = known(intersect(wide))

    assert found.cells == 200**4
    assert found.counts == ()
    assert set(dict(found.not_computable)) == {"smallest", "largest_gaps", "counts"}


def test_a_constant_third_attribute_changes_no_residual() -> None:
    table = np.array([[5, 3, 9], [2, 4, 1]])

    residuals = mutual_residuals(np.stack([table, np.zeros_like(table)]))[1]

    assert residuals[0] == pytest.approx(mutual_residuals(table)[1])
    assert np.isnan(residuals[1]).all()


def test_two_attributes_of_which_one_is_constant_leave_no_residual() -> None:
    assert np.isnan(mutual_residuals(np.array([[5, 3, 9], [0, 0, 0]]))[1]).all()


def test_the_first_copy_by_row_is_the_one_that_is_tested() -> None:
    sha = np.array([b"b", b"a", b"b", b"", b"", b"a"], dtype="S64")
    among = np.array([True, False, True, True, True, True])

    assert first_copies(sha, among).tolist() == [True, False, False, True, True, True]


def test_copies_that_disagree_are_counted_by_attribute() -> None:
    content = ["p", "q", "p", "q", "r", "p"]
    dataset = dataset_of(
        attribute("race", [0, 0, 1, -1, 0, 0], "xy"),
        attribute("age_bin", [0, 0, 0, 1, 0, 0], "xy"),
        attribute("hour", [0, 1, 2, 0, 1, 2], "xyz", "batch"),
        ages=[20, 3, 21, 30, 1, 20],
    )

    found = find_duplicates(
        dataset, rows_of(6, content=content).sha256, np.ones(6, dtype=np.bool_), left_out=3
    )

    assert (found.groups, found.files, found.left_out) == (2, 5, 3)
    assert found.conflicts == (Count("race", 1), Count("age", 2))
    assert found.across_age_groups == 1, "20 and 21 are in one age group"
    assert found.examples == (("00001.jpg", "00003.jpg"), ("00000.jpg", "00002.jpg", "00005.jpg"))
    assert (found.contradicting, found.worst) == (2, "age 3 and 30"), (
        "the widest gap of ages first"
    )


def test_files_that_could_not_be_read_are_nobodys_copy() -> None:
    dataset = dataset_of(attribute("race", [0, 0], "xy"))

    found = find_duplicates(
        dataset, rows_of(2, content=["", ""]).sha256, np.ones(2, dtype=np.bool_), left_out=0
    )

    assert (found.groups, found.files, found.examples) == (0, 0, ())


def test_the_whole_set_is_a_fair_draw_of_itself() -> None:
    whole = {"a": 50, "b": 30, "c": 20}

    found = checked(whole, whole)

    assert (found.tv, found.chi2, found.p) == (0, 0, 1)
    assert found.method == WITHOUT_REPLACEMENT


def test_a_sample_larger_than_its_set_is_drawn_with_replacement() -> None:
    found = checked({"a": 51, "b": 5}, {"a": 50, "b": 30})

    assert found.method == WITH_REPLACEMENT
    assert found.p == 0.001


def test_a_fair_draw_passes() -> None:
    found = checked({"a": 52, "b": 28, "c": 20}, {"a": 500, "b": 300, "c": 200})

    assert (found.p or 0) > 0.5
    assert known(found.worst).p > 0.5


@pytest.mark.parametrize(
    ("counts", "whole", "missing"),
    [
        ({"a": 0, "b": 0}, {"a": 5, "b": 5}, {"tv", "worst", "chi2", "p", "p_asymptotic"}),
        ({"a": 3}, {"a": 0}, {"tv", "worst", "chi2", "p", "p_asymptotic"}),
        ({"a": 3, "b": 1}, {"a": 5}, {"chi2", "p", "p_asymptotic"}),
        ({"a": 3}, {"a": 5}, {"chi2", "p", "p_asymptotic"}),
    ],
)
def test_a_draw_that_cannot_be_checked_says_why(
    counts: dict[str, int], whole: dict[str, int], missing: set[str]
) -> None:
    found = checked(counts, whole, holds_sample=False)

    assert {name for name, _ in found.not_computable} == missing
    assert all(getattr(found, name) is None for name in missing)


def test_rows_with_every_label_are_fully_labelled() -> None:
    race = attribute("race", [0, -1, 1, 0], "xy")
    hour = attribute("hour", [-1, -1, -1, -1], "ab", "batch")

    assert fully_labelled(dataset_of(race, hour)) == 3
    assert fully_labelled(dataset_of(race, hour, ages=[5, 5, -1, 5])) == 2
    assert fully_labelled(dataset_of(hour)) == 0


def test_what_a_set_says_of_itself_reaches_the_result() -> None:
    base = dataset_of(attribute("race", [0, 1], "xy"))
    facts, skipped = (("gender", "Female"),), (("earlier frame of a sequence", 24),)
    dataset = replace(base, terms="research only", facts=facts, skipped=skipped)

    found = dataset_facts(dataset, rows_of(2), None, usable=np.ones(2, np.bool_))

    assert (found.terms, found.facts, found.skipped) == ("research only", facts, skipped)
    assert found.label_source == base.label_source


def test_reasons_are_counted_with_printable_examples() -> None:
    found = count_reasons([("odd", "b"), ("bad", "\udcff.jpg"), ("odd", "c"), *[("odd", "d")] * 2])

    assert [(each.reason, each.count) for each in found] == [("odd", 4), ("bad", 1)]
    assert found[0].examples == ("b", "c", "d")
    assert found[1].examples == ("\\xff.jpg",)


def test_a_predicted_label_says_so() -> None:
    column = replace(attribute("race", [0, 1], "xy"), source="predicted")

    assert represented(column).source == "predicted"
