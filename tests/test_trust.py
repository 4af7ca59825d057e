"""docs/trust.md is the promise, the tests are what keeps it: each names the other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"

_NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
_ROW = re.compile(r"^\| (?!---|fault |invariant |what )(.+) \|$", re.MULTILINE)


def document() -> str:
    return (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")


def functions(path: Path) -> Iterator[str]:
    """Yield the names of a file's tests."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def rows() -> list[str]:
    return [match.group(1) for match in _ROW.finditer(document())]


def test_every_test_that_is_named_exists() -> None:
    named = _NAMED.findall(document())

    assert len(named) > 60
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (TESTS / file).is_file() or name not in functions(TESTS / file)
    ]
    assert missing == []


@pytest.mark.parametrize(
    "path", sorted((TESTS / "faults").glob("test_*.py")), ids=lambda p: p.stem
)
def test_every_test_of_a_fault_is_named(path: Path) -> None:
    named = {name for file, name in _NAMED.findall(document()) if file == f"faults/{path.name}"}

    assert set(functions(path)) == named


def test_every_row_names_a_test_or_the_reason_why_there_is_none() -> None:
    bare = [row for row in rows() if not _NAMED.search(row) and "gap:" not in row]

    assert bare == []
    assert len(rows()) > 30
