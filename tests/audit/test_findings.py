"""Sentences carry their counts, and never say why."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

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


def test_what_to_fix_comes_first_then_the_largest_effect(findings: tuple[Finding, ...]) -> None:
    order = [(("fix", "know", "fine").index(each.severity), -each.effect) for each in findings]

    assert order == sorted(order)
    assert all(0 <= each.effect <= 1 for each in findings)


def test_all_kinds_of_finding_about_this_set_are_there(findings: tuple[Finding, ...]) -> None:
    assert {each.code for each in findings} == {
        *("age_heaping", "batch_knows_labels", "claim", "clusters_follow"),
        *(
            "conflicting_copies",
            "duplicates",
            "label_origin",
            "nothing_beyond_chance",
            "thin_intersections",
        ),
        *("under_represented", "unstable_starts"),
    }


FORBIDDEN = re.compile(
    r"\b(anew|told from|put to|whoever|likewise|nobody wants|beside|rung|because|cause[sd]?|due to|leads to)\b"
)


def check_words(found: Sequence[Finding]) -> None:
    """Line 1 is one short sentence, line 2 has the figures, every finding ends in what to do."""
    for each in found:
        assert each.text.endswith(".")
        assert len(each.text.split()) <= 26, each.text
        assert each.do.endswith(".")
        assert not FORBIDDEN.search(f"{each.text} {each.figures} {each.do}".lower()), each
        assert not re.search(
            r"[a-z]_[a-z]|nan", re.sub(r"lists/\S+", "", each.text + each.figures)
        ), each
        assert each.values or each.code in ("label_origin", "model_caveat"), each.code


def test_sentences_follow_the_rules(findings: tuple[Finding, ...]) -> None:
    check_words(findings)


def test_an_under_represented_group_is_named_with_its_share(findings: tuple[Finding, ...]) -> None:
    found = next(each for each in findings if each.code == "under_represented")

    assert found.text == "Indian, Asian and Black (race) have fewer than 80 % of an equal share."
    assert found.figures.startswith("Indian no image, Asian ")
    assert found.figures.endswith("; equal is 25.0 %")


@pytest.fixture(scope="module")
def told() -> dict[str, Finding]:
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
    return {f"{each.code} {each.attribute or ''}".strip(): each for each in found.findings}


def test_an_interval_or_a_p_says_by_what_unit(told: dict[str, Finding]) -> None:
    shuffled = [each for each in told.values() if re.search(r"p [<=≤]", each.figures)]

    assert shuffled
    assert all("shuffled by image" in each.figures for each in shuffled)
    assert "% (" in told["under_represented race"].figures.split(" by image")[0]


def test_contradicting_ages_say_how_many_cross_an_age_group() -> None:
    dataset = dataset_of(
        attribute("age_bin", [0, 0, 0, 1, 1, 1], ("0-9", "10-19")), ages=[3, 4, 3, 12, 15, 15]
    )
    rows = rows_of(6, content=["a", "a", "b", "b", "c", "c"])
    result = audit_dataset(dataset, rows, config=AuditConfig.of(permutations=19))
    (found,) = (each for each in result.findings if each.code == "conflicting_copies")

    assert result.duplicates.across_age_groups == 1
    assert found.figures.startswith("6 files; age 2 (1 across age groups); widest: age 3 and 12")
    assert dict(found.values)["photos.age_groups"] == 1


def test_each_claim_says_what_limits_it(told: dict[str, Finding]) -> None:
    gender, race = told["claim gender"], told["claim race"]

    assert (
        gender.text
        == "The gender association does not come back with every seed and k, or in a held-out half."
    )
    assert (gender.do, gender.severity) == ("Do not claim it.", "know")
    assert gender.figures.startswith(
        "strength .795 (.764-.820 by image, n = 1,200); among people alike in the other attributes: "
    )
    assert race.text == gender.text.replace("gender", "race")
    assert " of what still varies, trace; among images of the same style: " in race.figures
    assert dict(gender.values)["strength"] == pytest.approx(0.795, abs=0.0005)
    assert set(dict(race.values)) == {"strength", "kept.others", "kept.style"}


@pytest.mark.parametrize(
    ("key", "words", "figures"),
    [
        (
            "clusters_follow gender",
            "The clusters separate faces strongly by gender",
            "gender .795",
        ),
        (
            "seeds_disagree",
            "Other seeds make other clusters.",
            "index .400 (.400-.400), 1 other seed",
        ),
        (
            "unstable_clusters",
            "1 of 2 clusters does not come back in resamples.",
            "cluster 1: .500",
        ),
        (
            "photographed_differently gender",
            "Brightness differs by gender; skin ",
            "brightness explains ",
        ),
        (
            "style_alone race",
            "Clusters made from brightness, colour and sharpness alone",
            "2 clusters",
        ),
        (
            "latent_overlap gender",
            "90 % of female (gender) lie in cluster 1, which has 50 % of all images.",
            "89.6 % of cluster 1, Jaccard .814; 89.2 % of 10 neighbours, shuffled labels 50.0 %",
        ),
        ("small_studies race", "With 30 images, ", "20 random samples; race V "),
        ("reclustered", "Clustering 1 resample again gives intervals", "gender .794 (.794-.794)"),
    ],
)
def test_every_part_has_its_sentence(
    told: dict[str, Finding], key: str, words: str, figures: str
) -> None:
    assert told[key].text.startswith(words)
    assert figures in told[key].figures


def test_all_sentences_follow_the_rules(told: dict[str, Finding]) -> None:
    check_words(list(told.values()))


def test_a_rule_that_is_not_crossed_is_no_finding(told: dict[str, Finding]) -> None:
    assert "gate_crossed" not in told
