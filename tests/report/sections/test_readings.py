"""What the smaller sections say of results whose numbers are known: sentences, rows, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fer_audit.audit.types.composition import VoteAgreement
from fer_audit.audit.types.copies import (
    Disagreement,
    InPart,
    NearDuplicates,
    PartPair,
    SplitLeak,
    SubjectFacts,
)
from fer_audit.audit.types.not_computable import BECAUSE_WITHHELD
from fer_audit.audit.types.result import AuditResult, GateRule
from fer_audit.audit.types.space import LatentOverlap, PairOverlap
from fer_audit.audit.types.stability import KVote
from fer_audit.report.blocks import Bar, Interval, Section
from fer_audit.report.sections.claims import claims
from fer_audit.report.sections.clusters import clusters, the_map
from fer_audit.report.sections.collection import collection, style, subset
from fer_audit.report.sections.found import fix_first
from fer_audit.report.sections.groups import intersections, overlap
from fer_audit.report.sections.labels import copies, files, split_leakage
from fer_audit.report.sections.ladder import ladders
from fer_audit.report.sections.method import gate, method, planted
from fer_audit.report.sections.stability import replay, stability
from fer_audit.report.sections.who import composition
from fer_audit.report.view import View
from fer_audit.text import coefficient
from tests.known import known
from tests.report.results import bare, degenerate, paper, utkface
from tests.report.sections.reading import rows, said, sentences, tables

Maker = Callable[[View], Section | None]

ALL = utkface()
CLAIMS = "Association of every attribute with the clusters"
STUDIES = "The studies and the whole set"
AGAIN = "V~ over resamples that were clustered again"
SWEEP = "Each attribute in other partitions"
NEAR = NearDuplicates(
    *(23_317, 582, 1_205, 670, 652, 0.97008, 0.9501, "chosen", 0.9208, True),
    (
        Disagreement("race", 652, 62, 62 / 652, 60),
        Disagreement("age", 652, 196, 196 / 652, 190, 5),
    ),
    (("a.jpg", "b.jpg"),),
)
NONE_NEAR = replace(NEAR, groups=0, images=0, pairs=0, confirmed=0, disagreements=(), examples=())
PHOTOS = SplitLeak(
    *("split", None, 312, 640, (PartPair("train", "test", 312, 640),)),
    ((InPart("train", "a.jpg"), InPart("test", "b.jpg")),),
)
NOBODY = SplitLeak("split", "person_id", 0, 0, (), ())
SHARED = ALL.having(split_leaks=(PHOTOS, NOBODY))
PEOPLE = bare().having(
    subjects=(SubjectFacts("person_id", 118, 1, 2.5, 22, 1),),
    votes=(VoteAgreement("emotion", ("happy", "sad"), 1000, 0.8, 105),),
)
WITHHELD = SubjectFacts("person", None, None, None, None, 3, (("subjects", "withheld"),))
SAMPLE = "race compared with UTKFace, all 23,702 strictly named files"
FAIR = replace(ALL.subset_checks[0], p=0.051, method="drawn without replacement")
REFUSED = replace(
    known(ALL.intersections), n=0, smallest=(), largest_gaps=(), beyond_pairs=(),
    not_computable=(("smallest", "2000000 cells are more than 1000000"),),
)  # fmt: skip
KEPT = replace(ALL.duplicates, left_out=0, conflicts=(), examples=())


def withheld_rule() -> AuditResult:
    reason = f"{BECAUSE_WITHHELD}fewer than 5 people"
    return replace(ALL, gate=(GateRule("race.min_count<3", None, crossed=False, reason=reason),))


def kept_rule() -> AuditResult:
    rule = GateRule("dataset.ok<5", 23_707.0, crossed=False, reason="dataset.ok is 23707")
    return replace(ALL, gate=(rule,))


def with_hidden_group() -> AuditResult:
    race, *_ = ALL.representation
    hidden = replace(race.groups[0], count=None, share=None, low=None, high=None, ratio=None)
    hidden = replace(hidden, ratio_low=None, ratio_high=None)
    return ALL.having(representation=(replace(race, groups=(hidden, *race.groups[1:])),))


def with_crawl_as_label() -> AuditResult:
    (crawl,) = (each for each in ALL.associations if each.kind == "batch")
    return ALL.having(associations=(replace(crawl, kind="label"),))


def with_votes() -> AuditResult:
    votes = (KVote("silhouette", 4), KVote("gap", None))
    return ALL.having(clustering=replace(known(ALL.clustering), votes=votes))


def without_studies(asked: int) -> AuditResult:
    return replace(bare(), config=bare().config.having(replay=asked))


@pytest.mark.parametrize(
    ("section", "result", "text"),
    [
        (claims, ALL, "share of 10,000 shuffles of the labels"),
        (claims, degenerate(), "race: not computable (one cluster)."),
        (claims, bare(), "Nothing to compare"),
        (collection, ALL, "gender from crawl hour: not computable (one batch only)."),
        (copies, ALL, "765 files in 375 groups of byte-identical files; 390 copies left out of the tests."),
        (copies, ALL.having(duplicates=KEPT), "all kept in the tests."),
        (copies, bare(), "No two files are byte-identical."),
        (copies, ALL.having(near_duplicates=NEAR), "1,205 images in 582 groups of near-identical photos; their pixels confirm 97.3 % (652 of 670) of the pairs."),
        (copies, ALL.having(near_duplicates=NEAR), "cosine from 0.970 (chosen)"),
        (copies, ALL.having(near_duplicates=NEAR), "All are listed in lists/near_duplicates.csv."),
        (copies, ALL.having(near_duplicates=NONE_NEAR), "No two images are near-identical."),
        (gate, ALL, "1 of 3 rules crossed: the run ends with exit code 1."),
        (gate, kept_rule(), "0 of 1 rule crossed."),
        (intersections, ALL, "race × gender × age: 90 combinations, 1 without an image, 11 with 1 to 29"),
        (intersections, ALL.having(intersections=REFUSED), "race × gender × age: not computable (2000000 cells are more than 1000000)."),
        (intersections, bare(), "two or more demographic attributes"),
        (overlap, ALL, "45.2 % of the 10 nearest neighbours are of the same group, 27.1 % if labels are shuffled, p ≤ .001 (3,000 of 23,317 images, 128 principal coordinates)."),
        (overlap, degenerate(), "race: not computable (0 images in the subsample are too few)."),
        (replay, ALL, "200 random samples of 500 images"),
        (replay, ALL, "gender: not computable (no study has two clusters and two groups)."),
        (replay, ALL, "race: least sure is White, 20.0 % of the set; 95 % of the studies say 16.9-23.6 %."),
        (replay, without_studies(200), "the set has too few images for a study"),
        (replay, without_studies(0), "none were asked for (--replay 200 draws them)"),
        (split_leakage, SHARED, "312 byte-identical photos in more than one part of split: 640 images."),
        (split_leakage, SHARED, "No person (person id) in more than one part of split."),
        (split_leakage, SHARED, "All of these images are listed in lists/split_leaks.csv."),
        (composition, PEOPLE, "Person id: 118 people, 1 to 22 images of each, median 2.5; 1 image names nobody."),
        (composition, PEOPLE, "Emotion: where several annotators voted, the winning answer has 80.0 % of the votes in the median image; 10.5 % (105 of 1,000) images have no answer with more than half."),
        (composition, ALL.having(subjects=(WITHHELD,)), "Person: [c] people, [c] to [c] images of each, median [c]; 3 images name nobody."),
        (composition, ALL, "Whipple's index is 132.9 over 15,000 images aged 23 to 62"),
        (composition, bare(), "The set has no labels, so nobody can be counted."),
        (composition, with_hidden_group(), "race: White [c], Black 19.1, Asian 14.5, Indian 16.8, Other 7.1"),
        (composition, degenerate(), "race: White –"),
        (clusters, with_crawl_as_label(), "crawl hour: 213 groups, too many for a table here"),
        (clusters, ALL, "Unstable clusters do not come back in resamples"),
        (clusters, ALL, "Inertia 8,409,512. Best of 10 starts"),
        (clusters, ALL, "0.2 % apart; 3 of 10 within 0.1 % of the best"),
        (clusters, ALL, "No mean faces: the run directory holds no pictures"),
        (clusters, with_votes(), "Votes: silhouette 4 and gap not computable; the lower median counts."),
        (clusters, bare(), "No clusters: the images were not embedded"),
        (clusters, replace(bare(), not_computable=(("clustering", "fewer images than clusters"),)), "No clusters: not computable (fewer images than clusters)."),
        (fix_first, bare(), "Nothing was found that has to be mended first."),
        (the_map, ALL, "No map: the run directory holds no pictures"),
        (method, bare(), "settings: all as they are by default"),
        (method, bare(), "versions: not recorded"),
        (stability, ALL, "9 other seeds: two partitions agree with ARI .981 (median; .412-1.000)"),
        (stability, degenerate(), "Other seeds: not computable (no other seed)."),
        (style, ALL, "brightness by race: lowest in White (median 96.2), highest in Other (132)."),
        (style, ALL, "age: not computable (one style cluster)."),
        (style, degenerate(), "Style: not computable (no image has this label)."),
        (subset, ALL, "race of 500 images compared with UTKFace, all 23,702 strictly named files: unlike the set, p < .001; 21.5 % of the images would have to change group (TV); furthest off: Black with 2.6 % (13) where the set has 19.1 %, p < .001."),
        (subset, ALL.having(subset_checks=(FAIR,)), "as a fair draw would be, p = .051 (drawn without replacement); 21.5 %"),
        (subset, degenerate(), "race compared with the whole set: not computable (nothing is annotated)."),
    ],
)  # fmt: skip
def test_a_section_says(section: Maker, result: AuditResult, text: str) -> None:
    assert text in said(section(View(result)))


@pytest.mark.parametrize(
    ("section", "result", "text"),
    [
        (copies, ALL, "near-identical"),
        (clusters, ALL, "k was chosen"),
        (clusters, ALL, "too many"),
        (composition, degenerate(), "Whipple"),
        (method, bare(), "could not be computed"),
        (split_leakage, ALL.having(split_leaks=(NOBODY,)), "lists/"),
        (subset, ALL.having(subset_checks=(FAIR,)), "furthest"),
    ],
)
def test_a_section_does_not_say(section: Maker, result: AuditResult, text: str) -> None:
    assert text not in said(section(View(result)))


@pytest.mark.parametrize(
    ("section", "result"),
    [
        *(
            (each, bare())
            for each in (collection, gate, overlap, stability, style, subset, ladders)
        ),
        *((each, ALL) for each in (planted, split_leakage)),
    ],
)
def test_what_was_not_there_or_not_measured_has_no_section(
    section: Maker, result: AuditResult
) -> None:
    assert section(View(result)) is None


@pytest.mark.parametrize(
    ("section", "result"),
    [
        (claims, degenerate()),
        (copies, ALL.having(duplicates=KEPT)),
        (intersections, ALL.having(intersections=REFUSED)),
        (split_leakage, ALL.having(split_leaks=(NOBODY,))),
        (files, replace(ALL, dataset=replace(ALL.dataset, failures=(), flags=(), rejects=(), notes=()))),
    ],
)  # fmt: skip
def test_a_section_has_no_table_of_nothing(section: Maker, result: AuditResult) -> None:
    assert tables(section(View(result))) == {}


DISAGREE = "Groups whose copies disagree, so at least one label is wrong"
ALONE = "Clusters made of ten image-wide measures alone (brightness, colour, sharpness, ...)"
BATCH = "Guessing an attribute from the batch or part alone"


@pytest.mark.parametrize(
    ("section", "result", "table", "at", "values"),
    [
        (claims, paper(), CLAIMS, 0, "race | 500 | .090 | .089-.118 | .010 (.000-.061) | .423 (> .999) | 1.1 % | 0 of 8"),
        (collection, ALL, BATCH, 0, "race | crawl hour | .388 | 75.5 % (17,602) | 74.1 % | 42.5 % White | 43.2 % | ≤ .001"),
        *((copies, ALL, DISAGREE, at, x) for at, x in enumerate(("race | 70", "gender | 40", "age | 205"))),
        (copies, ALL, "For example", 0, "1_0_0_20161219140623097.jpg.chip.jpg, 1_0_0_20161219140627985.jpg.chip.jpg"),
        (copies, ALL.having(near_duplicates=NEAR), "Labels that differ between near-identical photos", 1, "age (by 5 years or more) | 652 | 196 | 30.1 % | 190"),
        (files, ALL, "Failed: could not be embedded", 0, "truncated | 1 | 44_1_4_20170116235150272.jpg.chip.jpg"),
        (files, ALL, "Flagged: ok but odd", 0, "png named jpg | 2 | a.jpg, b.jpg"),
        (gate, ALL, "Rules", 0, "race.v_corrected>0.2 | ✗ crossed | 0.2127 | "),
        (gate, withheld_rule(), "Rules", 0, f"race.min_count<3 | ✓ kept | [c] | {BECAUSE_WITHHELD}fewer than 5 people"),
        (gate, kept_rule(), "Rules", 0, "dataset.ok<5 | ✓ kept | 23,707"),
        (intersections, ALL, "Smallest", 0, "Other × male × 70+ | 0 | 24.9 | -5.0 | 74,000"),
        (overlap, ALL, "race: neighbours", 0, "White | 600 | 36.0 % | 20.0 % | 38.2"),
        (replay, ALL, STUDIES, 0, "race | 200 | .184 (.081-.292) | .213 | 0.5 % | 34.5 % | 91.5 % (yes)"),
        (split_leakage, SHARED, "Shared by parts of split: photos", 0, "train | test | 312 | 640"),
        (split_leakage, SHARED, "For example, by split: photos", 0, "train: a.jpg and test: b.jpg"),
        (composition, ALL, "Diversity", 0, "race | 5 | 4.25 | 3.68 | 1.45 | .899 | .299 | 5.96 | .425"),
        (composition, degenerate(), "Diversity", 0, "race | 0 | – | – | – | – | – | – | –"),
        (composition, ALL, "Distance to the target", 0, "race | uniform | .225 | .775 | .775 | .056 | < .001"),
        (composition, with_hidden_group(), "race", 0, "White | [c] |  | "),
        (composition, degenerate(), "race", 0, "White | not computable (0) |  | "),
        (clusters, paper(), "race in each cluster", 0, "0 (199) | 117 58.8 % | 6 few 3.0 % | 28 few 14.1 % | 26 few 13.1 % | 22 few 11.1 %"),
        (clusters, ALL, "Other k", 0, "1 | 10,210,000 | "),
        (method, ALL, "Every test that was run: 3 tests", 2, "cells | race, cluster 0 x White | adjusted residual | < .001 | .002 | Benjamini-Hochberg"),
        (stability, ALL, "Does each cluster come back?", 2, "2 | 5,190 | .412 | ✗ unstable: nothing rests on it"),
        (stability, ALL, "Each other seed", 0, "race | 4 | 1 | .214 | .015"),
        (style, ALL, "Style measures against every attribute", 0, "brightness | race | .083 | ≤ .001 | White (96.2) | Other (132)"),
        (style, ALL, ALONE, 0, "race | .081 (.071-.093) | .213 | 38.2 % | < .001"),
        (subset, ALL, SAMPLE, 4, "Other | 10.8 % | 54 | 7.1 % | .003"),
        (planted, paper(), "Planted in this demo set", 0, "race is tied to the background | a rung of style that does not hold | rung 5 does not hold | ✓ yes"),
    ],
)  # fmt: skip
def test_a_row_of_a_table_has_its_numbers(
    section: Maker, result: AuditResult, table: str, at: int, values: str
) -> None:
    assert " | ".join(rows(section(View(result)), table)[at].values()) == values


@pytest.mark.parametrize(
    ("section", "result", "title", "columns"),
    [
        (claims, paper(), CLAIMS, "attribute | images | V | chance | V~ (95 % interval) | p (Holm p) | U | ladder"),
        (collection, ALL, BATCH, "attribute | from | V~ | guessed right | from the others | largest group | shuffled | p"),
        (gate, kept_rule(), "Rules", "not acceptable | verdict | found"),
        (intersections, ALL, "Smallest", "combination | images | expected | residual | to collect"),
        (subset, ALL, SAMPLE, "group | here | images | in the set | exact p"),
        (composition, ALL, "Diversity", "attribute | groups | ENS | 1/D | H | SEI | NSD | IR | BP"),
        (composition, ALL, "Distance to the target", "attribute | target | TV | DS_R | DS_E | JSD | p"),
        (clusters, paper(), "race in each cluster", "cluster | White | Black | Asian | Indian | Other"),
        (clusters, ALL, "Other k", "k | inertia | saved by one more cluster"),
        (method, ALL, "Every test that was run: 3 tests", "family | test of | method | p | corrected | by"),
        (stability, ALL, "Does each cluster come back?", "cluster | images | Jaccard | comes back in resamples"),
    ],
)  # fmt: skip
def test_the_columns_of_a_table_name_them(
    section: Maker, result: AuditResult, title: str, columns: str
) -> None:
    assert " | ".join(rows(section(View(result)), title)[0]) == columns


@pytest.mark.parametrize(
    ("section", "title", "length"),
    [
        (stability, "Each other seed", 27),
        (style, "Style measures against every attribute", 29),
        (composition, "crawl hour (batch): all 213 groups", 213 + 1),
        (method, "Every test that was run: 3 tests", 3),
        (overlap, "race: all 6 pairs", 6),
    ],
)
def test_all_of_it_is_in_the_details(section: Maker, title: str, length: int) -> None:
    table = tables(section(View(ALL)))[title]

    assert (table.importance, len(table.rows)) == ("detail", length)


def test_no_two_associations_are_mixed_up() -> None:
    result = ALL.having(
        associations=tuple(
            replace(each, null_mean=0.011 + 0.01 * place, null_95=0.018 + 0.01 * place)
            for place, each in enumerate(ALL.associations)
        ),
    )

    table = rows(claims(View(result)), CLAIMS)

    for row, each in zip(table, result.associations, strict=True):
        assert row["attribute"].startswith(each.attribute)
        assert row["images"] == f"{each.n:,}"
        assert row["V"] == coefficient(each.v)
        assert row["chance"] == f"{coefficient(each.null_mean)}-{coefficient(each.null_95)}"
        assert row["V~ (95 % interval)"].startswith(f"{coefficient(each.v_corrected)} (")


def test_what_is_no_demographic_attribute_has_its_kind_and_neither_holm_p_nor_ladder() -> None:
    table = {row["attribute"]: row for row in rows(claims(View(ALL)), CLAIMS)}

    told = {name: (row["p (Holm p)"], row["ladder"]) for name, row in table.items()}
    assert told["race"] == ("< .001 (< .001)", "5 of 8")
    assert told["crawl hour (batch)"] == ("< .001", "–")


def test_the_level_is_the_one_of_the_run() -> None:
    other = claims(View(replace(ALL, config=ALL.config.having(confidence=0.9))))

    assert "V~ (90 % interval)" in rows(other, CLAIMS)[0]


def test_files_add_up_and_defects_have_their_count_and_examples() -> None:
    assert sentences(files(View(ALL)))[1:] == [
        "23,708 files listed = 23,707 ok + 1 failed; 23,704 have all labels.",
        *ALL.dataset.notes,
    ]
    none = ALL.having(representation=tuple(x for x in ALL.representation if x.kind == "batch"))
    assert "files listed = 23,707 ok + 1 failed." in said(files(View(none)))
    missing, repaired = rows(files(View(ALL)), "Rejected: labels that could not be read")
    assert (missing["count"], missing["for example"].count(", ")) == ("3", 2)
    assert repaired["for example"] == "24_0_1_20170116220224657 .jpg.chip.jpg"


def test_rules_are_kept_or_without_value_and_planted_facts_are_missed() -> None:
    _, kept, none = rows(gate(View(ALL)), "Rules")

    assert (kept["verdict"], kept["found"]) == ("✓ kept", "1")
    assert (none["verdict"], none["found"]) == ("? no value", "–")
    assert "has no value in this run" in none["because"]
    assert rows(planted(View(paper())), "Planted in this demo set")[-1]["agrees"] == "✗ no"


def test_the_widest_gaps_between_groups_are_listed() -> None:
    section = intersections(View(ALL))

    gap = rows(section, "Furthest below what unrelated attributes would give")[0]
    assert (gap["combination"], gap["expected"]) == ("Black × male × 0-2", "187.4")
    beyond = rows(section, "Furthest from what pairs of attributes would give")[0]
    assert (beyond["images"], beyond["expected"], beyond["residual"]) == ("412", "351.9", "+5.2")
    assert "p" in beyond, "p is of the residual beyond pairs, and stands next to no other"
    assert "p" not in gap


def test_groups_too_small_to_judge_are_faint() -> None:
    section, steady = overlap(View(ALL)), stability(View(ALL))

    last = list(rows(section, "race: neighbours")[-1].values())
    assert last[:3] == ["Other", "12", "too few to say"]
    assert tables(section)["race: neighbours"].faint == {4}
    assert tables(steady)["Does each cluster come back?"].faint == {2}
    back = [x["comes back in resamples"] for x in rows(steady, "Does each cluster come back?")]
    assert back[0] == "✓ stable"


def test_pairs_show_what_may_be_chance_in_brackets() -> None:
    table = rows(overlap(View(ALL)), "race: all 6 pairs")

    assert {row["groups"]: (row["AUC"], row["distance"]) for row in table} == {
        "White and Black": ("(.530)", "0.31"),
        "White and Asian": (".590", "0.36"),
        "White and Indian": (".650", "0.41"),
        "Black and Asian": (".710", "0.46"),
        "Black and Indian": (".770", "0.51"),
        "Asian and Indian": (".830", "0.56"),
    }


def test_of_many_pairs_the_most_different_come_first_and_all_are_in_the_details() -> None:
    names = [f"group {index:02d}" for index in range(14)]
    pairs = tuple(
        PairOverlap("first", name, 40, 40, 0.5 + 0.03 * i, 0.5, 0.55, 0.005, 0.005, 199, 1.0, 0.1)
        for i, name in enumerate(names)
    )
    latent = LatentOverlap("job", 600, 600, 128, 10, 0.2, 0.1, 0.001, 999, (), pairs)

    section = overlap(View(bare().having(latent=(latent,))))

    shown = [row["groups"] for row in rows(section, "job: pairs with the largest AUC")]
    assert shown == [f"first and group {n}" for n in (13, 12, 11, 10, "09")]
    assert len(rows(section, "job: all 14 pairs")) == 14


def test_studies_are_drawn_next_to_the_whole_set_and_to_what_was_published() -> None:
    section = replay(View(ALL))

    drawn = next(cell for cell in tables(section)[STUDIES].rows[0] if isinstance(cell, Interval))
    assert (drawn.low, drawn.high, drawn.mark) == (0.081, 0.292, 0.2127)
    (row,) = rows(section, "What was published about this set")
    assert list(row.values())[1:] == ["race", "500", "4", ".090", ".010", ".432"]


def test_clustering_again_stands_next_to_fixed_clusters_and_needs_no_studies() -> None:
    section = replay(View(ALL.having(replay=None)))

    (age,) = (row for row in rows(section, AGAIN) if row["attribute"] == "age")
    assert list(age.values()) == ["age", "50", ".250 (.230-.301)", ".209 (.161-.247)"]
    assert STUDIES not in tables(section)


def test_the_sweep_shows_each_k_with_what_chance_gives() -> None:
    section = stability(View(ALL))

    table = {row["k"]: row["race"] for row in rows(section, SWEEP)}

    assert table["2"] == ".000 / .013 ✗"
    assert table["4 ◀ used"] == ".213 / .016"
    assert table["other seeds"] == ".214-.222 / .015"
    assert table["held-out half"] == ".209 (.192-.226), p < .001"
    bars = [cell for cell in tables(section)[SWEEP].rows[0] if isinstance(cell, Bar)]
    assert [bar.target for bar in bars] == pytest.approx([0.013] * 3)
    assert len({bar.full for bar in bars}) == 1


def test_an_attribute_without_other_seeds_says_nothing_of_them() -> None:
    facts: Any = known(ALL.stability)
    alone = tuple(replace(each, seeds=()) for each in facts.attributes)

    section = stability(View(ALL.having(stability=replace(facts, attributes=alone))))

    assert [row["k"] for row in rows(section, SWEEP)][-2:] == ["10", "held-out half"]
    assert "Each other seed" not in tables(section)


def test_each_measure_says_how_much_the_group_tells_and_what_may_be_chance() -> None:
    section = style(View(ALL))
    table = {
        row["measure"]: row for row in rows(section, "How much pictures differ between groups")
    }

    assert (table["brightness"]["race"], table["brightness"]["gender"]) == (".083", ".042")
    assert table["bytes per pixel"]["age"] == "–", "it is the same in all images"
    assert table["grey"]["age"] == "(.003)"
    assert sum(" by " in each and "lowest in" in each for each in sentences(section)) == 3
