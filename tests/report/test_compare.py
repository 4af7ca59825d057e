"""A comparison on a terminal and as JSON: any width, any name, and every key explained."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.cells import cell_len
from rich.console import Console

from fer_audit.audit.compare.run import ReadRun, compare_runs
from fer_audit.audit.compare.vectors import measure_vectors
from fer_audit.audit.types.compare import Comparison, LabelColumn, RunRows
from fer_audit.audit.types.result import AuditResult
from fer_audit.report.compare import comparison_json, comparison_view
from tests.report import results

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "compare.schema.json").read_text(encoding="utf-8"))
ROWS = 200


def read(result: AuditResult, *, name: str = "runs/a", seed: int = 0) -> ReadRun:
    """Return a run with rows drawn to go with a result; their counts are not those of the result."""
    rng = np.random.default_rng(seed)
    k = 0 if result.clustering is None else result.clustering.k
    ok = np.ones(ROWS, np.bool_)
    return ReadRun(
        name=name,
        result=result,
        rows=RunRows(
            ids=tuple(f"{i}.jpg" for i in range(ROWS)),
            sha256=np.array([f"{i:064d}".encode() for i in range(ROWS)], "S64"),
            ok=ok,
            clusters=rng.integers(0, k, ROWS, dtype=np.int32)
            if k
            else np.full(ROWS, -1, np.int32),
            labels=tuple(
                LabelColumn(
                    each.attribute,
                    tuple(group.name for group in each.groups),
                    np.arange(ROWS, dtype=np.int32) % len(each.groups),
                )
                for each in result.representation
            ),
        ),
        vectors=measure_vectors(np.eye(ROWS, 4, dtype=np.float32), ok),
    )


def changed() -> Comparison:
    """Return two runs on UTKFace that differ in nearly everything."""
    base = results.utkface()
    assert base.clustering is not None
    other = base.having(
        clustering=replace(base.clustering, k=8, sizes=(1,) * 8),
        ladders=results.paper().ladders,
        associations=tuple(replace(each, low=0.9, high=0.95) for each in base.associations),
        config=base.config.having(k_auto=True, format="table"),
    )
    return compare_runs(read(base), read(other, name="runs/b", seed=1))


def poor() -> Comparison:
    return compare_runs(read(results.utkface()), read(results.degenerate(), name="runs/one"))


def bare() -> Comparison:
    return compare_runs(read(results.bare()), read(results.bare()))


def hostile() -> Comparison:
    result = results.hostile()
    bad = "".join(results.HOSTILE[:6])
    worse = replace(
        result, config=result.config.having(model=bad, path_column=bad[::-1]), versions=()
    )
    return compare_runs(read(result, name=bad), read(worse, name=results.HOSTILE[1], seed=1))


MAKERS = (changed, poor, bare, hostile)


def shown(comparison: Comparison, width: int, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(file=stream, width=width, color_system=None, legacy_windows=False)
    console.print(comparison_view(comparison))
    stream.flush()
    stream.seek(0)
    return stream.read()


@pytest.mark.parametrize("width", [10, 40, 80, 160])
@pytest.mark.parametrize("make", MAKERS)
def test_no_line_is_wider_than_the_terminal(make: Callable[[], Comparison], width: int) -> None:
    lines = shown(make(), width).split("\n")

    assert max(cell_len(line) for line in lines) <= width


@pytest.mark.parametrize("width", [80, 160])
def test_both_runs_and_every_section_are_there(width: int) -> None:
    text = " ".join(shown(changed(), width).split())

    for part in (
        "runs/a runs/b",
        "What changed?",
        "Do the clusters agree?",
        "Do clusters and people go together in both?",
        "Who is in each set?",
        "What was set differently?",
    ):
        assert part in text
    assert "not there true" in text
    assert "apart" in text


@pytest.mark.parametrize("width", [40, 160])
def test_no_name_controls_the_terminal(width: int) -> None:
    text = shown(hostile(), width)

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", text)
    # Folded or not, markup stays text.
    assert "[bold]" in re.sub(r"\s", "", text)


def test_an_ascii_terminal_gets_ascii() -> None:
    assert shown(changed(), 80, encoding="ascii").isascii()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("make", MAKERS)
def test_every_document_is_valid(make: Callable[[], Comparison]) -> None:
    errors = Draft202012Validator(SCHEMA).iter_errors(json.loads(comparison_json(make())))

    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def records() -> Iterator[dict[str, Any]]:
    yield SCHEMA
    yield from SCHEMA["$defs"].values()


@pytest.mark.parametrize("record", tuple(records()), ids=lambda record: record["title"])
def test_every_key_of_the_schema_is_explained(record: dict[str, Any]) -> None:
    text = (DOCS / "compare.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    )

    explained = re.findall(r"^- `(\w+)`: (.+\.)$", sections[record["title"]], flags=re.MULTILINE)

    assert record["additionalProperties"] is False
    assert record["required"] == list(record["properties"])
    assert [key for key, _ in explained] == list(record["properties"])


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_null_says_why(make: Callable[[], Comparison]) -> None:
    """Only where the record has a place for reasons: p_holm and the ladder are others' to explain."""
    for each in make().attributes:
        for group in each.groups:
            fields = (
                "difference",
                "low",
                "high",
                "p",
                "p_adjusted",
                "first_share",
                "second_share",
            )
            missing = {name for name in fields if getattr(group, name) is None}
            assert missing <= {name for name, _ in group.not_computable}
