"""What may be shared of a result: nothing that is withheld can be worked out, by who solves for it with all that is told."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix

from fer_audit.audit.composition.intersections import intersect
from fer_audit.audit.suppression.differences import telling
from fer_audit.audit.suppression.disclosure import Sums, exposed, protect
from fer_audit.audit.suppression.network import exposed_edges, network, protect_edges
from fer_audit.audit.suppression.run import withhold
from fer_audit.audit.types.composition import Duplicates, GroupShare, RejectCount
from fer_audit.audit.types.not_computable import MIN_CELL
from fer_audit.audit.types.result import AuditResult, GateRule
from fer_audit.dataset.types import Attribute
from fer_audit.errors import ConfigError
from tests.report.results import PEOPLE, association, bare, paper, representation, utkface

Table = tuple[tuple[int, ...], ...]


def audited(table: Table) -> AuditResult:
    """Return a result of one attribute: its groups, its clusters, and the table of both, over the same images."""
    names = tuple(f"group {index}" for index in range(len(table[0])))
    base = paper()
    assert base.clustering is not None
    return base.having(
        representation=(
            representation("race", names, tuple(map(sum, zip(*table, strict=True))), 3),
        ),
        clustering=replace(base.clustering, k=len(table), sizes=tuple(map(sum, table))),
        associations=(association("race", names, table),),
        intersections=None,
        subset_checks=(),
    )


def values_left(
    told: list[int | None], true: list[int], lines: list[list[int]], total: int
) -> list[tuple[int, int]]:
    """Return the least and the most that each withheld number can be, in whole numbers, for who knows the rest.

    `lines` are places whose numbers add up to the last of them, but for the last line, which adds up to `total`. The reader
    also knows which of the withheld numbers are not 0.
    """
    matrix = np.zeros((len(lines), len(told)))
    right = np.zeros(len(lines))
    for row, line in enumerate(lines):
        matrix[row, line] = 1
        if row < len(lines) - 1:
            matrix[row, line[-1]] = -1
    right[-1] = total
    known = [count is not None for count in told]
    low = np.array(
        [count if count is not None else min(x, 1) for count, x in zip(told, true, strict=True)]
    )
    high = np.array([count if count is not None else total for count in told])
    bounds = np.stack([low, high], axis=1)
    found = []
    for place in [index for index, told_ in enumerate(known) if not told_]:
        ends = []
        for sign in (1, -1):
            aim = np.zeros(len(told))
            aim[place] = sign
            best = milp(
                aim,
                constraints=LinearConstraint(matrix, right, right),
                bounds=(bounds[:, 0], bounds[:, 1]),
                integrality=np.ones(len(told)),
            )
            assert best.x is not None
            ends.append(round(best.x[place]))
        found.append((ends[0], ends[1]))
    return found


tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.tuples(*[st.integers(0, 14) for _ in range(width)]), min_size=2, max_size=4
    ).map(tuple)
)


@settings(max_examples=60, deadline=None)
@given(table=tables, min_cell=st.integers(2, 8))
def test_no_withheld_number_of_a_table_is_the_only_one_that_fits(
    table: Table, min_cell: int
) -> None:
    """Cells, sizes of clusters and of groups together: the groups are counted over the same images here."""
    assume(sum(map(sum, table)) > 0)
    result = audited(table)

    shared = withhold(result, min_cell)

    assert shared.clustering is not None
    k, g = len(table), len(table[0])
    told_table = shared.associations[0].table if shared.associations else ()
    inner = [count for row in told_table for count in row] or [None] * (k * g)
    groups = (
        [group.count for group in shared.representation[0].groups]
        if shared.representation
        else [None] * g
    )
    told = [*inner, *shared.clustering.sizes, *groups]
    true = [count for row in table for count in row]
    true += [*map(sum, table), *map(sum, zip(*table, strict=True))]
    lines = [[*range(i * g, i * g + g), k * g + i] for i in range(k)]
    lines += [[*range(j, k * g, g), k * g + k + j] for j in range(g)]
    lines.append(list(range(k * g, k * g + k)))
    if not told_table:  # nothing at all is told of it, not even how many images it has
        return
    assert all(low < high for low, high in values_left(told, true, lines, sum(map(sum, table))))
    assert all(count is None or count == 0 or count >= min_cell for count in told)
    for count, right in zip(told, true, strict=True):
        assert count is None or count == right


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(0, 12), min_size=12, max_size=12),
    min_cell=st.integers(2, 7),
)
def test_no_withheld_combination_is_the_only_one_that_fits(
    counts: list[int], min_cell: int
) -> None:
    """Three attributes: every total of every group is told unless the group is withheld."""
    assume(sum(counts) > 0)
    shape = (2, 2, 3)
    codes = np.array(np.unravel_index(np.repeat(np.arange(12), counts), shape), dtype=np.int16)
    attributes = [
        Attribute(name, tuple(f"{name}{i}" for i in range(size)), codes[axis], "demographic")
        for axis, (name, size) in enumerate(zip("abc", shape, strict=True))
    ]
    shares = [
        representation(a.name, a.categories, tuple(a.counts().tolist()), 0) for a in attributes
    ]
    result = bare().having(representation=tuple(shares), intersections=intersect(attributes))

    found = withhold(result, min_cell)

    table = found.intersections
    if table is None or not table.counts:
        return
    told = [*table.counts, *(g.count for about in found.representation for g in about.groups)]
    true = [*counts, *(n for a in attributes for n in a.counts().tolist())]
    places = np.arange(12).reshape(shape)
    lines, at = [], 12
    for axis, size in enumerate(shape):
        for index in range(size):
            lines.append([*np.take(places, index, axis).ravel().tolist(), at])
            at += 1
    lines.append(list(range(12)))
    assert all(low < high for low, high in values_left(told, true, lines, sum(counts)))
    assert all(count is None or count == 0 or count >= min_cell for count in told)
    for cell in (*table.smallest, *table.largest_gaps):
        place = [a.categories.index(name) for a, name in zip(attributes, cell.groups, strict=True)]
        assert told[int(places[tuple(place)])] == cell.count


def test_a_single_small_cell_takes_the_lightest_rectangle_with_it() -> None:
    table = ((3, 60, 70), (50, 20, 80), (90, 85, 75))

    shared = withhold(audited(table), 5).associations[0]

    assert shared.table == ((None, None, 70), (None, None, 80), (90, 85, 75))


def test_two_cells_that_leave_one_solution_are_not_enough() -> None:
    """1 + 1 = 2: where both hold somebody, the sum gives both away."""
    counts = np.array([1, 1, 9, 30])
    line = Sums(counts, csr_matrix(np.ones((1, 4), dtype=np.int64)))
    two = np.array([True, True, False, False])

    found = protect(line, two, np.ones(4, dtype=np.bool_))

    assert exposed(line, two).tolist() == [0, 1]
    assert found is not None
    assert found.tolist() == [True, True, True, False]


def test_a_bridge_between_two_blocks_is_seen_through() -> None:
    """Each line of this table has two withheld cells or more, and yet the totals of its upper half give one away."""
    mask = np.zeros((4, 4), dtype=np.bool_)
    mask[:2, :2] = mask[2:, 2:] = mask[1, 2] = True
    counts = np.arange(7, 23).reshape(4, 4)
    rows, columns = np.kron(np.eye(4), np.ones(4)), np.kron(np.ones(4), np.eye(4))
    sums = Sums(counts.ravel(), csr_matrix(np.concatenate([rows, columns]).astype(np.int64)))

    assert exposed(sums, mask.ravel()).tolist() == [6]
    assert protect(sums, mask.ravel(), np.zeros(16, dtype=np.bool_)) is None


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(2, 4), st.integers(2, 5)),
    seed=st.integers(0, 10_000),
    share=st.floats(0.1, 0.9),
)
def test_the_network_finds_what_linear_programs_find(
    shape: tuple[int, int], seed: int, share: float
) -> None:
    """The same cells are exposed by both, and what the network adds leaves none that a linear program could find."""
    rng = np.random.default_rng(seed)
    k, g = shape
    counts = rng.integers(0, 4, size=k * g)
    mask = rng.random(k * g) < share
    assume(mask.any())
    lines = [np.kron(np.eye(k), np.ones(g)), np.kron(np.ones(k), np.eye(g))]
    matrix = csr_matrix(np.concatenate(lines).astype(np.int64))
    sums, net = Sums(counts, matrix), network(counts, matrix, np.repeat([1, -1], shape))

    assert exposed_edges(net, mask).tolist() == sorted(exposed(sums, mask).tolist())
    found = protect_edges(net, mask, np.ones(k * g, dtype=np.bool_))
    if found is None:
        everything = np.ones(k * g, dtype=np.bool_)
        assert set(exposed(sums, everything)) & set(np.flatnonzero(mask))
    else:
        assert (found & mask).sum() == mask.sum()
        assert exposed(sums, found).tolist() == []


@pytest.mark.parametrize("days", [30, 132])
def test_a_table_with_tiny_outlier_clusters_is_settled_at_once(days: int) -> None:
    """Sizes of 1 to 3 images ask for cycles through many empty cells: one search a cell, however it ends."""
    rng = np.random.default_rng(5)
    rows = [rng.multinomial(n, np.full(days, 1 / days)) for n in (900, 700, 400, 300, 200, 100)]
    rows += [rng.multinomial(n, np.full(days, 1 / days)) for n in (60, 30, 3, 2, 1, 1)]
    result = audited(tuple(tuple(map(int, row)) for row in rows))
    started = time.process_time()

    shared = withhold(result, 5)

    assert time.process_time() - started < 2
    assert shared.clustering is not None
    assert shared.clustering.sizes[-4:] == (None,) * 4


def test_a_cross_table_that_needs_too_many_programs_is_withheld_whole() -> None:
    rng = np.random.default_rng(1)
    shape = (5, 8, 12)
    codes = [rng.choice(size, 900, p=rng.dirichlet(np.full(size, 0.5))) for size in shape]
    attributes = [
        Attribute(
            name, tuple(f"{name}{i}" for i in range(size)), axis.astype(np.int16), "demographic"
        )
        for name, size, axis in zip("abc", shape, codes, strict=True)
    ]
    result = bare().having(representation=(), intersections=intersect(attributes))
    started = time.process_time()

    shared = withhold(result, 5)

    assert time.process_time() - started < 10
    assert shared.intersections is not None
    told = [count for count in shared.intersections.counts if count is not None]
    assert all(count == 0 or count >= 5 for count in told)


def test_a_total_that_tells_who_was_left_out_is_withheld() -> None:
    """Two images of group 0 are copies: 112 told beside 110 would be a count of two people."""
    result = audited(((50, 20, 80), (60, 85, 75)))
    about = representation("race", ("group 0", "group 1", "group 2"), (112, 115, 155), 3)

    shared = withhold(result.having(representation=(about,)), 5).associations[0]

    assert shared.v is None
    columns = list(zip(*shared.table, strict=True))
    assert sum(None in column for column in columns) == 2
    assert None in columns[0]
    assert all(cell.group not in {"group 0", "group 1"} for cell in shared.cells)


def test_a_size_that_tells_who_was_left_out_of_a_cluster_is_withheld() -> None:
    result = audited(((50, 20, 80), (60, 85, 75), (70, 55, 45)))
    assert result.clustering is not None
    sizes = (153, 220, 190)

    shared = withhold(result.having(clustering=replace(result.clustering, sizes=sizes)), 5)

    assert shared.clustering is not None
    assert shared.clustering.sizes == (None, 220, None)
    assert shared.associations == result.associations


def test_a_difference_that_is_the_only_one_takes_a_second_with_it() -> None:
    wide = {"a": 12, "b": 20, "c": 39}

    assert telling(wide, {"a": 10, "b": 20, "c": 30}, frozenset(), 5) == frozenset({"a", "c"})
    assert telling(wide, {"a": 10, "b": 20, "c": 30}, frozenset("b"), 5) == frozenset({"a", "b"})
    assert telling(wide, {"a": 11, "b": 20, "c": 39}, frozenset(), 5) == frozenset({"a", "b"})
    assert telling(wide, {"a": 5, "b": 20, "c": 30}, frozenset(), 5) == frozenset()
    assert telling(wide, {"a": 13, "b": 18, "c": 39}, frozenset(), 5) == frozenset()
    assert telling({"a": 12}, {"a": 10}, frozenset(), 5) is None


def test_more_images_is_withheld_with_every_number_of_the_cross_table() -> None:
    shared = withhold(utkface(), 5).intersections

    assert shared is not None
    assert "more_images" in dict(shared.not_computable)
    assert shared.smallest
    assert all(cell.more_images is None for cell in (*shared.smallest, *shared.largest_gaps))


def test_a_rule_that_is_kept_by_a_withheld_value_was_judged() -> None:
    rule = GateRule("shuffled control.v>0.9", 0.02, crossed=False, reason="it holds off")

    (kept,) = withhold(replace(utkface(), gate=(rule,)), 5).gate

    assert (kept.value, kept.crossed, kept.withheld) == (None, False, True)


def test_a_group_that_is_withheld_is_withheld_in_every_table_and_with_all_that_tells_it() -> None:
    result = audited(((2, 40, 50, 10), (1, 60, 45, 12)))

    shared = withhold(result, 5)

    (about,) = shared.representation
    hidden = [group for group in about.groups if group.count is None]
    assert [group.name for group in hidden] == ["group 0", "group 3"]
    assert all(value is None for group in hidden for value in numbers_of(group))
    assert about.indices.R == result.representation[0].indices.R
    assert (about.indices.ENS, about.indices.D, about.target.tv, about.target.p) == (None,) * 4
    (table,) = shared.associations
    assert (table.v, table.v_corrected, table.chi2, table.p_permutation) == (None,) * 4
    assert {cell.group for cell in table.cells} <= {"group 1", "group 2"}
    assert shared.ladders == ()


def numbers_of(group: GroupShare) -> tuple[float | None, ...]:
    return (group.share, group.low, group.high, group.ratio, group.ratio_low, group.ratio_high)


def test_what_rests_only_on_told_cells_stays_as_it_is() -> None:
    result = utkface()

    shared = withhold(result, 5)

    names = ["race", "gender", "age"]
    for name in names:
        before = next(x for x in result.associations if x.attribute == name)
        assert before in shared.associations
    assert shared.representation == result.representation
    assert [x.attribute for x in shared.ladders] == names
    control = next(x for x in shared.associations if x.attribute == "shuffled control")
    assert control.v is None
    assert any(None in row for row in control.table)


def test_the_correction_of_a_told_cell_does_not_tell_of_a_withheld_one() -> None:
    """Benjamini-Hochberg hands the p of one cell on to others: it is done again over the told ones."""
    one = withhold(audited(((3, 60, 70, 80), (50, 20, 80, 60), (90, 85, 75, 40))), 5)
    result = audited(((3, 60, 70, 80), (50, 20, 80, 60), (90, 85, 75, 40)))
    (table,) = result.associations
    wrong = replace(table, cells=tuple(replace(cell, p_adjusted=0.5) for cell in table.cells))

    two = withhold(result.having(associations=(wrong,)), 5)

    assert one.associations == two.associations


def test_no_file_is_named() -> None:
    shared = withhold(utkface(), 5)

    facts = shared.dataset
    named = (*facts.failures, *facts.flags, *facts.rejects)
    assert named
    assert all(each.examples == () for each in named)
    assert shared.duplicates.examples == ()


def test_a_note_that_quotes_a_file_is_left_out() -> None:
    result = utkface()
    notes = ('3 names were repaired: "24_0_1_2017.jpg" and 2 more.', "Many ages are round.")

    shared = withhold(replace(result, dataset=replace(result.dataset, notes=notes)), 5)

    assert shared.dataset.notes == ("Many ages are round.",)


def test_counts_of_files_are_told() -> None:
    """They are about the set, not about a group of people."""
    result = utkface()
    few = (RejectCount("race_missing", 3, ()),)
    copies = Duplicates(1, 2, 1, result.duplicates.conflicts, ())

    shared = withhold(
        result.having(dataset=replace(result.dataset, rejects=few), duplicates=copies), 5
    )

    assert shared.dataset.rejects == few
    assert shared.duplicates == copies
    assert shared.representation[0].not_annotated == 3


def test_the_first_finding_says_what_was_withheld() -> None:
    shared = withhold(utkface(), 5)

    assert shared.findings[0].code == MIN_CELL
    assert "fewer than 5 people" in shared.findings[0].text
    assert "8 combinations of groups" in shared.findings[0].text
    assert shared.min_cell == 5


def test_zero_withholds_nothing() -> None:
    result = utkface()

    assert withhold(result, 0) is result


@pytest.mark.parametrize("min_cell", [1, -1, -5])
def test_a_limit_that_means_nothing_is_refused(min_cell: int) -> None:
    with pytest.raises(ConfigError, match="must be 2 or more"):
        withhold(utkface(), min_cell)


def test_a_shared_result_is_not_withheld_again() -> None:
    shared = withhold(utkface(), 5)

    with pytest.raises(ConfigError, match="already"):
        withhold(shared, 10)


def test_an_attribute_that_cannot_be_hidden_is_left_out() -> None:
    """One group of three images, and nobody else to hide them among."""
    result = bare().having(
        representation=(representation("race", ("White",), (3,), 0),), intersections=None
    )

    shared = withhold(result, 5)

    assert shared.representation == ()
    assert "all of race" in shared.findings[0].text


def test_people_of_the_drawn_result_are_the_ones_the_tests_speak_of() -> None:
    """The cross table of the drawn result has a 0 and a 4 that the tests above rest on."""
    table = utkface().intersections
    assert table is not None
    assert table.attributes == tuple(PEOPLE)
    counts: NDArray[np.int64] = np.array(table.counts)
    assert sorted(counts.tolist())[:2] == [0, 4]
