"""Whom a model fails: what is planted is found, what is not there is not said, and empty or thin cells are no zeros."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_audit.audit.analysis import NoCache
from fer_audit.audit.gate import check_rules, refuse_unknown_names
from fer_audit.audit.inputs import AuditInputs
from fer_audit.audit.models.audited import ANALYSIS
from fer_audit.audit.models.findings import model_findings
from fer_audit.audit.models.truth import meanings, truth_of
from fer_audit.audit.run import audit
from fer_audit.audit.suppression import withhold
from fer_audit.audit.types.models import ByAttribute, ModelAudit, ModelsAudit
from fer_audit.audit.types.result import AuditResult
from fer_audit.dataset.types import SoftLabels
from fer_audit.errors import ConfigError
from fer_audit.report.charts.theme import page_svg
from fer_audit.report.files.document import parse_result, result_json
from fer_audit.report.methods import methods_text
from fer_audit.report.report import charts_of, make_report
from fer_audit.report.view import View
from tests.audit.inputs import attribute, clustering_of, dataset_of, inputs_of, rows_of
from tests.audit.predicted import CLASSES, LABELS, QUICK, planted, predictions_of
from tests.audit.test_model_stats import GROUP, LABEL, SAID, six
from tests.known import known


def audited(**given: object) -> ModelsAudit:
    made = inputs_of(config=QUICK, **given)  # type: ignore[arg-type]
    found: ModelsAudit = known(ANALYSIS.audit(made, {}, NoCache()))
    return found


def only(found: ModelsAudit) -> tuple[ModelAudit, ByAttribute]:
    (model,) = found.models
    return model, model.by[0]


def toy(times: int, subjects: bool = False) -> tuple[ModelAudit, ByAttribute]:
    """Return the golden toy with every image so many times, as other people's or all as one person's."""
    columns = [
        attribute("group", np.repeat(GROUP, times), ("a", "b", "c")),
        attribute("expression", np.repeat(LABEL, times), LABELS[:3], "label"),
    ]
    if subjects:
        columns.append(
            attribute(
                "subject", np.repeat(np.arange(24), times), [*map(str, range(24))], "subject"
            )
        )
    said = predictions_of(np.repeat(SAID, times))
    return only(audited(dataset=dataset_of(*columns), predictions=(said,)))


def test_the_golden_toy_has_its_indices_and_an_empty_cell_has_none() -> None:
    model, by = toy(30)

    assert (model.truth, model.labelled, model.accuracy) == ("expression", 720, six(16 / 24))
    assert (by.classes, by.xu_f) == (("happy", "neutral"), six(0.571429))
    assert (by.disparity, by.recall_gap, by.odds_gap) == six((0.305556, 0.416667, 0.416667))
    assert (by.parity_gap, by.parity_class) == (six(0.125), "happy")
    assert [x.macro_f1 for x in by.errors] == six([0.802381, 0.611111, 0.533333])
    assert [x.macro_f1_common for x in by.errors] == six([0.803571, 0.666667, 0.533333])
    (empty,) = [x for x in by.cells if not x.n]
    assert (empty.group, empty.label) == ("c", "sad")
    assert (empty.recall, empty.low, empty.pooled, empty.p) == (None,) * 4
    assert by.worst_recall == six(1 / 3)
    assert by.errors[2].composition is None


@pytest.mark.parametrize("made", [toy(1), toy(30, subjects=True)], ids=["images", "people"])
def test_fewer_than_thirty_units_are_shown_and_compared_in_nothing(
    made: tuple[ModelAudit, ByAttribute],
) -> None:
    """Thirty frames of one person are one person."""
    _, by = made

    assert [x.recall for x in by.cells if x.n] == six(
        [1, 0.75, 2 / 3, 2 / 3, 2 / 3, 0.5, 2 / 3, 1 / 3]
    )
    few = [[x.too_few for x in part] for part in (by.cells, by.errors, by.rates)]
    assert few == [[True] * 9, [True] * 3, [True] * 3]
    compared = (
        by.xu_f,
        by.disparity,
        by.recall_gap,
        by.accuracy_gap,
        by.worst_recall,
        by.parity_gap,
    )
    assert compared == (None,) * 6
    assert {"xu_f", "recall_gap", "worst_recall", "parity_gap"} <= dict(by.not_computable).keys()
    assert all(x.p_adjusted is None for x in by.cells)


@pytest.fixture(scope="module")
def result() -> AuditResult:
    clusters = clustering_of(np.arange(3000) % 2, k=2)
    return audit(planted(clustering=clusters))


def test_the_group_that_was_planted_is_named_and_no_other(result: AuditResult) -> None:
    found = {x.attribute: x for x in result.findings if x.code.startswith("model_")}

    assert {name: x.code for name, x in found.items()} == {
        "race": "model_fails",
        "gender": "model_alike",
        "cluster": "model_alike",
    }
    assert found["race"].text == (
        "fer-mini is right about sad in 49 % of faces of race B and in 90 % of all others."
    )
    assert found["gender"].severity == "fine"


def test_a_gap_that_expressions_make_is_told_from_one_within_them(result: AuditResult) -> None:
    (by,) = [x for x in known(result.models).models[0].by if x.attribute == "race"]
    group = next(x for x in by.errors if x.group == "B")

    assert known(group.gap) == pytest.approx(known(group.composition) + known(group.within))
    assert known(group.within) + 3 * known(group.within_se) < 0
    assert abs(known(group.composition)) < 0.02
    assert known(group.across_clusters) == pytest.approx(known(group.gap), abs=0.01)
    assert known(by.accuracy_gap) > 3 * known(by.chance_gap)


def test_who_is_called_what_more_often_is_a_claim_with_its_ladder(result: AuditResult) -> None:
    claims = {x.attribute: x for x in result.claims if x.of == "fer-mini"}
    labels = {x.attribute: x for x in result.claims if x.of == "expression"}
    text = [x.text for x in result.findings if x.code == "predicted_more"]

    assert set(claims) == {"race", "gender"}
    assert claims["gender"].strength == "weak"
    assert claims["gender"].sentence.startswith("What fer-mini predicts and gender: weak (V~ ")
    assert [x.level for x in claims["gender"].left] == ["others"]
    assert "fer-mini calls women happy more often than men." in text
    cells = [x.family for x in result.ledger if x.family.startswith("cells of gender x")]
    assert len(set(cells)) == len(cells)
    assert "cells of gender x fer-mini" in cells
    assert not [x for x in result.findings if x.code == "label_claim" and "fer-mini" in x.text]
    alone = audit(replace(planted(), clustering=None, predictions=()))
    assert labels == {x.attribute: x for x in alone.claims}, (
        "a model changes no claim about labels"
    )


def test_a_rule_asks_for_the_worst_over_the_attributes(result: AuditResult) -> None:
    rules = ("fer-mini.worst_recall<0.6", "fer-mini.recall_gap>0.3", "fer-mini.xu_f<0.5")
    by = {x.attribute: x for x in known(result.models).models[0].by}

    found = check_rules(rules, result)

    assert [x.crossed for x in found] == [True, True, False]
    assert [x.value for x in found] == [
        by["race"].worst_recall,
        by["race"].recall_gap,
        by["race"].xu_f,
    ]
    refuse_unknown_names(rules, result)
    named = replace(known(result.models).models[0], model="my_model")
    renamed = result.having(models=replace(known(result.models), models=(named,)))
    refuse_unknown_names(["my model.xu_f<0.5"], renamed)
    assert check_rules(["my model.xu_f<0.5"], renamed)[0].value == by["race"].xu_f
    with pytest.raises(ConfigError, match="has no subject"):
        refuse_unknown_names(["fer-max.xu_f<0.5"], result)


def test_the_methods_say_which_model_was_asked_and_in_what_images_were_alike(
    result: AuditResult,
) -> None:
    text = methods_text(result)

    assert "The expression of 3,000 images was predicted by fer-mini (run here; sha256 " in text
    given = {x.given for each in result.ladders for x in each.conditionals if x.rung == 5}
    assert ("propensity" in text) == (("style",) in given)


def test_nothing_a_model_predicts_is_in_a_result_that_is_handed_on(result: AuditResult) -> None:
    shared = withhold(result, 5)

    assert (shared.models, shared.prediction_associations) == (None, ())
    assert not [x for x in shared.ledger if "fer-mini" in x.subject]
    assert not [x for x in shared.findings if "fer-mini" in x.text + x.figures]
    assert "what models predict" in shared.findings[0].figures


def test_every_p_is_in_the_ledger(result: AuditResult) -> None:
    by = known(result.models).models[0].by
    counted = sum(
        (x.recall_gap_p is not None)
        + (x.accuracy_gap_p is not None)
        + sum(cell.p is not None for cell in x.cells)
        + sum((y.p is not None) + (y.across_clusters_p is not None) for y in x.errors)
        for x in by
    )
    mine = [x for x in result.ledger if x.subject.startswith("fer-mini x")]

    assert sum(x.tests for x in mine) == counted > 50


def test_without_true_labels_nothing_is_called_right() -> None:
    found = audit(planted(labelled=False))
    (model,) = known(found.models).models
    said = " ".join(f"{x.text} {x.figures} {x.do}" for x in found.findings)

    assert (model.truth, model.accuracy, model.labelled) == ("", None, 0)
    assert not any(x.errors or x.cells for x in model.by)
    rates = {x.group: x.rates[0].share for x in model.by[1].rates}
    assert known(rates["female"]) - known(rates["male"]) == pytest.approx(0.27, abs=0.05)
    assert not re.search("accura|recall|right about", said)
    assert "it cannot be separated from who shows it in these photos" in said
    assert "Expressions are not emotions." in said
    assert "AI Act, Art. 5" in said


def test_a_shuffled_model_fails_nobody() -> None:
    rng = np.random.default_rng(11)
    made = planted()
    said = replace(made.predictions[0], codes=rng.permutation(made.predictions[0].codes))

    found = audit(replace(made, predictions=(said,)))

    assert not [x for x in found.findings if x.code == "model_fails"]
    assert not [x for x in found.claims if x.of == "fer-mini" and x.strength != "at chance"]


def test_schemes_are_mapped_and_what_is_not_is_named_both_ways() -> None:
    column = attribute(
        "expression", [0, 1, 3, 3, -1, 0], ("Happy", "Sadness", "x", "Contempt"), "label"
    )
    said = predictions_of([0] * 6, classes=("happiness", "sad", "surprised"))

    found = known(truth_of(said, (column,)))

    assert found.codes.tolist() == [0, 1, -1, -1, -1, 0]
    assert [(x.name, x.count) for x in found.unmapped_labels] == [("Contempt", 2)]
    assert found.unmapped_classes == ("surprised",)
    assert truth_of(said, (replace(column, source="predicted"),)) is None
    assert truth_of(said, (attribute("smiling", [0, 1], ("no", "yes"), "label"),)) is None
    assert meanings(("Happy", "joy"), "expression") == ["happy", "joy"], "two of one meaning"


def test_labels_without_a_class_count_in_no_accuracy() -> None:
    label = np.tile([0, 1, 2, 3], 60)
    said = predictions_of(np.where(label == 3, 0, label))
    people = attribute("gender", np.arange(240) % 2, ("male", "female"))
    column = attribute("expression", label, LABELS, "label")

    model, _ = only(audited(dataset=dataset_of(people, column), predictions=(said,)))

    assert (model.accuracy, model.labelled, model.n) == (1.0, 180, 240)
    assert [(x.name, x.count) for x in model.unmapped_labels] == [("Contempt", 60)]


def test_predictions_of_an_attribute_are_not_held_against_it() -> None:
    people = [
        attribute("gender", np.arange(200) % 2, ("Male", "Female")),
        attribute("race", np.arange(200) // 100, ("A", "B")),
    ]
    said = predictions_of(np.arange(200) % 2, classes=("male", "female"), about="gender")

    model, by = only(audited(dataset=dataset_of(*people), predictions=(said,)))

    assert (model.truth, model.accuracy, by.attribute, len(model.by)) == ("gender", 1.0, "race", 1)


def test_models_agree_in_their_own_words_and_what_they_agree_on_is_by_group() -> None:
    rng = np.random.default_rng(3)
    gender = np.arange(1000) % 2
    first = rng.integers(0, 3, 1000)
    other = np.where(rng.random(1000) < 0.8, first, rng.integers(0, 3, 1000))
    swapped = np.array([2, 1, 0])[other]
    said = (
        predictions_of(first),
        predictions_of(swapped, name="other", classes=("sadness", "neutral", "happiness")),
    )

    found = audited(
        dataset=dataset_of(attribute("gender", gender, ("male", "female"))), predictions=said
    )

    (agreement,) = found.agreements
    same = first == other
    assert agreement.same == pytest.approx(same.mean())
    assert known(agreement.low) < known(agreement.kappa) < known(agreement.high)
    assert agreement.kappa == pytest.approx((same.mean() - 1 / 3) / (2 / 3), abs=0.01)
    (by,) = found.agreed
    happy = by.rates[1].rates[0]
    assert (happy.label, happy.count) == (
        "happy",
        int((same & (first == 0) & (gender == 1)).sum()),
    )
    assert by.rates[1].n == 500


def test_votes_bound_what_can_be_right_and_copies_say_how_noisy_labels_are() -> None:
    label = np.tile([0, 1], 100)
    people = attribute("gender", np.arange(200) // 100, ("male", "female"))
    votes = np.zeros((200, 2), np.float32)
    votes[np.arange(200), label], votes[np.arange(200), 1 - label] = 7, 3
    soft = SoftLabels("expression", ("happiness", "neutral"), votes)
    content = [f"{max(2, i)}" if i < 4 else f"{i}" for i in range(200)]  # three copies
    column = attribute("expression", label, LABELS, "label")

    _, by = only(
        audited(
            dataset=replace(dataset_of(people, column), soft=(soft,)),
            rows=rows_of(200, content=content),
            predictions=(predictions_of(label),),
        )
    )

    male, female = by.errors
    assert [male.soft_accuracy, male.soft_ceiling] == pytest.approx([0.7, 0.7])
    assert (male.copies, male.copies_disagree, female.copies) == (1, 1, 0)


def test_a_model_that_has_seen_the_set_is_in_sample() -> None:
    made = planted(60)
    by = made.predictions[0].by

    for seen, folds, expected in (
        ("FER2013", None, True),
        ("FER2013", np.zeros(60, np.int16), False),
        ("", None, False),
    ):
        said = replace(made.predictions[0], by=replace(by, seen=seen), folds=folds)
        found = audited(dataset=made.dataset, predictions=(said,))
        assert found.models[0].in_sample is expected


def test_columns_of_two_heads_and_of_a_taken_name_have_names_of_their_own() -> None:
    column = attribute("fer-mini", [0, 1], ("a", "b"), "batch")
    heads = (predictions_of([0, 1]), predictions_of([0, 1], about="gender"))

    def names(*said: object) -> list[str]:
        made = inputs_of(dataset_of(column), config=QUICK, predictions=said)
        return [x.name for x in made.predicted]

    assert names(*heads) == ["fer-mini expression", "fer-mini gender"]
    assert names(heads[0]) == ["fer-mini predicted"]


def test_the_classes_are_those_of_the_model() -> None:
    assert meanings(CLASSES, "expression") == ["happiness", "neutral", "sadness"]


@pytest.mark.parametrize("images", [1, 5])
def test_where_nobody_is_failed_somebody_is_named_in_one_set_of_twenty(images: int) -> None:
    """Right and wrong per person; of one person all images alike. Ten false alarms of sixty have p < .001 at a level of .05."""
    rng, alarms = np.random.default_rng(8), 0
    config = QUICK.having(permutations=199, bootstraps=9)
    for _ in range(60):
        people = 360
        person = np.repeat(np.arange(people), images)
        group, label = rng.integers(0, 3, people)[person], rng.integers(0, 2, people)[person]
        right = (rng.random(people) < 0.7)[person]
        columns = [
            attribute("race", group, ("A", "B", "C")),
            attribute("expression", label, LABELS, "label"),
        ]
        if images > 1:
            columns.append(attribute("who", person, [*map(str, range(people))], "subject"))
        said = predictions_of(np.where(right, label, 1 - label))
        made = inputs_of(dataset_of(*columns), config=config, predictions=(said,))
        (by,) = known(ANALYSIS.audit(made, {}, NoCache())).models[0].by
        alarms += min(x.p_adjusted for x in by.cells if x.p_adjusted is not None) <= 0.05

    assert alarms <= 9


@st.composite
def sets(draw: st.DrawFn) -> AuditInputs:
    """Draw a set of any size whose columns and predictions may be empty, constant or unknown."""
    n = draw(st.sampled_from([1, 2, 7, 70]))

    def codes(groups: int) -> list[int]:
        some = st.one_of(st.integers(-1, groups - 1), st.just(draw(st.integers(-1, groups - 1))))
        return draw(st.lists(some, min_size=n, max_size=n))

    columns = [
        attribute("race", codes(3), ("A", "B", "C")),
        attribute("expression", codes(4), LABELS, draw(st.sampled_from(["label", "batch"]))),
        attribute(
            "who", codes(5), [*map(str, range(5))], draw(st.sampled_from(["subject", "split"]))
        ),
    ]
    sure = draw(st.sampled_from([None, np.full(n, 0.5), np.linspace(0.4, 1, n)]))
    said = tuple(
        predictions_of(codes(3), name=name, sure=sure)
        for name in draw(st.sampled_from([("m",), ("m", "m2")]))
    )
    clusters = clustering_of(np.arange(n) % 2, k=2) if draw(st.booleans()) else None
    return inputs_of(
        dataset_of(*columns[draw(st.integers(0, 1)) :]),
        clustering=clusters,
        config=QUICK.having(permutations=19, bootstraps=5),
        predictions=said,
    )


@settings(max_examples=40, deadline=None)
@given(sets())
def test_any_predictions_give_a_part_that_can_be_read_back_and_shown(made: AuditInputs) -> None:
    found = audit(made)

    model = known(found.models).models[0]
    assert parse_result(result_json(found)) == found
    for by in model.by:
        assert sum(x.n for x in by.rates) <= model.n
        assert all(sum(y.count for y in x.rates) == x.n for x in by.rates)
        assert sum(x.n for x in by.errors) == sum(x.n for x in by.cells) <= model.labelled
        assert all((x.recall is None) == (x.n == 0) for x in by.cells)
    report = make_report(View(found), "models")
    for chart in charts_of(report)[:1]:
        assert page_svg(chart).startswith("<svg")


def test_a_gap_that_the_class_mix_makes_is_no_sign_of_equal_treatment() -> None:
    """Race B has more of the class that is hard for everybody: accuracy differs, recall does not."""
    rng = np.random.default_rng(7)
    race = rng.integers(0, 2, 3000)
    label = np.where(rng.random(3000) < np.where(race == 1, 0.2, 0.8), 0, 2)
    right = rng.random(3000) < np.where(label == 0, 0.95, 0.6)
    columns = (
        attribute("race", race, ("A", "B")),
        attribute("expression", label, LABELS, "label"),
    )
    said = predictions_of(np.where(right, label, 1))

    result = audit(inputs_of(dataset_of(*columns), config=QUICK, predictions=(said,)))

    (found,) = (
        x for x in model_findings(result) if x.attribute == "race" and "gets right" in x.text
    )
    assert found.code == "model_differs"
    assert found.severity == "know"
