"""The JSON schema of result.json and of a comparison, made from the types of their records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args

from fer_audit.audit.types.composition import Count
from fer_audit.report.files.codec import TypeHint, field_types, is_mapping, origin_of

_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema(
    record: type, kinds: Mapping[str, TypeHint], *, schema: str, page: str
) -> dict[str, Any]:
    """Return the schema of a document with these keys, whose `schema` is a text such as fer-audit/result/1."""
    records = dict.fromkeys(record for _, record in places(kinds))
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{schema.replace('/', ':')}",
        "$comment": f"docs/{page}.md explains every key.",
        **_object(words(record), kinds),
        "$defs": {_key(each): _object(words(each), _fields(each)) for each in records},
    }
    document["properties"]["schema"] = {"const": schema}
    return document


def places(kinds: Mapping[str, TypeHint], within: str = "") -> Iterator[tuple[str, type]]:
    """Yield each place that holds a record, such as associations[].cells[], and the record's class."""
    for name, kind in kinds.items():
        for brackets, record in _records(kind):
            place = f"{within}{name}{brackets}"
            yield place, record
            yield from places(field_types(record), f"{place}.")


def words(record: type) -> str:
    """Return the name of a class as words: Association cell."""
    return re.sub(r"(?<!^)[A-Z]", lambda found: f" {found[0].lower()}", record.__name__)


def _records(kind: TypeHint) -> Iterator[tuple[str, type]]:
    if is_dataclass(kind):
        assert isinstance(kind, type)  # noqa: S101  # get_type_hints gives classes, never instances
        yield "", kind
    elif origin_of(kind) is tuple and not is_mapping(kind):
        yield from ((f"[]{brackets}", record) for brackets, record in _records(get_args(kind)[0]))
    elif origin_of(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _records(each)


def _fields(record: type) -> dict[str, TypeHint]:
    return field_types(record, with_ranges=True)


def _key(record: type) -> str:
    return record.__name__[0].lower() + record.__name__[1:]


def _object(title: str, kinds: Mapping[str, TypeHint]) -> dict[str, Any]:
    """Every key is required and no other is allowed: a misspelt or forgotten one is found."""
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": list(kinds),
        "properties": {name: _value(kind) for name, kind in kinds.items()},
    }


def _value(kind: TypeHint) -> dict[str, Any]:
    """Return the schema of a value of this type, as `codec.encode` writes it."""
    origin, args = origin_of(kind), get_args(kind)
    if is_dataclass(kind):
        return {"$ref": f"#/$defs/{_key(kind)}"}  # type: ignore[arg-type]  # a class, see _records
    if origin is Annotated:
        limits = {"minimum": args[1].low, "maximum": args[1].high}
        return _value(args[0]) | {name: end for name, end in limits.items() if end is not None}
    if origin in (Union, UnionType):
        (present,) = (_value(each) for each in args if each is not NoneType)
        if "type" in present:
            return present | {"type": [present["type"], "null"]}
        return {"oneOf": [present, {"type": "null"}]}
    if origin is Literal:
        return {"enum": list(args)}
    if is_mapping(kind):
        value = int if args[0] is Count else get_args(args[0])[1]
        return {"type": "object", "additionalProperties": _value(value)}
    if origin is tuple and args[-1] is Ellipsis:
        return {"type": "array", "items": _value(args[0])}
    if origin is tuple:
        items = [_value(each) for each in args]
        return {
            "type": "array",
            "prefixItems": items,
            "minItems": len(items),
            "maxItems": len(items),
        }
    return {"type": _NAMES[kind]} | ({"minimum": 0} if kind is int else {})
