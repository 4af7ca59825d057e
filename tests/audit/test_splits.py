"""Splits, subjects and votes: what parts share, who is never compared, what a shared result keeps to itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.audit.claims.confounders import batch_columns
from fer_audit.audit.composition.dataset_facts import vote_agreement
from fer_audit.audit.composition.split_leakage import crossings, split_leak, subject_facts
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.copies import SplitLeak
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.dataset.types import SoftLabels
from fer_audit.errors import ConfigError
from tests.audit.inputs import (
    attribute,
    audit_dataset,
    clustering_of,
    dataset_of,
    failed,
    inputs_of,
    rows_of,
)

CONFIG = AuditConfig.of(permutations=19, bootstraps=9, replay=0)
PARTS = ("train", "test", "valid")
Row = tuple[int, int, int]
"""(part, person, content) of an image; -1 = no part, nobody, a file that could not be read."""
sets = st.lists(
    st.tuples(st.integers(-1, 2), st.integers(-1, 4), st.integers(-1, 5)), min_size=1, max_size=30
)


def leaks_of(rows: list[Row], parts: tuple[str, ...] = PARTS) -> tuple[SplitLeak, SplitLeak]:
    """Return what the parts share, photos first, then people."""
    split, person, content = (list(column) for column in zip(*rows, strict=True))
    dataset = dataset_of(
        attribute("split", split, parts, "split"),
        attribute("person", person, [f"p{i}" for i in range(5)], "subject"),
    )
    pack = rows_of(len(rows), content=[f"content {each}" if each >= 0 else "" for each in content])
    photos, people = (split_leak(dataset, each) for each in crossings(dataset, pack))
    return photos, people


def counted_one_by_one(
    rows: list[Row], column: int
) -> tuple[int, int, dict[tuple[str, str], tuple[int, int]]]:
    """Return (groups, images, {parts: (groups, images in both)}) as a person would count them."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        if row[0] >= 0 and row[column] >= 0:
            groups[row[column]].append(row[0])
    shared = [parts for parts in groups.values() if len(set(parts)) > 1]
    pairs = {}
    for a, b in combinations(range(3), 2):
        both = [parts for parts in shared if {a, b} <= set(parts)]
        if both:
            images = sum(part in (a, b) for parts in both for part in parts)
            pairs[PARTS[a], PARTS[b]] = (len(both), images)
    return len(shared), sum(map(len, shared)), pairs


def counts(leak: SplitLeak) -> tuple[int, int, dict[tuple[str, str], tuple[int, int]]]:
    pairs = {(each.first, each.second): (each.groups, each.images) for each in leak.pairs}
    return leak.groups, leak.images, pairs


@given(rows=sets)
def test_photos_and_people_in_several_parts_are_those_found_one_by_one(rows: list[Row]) -> None:
    photos, people = leaks_of(rows)

    assert counts(photos) == counted_one_by_one(rows, 2)
    assert counts(people) == counted_one_by_one(rows, 1)
    for leak in (photos, people):
        assert len(leak.examples) == min(leak.groups, 5)
        for example in leak.examples:
            assert len({each.part for each in example}) == len(example) > 1
            for each in example:
                assert PARTS[rows[int(each.id[:5])][0]] == each.part


@given(rows=sets, order=st.randoms(use_true_random=False), names=st.permutations(PARTS))
def test_neither_the_order_of_images_nor_the_names_of_parts_change_a_count(
    rows: list[Row], order: Random, names: list[str]
) -> None:
    shuffled = list(rows)
    order.shuffle(shuffled)
    renamed = [(names.index(PARTS[part]) if part >= 0 else -1, *rest) for part, *rest in shuffled]

    for one, other in zip(leaks_of(rows), leaks_of(renamed, tuple(names)), strict=True):  # type: ignore[arg-type]
        assert (one.groups, one.images) == (other.groups, other.images)
        assert {frozenset(pair): n for pair, n in counts(one)[2].items()} == {
            frozenset(pair): n for pair, n in counts(other)[2].items()
        }


def test_a_copy_that_cannot_be_decoded_is_no_shared_photo() -> None:
    dataset = dataset_of(attribute("split", [0, 1, 0, 1], PARTS, "split"))
    pack = failed(rows_of(4, content=["a", "a", "b", "b"]), {1: "truncated"})

    (found,) = crossings(dataset, pack)

    assert found.rows.tolist() == [2, 3]
    assert found.names == ("b",)


def parted(n: int = 240, *, people: int = 24, both: int = 6) -> AuditResult:
    """Return the audit of a set in two parts; `both` people are in both, as is one photo; the clusters are the parts."""
    rng = np.random.default_rng(0)
    person = np.arange(n) % people
    split = np.where(person < people // 2, 0, 1)
    split[np.isin(person, range(both)) & (np.arange(n) >= n // 2)] = 1
    content = [str(index) for index in range(n)]
    content[n - 1] = content[0]
    dataset = dataset_of(
        attribute("race", rng.integers(0, 2, n), "ab"),
        attribute("split", split, PARTS[:2], "split"),
        attribute("person", person, [f"p{i}" for i in range(people)], "subject"),
    )
    return audit_dataset(
        dataset, rows_of(n, content=content), clustering=clustering_of(split, k=2), config=CONFIG
    )


def test_a_person_is_no_group_and_a_part_is_one_without_a_target() -> None:
    result = parted()

    for name, part in result.parts:
        if isinstance(part, tuple) and name not in ("subjects", "split_leaks"):
            assert all(getattr(each, "attribute", "") != "person" for each in part), name
    assert [each.attribute for each in result.associations] == ["race", "split"]
    assert not [entry for entry in result.ledger if "person" in entry.subject]
    about = result.representation[1]
    assert (about.kind, about.target.p) == ("split", None)
    assert [each.batch for each in result.batch_predictions] == ["split"]
    (ladder,) = result.ladders
    assert all("split" not in each.given for each in ladder.conditionals)
    follows = next(each for each in result.findings if each.code == "clusters_follow_split")
    assert "its parts do not hold the same kinds of images" in follows.text


def test_a_split_is_no_confounder_but_may_be_named_as_one() -> None:
    n = 60
    dataset = dataset_of(
        attribute("race", np.arange(n) % 2, "ab"),
        attribute("split", np.arange(n) // 30, PARTS[:2], "split"),
    )
    config = CONFIG.having(given=(("split",),))
    clusters = clustering_of(np.arange(n) % 3, k=3)

    assert batch_columns(inputs_of(dataset, config=config)) == []
    (ladder,) = audit_dataset(dataset, clustering=clusters, config=config).ladders
    assert [each.given for each in ladder.conditionals if each.rung is None] == [("split",)]


def test_what_parts_share_is_to_be_fixed_and_names_the_list() -> None:
    found = {each.code: each for each in parted().findings}

    leak, people = found["split_leak"], found["subjects_in_parts"]
    assert leak.text == "1 photo lies byte by byte the same in more than one part of split."
    assert leak.figures.startswith("2 images, train and test; a model tested on one part ")
    assert people.text == "6 people (person) appear in more than one part of split."
    assert {each.severity for each in (leak, people)} == {"fix"}
    assert {each.files for each in (leak, people)} == {"lists/split_leaks.csv"}
    assert dict(leak.values) == {"groups": 1, "images": 2}


def test_folds_that_share_nothing_have_no_finding() -> None:
    folds = attribute("fold", np.arange(10) % 5, [f"fold {i}" for i in range(5)], "split")
    person = attribute("person", np.arange(10) % 5, "abcde", "subject")

    result = audit_dataset(dataset_of(folds, person), config=CONFIG)

    assert [(each.groups, each.pairs) for each in result.split_leaks] == [(0, ())] * 2
    assert not {"split_leak", "subjects_in_parts"} & {each.code for each in result.findings}


def test_subjects_are_counted_by_their_images() -> None:
    person = attribute("person", [0, 0, 0, 1, 3, 3, -1], "abcd", "subject")

    found = subject_facts(person)
    nobody = subject_facts(attribute("person", [-1, -1], "a", "subject"))

    assert (found.subjects, found.least, found.median, found.most) == (3, 1, 2.0, 3)
    assert found.unnamed == 1
    assert (nobody.subjects, nobody.median, nobody.unnamed) == (0, None, 2)
    assert [name for name, _ in nobody.not_computable] == ["least", "median", "most"]


def test_no_rule_can_be_about_a_subject() -> None:
    dataset = dataset_of(attribute("person", [0, 1], "ab", "subject"))

    with pytest.raises(ConfigError, match="has no subject"):
        audit_dataset(dataset, config=CONFIG.having(fail_on=("person.v>0.1",)))


@pytest.mark.parametrize(("people", "is_hidden"), [(24, False), (60, True), (3, True)])
def test_counts_of_few_people_are_withheld(people: int, *, is_hidden: bool) -> None:
    """240 images: 60 people have four each, and 3 people are few."""
    result = parted(people=people, both=0)

    shared = withhold(result, 5)

    (facts,) = shared.subjects
    numbers = (facts.subjects, facts.least, facts.median, facts.most)
    assert [each is None for each in numbers] == [is_hidden] * 4
    assert {"subjects", "most"} <= dict(facts.not_computable).keys() or not is_hidden
    assert ("how many images show each person" in shared.findings[0].figures) == is_hidden


@pytest.mark.parametrize("both", [0, 8])
def test_one_photo_in_two_parts_hides_what_they_share(both: int) -> None:
    shared = withhold(parted(both=both), 5)

    assert shared.split_leaks == ()
    assert not {"split_leak", "subjects_in_parts"} & {each.code for each in shared.findings}
    assert "what the parts of split share" in shared.findings[0].figures


def test_parts_that_share_many_or_nobody_may_say_so_without_naming_anybody() -> None:
    result = parted(both=8)
    photos, people = result.split_leaks
    none = replace(photos, groups=0, images=0, pairs=(), examples=())

    shared = withhold(result.having(split_leaks=(none, people)), 5)

    assert [each.groups for each in shared.split_leaks] == [0, 8]
    assert all((each.pairs, each.examples) == ((), ()) for each in shared.split_leaks)
    assert "subjects_in_parts" in {each.code for each in shared.findings}


def test_all_people_but_a_few_are_not_told_apart_from_those_few() -> None:
    """22 of 24 people are in both parts: two are not."""
    result = parted(both=8)
    _, people = result.split_leaks

    shared = withhold(result.having(split_leaks=(replace(people, groups=22),)), 5)

    assert shared.split_leaks == ()


@pytest.mark.parametrize(
    ("votes", "n", "share", "without"),
    [
        ([[8, 2], [5, 5], [0, 0], [1, 9]], 3, 0.8, 1),
        ([[0.4, 0.3, 0.3], [0.6, 0.4, 0]], 2, 0.5, 1),
        ([[0, 0]], 0, None, 0),
    ],
)
def test_agreement_is_the_share_of_the_winning_answer(
    votes: list[list[float]], n: int, share: float | None, without: int
) -> None:
    answers = ("happy", "sad", "angry")[: len(votes[0])]

    found = vote_agreement(SoftLabels("emotion", answers, np.array(votes, np.float32)))

    assert (found.answers, found.n, found.without_majority) == (answers, n, without)
    assert found.winning_share == (None if share is None else pytest.approx(share))
    assert bool(found.not_computable) is (share is None)
