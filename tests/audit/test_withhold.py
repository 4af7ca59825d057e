"""What may be shared of a result: nothing hidden can be worked out, by an attacker who solves for it with all that is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fer_audit.audit.composition.subset import WITHOUT_REPLACEMENT
from fer_audit.audit.gate import check_rules
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.composition import Count, RejectCount, SubsetCheck, SubsetGroup
from fer_audit.audit.types.not_computable import MIN_CELL
from fer_audit.audit.types.result import AuditResult
from fer_audit.audit.types.space import StyleTest
from fer_audit.errors import ConfigError
from tests.known import known
from tests.report.results import association, bare, ladder, paper, representation, utkface

Table = tuple[tuple[int, ...], ...]
BIG = ((50, 20, 80), (60, 85, 75), (70, 55, 45))


def audited(table: Table, **changes: object) -> AuditResult:
    """Return a result of one attribute: its groups, its clusters, and the table of both, over the same images."""
    names = tuple(f"group {index}" for index in range(len(table[0])))
    base = paper()
    about = representation("race", names, tuple(map(sum, zip(*table, strict=True))), 3)
    result = base.having(
        representation=(about,),
        clustering=replace(known(base.clustering), k=len(table), sizes=tuple(map(sum, table))),
        associations=(association("race", names, table),),
        intersections=None,
        subset_checks=(),
        cluster_styles=(),
        latent=(),
    )
    return result.having(**changes)


def hidden_of(shared: AuditResult) -> tuple[bool, ...]:
    """Return whether the groups, the table and the sizes of clusters are hidden."""
    groups = [group.count for about in shared.representation for group in about.groups]
    return (
        None in groups,
        not shared.associations[0].table,
        None in known(shared.clustering).sizes,
    )


def test_a_table_with_a_small_cell_is_hidden_with_every_number_computed_from_it() -> None:
    shared = withhold(audited(((3, 60, 70), (50, 20, 80), (90, 85, 75))), 5)

    assert hidden_of(shared) == (False, True, False)
    (each,) = shared.associations
    numbers = [each.v, each.v_corrected, each.low, each.chi2, each.df, each.ami, each.p_holm]
    assert numbers == [None] * 7
    assert {"v", "p_permutation", "balance"} <= dict(each.not_computable).keys()
    assert (each.n, each.cells, shared.ladders) == (533, (), ())
    assert not any(entry.family.startswith("association") for entry in shared.ledger)


def test_a_small_group_hides_all_that_is_said_of_its_attribute() -> None:
    latent = utkface().latent[:1]
    result = audited(((2, 40, 50, 10), (1, 60, 45, 12)), latent=latent)

    shared = withhold(result, 5)

    (about,) = shared.representation
    assert hidden_of(shared) == (True, True, False)
    assert all((group.share, group.low, group.ratio_high) == (None,) * 3 for group in about.groups)
    assert about.indices.R == result.representation[0].indices.R
    assert (about.indices.ENS, about.indices.IR, about.target.tv, about.target.p) == (None,) * 4
    assert (shared.latent, shared.ladders) == ((), ())
    assert "the groups of race" in shared.findings[0].figures


def test_a_small_cluster_hides_every_table_by_cluster() -> None:
    shared = withhold(audited(((50, 60), (40, 70), (0, 3))), 5)

    assert hidden_of(shared) == (False, True, True)


@pytest.mark.parametrize(
    ("counts", "sizes", "hidden"),
    [
        ((180, 160, 200), (150, 220, 170), (False, False, False)),
        ((182, 160, 200), (150, 220, 170), (False, True, False)),
        ((189, 160, 200), (150, 220, 170), (False, True, False)),
        ((189, 169, 209), (150, 220, 170), (False, False, False)),
        ((180, 160, 200), (153, 220, 190), (False, False, True)),
        ((180, 160, 200), (159, 220, 190), (False, False, True)),
    ],
)
def test_a_table_that_tells_who_is_not_in_it_is_hidden(
    counts: tuple[int, ...], sizes: tuple[int, ...], hidden: tuple[bool, ...]
) -> None:
    """Two copies of group 0: 182 compared with 180 is a count of two people. Nine are not few, but all copies are of one group."""
    result = audited(BIG)
    about = representation("race", ("group 0", "group 1", "group 2"), counts, 3)
    clustering = replace(known(result.clustering), sizes=sizes)

    shared = withhold(result.having(representation=(about,), clustering=clustering), 5)

    assert hidden_of(shared) == hidden


def check(counts: tuple[int, ...], whole: tuple[int, ...]) -> SubsetCheck:
    groups = tuple(
        SubsetGroup(f"group {i}", count, count / sum(counts), other / sum(whole), 0.5)
        for i, (count, other) in enumerate(zip(counts, whole, strict=True))
    )
    base = SubsetCheck("race", "a set", sum(counts), 0.1, 2.0, 0.5, 0.5, groups[0], groups)
    return replace(base, method=WITHOUT_REPLACEMENT)


@pytest.mark.parametrize(
    ("sample", "whole", "is_hidden"),
    [
        ((180, 160, 200), (280, 261, 331), False),
        ((180, 160, 197), (280, 261, 331), True),
        ((180, 160, 200), (280, 163, 331), True),
        ((180, 160, 0), (280, 261, 3), True),
    ],
)
def test_a_sample_is_compared_with_the_set_its_shares_tell(
    sample: tuple[int, ...], whole: tuple[int, ...], is_hidden: bool
) -> None:
    shared = withhold(audited(BIG, subset_checks=(check(sample, whole),)), 5)

    (found,) = shared.subset_checks
    assert ((found.groups, found.worst, found.p, found.tv) == ((), None, None, None)) is is_hidden


def test_what_rests_only_on_tables_that_are_shown_stays_as_it_is() -> None:
    result = utkface()

    shared = withhold(result, 5)

    kept = [x for x in result.associations if x.attribute != "shuffled control"]
    assert kept == [x for x in shared.associations if x.table]
    assert shared.latent == result.latent
    assert [about.groups for about in shared.representation] == [
        about.groups for about in result.representation
    ]
    assert [x.rungs[:3] for x in shared.ladders] == [x.rungs[:3] for x in result.ladders]


def test_of_statistics_whose_tables_no_report_shows_only_verdicts_stay() -> None:
    result = utkface()

    shared = withhold(result, 5)

    for before, after in zip(result.ladders, shared.ladders, strict=True):
        assert [x.holds for x in after.rungs] == [x.holds for x in before.rungs]
        assert after.highest == before.highest
        assert all((x.value, x.low, x.p) == (None,) * 3 for x in after.rungs[3:] if not x.skipped)
        assert (after.conditionals, after.lost) == ((), ())
    assert (shared.replay, shared.age_heaping) == (None, None)
    assert not (*shared.recluster, *shared.batch_predictions, *shared.style_baselines)
    assert known(shared.stability).attributes == ()


def test_numbers_that_people_were_shuffled_for_are_hidden_as_their_tables_are() -> None:
    test = StyleTest("luma_mean", "gender", 23_317, 0.01, 0.02, 0.003, 0.006, 999)
    by = {"image": test, "subject": replace(test, unit="subject")}

    found = {
        unit: known(withhold(utkface().having(style_tests=(each,)), 5)).style_tests[0]
        for unit, each in by.items()
    }

    assert found["image"] == test
    assert (found["subject"].p, found["subject"].p_adjusted) == (None, None)
    assert found["subject"].rank_effect == 0.02


def test_holms_p_is_hidden_with_the_table_of_any_attribute_it_was_corrected_for() -> None:
    table = ((3, 60), (50, 20))
    other = association("gender", ("a", "b"), ((60, 50), (20, 53)))
    result = audited(table, ladders=(ladder("gender", (True,) * 8, "p = .0002 after Holm"),))

    shared = withhold(result.having(associations=(*result.associations, other)), 5)

    assert shared.associations[1].p_permutation == other.p_permutation
    assert shared.associations[1].p_holm is None
    assert "Holm" not in shared.ladders[0].rungs[2].reading


def test_the_test_of_fit_of_other_images_than_are_shown_is_hidden() -> None:
    """Chi-squared of one copy of each image tells, with all its digits, of which group the copies are."""
    result = audited(BIG)
    (about,) = result.representation
    once = replace(about, target=replace(about.target, n=about.annotated - 2))
    every = replace(about, target=replace(about.target, n=about.annotated))

    one, two = (withhold(result.having(representation=(x,)), 5) for x in (once, every))

    assert (one.representation[0].target.chi2, one.representation[0].target.p) == (None, None)
    assert two.representation == (every,)


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        *(("race.min_count<5", True), ("race.min_count<1", False), ("race.min_count<3", None)),
        *(("race.min_share<0.1", None), ("race.v>0.01", True), ("race.not_annotated>2", True)),
    ],
)
def test_a_rule_is_left_out_where_its_verdict_tells_small_counts_apart(
    rule: str, verdict: bool | None
) -> None:
    result = audited(((2, 40, 50, 10), (1, 60, 45, 12)))
    (judged,) = check_rules([rule], result)

    gate = withhold(result.having(gate=(judged,)), 5).gate

    assert [each.crossed for each in gate] == ([] if verdict is None else [verdict])
    assert all(each == judged or (each.withheld and each.value is None) for each in gate)


def test_counts_of_files_are_shown_and_no_file_is_named() -> None:
    result = utkface()
    notes = ('3 names were repaired: "24_0_1_2017.jpg" and 2 more.', "Many ages are round.")
    few = (RejectCount("race_missing", 3, ("a.jpg",)),)
    copies = replace(result.duplicates, groups=1, files=2, left_out=1)
    conflicts = (Count("race", 2), Count("gender", 40))
    facts = replace(result.dataset, rejects=few, notes=notes)

    shared = withhold(result.having(dataset=facts, duplicates=copies), 5)
    other = withhold(result.having(duplicates=replace(copies, conflicts=conflicts)), 5)

    assert shared.dataset.rejects == (RejectCount("race_missing", 3, ()),)
    assert shared.dataset.notes == ("Many ages are round.",)
    assert shared.duplicates == replace(copies, examples=(), worst="", contradicting=None)
    assert (other.duplicates.conflicts, other.duplicates.contradicting) == ((), None)
    assert not any(each.files for each in (*shared.findings, *other.findings))
    assert shared.representation[0].not_annotated == 3
    named = (*shared.dataset.failures, *shared.dataset.flags)
    assert named
    assert all(each.examples == () for each in named)


def test_an_attribute_whose_total_is_its_only_group_is_left_out() -> None:
    shared = withhold(
        bare().having(representation=(representation("race", ("White",), (3,), 0),)), 5
    )

    assert shared.representation == ()
    assert "all of race" in shared.findings[0].figures


def test_the_limit_is_0_or_2_and_more_and_a_shared_result_is_not_withheld_again() -> None:
    result = utkface()
    shared = withhold(result, 5)

    assert withhold(result, 0) is result
    assert (shared.min_cell, shared.findings[0].code) == (5, MIN_CELL)
    assert "fewer than 5 people" in shared.findings[0].text
    with pytest.raises(ConfigError, match="already"):
        withhold(shared, 10)
    for wrong in (1, -1, -5):
        with pytest.raises(ConfigError, match="must be 2 or more"):
            withhold(result, wrong)
