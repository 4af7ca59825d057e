"""Where people or near-identical groups are the unit, no test exchanges their images one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims import batch_leakage
from fer_audit.audit.inputs import NEAR_GROUP, AuditInputs
from fer_audit.audit.space import overlap, style
from fer_audit.audit.space.cluster_style import cluster_styles
from fer_audit.audit.stats.kruskal_null import h_statistic, rank_null
from fer_audit.audit.stats.units import row_blocks
from fer_audit.audit.types.copies import NearPairs
from fer_audit.config import AuditConfig
from fer_audit.pack.types import STYLE_NAMES
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of
from tests.known import known

PEOPLE, IMAGES = 40, 6


def of_people(seed: int, *, named: bool = True) -> AuditInputs:
    """Return six images each of forty people, whose gender, session and style are theirs, and linked by nothing else."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(PEOPLE), IMAGES)
    gender, session = (rng.integers(0, 2, PEOPLE)[who] for _ in range(2))
    columns = [
        attribute("gender", gender, ("man", "woman")),
        attribute("session", session, ("a", "b"), "batch"),
    ]
    if named:
        columns.append(attribute("who", who, [str(x) for x in range(PEOPLE)], "subject"))
    dataset = dataset_of(*columns)
    points = rng.normal(size=(PEOPLE, 4))[who] + 0.01 * rng.normal(size=(len(who), 4))
    measures = rng.normal(size=(PEOPLE, len(STYLE_NAMES)))[who]
    measures += 0.1 * rng.normal(size=measures.shape)
    return inputs_of(
        dataset,
        replace(rows_of(len(who)), style=measures.astype(np.float32)),
        clustering=clustering_of(session, k=2),
        coordinates=points,
        config=AuditConfig().having(permutations=199, seed=seed),
    )


def test_a_session_that_each_person_has_predicts_nothing_about_people() -> None:
    found = [
        batch_leakage._run(each, each.dataset.attributes[1], each.dataset.attributes[0])
        for each in map(of_people, range(30))
    ]

    assert {each.unit for each in found} == {"who"}
    assert np.mean([known(each.p) <= 0.05 for each in found]) <= 0.15
    (entry,) = batch_leakage._ledger(found[:1])
    assert entry.method.startswith("199 shuffles of labels by who, ")


def test_style_that_each_person_has_says_nothing_about_people() -> None:
    found = [
        test
        for each in map(of_people, range(12))
        for test in style.style_tests(each, each.dataset.attributes[0])
    ]

    assert {each.unit for each in found} == {"who"}
    assert np.mean([known(each.p) <= 0.05 for each in found]) <= 0.15


def test_shuffles_of_single_rows_are_a_case_of_shuffles_of_blocks() -> None:
    rng = np.random.default_rng(0)
    groups, units = rng.integers(0, 3, 60), np.repeat(np.arange(30), 2)
    groups = groups[units]
    ranks = rng.permutation(60).astype(np.float64) + 1
    blocks = known(row_blocks(groups, units))

    seen, drawn = rank_null(
        [ranks], groups, np.bincount(groups), draws=50, rng=np.random.default_rng(1), blocks=blocks
    )

    assert seen[0] == pytest.approx(h_statistic(ranks, groups, np.bincount(groups)))
    for moved, one in zip(blocks.moved(50, np.random.default_rng(1)), drawn[:, 0], strict=True):
        rows = moved[blocks.block]
        assert one == pytest.approx(h_statistic(ranks, rows, np.bincount(rows, minlength=3)))
        assert (rows[::2] == rows[1::2]).all(), "people are whole"


def test_a_cluster_of_few_people_has_a_wider_interval() -> None:
    inputs = of_people(0)
    assert inputs.clustering is not None

    alone, together = (
        cluster_styles(
            *(inputs.rows.style, inputs.clustering),
            tested=inputs.tested,
            confidence=0.95,
            units=units,
        )
        for units in (None, inputs.exchanged)
    )

    for one, other in zip(alone, together, strict=True):
        widths = [known(each.high) - known(each.low) for each in (one, other)]
        assert widths[1] / widths[0] == pytest.approx(np.sqrt(IMAGES), rel=0.15)
        assert one.difference == other.difference


def test_near_identical_images_are_exchanged_together_where_nobody_is_named() -> None:
    inputs = of_people(0, named=False)
    first = np.arange(0, PEOPLE * IMAGES, IMAGES)
    ones = np.ones(len(first))
    pairs = NearPairs(first, first + 1, ones, ones, 0.9, all_pixels=False)
    near = replace(inputs, extra=replace(inputs.extra, near_pairs=lambda: pairs))

    found = batch_leakage._run(near, near.dataset.attributes[1], near.people[0])
    alone = batch_leakage._run(inputs, inputs.dataset.attributes[1], inputs.people[0])

    assert (near.exchanged[first] == near.exchanged[first + 1]).all()
    assert len(np.unique(near.exchanged)) == PEOPLE * (IMAGES - 1)
    assert (found.unit, alone.unit) == (NEAR_GROUP, "image")


def test_neighbours_are_looked_for_among_one_image_of_each_unit() -> None:
    inputs = of_people(0)

    found = overlap._run(inputs, inputs.people[0])

    assert (found.unit, found.drawn_from) == ("who", PEOPLE)
    (entry, *_) = overlap._ledger([found])
    assert "shuffles of labels by who" in entry.method
