"""result.json: what is written is what is read, and what is broken is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_audit.audit.types.composition import Count
from fer_audit.audit.types.result import AUDIT_SCHEMA, AuditResult, Finding
from fer_audit.config import AuditConfig
from fer_audit.errors import StoreError
from fer_audit.report.files.document import parse_result, read_result, result_document, result_json
from tests.report import results

SOUND = (results.utkface, results.paper, results.degenerate, results.bare)
MAKERS = (*SOUND, results.hostile)


@pytest.mark.parametrize("make", SOUND)
def test_a_result_survives_its_json(make: Callable[[], AuditResult]) -> None:
    assert parse_result(result_json(make())) == make()


def test_a_result_with_hostile_names_is_valid_utf8_and_settles_after_one_round() -> None:
    """Bytes that are not Unicode are written as text once; from then on nothing changes."""
    text = result_json(results.hostile())
    text.encode("utf-8")

    again = result_json(parse_result(text))

    assert again == text


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_result_gives_the_same_bytes(make: Callable[[], AuditResult]) -> None:
    assert result_json(make()) == result_json(make())
    assert result_json(make()).endswith("}\n")


def test_keys_stand_in_the_order_of_the_contract() -> None:
    document = result_document(results.utkface())

    assert list(document)[:5] == ["schema", "complete", "dataset", "model", "representation"]
    assert list(document["dataset"])[:5] == ["name", "listed", "ok", "failed", "fully_labelled"]
    assert list(document["model"]) == ["name", "sha256", "provider", "precision", "dim", "caveat"]


def test_pairs_become_objects() -> None:
    document = result_document(results.utkface())

    assert document["duplicates"]["conflicts"] == {"race": 70, "gender": 40, "age": 205}
    assert document["config"]["statistics"]["reference"] == {}
    assert document["versions"]["numpy"] == "2.3.0"
    assert document["batch_predictions"][1]["not_computable"] == {"accuracy": "one batch only"}
    assert document["duplicates"]["examples"][0][0] == "1_0_0_20161219140623097.jpg.chip.jpg"


def test_a_whole_number_in_a_field_of_floats_is_written_as_one() -> None:
    """Otherwise the type of a JSON number would hang on its value."""
    finding = Finding("code", "fine", "text", effect=1)
    document = result_document(replace(results.bare(), findings=(finding,)))

    assert isinstance(document["findings"][0]["effect"], float)


def test_nan_is_never_written() -> None:
    finding = Finding("code", "fine", "text", effect=float("nan"))

    with pytest.raises(ValueError, match="not JSON compliant"):
        result_json(replace(results.bare(), findings=(finding,)))


def test_a_name_that_occurs_twice_is_not_dropped_silently() -> None:
    twice = replace(results.utkface().duplicates, conflicts=(Count("age", 1), Count("age", 2)))

    with pytest.raises(ValueError, match="occurs twice"):
        result_json(results.utkface().having(duplicates=twice))


@given(
    name=st.text(),
    text=st.text(),
    effect=st.floats(allow_nan=False, allow_infinity=False),
    count=st.integers(0, 2**63),
)
def test_any_text_and_any_number_survive(name: str, text: str, effect: float, count: int) -> None:
    base = results.bare()
    result = replace(
        base,
        dataset=replace(base.dataset, name=name, listed=count),
        findings=(Finding("code", "know", text, name or None, effect),),
        config=AuditConfig.of(model=text, group=((name, text),)),
    )

    read = parse_result(result_json(result))

    assert result_json(read) == result_json(result)
    assert read.findings[0].effect == effect
    assert read.dataset.listed == count
    if not any("\ud800" <= char <= "\udfff" for char in name + text):
        assert read == result


def change(path: str, value: object) -> str:
    """Return the JSON of a sound result with one place changed; ... takes it out."""
    document: Any = json.loads(result_json(results.utkface()))
    place = document
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("dataset.ok", ..., "dataset.ok is missing"),
        ("dataset.ok", "many", "dataset.ok is 'many'; it must be a whole number"),
        ("dataset.ok", True, "dataset.ok is True; it must be a whole number"),
        ("dataset.ok", 1.5, "dataset.ok is 1.5; it must be a whole number"),
        ("dataset", [], "dataset is []; it must be an object"),
        ("dataset.notes", "one", "dataset.notes is 'one'; it must be an array"),
        ("complete", 1, "complete is 1; it must be true or false"),
        ("findings.0.severity", "dire", "findings[0].severity is 'dire'; it must be one of fix"),
        ("findings.0.severity", {}, "findings[0].severity is {}; it must be one of fix"),
        ("associations.1.v", "x" * 99, "associations[1].v is 'xxx"),
        (
            "associations.0.table.2",
            [1],
            "associations[0].table has a row of 1 counts for 5 groups",
        ),
        ("associations.0.cells.3.cluster", 9, "associations[0].cells names 'Indian' in cluster 9"),
        ("clustering.sizes", [1, 2], "clustering.sizes has 2 sizes for k = 4"),
        ("duplicates.conflicts.age", "all", "duplicates.conflicts.age is 'all'"),
        ("config.clusters.k", "4", "config.clusters.k is '4'; it must be a whole number"),
        ("versions.numpy", 2, "versions.numpy is 2; it must be a text"),
        ("schema", "fer-audit/result/99", "this version reads fer-audit/result/3"),
        ("schema", None, "has the schema None"),
        ("clustering.inertia", 10**400, "clustering.inertia is 1000"),
    ],
)
def test_a_broken_result_names_the_place(path: str, value: object, said: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_result(change(path, value), source="RUN/result.json")

    assert str(caught.value).startswith("RUN/result.json")
    assert said in str(caught.value)
    assert caught.value.hint


def test_keys_of_a_newer_version_are_ignored() -> None:
    assert parse_result(change("dataset.eye_colours", 3)) == results.utkface()


def test_keys_that_an_older_version_did_not_know_take_their_default() -> None:
    read = parse_result(change("batch_predictions", ...))

    assert read == results.utkface().having(batch_predictions=())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"schema": NaN}',
        f'{{"schema": "{AUDIT_SCHEMA}", "complete": Infinity}}',
    ],
)
def test_what_is_no_result_is_an_error_and_no_traceback(text: str) -> None:
    with pytest.raises(StoreError):
        parse_result(text)


def test_a_file_is_read_as_utf8(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(result_json(results.utkface()), encoding="utf-8")

    assert read_result(path) == results.utkface()


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"schema": "\xff"}')

    with pytest.raises(StoreError, match="no UTF-8"):
        read_result(latin)
    with pytest.raises(StoreError, match="No such file"):
        read_result(tmp_path / "none.json")
    with pytest.raises(StoreError, match="directory"):
        read_result(tmp_path)


def test_a_result_of_before_stability_style_and_gates_still_reads() -> None:
    document = json.loads(result_json(results.utkface()))
    new = ("stability", "style_tests", "style_baselines", "latent", "replay", "recluster", "gate")
    for key in new:
        del document[key]
    for ladder in document["ladders"]:
        for key in ("conditionals", "lost", "stopped"):
            del ladder[key]
        for rung in ladder["rungs"]:
            del rung["skipped"]
    del document["intersections"]["beyond_pairs"]
    for cell in document["intersections"]["smallest"]:
        for key in ("expected_pairs", "residual_pairs", "p_adjusted", "more_images"):
            del cell[key]

    read = parse_result(json.dumps(document))

    assert read.stability is None
    assert read.gate == ()
    assert read.ladders[0].conditionals == ()
    assert not read.ladders[0].rungs[0].skipped
    assert read.associations == results.utkface().associations
