"""An attacker who solves, in whole numbers, for every count of few people with all that a shared report shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp

from fer_audit.audit.composition.intersections import intersect
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.space import ClusterStyle
from fer_audit.dataset.types import Attribute
from tests.report.results import association, bare, paper, representation

Cube = NDArray[np.int64]
"""(race, gender, cluster, copy) counts of a whole set; the last race and the last gender: not annotated; copy 1: not tested."""


def names_of(cube: Cube, axis: int) -> tuple[str, ...]:
    return tuple(f"{['race', 'gender'][axis]} {index}" for index in range(cube.shape[axis] - 1))


def result_of(cube: Cube) -> AuditResult:
    """Return everything a run counts in such a set."""
    base = paper()
    assert base.clustering is not None
    codes = np.array(np.unravel_index(np.repeat(np.arange(cube.size), cube.ravel()), cube.shape))
    attributes, shares, tables = [], [], []
    for axis, name in enumerate(("race", "gender")):
        groups = names_of(cube, axis)
        known = np.where(codes[axis] < len(groups), codes[axis], -1).astype(np.int16)
        attributes.append(Attribute(name, groups, known, "demographic"))
        counts = tuple(attributes[-1].counts().tolist())
        shares.append(representation(name, groups, counts, int((known < 0).sum())))
        table = cube[..., 0].sum(axis=1 - axis)[:-1].T
        tables.append(association(name, groups, tuple(map(tuple, table.tolist()))))
    tested = cube[..., 0].sum(axis=(0, 1)).tolist()
    return bare().having(
        representation=tuple(shares),
        associations=tuple(tables),
        clustering=replace(
            base.clustering, k=cube.shape[2], sizes=tuple(cube.sum(axis=(0, 1, 3)).tolist())
        ),
        intersections=intersect(attributes),
        cluster_styles=tuple(
            ClusterStyle(index, "luma_mean", n, 1.0, 1.0, 0.0, 0.0, 0.0)
            for index, n in enumerate(tested)
        ),
    )


def told_of(shared: AuditResult, cube: Cube) -> Iterator[tuple[Cube, int | None]]:
    """Yield (which cells, what they add up to) of every number that the report shows; None = it does not."""
    cells = np.arange(cube.size).reshape(cube.shape)
    known = slice(0, -1)
    yield cells, int(cube.sum())
    yield cells[..., 1], int(cube[..., 1].sum())
    yield cells[known, known], int(cube[known, known].sum())
    by_name = {"race": cells, "gender": cells.swapaxes(0, 1)}
    for about in shared.representation:
        yield by_name[about.attribute][known], about.annotated
        for index, group in enumerate(about.groups):
            yield by_name[about.attribute][index], group.count
    for each in shared.associations:
        yield by_name[each.attribute][known, ..., 0], each.n
        for (k, row), j in product(enumerate(each.table), range(len(each.groups))):
            yield by_name[each.attribute][j, :, k, 0], row[j]
    if shared.clustering is not None:
        for k, size in enumerate(shared.clustering.sizes):
            yield cells[:, :, k], size
    for style in shared.cluster_styles:
        yield cells[:, :, style.cluster, 0], style.n
    if shared.intersections is not None and shared.intersections.counts:
        places = product(range(2), range(2))
        for place, count in zip(places, shared.intersections.counts, strict=True):
            yield cells[place], count


def small_counts(cube: Cube, least: int) -> Iterator[Cube]:
    """Yield the cells of every count of few people: of a group, a cluster, both, with or without copies or a missing label."""
    cells = np.arange(cube.size).reshape(cube.shape)
    for size in range(1, 5):
        for axes in combinations(range(4), size):
            for levels in product(*(range(cube.shape[axis]) for axis in axes)):
                of_people = any(
                    x == 2 or (x < 2 and y < 2) for x, y in zip(axes, levels, strict=True)
                )
                place: list[int | slice] = [slice(None)] * 4
                for axis, level in zip(axes, levels, strict=True):
                    place[axis] = level
                part = cells[tuple(place)]
                if of_people and 0 < cube.ravel()[part].sum() < least:
                    yield part


cubes = st.tuples(
    st.lists(st.sampled_from([0, 5, 6, 8, 11, 20, 30]), min_size=8, max_size=8),
    st.lists(st.sampled_from([0, 0, 0, 0, 0, 1, 2, 6]), min_size=36, max_size=36),
)


ONE_PLACE_FOR_COPIES = ([*[0] * 6, 5, 0], [*[0] * 11, 1, *[0] * 15, 1, *[0] * 8])
"""All copies are in one cluster, and so is the one image without a race."""
ONE_RACE_WITH_A_GENDER = ([0] * 8, [7, 0, 0, 1, 9, 0, 6, *[0] * 3, 6, *[0] * 11, 6, *[0] * 13])
"""The one copy has a gender, which no image of the other race has."""


def cube_of(drawn: tuple[list[int], list[int]]) -> Cube:
    cube = np.array(drawn[1]).reshape(3, 3, 2, 2)
    cube[:2, :2, :, 0] += np.array(drawn[0]).reshape(2, 2, 2)
    return cube


@settings(max_examples=25, deadline=None)
@example(drawn=ONE_PLACE_FOR_COPIES, least=2)
@example(drawn=ONE_RACE_WITH_A_GENDER, least=4)
@given(drawn=cubes, least=st.integers(2, 6))
def test_no_count_of_few_people_can_be_worked_out(
    drawn: tuple[list[int], list[int]], least: int
) -> None:
    """All tables at once, over all images, one copy of each, and those with a label: whole numbers, solved for exactly."""
    cube = cube_of(drawn)
    for axis in range(2):
        assume((cube.sum(axis=tuple({0, 1, 2, 3} - {axis}))[:-1] > 0).sum() > 1)
    assume((cube.sum(axis=(0, 1, 3)) > 0).all())

    shared = withhold(result_of(cube), least)

    told = [(cells, count) for cells, count in told_of(shared, cube) if count is not None]
    matrix = np.zeros((len(told), cube.size))
    for row, (cells, count) in enumerate(told):
        matrix[row, cells.ravel()] = 1
        assert cube.ravel()[cells].sum() == count
    right = np.array([count for _, count in told])
    for cells in small_counts(cube, least):
        aim = np.zeros(cube.size)
        aim[cells.ravel()] = 1
        ends = [
            milp(
                sign * aim,
                constraints=LinearConstraint(matrix, right, right),
                integrality=np.ones(cube.size),
            )
            for sign in (1, -1)
        ]
        low, high = (round(float(aim @ end.x)) for end in ends)
        assert low < high, (cells, low, shared.findings[0].text)
