"""An AuditResult as a file: result.json, a public contract (docs/result.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fer_audit.audit.types.result import AUDIT_SCHEMA, AuditResult, value_types
from fer_audit.errors import StoreError
from fer_audit.report.files.codec import ShapeError, decode_fields, encode, parse_document

_HINT = "Write it again with: fer-audit run"
_REQUIRED = ("schema", "complete", "dataset", "model", "config", "versions", "duplicates")
"""What a result cannot be without."""


def result_document(result: AuditResult) -> dict[str, Any]:
    """Return the result as plain dicts, lists, texts and numbers, keys in the order of docs/result.md."""
    kinds = value_types()
    return {name: encode(value, kinds[name]) for name, value in result.items()}


def result_json(result: AuditResult) -> str:
    """Return result.json: the same result gives the same bytes once encoded as UTF-8.

    Raises ValueError for NaN and infinity, which no field may hold.
    """
    document = result_document(result)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_result(path: Path) -> AuditResult:
    """Return the result that a result.json holds.

    Raises StoreError when the file cannot be read or is not a result of this schema.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise StoreError(f"{path} cannot be read: {reason}", hint=_HINT) from exc
    except UnicodeDecodeError as exc:
        raise StoreError(f"{path} is no UTF-8 text: byte {exc.start}", hint=_HINT) from exc
    return parse_result(text, source=str(path))


def parse_result(text: str, *, source: str = "result.json") -> AuditResult:
    """Return the result that a JSON text holds; StoreError names `source` and what is wrong there."""
    document = parse_document(text, schema=AUDIT_SCHEMA, source=source, hint=_HINT)
    try:
        result = AuditResult.of(**decode_fields(document, value_types(), _REQUIRED, ""))
        _check_tables(result)
    except ShapeError as exc:
        raise StoreError(f"{source}: {exc}", hint=_HINT) from exc
    return result


def _check_tables(result: AuditResult) -> None:
    """Refuse a table whose columns are not its groups: a report would print numbers under a wrong name."""
    for index, found in enumerate(result.associations):
        place, groups, table = f"associations[{index}]", found.groups, found.table
        for row in table:
            if len(row) != len(groups):
                counts = f"{place}.table has a row of {len(row)} counts"
                raise ShapeError(f"{counts} for {len(groups)} groups")
        for cell in found.cells:
            if cell.group not in groups or not 0 <= cell.cluster < len(table):
                names = f"{place}.cells names {cell.group!r} in cluster {cell.cluster}"
                raise ShapeError(f"{names}, which is not in its table")
    facts = result.clustering
    if facts is not None and len(facts.sizes) != facts.k:
        raise ShapeError(f"clustering.sizes has {len(facts.sizes)} sizes for k = {facts.k}")
