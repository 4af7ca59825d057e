"""Sentences carry their counts, and never say why."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from fer_audit.audit.findings import find
from fer_audit.audit.types.composition import Cell
from fer_audit.audit.types.result import Finding
from fer_audit.cluster.types import Alternative, Stability, Study
from fer_audit.config import AuditConfig
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of, rows_of


@pytest.fixture
def findings() -> tuple[Finding, ...]:
    """Return the findings of 900 faces that have something of everything."""
    rng = np.random.default_rng(0)
    race = rng.choice(3, 900, p=[0.8, 0.15, 0.05])
    gender = rng.integers(0, 2, 900)
    ages = np.where(rng.random(900) < 0.4, rng.integers(4, 13, 900) * 5, rng.integers(20, 63, 900))
    pack = rows_of(900, content=[str(max(0, i - 20)) for i in range(900)])
    dataset = dataset_of(
        attribute("race", race, ("White", "Black", "Asian", "Indian")),
        attribute("gender", gender, ("male", "female")),
        attribute("crawl_hour", race, ("1", "2", "3"), "batch"),
        ages=ages,
    )
    return audit_dataset(
        dataset,
        pack,
        clustering=clustering_of(gender, k=2, starts=(1.0, 2.0)),
        config=AuditConfig.of(permutations=200, bootstraps=50),
    ).findings


def test_the_largest_effect_comes_first(findings: tuple[Finding, ...]) -> None:
    effects = [each.effect for each in findings]

    assert effects == sorted(effects, reverse=True)
    assert all(0 <= effect <= 1 for effect in effects)


def test_all_kinds_of_finding_about_this_set_are_there(findings: tuple[Finding, ...]) -> None:
    assert {each.code for each in findings} == {
        *("age_heaping", "batch_knows_labels", "claim", "clusters_follow"),
        *("conflicting_copies", "label_origin", "nothing_beyond_chance", "thin_intersections"),
        *("under_represented", "unstable_starts"),
    }


def test_sentences_hold_a_number_and_no_cause(findings: tuple[Finding, ...]) -> None:
    for each in findings:
        assert each.text.endswith(".")
        assert "nan" not in each.text.lower().split()
        assert not re.search(r"\b(because|cause[sd]?|due to|leads to)\b", each.text.lower())
        assert each.code == "label_origin" or re.search(r"\d", each.text)


def test_an_under_represented_group_is_named_with_its_count(findings: tuple[Finding, ...]) -> None:
    text = next(each.text for each in findings if each.code == "under_represented")

    assert text.startswith("3 groups of 4 in race have less than four fifths of an even share")
    assert "Indian with no image" in text
    assert re.search(r"Asian with \d+\.\d % \(\d+ of 900; \d+\.\d-\d+\.\d\)", text)


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """Return the findings of faces whose clusters follow gender, with everything switched on."""
    rng = np.random.default_rng(2)
    n = 1200
    gender = rng.integers(0, 2, n)
    race = np.where(rng.random(n) < 0.8, gender, rng.integers(0, 3, n))
    labels = np.where(rng.random(n) < 0.9, gender, 1 - gender).astype(np.int32)
    rows = rows_of(n)
    rows.style[:] = rng.normal(size=rows.style.shape)
    rows.style[:, 0] += gender
    x = rng.normal(size=(n, 4)).astype(np.float32)
    x[:, 0] += 3 * gender
    half = np.arange(n) % 2 == 0
    found = audit_dataset(
        dataset_of(
            attribute("race", race, ("White", "Black", "Asian")),
            attribute("gender", gender, ("male", "female")),
        ),
        rows,
        clustering=clustering_of(labels, k=2),
        config=AuditConfig.of(permutations=199, bootstraps=50, fail_on=("gender.rung>=8",)),
        stability=Stability(
            seeds=(Alternative(2, 1, labels, 1.0),),
            ks=(Alternative(3, 0, rng.permutation(labels), 1.0),),
            ari=(0.4,),
            jaccard=(0.9, 0.5),
            half_a=half,
            half_b_labels=np.where(half, -1, labels).astype(np.int32),
        ),
        style_labels=(rows.style[:, 0] > 0.5).astype(np.int32),
        coordinates=x,
        replays=tuple(
            Study(rows_, labels[rows_]) for rows_ in (rng.choice(n, 30, False) for _ in range(20))
        ),
        reclusters=(Study(np.arange(n), labels),),
    )
    return {f"{each.code} {each.attribute or ''}".strip(): each.text for each in found.findings}


def test_each_claim_is_one_sentence(told: dict[str, str]) -> None:
    gender, race = told["claim gender"], told["claim race"]

    assert gender.startswith("Clusters and gender: strong (V~ .795; these images .764-.820); ")
    assert "among images alike in the other attributes most of it is left (" in gender
    assert "among images alike in style " in gender
    assert "crawl" not in gender, "there is no batch column"
    assert "it does not come back with every seed and k" in gender, "noise at k = 3"
    assert race.startswith("Clusters and race: ")
    assert "among images alike in the other attributes at most a trace of it is left (" in race
    for text in (gender, race):
        assert text.endswith("how another collection would differ is not known.")
        assert " of 8" not in text


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "seeds_disagree",
            "median adjusted Rand index of .400 (.400-.400, 1 other seed; 1 = the same)",
        ),
        ("unstable_clusters", "1 cluster of 2 does not come back in resamples: 1 (.500)"),
        ("photographed_differently gender", "luma mean ("),
        (
            "style_alone race",
            "2 clusters made from ten image-wide measures (brightness, colour, sharpness, ...)",
        ),
        ("latent_overlap gender", "A straight cut separates male and female (AUC "),
        ("small_studies race", "Of 20 random studies of 30 images drawn from this set, "),
        (
            "reclustered",
            "With the clusters estimated again in 1 bootstrap resample, corrected V is",
        ),
    ],
)
def test_every_part_has_its_sentence(told: dict[str, str], key: str, words: str) -> None:
    assert words in told[key]


def test_a_rule_that_is_not_crossed_is_no_finding(told: dict[str, str]) -> None:
    assert "gate_crossed" not in told


def test_no_sentence_names_a_cause(told: dict[str, str]) -> None:
    for text in told.values():
        assert not re.search(r"\b(because|cause[sd]?|due to|leads to|explains?)\b", text.lower())


def test_a_small_cell_is_not_named_beyond_pairs_unless_it_should_be_large() -> None:
    small, missing, other = (
        Cell((name,), count, expected, 0.0, expected, residual, 0.001)
        for name, count, expected, residual in (
            ("small", 29, 10.0, 9.0),
            ("missing", 2, 31.0, -8.0),
            ("other", 90, 60.0, 7.0),
        )
    )
    result = audit_dataset(
        dataset_of(attribute("race", [0, 1], "xy"), attribute("gender", [0, 1], "mf")),
        rows_of(2),
        None,
        None,
        config=AuditConfig.of(permutations=9, bootstraps=9),
    )
    table = result.intersections
    assert table is not None

    texts = [
        finding.text
        for cells in ((small, missing, other), (small, other), (small,))
        for finding in find(result.having(intersections=replace(table, beyond_pairs=cells)))
        if finding.code == "thin_intersections"
    ]

    assert "where 30 images are or would be: missing with 2 instead of 31" in texts[0]
    assert "where 30 images are or would be: other with 90 instead of 60" in texts[1]
    assert "Furthest" not in texts[2]
