"""Rules for CI: what they may say, where they are wrong, what they find."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.audit.gate import (
    ALONE,
    ATTRIBUTE_FIELDS,
    FIELDS,
    MODEL_FIELDS,
    OPERATORS,
    check_rules,
    parse_rule,
    refuse_unknown_names,
    refuse_unknown_subjects,
)
from fer_audit.audit.types.result import AuditResult
from fer_audit.config import AuditConfig
from fer_audit.errors import ConfigError
from tests.audit.inputs import attribute, audit_dataset, clustering_of, dataset_of, rows_of


@pytest.fixture(scope="module")
def result() -> AuditResult:
    race = np.arange(120) % 3
    return audit_dataset(
        dataset_of(attribute("race", race, ("a", "b", "c", "d"))),
        clustering=clustering_of(race % 2, k=2),
        config=AuditConfig.of(permutations=99, bootstraps=20),
    )


def test_the_gate_of_the_docs_is_the_gate_of_the_code() -> None:
    """Every subject and field is named, nothing else is, and every rule that stands there can be read."""
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
    section = page.split("## Rules", 1)[1].split("\n## ", 1)[0]
    subjects = section.split("where SUBJECT is", 1)[1].split(", and OP", 1)[0]
    rows = re.findall(r"^\| (`.+?) \| (.*) \|$", section, re.MULTILINE)
    named = {
        tuple(re.findall(r"`(\w+)`", first)): re.findall(r"`(\w+)`", then) for first, then in rows
    }
    alone_or_of_an_attribute = [word for first in named for word in first]

    assert set(re.findall(r"`(\w+)`", subjects)) == set(FIELDS)
    for subject, fields in FIELDS.items():
        assert tuple(dict.fromkeys(named[subject,])) == fields
    assert set(alone_or_of_an_attribute) == {*ALONE, *ATTRIBUTE_FIELDS, *MODEL_FIELDS, *FIELDS}

    rules = re.findall(r"[`'\"]([\w.]+ ?[<>=]+ ?[\d.]+)[`'\"]", page)
    assert len(rules) >= 8
    refuse_unknown_subjects(rules, ["race", "crawl_hour"], ["fer-mini"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("race.v_corrected>0.2", ("race", "v_corrected", ">", 0.2)),
        ("race.min_share < .05", ("race", "min_share", "<", 0.05)),
        (" conflicts > 0", ("", "conflicts", ">", 0)),
        ("thin_groups>=10", ("", "thin_groups", ">=", 10)),
        ("cells.under_30>=10", ("cells", "under_30", ">=", 10)),
        (" dataset.failed > 0 ", ("dataset", "failed", ">", 0)),
        ("skin.tone.v!=1e-3", ("skin.tone", "v", "!=", 0.001)),
        ("Alter in Jahren.rung==5", ("Alter in Jahren", "rung", "==", 5)),
    ],
)
def test_rules_are_read(text: str, parts: tuple[str, str, str, float]) -> None:
    rule = parse_rule(text)

    assert (rule.subject, rule.field, rule.symbol, rule.number) == parts


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ("", 0, "expected one of >="),
        ("race.v", 6, "expected one of >="),
        ("conflict>0", 8, 'expected "." and a field'),
        (".conflicts>0", 0, "expected a subject"),
        ("race.conflicts>0", 5, "race has no field conflicts. It has: v, "),
        ("race>0.2", 4, 'expected "." and a field'),
        (".v>0.2", 0, "expected a subject"),
        ("race.>0.2", 5, "expected a field's name"),
        ("race.v c>0.2", 6, "expected a field's name"),
        ("race.vv>0.2", 5, "race has no field vv; did you mean v? It has: v, v_corrected"),
        ("dataset.v>0", 8, "dataset has no field v. It has: listed"),
        ("race.v>", 7, "expected a number"),
        ("race.v> x", 8, "expected a number"),
        ("race.v>0.2 or", 11, "expected nothing more"),
        ("race.v>0.2>0.1", 10, "expected nothing more"),
        ("race.v>1e999", 7, "the number is too large"),
        ("race.v=>0.2", 6, "expected a field's name"),
        ("race.v>__import__('os')", 7, "expected a number"),
    ],
)
def test_a_wrong_rule_is_shown_with_a_caret(text: str, at: int, why: str) -> None:
    with pytest.raises(ConfigError) as found:
        parse_rule(text)

    message, shown, caret = str(found.value).split("\n")
    assert why in message
    assert shown == f"    {text}"
    assert caret == f"    {' ' * at}^"


@given(st.text(max_size=30))
def test_any_text_is_a_rule_or_a_config_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except ConfigError:
        return
    assert rule.symbol in OPERATORS


def test_a_subject_that_is_not_there_is_refused_before_the_work() -> None:
    refuse_unknown_subjects(["race.v>1", "dataset.ok<1"], ["race"])
    for rule, words in (
        ("age.v>1", "no subject age. It has: race, fer-mini, dataset"),
        ("Rase.v>1", "no subject Rase; did you mean race? It has: "),
        ("Data set.v>1", "no subject Data set; did you mean dataset?"),
        ("race.ens>1", "race has no field ens; did you mean ENS?"),
    ):
        with pytest.raises(ConfigError, match=re.escape(words)):
            refuse_unknown_subjects([rule], ["race"], ["fer-mini"])


def test_a_model_has_the_fields_of_models_and_an_attribute_those_of_attributes() -> None:
    of_both = (*ATTRIBUTE_FIELDS, *MODEL_FIELDS)
    for subject, fields in (("race", ATTRIBUTE_FIELDS), ("net", MODEL_FIELDS), ("both", of_both)):
        for field in (*of_both, "accuracy"):
            rule = f"{subject}.{field}<0.9"
            if field in fields:
                refuse_unknown_subjects([rule], ["race", "both"], ["net", "both"])
                continue
            with pytest.raises(ConfigError) as found:
                refuse_unknown_subjects([rule], ["race", "both"], ["net", "both"])
            assert str(found.value).split("\n")[0].endswith(f"It has: {', '.join(fields)}")


def test_rules_are_checked_in_their_order(result: AuditResult) -> None:
    found = check_rules(
        ["race.min_share<0.05", "dataset.failed>0", "race.groups==3", "race.min_count<=0"], result
    )

    assert [each.crossed for each in found] == [True, False, True, True]
    assert [each.value for each in found] == [0, 0, 3, 0]


def test_an_attribute_may_be_named_as_reports_display_it() -> None:
    years, gender = np.arange(90) % 2, (np.arange(90) < 40).astype(int)
    found = audit_dataset(
        dataset_of(
            attribute("age_bin", years, ("0-9", "10-19")),
            attribute("gender", gender, ("f", "m")),
            attribute("crawl_day", years, ("x", "y"), kind="batch"),
        ),
        clustering=clustering_of(years, k=2),
        rows=rows_of(90),
        config=AuditConfig.of(permutations=99, bootstraps=20),
    )
    rules = ("{0}.v>0.1", "{0}.min_share>0.1", "{0}.left.others>0", "{1}.predicts.age_bin>0")
    own, displayed = (
        check_rules([rule.format(*names) for rule in rules], found)
        for names in (("age_bin", "crawl_day"), ("age group", "collection day"))
    )

    refuse_unknown_names([rule.format("age group", "collection day") for rule in rules], found)
    assert [each.value for each in own] == [each.value for each in displayed]
    assert all(each.value is not None for each in displayed)


def test_a_value_that_is_missing_crosses_nothing_and_says_so(result: AuditResult) -> None:
    found = check_rules(["clustering.ari<0.5", "cells.empty>=0"], result)

    assert [(each.value, each.crossed) for each in found] == [(None, False), (None, False)]
    assert found[0].reason == (
        "clustering.ari has no value in this run, so the rule is not crossed"
    )


def test_every_field_can_be_asked_for(result: AuditResult) -> None:
    rules = [f"{subject}.{field}>0" for subject, fields in FIELDS.items() for field in fields]
    rules += [f"race.{field}>0" for field in ATTRIBUTE_FIELDS]

    rules += [f"{field}>0" for field in ALONE]

    assert len(check_rules(rules, result)) == len(rules)


def test_what_is_left_predicted_contradicted_and_thin_is_the_number_of_the_report() -> None:
    """Two photos are there again with another race, one with the same; two combinations hold two images each."""
    race, gender = np.arange(90) % 2, (np.arange(90) < 4).astype(int)
    names = [f"{i:064d}" for i in [*range(87), 4, 5, 7]]  # row 87 has race 1
    result = audit_dataset(
        dataset_of(
            attribute("race", race, ("a", "b")),
            attribute("gender", gender, ("f", "m")),
            attribute("session", race, ("x", "y"), kind="batch"),
        ),
        clustering=clustering_of(race, k=2),
        rows=rows_of(90, content=names),
        config=AuditConfig.of(permutations=99, bootstraps=20),
    )
    (claim,) = (x for x in result.claims if (x.of, x.attribute) == ("cluster", "race"))
    left = {each.level: each.per_entropy for each in claim.left}
    (batch,) = (x for x in result.batch_predictions if x.attribute == "race")

    levels = check_rules([f"race.left.{level}>0" for level in left], result)
    others = check_rules(["session.predicts.race>0", "conflicts>1", "thin_groups>2"], result)

    assert [each.value for each in levels] == list(left.values())
    assert batch.left_out_accuracy is not None
    assert [each.value for each in others] == [batch.left_out_accuracy, 2, 2]
    assert [each.crossed for each in others] == [True, True, False]
    assert check_rules(["duplicates.conflicts>0"], result)[0].value == 2

    refuse_unknown_names(["race.left.others>1", "session.predicts.race>1"], result)
    for rule, at in (("race.left.other>1", 10), ("session.predicts.age>1", 17), ("age.v>1", 0)):
        with pytest.raises(ConfigError) as found:
            refuse_unknown_names([rule], result)
        assert str(found.value).endswith(f"\n    {' ' * at}^")
