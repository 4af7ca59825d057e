"""docs/result.md, docs/compare.md and their schemas, made from the records and the text under each field.

`make docs` writes them. What stands above the first section of a page is written by hand and kept.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from docs.schema import json_schema, places, words
from fer_audit.audit.types.compare import COMPARISON_SCHEMA, Comparison
from fer_audit.audit.types.not_computable import NotComputable
from fer_audit.audit.types.result import AUDIT_SCHEMA, AuditResult, value_types
from fer_audit.report.files.codec import TypeHint, field_types

_WHY_NULL = "Why a value of this record is null, by its key."


def write_reference(docs: Path) -> None:
    """Write the pages and schemas of result.json and of a comparison into this folder."""
    _write(
        docs, "compare", COMPARISON_SCHEMA, Comparison, field_types(Comparison, with_ranges=True)
    )
    _write(docs, "result", AUDIT_SCHEMA, AuditResult, value_types())


def _write(
    docs: Path, name: str, schema: str, record: type, kinds: Mapping[str, TypeHint]
) -> None:
    document = json_schema(record, kinds, schema=schema, page=name)
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    (docs / f"{name}.schema.json").write_text(text, encoding="utf-8", newline="\n")
    page = docs / f"{name}.md"
    head = page.read_text(encoding="utf-8").partition("\n## ")[0]
    sections = [head, f"## {words(record)}\n\nThe document itself.\n\n{_keys(record, kinds)}"]
    found: dict[type, list[str]] = {}
    for place, each in places(kinds):
        found.setdefault(each, []).append(f"`{place}`")
    sections += [
        f"## {words(each)}\n\n{inspect.getdoc(each)}\n\nPlace: {', '.join(where)}.\n\n{_keys(each, field_types(each))}"
        for each, where in found.items()
    ]
    page.write_text("\n".join(sections), encoding="utf-8", newline="\n")


def _keys(record: type, kinds: Mapping[str, TypeHint]) -> str:
    """Return a line for each key. An analysis that `AuditResult` does not name is explained by its record."""
    texts = _field_texts(record)
    for name, kind in kinds.items():
        if name not in texts:
            texts[name] = _WHY_NULL if kind == NotComputable else _explained_by_record(name, kind)
    return "".join(f"- `{name}`: {re.sub(r'None', 'null', texts[name])}\n" for name in kinds)


def _explained_by_record(name: str, kind: TypeHint) -> str:
    for place, record in places({name: kind}):
        if place in (name, f"{name}[]"):
            return (inspect.getdoc(record) or "").partition("\n")[0]
    raise ValueError(f"{name} has no docstring")


def _field_texts(record: type) -> dict[str, str]:
    """Return the text under each field of a class, by its name, read from the source."""
    (found,) = ast.parse(inspect.getsource(record)).body
    assert isinstance(found, ast.ClassDef)  # noqa: S101  # the source of a class
    texts = {}
    for field, text in zip(found.body, found.body[1:], strict=False):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]),
                ast.Expr(ast.Constant(str(words))),
            ):
                texts[name] = " ".join(words.split())
    return texts


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
