"""What is exchanged for what: people as wholes, a label that varies within people among their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.claims import batch_leakage
from fer_audit.audit.claims.associations import associate_labels, correct_for_attributes
from fer_audit.audit.claims.rungs import climb
from fer_audit.audit.claims.stability import STABILITY as STABILITY
from fer_audit.audit.claims.stability import attribute_stability, stability_facts
from fer_audit.audit.inputs import NEAR_GROUP, AuditInputs
from fer_audit.audit.space import overlap, style
from fer_audit.audit.space.cluster_style import cluster_styles
from fer_audit.audit.stats.kruskal_null import h_statistic, rank_null
from fer_audit.audit.stats.units import Blocks, make_blocks, row_blocks
from fer_audit.audit.types.copies import NearPairs
from fer_audit.audit.units import units_of
from fer_audit.cluster.types import Alternative, Stability
from fer_audit.config import AuditConfig
from fer_audit.pack.types import STYLE_NAMES
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of
from tests.known import known


def blocks_of(labels: np.ndarray, people: np.ndarray, strata: np.ndarray | None = None) -> Blocks:
    """Return the blocks of rows of which each is a cluster of its own, so that tables show who has which label."""
    n = len(labels)
    z = np.zeros(n, np.int64) if strata is None else strata
    return known(make_blocks(np.arange(n), labels, z, people))


def moved(blocks: Blocks, n: int, groups: int, draws: int = 30) -> np.ndarray:
    """Return the (draws, n) label of each row in each shuffle."""
    rng = np.random.default_rng(0)
    stacks = blocks.shuffled((n, groups), draws, rng)
    return np.array([each.sum(axis=0).argmax(axis=1) for each in stacks])


def test_labels_of_people_move_from_person_to_person() -> None:
    people = np.repeat(np.arange(8), [1, 2, 3, 4, 1, 2, 3, 4])
    labels = np.array([0, 0, 1, 1, 2, 2, 0, 1])[people]

    drawn = moved(blocks_of(labels, people), len(people), 3)

    for each in drawn:
        by_person = [set(each[people == person].tolist()) for person in range(8)]
        assert all(len(one) == 1 for one in by_person), "people are whole"
        assert sorted(min(one) for one in by_person) == [0, 0, 0, 1, 1, 1, 2, 2]
    assert (drawn != labels).any(axis=0).all()


def test_a_label_that_varies_stays_with_its_person() -> None:
    """Five frames of two runs each: the runs exchange labels, whatever the frames."""
    people = np.repeat(np.arange(6), 5)
    labels = np.tile([0, 0, 1, 1, 2], 6)
    labels[people == 5] = 3

    drawn = moved(blocks_of(labels, people), 30, 4)

    runs = [range(2), range(2, 4), range(4, 5)]
    for each in drawn:
        for person in range(5):
            own = each[people == person]
            assert all(len(set(own[list(run)].tolist())) == 1 for run in runs), "sequences whole"
            assert {int(own[run[0]]) for run in runs} == {0, 1, 2}
        assert set(each[people == 5].tolist()) == {3}
    assert len({tuple(each[:5].tolist()) for each in drawn}) > 3


def test_nothing_leaves_its_stratum() -> None:
    rng = np.random.default_rng(0)
    people, z = np.repeat(np.arange(40), 2), np.repeat(np.arange(4), 20)
    labels = np.repeat(rng.integers(0, 3, 40), 2)

    for each in moved(blocks_of(labels, people, z), 80, 3):
        for stratum in range(4):
            same = (np.bincount(x[z == stratum], minlength=3).tolist() for x in (each, labels))
            assert next(same) == next(same)


def test_a_person_labelled_in_two_ways_by_mistake_is_still_a_person() -> None:
    people = np.repeat(np.arange(20), 10)
    labels = people % 2
    labels[3] = 1

    blocks = blocks_of(labels, people)

    assert len(blocks.labels) == 21, "the odd image is a block of its own"
    assert set(blocks.within.tolist()) == {0}


def test_rows_of_different_people_are_exchanged_one_by_one() -> None:
    n = np.arange(50)

    assert make_blocks(n % 3, n % 2, n * 0, n) is None
    assert make_blocks(n % 3, np.where(n < 25, -1, n % 2), n * 0, np.maximum(n, 24)) is None


def test_the_units_of_a_set_are_its_people_and_its_coarsest_batch_of_thirty() -> None:
    n = 3000
    rows = np.arange(n)
    day, hour, minute = (
        attribute(name, rows % parts, [str(i) for i in range(parts)], "batch")
        for name, parts in (("day", 20), ("hour", 60), ("minute", 900))
    )
    who = attribute("who", rows % 600, [str(i) for i in range(600)], "subject")
    few = attribute("who", rows % 29, [str(i) for i in range(29)], "subject")

    assert units_of(dataset_of(day, minute, hour, who)).drawn == "hour"
    assert units_of(dataset_of(day, who)).drawn == "who"
    assert units_of(dataset_of(day, few)).drawn == ""
    assert units_of(dataset_of(day)).exchanged == "image"
    assert units_of(dataset_of(day, few)).exchanged == "who"
    unnamed = attribute("who", [0, -1, 0, -1], "x", "subject")
    people = units_of(dataset_of(unnamed)).people(4)
    assert (people[0] == people[2], len(set(people.tolist()))) == (True, 3)


def test_other_partitions_and_the_held_out_half_are_compared_with_shuffled_people() -> None:
    """One image of each of 120 people or five equal ones: the same V, and the same chance."""
    rng = np.random.default_rng(0)
    label, home = rng.integers(0, 3, 120), rng.integers(0, 4, 120)
    bands = []
    for people in (np.arange(120), np.repeat(np.arange(120), 5)):
        clusters = home[people].astype(np.int32)
        who = attribute("who", people, [str(i) for i in range(120)], "subject")
        column = attribute("label", label[people], "xyz")
        half = Stability((Alternative(4, 1, clusters, 1.0),), (), (), (), people >= 0, clusters)
        inputs = inputs_of(
            dataset_of(column, who),
            clustering=clustering_of(clusters, k=4),
            stability=half,
            config=AuditConfig.of(permutations=999, bootstraps=19),
        )
        found = attribute_stability(inputs, column)
        bands.append(
            (found.seeds[0].null_95, known(found.half_null_95), found.seeds[0].v_corrected)
        )

    assert bands[1] == pytest.approx(bands[0], abs=0.03)
    facts = stability_facts(known(known(inputs.clustering).stability), [[found]], alpha=0.05)
    (entry,) = STABILITY.ledger(facts)
    assert entry.method == "999 shuffles of labels by who, Pearson's chi-squared"


def test_repeated_people_make_no_claim_when_they_are_known() -> None:
    """600 images of 120 people, a random label each, clusters that hold people together: rung 3 in about alpha of sets.

    Without the column of people it is passed in most: 100 sets, Monte-Carlo error 3 sd.
    """
    held = {True: 0, False: 0}
    for seed in range(100):
        rng = np.random.default_rng(seed)
        people = np.repeat(np.arange(120), 5)
        label = attribute("label", rng.integers(0, 3, 120)[people], "xyz")
        who = attribute("who", people, [str(i) for i in range(120)], "subject")
        home = rng.integers(0, 4, 120)[people]
        clusters = np.where(rng.random(600) < 0.8, home, rng.integers(0, 4, 600))
        for is_known in held:
            dataset = dataset_of(label, who) if is_known else dataset_of(label)
            inputs = inputs_of(
                dataset,
                clustering=clustering_of(clusters, k=4),
                config=AuditConfig.of(permutations=199, bootstraps=99, seed=seed),
            )
            found = correct_for_attributes(
                [associate_labels(clusters, label, inputs, "test")], alpha=0.05
            )
            held[is_known] += climb(found[0], alpha=0.05).rungs[2].holds is True

    assert held[True] <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)
    assert held[False] >= 50


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


def test_blocks_of_one_row_drawn_as_a_table_are_spread_as_by_shuffling() -> None:
    """A few people of three images among many of one: means and spreads of both ways agree within Monte-Carlo error."""
    rng = np.random.default_rng(0)
    n, draws = 400, 4000
    units = np.where(np.arange(n) < 60, np.arange(n) // 3, np.arange(n))
    labels = rng.integers(0, 3, n)
    labels[:60] = np.repeat(rng.integers(0, 3, 20), 3)
    found = known(make_blocks(rng.integers(0, 4, n), labels, np.zeros(n, int), units))

    quick = np.concatenate(list(found.shuffled((4, 3), draws, rng)))
    cells = found.clusters * 3
    slow = np.array(
        [
            np.bincount(cells + moved[found.block], weights=found.counts, minlength=12)
            for moved in found.moved(draws, rng)
        ]
    ).reshape(-1, 4, 3)

    assert (quick.sum(axis=2) == slow.sum(axis=2)).all(), "clusters keep their sizes"
    error = slow.std(axis=0) * np.sqrt(2 / draws)
    assert (np.abs(quick.mean(axis=0) - slow.mean(axis=0)) < 4.5 * error).all()
    assert quick.std(axis=0) == pytest.approx(slow.std(axis=0), rel=0.08)
