"""Grades at each border, and claims in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fer_audit.audit.claims.conditional_tests import can_tell, grade, strength
from fer_audit.audit.claims.rungs import conditional_rung, decides
from fer_audit.audit.claims.summary import ANALYSIS, summed_up
from fer_audit.audit.gate import check_rules
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.claim import Claim
from fer_audit.audit.types.claims import Conditional, Ladder, Rung
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.report.sections.claims import claims
from fer_audit.report.view import View
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of
from tests.report.results import association, bare, utkface
from tests.report.results_upper import conditional
from tests.report.sections.reading import said

LITTLE, MOST = 1 / 3, 2 / 3


@pytest.mark.parametrize(
    ("low", "high", "more", "word"),
    [
        *((-0.1, 0.0999, None, "trace"), (-0.1, 0.1, None, "little")),
        *((-0.1, 0.9, (-0.2, 0.3), "trace"), (0.1, 0.5, (-0.1, LITTLE), "part")),
        *((0.1, 0.333, (0.01, 0.2), "little"), (0.1, LITTLE, (0.1, 0.2), "part")),
        *((0.2, 0.9, (0.1, 0.5), "part"), (MOST, 2.0, None, "part"), (0.667, 0.7, None, "most")),
        *((0.05, 2.0, None, "part"), (0.0, 2.0, None, "cannot tell")),
    ],
)
def test_the_grade_at_each_border(
    low: float, high: float, more: tuple[float, float] | None, word: str
) -> None:
    """`more` is how much more is left than of a label that only the strata link to the image."""
    assert grade(low, high, more=more, informative=True) == word
    assert grade(low, high, more=more, informative=False) == "cannot tell"


def test_without_an_interval_nothing_can_be_told() -> None:
    assert grade(None, None, more=None, informative=True) == "cannot tell"


def test_half_of_the_images_and_three_tenths_of_the_entropy_can_tell() -> None:
    assert can_tell(100, 50, 0.3)
    assert not can_tell(100, 49, 0.3)
    assert not can_tell(100, 50, 0.2999)
    assert not can_tell(100, 100, None)


@pytest.mark.parametrize(
    ("v", "word"),
    [
        *((0.0, "faint"), (0.0999, "faint"), (0.1, "weak"), (0.2999, "weak"), (0.3, "clear")),
        *((0.4999, "clear"), (0.5, "strong"), (1.0, "strong")),
    ],
)
def test_strength_is_a_word_by_its_point_value(v: float, word: str) -> None:
    assert strength(v) == word


def left(
    level: str,
    rung: int,
    word: str,
    kept: float,
    free: float = 0.9,
    **more: Any,  # noqa: ANN401 - fields by name
) -> Conditional:
    """Return the headline question of a rung with its grade."""
    per = kept / free
    ends = {"per_entropy": per, "per_low": per - 0.04, "per_high": per + 0.05}
    changes = {"headline": True, "grade": word, "entropy_left": free, **ends, **more}
    return conditional("race", rung, (level,), kept, detail=False, **changes)


def claim_of(*asked: Conditional, highest: int = 8, v: float = 0.34, **changes: Any) -> Claim:  # noqa: ANN401 - fields by name
    """Return the claim about race that these questions were asked, with rungs 7 and 8 as they must be."""
    held = [
        Rung(number, "rung", number <= highest, None, None, None, None, 0, "")
        for number in range(1, 9)
    ]
    table = association("race", ("a", "b"), ((50, 20), (30, 60)))
    table = replace(table, **{"v_corrected": v, "low": v - 0.02, "high": v + 0.02, **changes})
    return summed_up(table, Ladder("race", tuple(held), highest, asked))


HOURS: dict[str, Any] = {
    "drawn": "crawl_hour",
    "units": 132,
    "other_low": 0.235,
    "other_high": 0.445,
}


def test_a_claim_says_strength_then_what_is_left_then_whether_it_comes_back() -> None:
    asked = (
        left("gender", 4, "most", 0.841),
        left("style", 5, "part", 0.624),
        replace(left("luma_mean", 5, "most", 0.9), detail=True, headline=False),
        left("crawl_hour", 6, "part", 0.237, 0.614, per_other_low=0.31, per_other_high=0.48),
        left("crawl_minute", 6, "little", 0.11, 0.37, headline=False),
    )

    found = claim_of(*asked, **HOURS)

    assert found.sentence == (
        "Clusters and race: clear (V~ .340; these images .320-.360, another collection .235-.445);"
        " among people alike in the other attributes most of it remains"
        " (most: 84.1 % kept, .93 of what can vary; these images .89-.98);"
        " among images of the same style two thirds of it remains (part: 62.4 % kept, .69 of what can vary; these images .65-.74);"
        " within the same collection hour a quarter of it remains; the two cannot be separated here"
        " (part: 23.7 % kept, .39 of what can vary; another collection .31-.48);"
        " it comes back with other seeds and k and in a half that was not clustered."
    )
    levels = [(each.level, each.headline) for each in found.left]
    assert levels[:2] == [("others", True), ("style", True)]
    assert levels[2:] == [("crawl_hour", True), ("crawl_minute", False)], "no mere detail"
    assert (found.limited_by, found.comes_back, found.strength) == ("style", "yes", "clear")


def test_what_the_level_fixes_cannot_be_separated_from_it() -> None:
    """A label of which the level fixes most: little is kept, of what can vary all is; that is not an explanation."""
    found = claim_of(left("crawl_hour", 6, "most", 0.3, 0.31), **HOURS)

    assert "; the two cannot be separated here (most: 30.0 % kept, .97 of" in found.sentence
    assert "explain" not in found.sentence


def test_more_is_left_than_over_all_in_words() -> None:
    found = claim_of(left("gender", 4, "most", 1.19, 1.0))

    assert "it is 1.19 times as strong (most: 1.19 of what can vary" in found.sentence
    assert found.sentence.endswith("; how another collection would differ is not known.")


def test_a_level_that_cannot_tell_says_so_and_limits_less_than_little() -> None:
    silent = left("crawl_hour", 6, "cannot tell", 0.2)

    told = claim_of(silent).sentence
    assert "how much of it is left within the same collection hour cannot be told" in told
    assert claim_of(silent, left("gender", 4, "most", 0.9)).limited_by == "crawl_hour"
    assert claim_of(silent, left("gender", 4, "little", 0.2)).limited_by == "others"
    assert claim_of(silent, left("gender", 4, "trace", 0.0)).limited_by == "others"
    assert claim_of(left("gender", 4, "most", 0.9)).limited_by == ""


def test_an_association_at_chance_shows_its_own_numbers_and_no_p() -> None:
    found = claim_of(highest=2, v=0.02, v_corrected_null_95=0.05)

    assert found.strength == "at chance"
    assert found.limited_by == "chance"
    assert found.sentence.startswith(
        "Clusters and race: no association shown (V~ .020; shuffled labels stay under .050);"
    )
    assert "p = " not in found.sentence


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"low": 0.0, "high": 0.2}, "its interval .000-.200 includes 0"),
        ({"p_holm": 0.12, "p_permutation": 0.04}, "p = .120 after Holm over all such claims, .040 alone"),
        (
            {"p_holm": 0.06, "p_permutation": 0.005, "permutations": 199},
            "p ≤ .060 after Holm over all such claims, ≤ .005 alone",
        ),
        (
            {"p_holm": None, "not_computable": (("p_holm", "too few"),)},
            "whether by chance is not computable: too few",
        ),
    ],
)  # fmt: skip
def test_a_claim_that_fails_a_later_question_says_which(changes: dict[str, Any], why: str) -> None:
    """Not that shuffled labels explain it: V~ is above what they give."""
    table = {"v_corrected_null_95": 0.05, "low": 0.06, **changes}
    found = claim_of(highest=2, v=0.1, **table)

    assert f"no association shown (V~ .100; {why});" in found.sentence


def test_what_does_not_come_back_is_said() -> None:
    found = claim_of(highest=6)

    assert found.comes_back == "no"
    assert "it does not come back with every seed and k, or in a half" in found.sentence


def test_each_claim_is_a_finding_and_one_that_is_left_asks_for_nothing() -> None:
    base = {
        "weak": claim_of(left("gender", 4, "most", 0.9), v=0.2),
        "faint": claim_of(left("gender", 4, "most", 0.9), v=0.05),
        "gone": claim_of(left("gender", 4, "trace", 0.0), v=0.2),
        "chance": claim_of(highest=1, v=0.01),
        "label": replace(claim_of(left("gender", 4, "most", 0.9), v=0.2), of="expression"),
    }

    found = {name: list(ANALYSIS.findings(bare().having(claims=(x,)))) for name, x in base.items()}

    codes = {name: [(each.code, each.severity) for each in of] for name, of in found.items()}
    assert codes == {
        "weak": [("clusters_follow", "know"), ("claim", "fine")],
        "faint": [("clusters_follow", "know"), ("claim", "fine")],
        "gone": [("clusters_follow", "know"), ("claim", "know")],
        "chance": [("nothing_beyond_chance", "fine")],
        "label": [("label_claim", "know")],
    }


def test_a_rung_is_graded_by_its_headline_and_every_question_that_can_tell_has_a_p() -> None:
    hour = left("hour", 6, "part", 0.5, p=0.001)
    minute = left("minute", 6, "part", 0.5, p=0.03, headline=False)
    blind = left("second", 6, "cannot tell", 0.5, p=0.9, headline=False, n_effective=10)

    def rung(*asked: Conditional, p: float | None = 0.03) -> Rung:
        return conditional_rung(6, "not the crawl", asked, p, alpha=0.05, nothing_to_ask="none")

    assert [decides(each, 6) for each in (hour, minute, blind)] == [True, True, False]
    whole = rung(minute, hour, blind)
    assert (whole.grade, whole.holds, whole.value, whole.p) == ("part", True, 0.5, 0.03)
    assert "p = .030 after Holm, the largest of 2 questions" in whole.reading
    assert rung(hour, p=0.06).holds is False
    assert rung(replace(hour, grade="trace")).holds is False
    assert rung(replace(hour, grade="little")).holds is True
    wide = rung(replace(hour, grade="cannot tell"))
    assert wide.holds is True, "how much is left is not known, but that something is"
    silent = rung(replace(hour, grade="cannot tell", n_effective=10), minute)
    assert silent.holds is None
    assert rung().reading == "skipped: none"


@pytest.fixture(scope="module")
def faces() -> AuditResult:
    """Return faces with an expression that follows gender and clusters that follow the expression."""
    rng = np.random.default_rng(0)
    gender = rng.integers(0, 2, 1500)
    mood = np.where(rng.random(1500) < 0.4, gender, rng.integers(0, 2, 1500))
    clusters = np.where(rng.random(1500) < 0.9, mood, 1 - mood)
    return audit_dataset(
        dataset_of(
            attribute("gender", gender, ("male", "female")),
            attribute("race", rng.integers(0, 3, 1500), "abc"),
            attribute("expression", mood, ("happy", "sad"), "label"),
            attribute("hour", rng.integers(0, 40, 1500), [str(i) for i in range(40)], "batch"),
        ),
        clustering=clustering_of(clusters, k=2),
        config=AuditConfig.of(permutations=299, bootstraps=99),
    )


def test_claims_are_pairs_of_clusters_labels_and_people(faces: AuditResult) -> None:
    pairs = [(each.of, each.attribute) for each in faces.claims]

    assert pairs == [
        *(("cluster", name) for name in ("gender", "race", "expression")),
        *(("expression", name) for name in ("gender", "race")),
    ]
    assert [(each.of, each.attribute) for each in faces.ladders] == pairs
    by_pair = {(each.of, each.attribute): each for each in faces.claims}
    assert by_pair["expression", "gender"].strength == "clear"
    assert by_pair["expression", "gender"].comes_back == "not asked"
    assert by_pair["cluster", "expression"].strength == "strong"
    assert by_pair["cluster", "race"].strength == "at chance"
    assert by_pair["cluster", "gender"].drawn == "hour"
    assert by_pair["cluster", "gender"].units == 40
    # gender reaches the clusters through the expression: the other demographic attributes do not hold that fixed
    assert [x.level for x in by_pair["cluster", "gender"].left] == ["others", "hour"]


def test_labels_that_are_not_compared_with_people_are_counted_and_named() -> None:
    rng = np.random.default_rng(0)
    labels = [
        attribute(f"label{i:02d}", rng.integers(0, 2, 100), "ny", "label") for i in range(14)
    ]
    gender = attribute("gender", rng.integers(0, 2, 100), "mf")
    clusters = clustering_of(rng.integers(0, 2, 100), k=2)
    config = AuditConfig.of(permutations=19, bootstraps=9)

    found = audit_dataset(dataset_of(gender, *labels), clustering=clusters, config=config)
    few = audit_dataset(dataset_of(gender, *labels[:10]), clustering=clusters, config=config)

    assert len({each.of for each in found.label_associations}) == 10
    assert found.not_asked == (
        "4 of 14 label columns were not compared with the attributes of people: the first 10 are, as"
        ' all would be 14 claims ("label10", "label11", "label12" and 1 more).'
    )
    assert found.not_asked in said(claims(View(found)))
    assert few.not_asked == ""


def test_rules_can_name_a_level_and_what_a_batch_gives_away(faces: AuditResult) -> None:
    rules = ["gender.strength>0.3", "gender.left.hour<0.5", "hour.predicts.gender>=0"]

    found = check_rules(rules, faces)

    (claim,) = (x for x in faces.claims if (x.of, x.attribute) == ("cluster", "gender"))
    (hour,) = (x for x in claim.left if x.level == "hour")
    guess = next(x for x in faces.batch_predictions if x.attribute == "gender")
    assert [each.value for each in found] == [
        claim.v_corrected,
        hour.per_entropy,
        guess.left_out_accuracy,
    ]


def test_a_shared_result_has_no_claims_and_no_number_of_tables_that_it_does_not_show(
    faces: AuditResult,
) -> None:
    assert withhold(faces, 0).claims == faces.claims

    shared = withhold(faces, 5)

    assert (shared.claims, shared.label_associations) == ((), ())
    assert not [each for each in shared.ladders if each.of != "cluster"]
    assert not [each for each in shared.findings if each.code in ("claim", "label_claim")]
    for each in shared.associations:
        assert (each.other_low, each.other_high) == (None, None)
        assert {"other_low", "other_high"} <= dict(each.not_computable).keys()
    shown = [each for each in shared.associations if each.table]
    assert shown
    assert all(each.low is not None for each in shown), "images are in the table that is shown"


def test_what_was_shuffled_by_person_is_withheld_and_verdicts_stay() -> None:
    result = utkface()
    by_person = tuple(replace(each, unit="who") for each in result.associations)

    shared = withhold(result.having(associations=by_person), 5)

    for each in shared.associations:
        assert (each.p_permutation, each.p_holm, each.low, each.null_95) == (None,) * 4
    for before, after in zip(result.ladders, shared.ladders, strict=True):
        assert [x.holds for x in after.rungs] == [x.holds for x in before.rungs]
        assert all(x.value is None for x in after.rungs)
