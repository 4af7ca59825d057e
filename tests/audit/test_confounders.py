"""The columns that claims are asked to survive: style in bins, sizes, batches, ages in years, cells of a model of style."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims.associations import clusters_as_column
from fer_audit.audit.claims.confounders import (
    Question,
    combined,
    headline_batch,
    image_sizes,
    questions_for,
    style_bins,
)
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.stats.propensity import CELLS, propensity_cells
from fer_audit.audit.stats.what_is_left import what_is_left
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import Attribute
from fer_audit.pack.types import STYLE_NAMES
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of
from tests.known import known


def test_columns_are_combined_and_a_missing_value_stays_missing() -> None:
    one, two = attribute("a", [0, 0, 1, -1], "xy"), attribute("b", [1, 1, 1, 1], "uv")

    codes = combined([one, two])

    assert codes[0] == codes[1] != codes[2]
    assert codes[3] == -1


def test_many_columns_do_not_overflow() -> None:
    wide = [
        attribute(str(i), np.arange(50) % 7, [str(j) for j in range(30_000)]) for i in range(9)
    ]

    assert len(np.unique(combined(wide))) == 7


def test_style_bins_hold_equal_shares_and_leave_out_what_is_constant() -> None:
    rows = rows_of(1000)
    rows.style[:, 0] = np.random.default_rng(0).normal(size=1000)
    rows.style[:3, STYLE_NAMES.index("grey")] = 1

    found = style_bins(rows, rows.ok, STYLE_NAMES, parts=10)

    assert [each.name for each in found] == ["luma_mean", "grey"]
    assert found[0].counts().tolist() == [100] * 10
    assert found[1].counts().tolist() == [997, 3]


def test_a_heap_at_the_smallest_value_is_a_bin_of_its_own() -> None:
    rows = rows_of(100)
    rows.style[40:, 0] = np.arange(60)

    (found,) = style_bins(rows, rows.ok, ("luma_mean",), parts=4)

    assert found.counts().tolist() == [41, 9, 25, 25]


def test_image_sizes_are_a_batch_where_they_vary() -> None:
    rows = rows_of(4)
    assert image_sizes(rows) is None

    rows.widths[:] = [100, 100, 200, 0]
    rows.ok[3] = False
    found = known(image_sizes(rows))

    assert found.categories == ("100 x 200", "200 x 200")
    assert found.codes.tolist() == [0, 0, 1, -1]


def test_hundreds_of_sizes_become_tenths() -> None:
    rows = rows_of(500)
    rows.widths[:] = np.arange(500) + 50

    found = known(image_sizes(rows))

    assert found.counts().tolist() == [50] * 10


def batch(name: str, parts: int, n: int = 1200) -> Attribute:
    return attribute(name, np.arange(n) % parts, [str(i) for i in range(parts)], "batch")


def test_the_headline_is_the_coarsest_batch_of_thirty_parts() -> None:
    """The level must not move with n; an image's size is a question, and the level only where there is no other."""
    size, day, hour, minute = (
        batch(name, parts)
        for name, parts in (("image_size", 31), ("day", 29), ("hour", 132), ("minute", 600))
    )

    assert headline_batch([size, day, minute, hour]) is hour
    assert headline_batch([batch("hour", 12), size, day]) is day
    assert headline_batch([size]) is size
    assert headline_batch([]) is None


@pytest.fixture
def given() -> AuditInputs:
    """Return 1,200 faces with ages in years, style and three attributes."""
    rng = np.random.default_rng(0)
    rows = rows_of(1200)
    rows.style[:] = rng.normal(size=rows.style.shape)
    ages = rng.integers(20, 50, 1200)
    return inputs_of(
        dataset_of(
            attribute("race", rng.integers(0, 2, 1200), "wb"),
            attribute("gender", rng.integers(0, 2, 1200), "mf"),
            attribute("age_bin", ages // 10 - 2, ("20-29", "30-39", "40-49")),
            batch("hour", 40),
            ages=ages,
        ),
        rows,
        clustering=clustering_of(rng.integers(0, 3, 1200), k=3),
        config=AuditConfig.of(permutations=99, bootstraps=9),
    )


def asked_of(given: AuditInputs, name: str) -> list[Question]:
    """Return the questions to the claim that clusters and an attribute are associated."""
    clusters = known(clusters_as_column(given))
    (one,) = (each for each in given.for_tests if each.name == name)
    return list(questions_for(clusters, one, given))


def test_years_are_held_fixed_where_strata_stay_large(given: AuditInputs) -> None:
    race, few = (asked_of(x, "race")[0] for x in (given, fewer(given, 300)))

    assert (race.given, race.rung, race.headline) == (("gender", "age"), 4, True)
    assert len(race.columns[1].categories) == 50
    assert few.given == ("gender", "age_bin")
    assert asked_of(given, "age_bin")[0].given == ("race", "gender")


def fewer(given: AuditInputs, n: int) -> AuditInputs:
    """Return the same with n images that can be read."""
    rows = replace(given.rows, ok=np.arange(1200) < n)
    return inputs_of(given.dataset, rows, clustering=given.clustering, config=given.config)


def test_style_is_a_model_from_a_thousand_images_and_three_measures_below(
    given: AuditInputs,
) -> None:
    many, few = (
        [each for each in asked_of(x, "race") if each.rung == 5]
        for x in (given, fewer(given, 999))
    )

    assert (many[0].given, many[0].from_style, many[0].headline) == (("style",), True, True)
    assert few[0].given == ("luma_mean", "saturation", "sharpness")
    assert (few[0].from_style, few[0].headline) == (False, True)
    for asked in (many, few):
        assert [each.detail for each in asked] == [False] + [True] * 10
    assert [(each.given, each.headline) for each in asked_of(given, "race") if each.rung == 6] == [
        (("hour",), True)
    ]


def test_within_cells_of_the_model_a_label_of_style_alone_is_left_to_chance() -> None:
    """Clusters and label follow the sum of two measures: either measure alone leaves much of it, the model little."""
    rng = np.random.default_rng(0)
    style = rng.normal(size=(3000, 10)).astype(np.float32)
    both = style[:, 0] + style[:, 1]
    label = (both + 0.7 * rng.normal(size=3000) > 0).astype(np.int64)
    clusters = np.digitize(both + 0.7 * rng.normal(size=3000), (-1, 1))
    people = np.arange(3000)

    cells = propensity_cells(style, label, people, np.random.default_rng(0))
    again = propensity_cells(style, label, people, np.random.default_rng(0))

    one = np.digitize(style[:, 0], np.quantile(style[:, 0], np.arange(1, 10) / 10))
    left = known(what_is_left(clusters, label, cells)), known(what_is_left(clusters, label, one))
    assert len(np.unique(cells)) == CELLS
    assert cells.tolist() == again.tolist()
    assert left[0].per_entropy < 0.2
    assert left[1].per_entropy > 0.4


def test_images_of_one_person_are_in_one_fold() -> None:
    """Otherwise the model knows a person's label from the person's own images, and cells hold one label each."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(150), 10)
    label = rng.integers(0, 2, 150)[people]
    style = (rng.normal(size=(150, 10))[people] + 0.01 * rng.normal(size=(1500, 10))).astype("f4")

    apart, mixed = (
        propensity_cells(style, label, units, np.random.default_rng(0))
        for units in (people, np.arange(1500))
    )

    def pure(cells: np.ndarray) -> float:
        table = np.zeros((CELLS, 2))
        np.add.at(table, (cells, label), 1)
        return float(table.max(axis=1).sum() / 1500)

    assert pure(mixed) > 0.95
    assert pure(apart) < 0.8
