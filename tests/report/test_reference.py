"""docs/result.md, docs/compare.md and their schemas are what the records say, and what is written is as they say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from docs.reference import write_reference
from docs.schema import json_schema
from fer_audit.audit.types.compare import Comparison
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.comparison import comparison_json
from fer_audit.report.files.document import result_document
from tests.report import comparisons, results

DOCS = Path(__file__).parents[2] / "docs"
RESULT, COMPARE = (
    json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("result", "compare")
)
RESULTS = (results.utkface, results.paper, results.degenerate, results.bare, results.hostile)


def errors(document: object, schema: dict[str, Any]) -> list[str]:
    found = Draft202012Validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


def test_make_docs_writes_nothing_new(tmp_path: Path) -> None:
    names = ["result.md", "result.schema.json", "compare.md", "compare.schema.json"]
    for name in names:
        shutil.copy(DOCS / name, tmp_path)

    write_reference(tmp_path)

    stale = [
        name for name in names if (tmp_path / name).read_bytes() != (DOCS / name).read_bytes()
    ]
    assert stale == []


@pytest.mark.parametrize("name", ["result", "compare"])
def test_every_key_is_explained_in_a_sentence(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")

    keys = re.findall(r"^- `\w+`: .*$", text, flags=re.MULTILINE)

    assert len(keys) > 100
    assert [line for line in keys if not line.endswith(".")] == []


@pytest.mark.parametrize("schema", [RESULT, COMPARE], ids=["result", "compare"])
def test_the_schema_is_a_strict_schema(schema: dict[str, Any]) -> None:
    """A key that is misspelt, missing or new without a word in the docs is found."""
    Draft202012Validator.check_schema(schema)

    for record in (schema, *schema["$defs"].values()):
        assert record["additionalProperties"] is False
        assert record["required"] == list(record["properties"])


@pytest.mark.parametrize("make", RESULTS)
def test_every_result_is_valid(make: Callable[[], AuditResult]) -> None:
    assert errors(result_document(make()), RESULT) == []


@pytest.mark.parametrize("make", comparisons.MAKERS)
def test_every_comparison_is_valid(make: Callable[[], Comparison]) -> None:
    assert errors(json.loads(comparison_json(make())), COMPARE) == []


def test_a_misspelt_key_and_a_number_out_of_range_are_not_valid() -> None:
    document = result_document(results.utkface())
    document["clustering"]["inertias"] = document["clustering"].pop("inertia")
    document["associations"][0]["v"] = 1.2

    places = {error.split(":")[0] for error in errors(document, RESULT)}

    assert places == {"$.clustering", "$.associations[0].v"}


def test_a_field_that_is_no_json_value_has_no_schema() -> None:
    @dataclass(frozen=True)
    class Odd:
        value: complex

    with pytest.raises(KeyError):
        json_schema(Odd, {"value": complex}, schema="odd/1", page="odd")


@pytest.mark.parametrize(
    ("record", "keys"),
    [
        (RESULT, "schema complete config representation associations findings"),
        ("datasetFacts", "name listed ok failed fully_labelled rejects notes"),
        ("modelFacts", "name sha256 provider precision dim"),
        ("intersections", "attributes cells empty under_30 smallest"),
        ("duplicates", "groups files conflicts"),
        ("clusterFacts", "k inertia sizes sweep starts"),
        ("rejectCount", "reason count"),
        ("representation", "attribute groups indices not_annotated"),
        ("groupShare", "name count share low high"),
        ("indices", "R ENS SEI NSD IR BP"),
        ("starts", "n inertia_min inertia_max"),
        ("sweepEntry", "k inertia"),
        (
            "association",
            "attribute n table v null_mean null_95 v_corrected low high p_permutation cells",
        ),
        ("finding", "code severity text"),
    ],
)
def test_the_keys_of_the_contract_stay(record: str | dict[str, Any], keys: str) -> None:
    found = record if isinstance(record, dict) else RESULT["$defs"][record]

    assert set(keys.split()) <= set(found["properties"])
