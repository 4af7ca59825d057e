"""Sentences carry their counts, and never say why."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fer_audit.audit.run import audit_dataset
from fer_audit.audit.types import Finding
from fer_audit.audit.wording import listed, p_value, part, percent
from fer_audit.config import AuditConfig
from tests.audit.inputs import attribute, clustering_of, dataset_of, embeddings_of, rows_of


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
        embeddings_of(pack),
        clustering_of(gender, k=2, starts=(1.0, 2.0)),
        config=AuditConfig(permutations=200, bootstraps=50),
    ).findings


def test_the_largest_effect_comes_first(findings: tuple[Finding, ...]) -> None:
    effects = [each.effect for each in findings]

    assert effects == sorted(effects, reverse=True)
    assert all(0 <= effect <= 1 for effect in effects)


def test_all_kinds_of_finding_about_this_set_are_there(findings: tuple[Finding, ...]) -> None:
    assert {each.code for each in findings} == {
        "age_heaping",
        "batch_knows_labels",
        "claims_reach",
        "clusters_follow",
        "conflicting_copies",
        "label_origin",
        "nothing_beyond_chance",
        "thin_intersections",
        "under_represented",
        "unstable_starts",
    }


def test_sentences_hold_a_number_and_no_cause(findings: tuple[Finding, ...]) -> None:
    for each in findings:
        assert each.text.endswith(".")
        assert "nan" not in each.text.lower().split()
        assert not re.search(r"\b(because|cause[sd]?|due to|leads to)\b", each.text.lower())
        assert each.code == "label_origin" or re.search(r"\d", each.text)


def test_an_under_represented_group_is_named_with_its_count(
    findings: tuple[Finding, ...],
) -> None:
    text = next(each.text for each in findings if each.code == "under_represented")

    assert text.startswith("3 groups of 4 in race have less than four fifths of an even share")
    assert "Indian with no image" in text
    assert re.search(r"Asian with \d+\.\d % \(\d+ of 900; \d+\.\d-\d+\.\d\)", text)


def test_shares_are_never_rounded_to_nothing_or_to_all() -> None:
    assert percent(0) == "0.0 %"
    assert percent(0.0001) == "under 0.1 %"
    assert percent(0.9999) == "over 99.9 %"
    assert percent(1) == "100.0 %"
    assert part(6240, 20000) == "31.2 % (6,240 of 20,000)"


def test_p_values_keep_their_size() -> None:
    assert p_value(0.4226) == "p = 0.42"
    assert p_value(1.7e-20) == "p = 1.7e-20"
    assert p_value(0.0) == "p < 1e-300"


def test_words_are_listed_as_people_do() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"], "or") == "a, b or c"
