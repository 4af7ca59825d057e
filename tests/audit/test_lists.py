"""The lists behind the findings: which files to correct, to drop and to keep, and what is thin or far out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.remedies.lists import FAR, LISTS, Row
from fer_audit.audit.types import lists as names
from fer_audit.audit.types.not_computable import TOO_FEW
from fer_audit.config import AuditConfig
from tests.audit.inputs import (
    attribute,
    clustering_of,
    dataset_of,
    embeddings_of,
    failed,
    inputs_of,
    rows_of,
)
from tests.audit.test_near_pairs import pairs_of

CONFIG = AuditConfig.of(permutations=9, bootstraps=9)


def rows_in(path: str, inputs: AuditInputs) -> list[Row]:
    (found,) = (each for each in LISTS if each.path == path)
    columns, rows = found.table(inputs)
    assert all(len(row) == len(columns) for row in rows)
    return rows


def numbers(path: str, inputs: AuditInputs, column: int = 0) -> list[int]:
    return [int(row[column].removesuffix(".jpg")) for row in rows_in(path, inputs)]


def test_conflicts_come_worst_first_with_every_label_and_a_missing_one_contradicts_nobody() -> (
    None
):
    content = [*"aabbccddee"]
    dataset = dataset_of(
        attribute("race", [0, 1, 0, 0, 0, 1, 0, -1, 0, 0], "xy"),
        attribute("gender", [0, 0, 0, 0, 0, 1, 1, 1, 0, 0], "mf"),
        ages=[20, 20, 5, 53, 30, 30, 9, 9, 7, -1],
    )

    found = rows_in(
        names.CONFLICTS, inputs_of(dataset, rows_of(10, content=content), config=CONFIG)
    )

    assert found == [
        ("copy", found[0][1], "00002.jpg", "x", "m", "5"),
        ("copy", found[0][1], "00003.jpg", "x", "m", "53"),
        ("copy", found[2][1], "00004.jpg", "x", "m", "30"),
        ("copy", found[2][1], "00005.jpg", "y", "f", "30"),
        ("copy", found[4][1], "00000.jpg", "x", "m", "20"),
        ("copy", found[4][1], "00001.jpg", "y", "m", "20"),
    ]
    assert len({row[1] for row in found}) == 3


@st.composite
def albums(draw: st.DrawFn) -> tuple[AuditInputs, list[int], list[tuple[int, int]]]:
    """Draw files of a few photos, as copies and as near-copies: (inputs, photo of each, what makes it worth keeping)."""
    n = draw(st.integers(1, 14))
    photo = draw(st.lists(st.integers(0, 4), min_size=n, max_size=n))
    saved = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    labelled = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    broken = draw(st.sets(st.integers(0, n - 1), max_size=2))
    content = [f"{a}-{b}" for a, b in zip(photo, saved, strict=True)]
    rows = failed(rows_of(n, content=content), dict.fromkeys(broken, "truncated"))
    rows = replace(rows, widths=np.array([100 + 10 * each for each in saved], np.int32))
    first = {word: at for at, word in reversed(list(enumerate(content))) if at not in broken}
    compared = sorted(first.values())
    near = [(a, b) for a in compared for b in compared if a < b and photo[a] == photo[b]]
    race = [0 if each else -1 for each in labelled]
    inputs = inputs_of(
        dataset_of(attribute("race", race, "x")), rows, embeddings_of(rows), config=CONFIG
    )
    if near:
        pairs = pairs_of(near, 0.98, 0.95)
        inputs = replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: pairs))
    worth = [(int(labelled[at]), int(rows.widths[at] * rows.heights[at])) for at in range(n)]
    return inputs, [-1 if at in broken else each for at, each in enumerate(photo)], worth


@settings(deadline=None)
@given(albums())
def test_one_image_of_each_photo_is_kept_the_best_labelled_and_largest(
    drawn: tuple[AuditInputs, list[int], list[tuple[int, int]]],
) -> None:
    inputs, photo, worth = drawn
    readable = [at for at, each in enumerate(photo) if each >= 0]

    keep, drop = numbers(names.KEEP, inputs), numbers(names.DROP, inputs)

    if not drop:
        assert keep == []
        assert len({photo[at] for at in readable}) == len(readable)
        return
    assert sorted(keep + drop) == readable
    assert sorted(photo[at] for at in keep) == sorted({photo[at] for at in readable})
    for kept in keep:
        rivals = [at for at in readable if photo[at] == photo[kept]]
        assert worth[kept] == max(worth[at] for at in rivals)


def test_frames_of_one_person_are_kept_but_not_their_copies() -> None:
    rows = rows_of(4, content=["a", "b", "a", "c"])
    dataset = dataset_of(attribute("person", [0, 0, 0, 0], "p", "subject"))
    pairs = pairs_of([(0, 1), (1, 3)], 0.98, 0.95)
    inputs = inputs_of(dataset, rows, embeddings_of(rows), config=CONFIG)
    inputs = replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: pairs))

    assert (numbers(names.DROP, inputs), numbers(names.KEEP, inputs)) == ([2], [0, 1, 3])


def test_outliers_are_far_from_their_own_centre_and_a_small_cluster_has_none() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [100, 100, TOO_FEW - 1])
    distances = rng.normal(10, 1, len(labels)).astype(np.float32)
    distances[[3, 150, 151, 210]] = 20, 30, 40, 99
    clustering = replace(clustering_of(labels, k=3), distances=distances)

    inputs = inputs_of(dataset_of(n=len(labels)), None, None, clustering, config=CONFIG)
    found = rows_in(names.OUTLIERS, inputs)

    assert [(row[0], row[1]) for row in found] == [
        ("0", "00003.jpg"),
        ("1", "00151.jpg"),
        ("1", "00150.jpg"),
    ]
    own = distances[100:200].astype(np.float64)
    assert float(found[1][2]) == pytest.approx((40 - own.mean()) / own.std(), abs=0.005)
    assert all(float(row[2]) >= FAR for row in found)


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=6, max_size=6))
def test_thin_groups_are_the_cells_below_thirty_and_what_they_lack(counts: list[int]) -> None:
    cells = [(a, b) for a in range(2) for b in range(3)]
    codes = np.array([c for c, n in zip(cells, counts, strict=True) for _ in range(n)]).reshape(
        -1, 2
    )
    dataset = dataset_of(
        attribute("gender", codes[:, 0], "mf"), attribute("race", codes[:, 1], "xyz")
    )

    found = rows_in(names.THIN_GROUPS, inputs_of(dataset, config=CONFIG))

    thin = {("mf"[a], "xyz"[b]): n for (a, b), n in zip(cells, counts, strict=True) if n < TOO_FEW}
    assert {row[:2]: int(row[2]) for row in found} == thin
    assert all(int(row[2]) + int(row[3]) == TOO_FEW for row in found)
    assert [int(row[2]) for row in found] == sorted(thin.values())


def test_what_could_not_be_read_stands_with_its_reason_and_what_is_odd_with_its_mark() -> None:
    rows = failed(rows_of(4), {1: "truncated", 3: "empty"})
    rows.flags[[0, 3]] = "png_named_jpg"
    inputs = inputs_of(dataset_of(n=4), rows, config=CONFIG)

    assert rows_in(names.UNREADABLE, inputs) == [
        ("00001.jpg", "truncated"),
        ("00003.jpg", "empty"),
    ]
    assert rows_in(names.ODD, inputs) == [("00000.jpg", "png_named_jpg")]


def test_a_set_without_anything_to_list_has_no_list() -> None:
    inputs = inputs_of(dataset_of(n=3), config=CONFIG)

    assert [each.path for each in LISTS if each.table(inputs)[1]] == []
    assert len({each.path for each in LISTS}) == len(LISTS)
