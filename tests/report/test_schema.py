"""docs/result.schema.json and docs/result.md say what result.json is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fer_audit.audit.types.result import AuditResult
from fer_audit.report.files.document import result_document
from tests.report import results

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "result.schema.json").read_text(encoding="utf-8"))
MAKERS = (results.utkface, results.paper, results.degenerate, results.bare, results.hostile)


def records() -> Iterator[dict[str, Any]]:
    yield SCHEMA
    yield from SCHEMA["$defs"].values()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", MAKERS)
def test_every_document_is_valid(make: Callable[[], AuditResult]) -> None:
    errors = Draft202012Validator(SCHEMA).iter_errors(result_document(make()))

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_schema_is_strict() -> None:
    """A key that is misspelt, missing or new without a word in the docs is found."""
    for record in records():
        assert record["additionalProperties"] is False
        assert record["required"] == list(record["properties"])


def test_a_misspelt_key_is_not_valid() -> None:
    document = result_document(results.utkface())
    document["clustering"]["inertias"] = document["clustering"].pop("inertia")

    assert not Draft202012Validator(SCHEMA).is_valid(document)


@pytest.mark.parametrize("record", tuple(records()), ids=lambda record: record["title"])
def test_every_key_of_the_schema_is_explained(record: dict[str, Any]) -> None:
    text = (DOCS / "result.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    )

    explained = re.findall(r"^- `(\w+)`: (.+\.)$", sections[record["title"]], flags=re.MULTILINE)

    assert [key for key, _ in explained] == list(record["properties"])


def test_the_keys_of_the_contract_stay() -> None:
    document = result_document(results.utkface())
    promised = {
        "dataset": "name listed ok failed fully_labelled rejects notes",
        "model": "name sha256 provider precision dim",
        "intersections": "attributes cells empty under_30 smallest",
        "duplicates": "groups files conflicts",
        "clustering": "k inertia sizes sweep starts",
    }

    assert {"schema", "complete", "config", "representation", "associations", "findings"} <= set(
        document
    )
    for place, keys in promised.items():
        assert set(keys.split()) <= set(document[place])
    assert set(document["dataset"]["rejects"][0]) >= {"reason", "count"}
    assert set(document["representation"][0]) >= {
        "attribute",
        "groups",
        "indices",
        "not_annotated",
    }
    assert set(document["representation"][0]["groups"][0]) >= {
        "name",
        "count",
        "share",
        "low",
        "high",
    }
    assert set(document["representation"][0]["indices"]) >= {"R", "ENS", "SEI", "NSD", "IR", "BP"}
    assert set(document["clustering"]["starts"]) >= {"n", "inertia_min", "inertia_max"}
    assert set(document["clustering"]["sweep"][0]) == {"k", "inertia"}
    assert set(document["associations"][0]) >= {
        "attribute",
        "n",
        "table",
        "v",
        "null_mean",
        "null_95",
        "v_corrected",
        "low",
        "high",
        "p_permutation",
        "cells",
    }
    assert set(document["findings"][0]) >= {"code", "severity", "text"}
