"""Frozen records to plain JSON values and back, led by the types of their fields.

    record                       object, keys in the order of the fields
    tuple[X, ...]                array
    tuple[tuple[str, X], ...]    object: a setting, a version, a reason by its name
    tuple[Count, ...]            object: a count by its name
    bytes                        base64
    NDArray[X]                   base64 of little-endian numbers, row by row; read back in one dimension

A field that is added to a record is written and read without a change here.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import typing
from collections.abc import Container, Mapping
from functools import cache
from itertools import starmap
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, TypeVar, Union, get_args

import numpy as np

from fer_audit.audit.types.composition import Count
from fer_audit.errors import StoreError
from fer_audit.text import clipped, encodable

Record = TypeVar("Record")
TypeHint: TypeAlias = Any
"""What get_type_hints gives: a class, X | None, tuple[X, ...], Literal[...]."""
Value: TypeAlias = Any
"""The value of a field."""
Json: TypeAlias = Any
"""What the json module reads and writes."""


class ShapeError(ValueError):
    """A JSON value is not what its place asks for. The message names the place."""


@cache
def field_types(record: type, *, with_ranges: bool = False) -> dict[str, TypeHint]:
    """Return the resolved type of every field, in the order of declaration."""
    hints = typing.get_type_hints(record, include_extras=with_ranges)
    return {field.name: hints[field.name] for field in dataclasses.fields(record)}


@cache
def is_mapping(kind: TypeHint) -> bool:
    """Whether a type of pairs is written as an object."""
    if origin_of(kind) is not tuple:
        return False
    item = get_args(kind)[0]
    pair = get_args(item) if origin_of(item) is tuple else ()
    return item is Count or (len(pair) == 2 and pair[0] is str and pair[1] is not ...)


def encode(value: Value, kind: TypeHint) -> Json:
    """Return the JSON value of a field of this type."""
    if dataclasses.is_dataclass(kind):
        assert isinstance(kind, type)  # noqa: S101  # get_type_hints gives classes, never instances
        return {name: encode(getattr(value, name), of) for name, of in field_types(kind).items()}
    if origin_of(kind) in (Union, UnionType):
        return None if value is None else encode(value, _present(kind))
    if is_mapping(kind):
        of, is_count = _mapped(kind)
        pairs = [(x.name, x.count) for x in value] if is_count else list(value)
        mapping = {encodable(name): encode(part, of) for name, part in pairs}
        if len(mapping) != len(pairs):
            raise ValueError(f"a name occurs twice among {[name for name, _ in pairs]}")
        return mapping
    if origin_of(kind) is tuple:
        item = get_args(kind)[0]
        return [encode(part, item) for part in value]
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, np.ndarray):
        value = value.astype(value.dtype.newbyteorder("<")).tobytes()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return float(value) if kind is float else value


@cache
def _mapped(kind: TypeHint) -> tuple[TypeHint, bool]:
    """Return the type of the values of a type of pairs, and whether the pairs are counts."""
    item = get_args(kind)[0]
    return (int, True) if item is Count else (get_args(item)[1], False)


def decode(value: Json, kind: type[Record], place: str) -> Record:
    """Return the record that a JSON object stands for.

    Keys that are unknown are ignored: a newer version may have added them.
    Raises ShapeError with the place, e.g. associations[2].v.
    """
    record: Record = _decode(value, kind, place)
    return record


def _decode(value: Json, kind: TypeHint, place: str) -> Value:
    if kind in _LEAVES:  # most of a result, so they are asked for first
        return _expect(value, kind, place)
    origin = origin_of(kind)
    if dataclasses.is_dataclass(kind):
        record: Any = kind
        fields = _expect(value, dict, place)
        return record(**decode_fields(fields, field_types(record), _required(record), place))
    if origin in (Union, UnionType):
        return None if value is None else _decode(value, _present(kind), place)
    if origin is Literal:
        if value not in get_args(kind):
            known = ", ".join(get_args(kind))
            raise ShapeError(f"{place} is {value!r}; it must be one of {known}")
        return value
    if is_mapping(kind):
        of, is_count = _mapped(kind)
        parts = _expect(value, dict, place).items()
        pairs = ((name, _decode(part, of, f"{place}.{name}")) for name, part in parts)
        return tuple(starmap(Count, pairs) if is_count else pairs)
    if origin is tuple:
        item = get_args(kind)[0]
        listed = enumerate(_expect(value, list, place))
        return tuple(_decode(part, item, f"{place}[{index}]") for index, part in listed)
    if kind is not bytes and origin is not np.ndarray:
        return _expect(value, kind, place)
    try:
        data = base64.b64decode(_expect(value, str, place), validate=True)
    except ShapeError:
        raise
    except ValueError as exc:  # binascii.Error, or text beyond ASCII
        raise ShapeError(f"{place} is no base64") from exc
    if kind is bytes:
        return data
    # In one dimension; their count, like their range, is the caller's to check.
    dtype = np.dtype(get_args(get_args(kind)[1])[0])
    if len(data) % dtype.itemsize:
        raise ShapeError(f"{place} has {len(data):,} bytes; a number takes {dtype.itemsize}")
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype)


def decode_fields(
    value: dict[str, Json], kinds: Mapping[str, TypeHint], required: Container[str], place: str
) -> dict[str, Value]:
    """Return the values of the keys that have a type; ShapeError where a required one is missing."""
    found = {}
    for name, kind in kinds.items():
        where = f"{place}.{name}" if place else name
        if name in value:
            found[name] = _decode(value[name], kind, where)
        elif name in required:
            raise ShapeError(f"{where} is missing")
    return found


@cache
def _required(record: type) -> frozenset[str]:
    """Return the names of the fields without a default."""
    fields = dataclasses.fields(record)
    return frozenset(field.name for field in fields if field.default is dataclasses.MISSING)


_LEAVES = (float, int, str, bool)

_WORDS = {
    dict: "an object",
    list: "an array",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


def _expect(value: Json, kind: TypeHint, place: str) -> Json:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
    elif isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    shown = repr(value)
    shown = shown if len(shown) <= 40 else f"{shown[:39]}…"
    raise ShapeError(f"{place or 'the document'} is {shown}; it must be {_WORDS[kind]}")


@cache
def origin_of(kind: TypeHint) -> object:
    """Return tuple of tuple[X, ...], Union of X | None, and so on; None of a class."""
    return typing.get_origin(kind)


@cache
def _present(kind: TypeHint) -> TypeHint:
    """Return X of X | None."""
    (present,) = (part for part in get_args(kind) if part is not NoneType)
    return present


def parse_document(data: str | bytes, *, schema: str, source: str, hint: str) -> dict[str, Json]:
    """Return the JSON object of this schema that a text, or its UTF-8 bytes, holds; its fields are not checked yet.

    Raises StoreError that names `source` and what is wrong there.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as exc:
        raise StoreError(f"{source} is no JSON: {exc}", hint=hint) from exc
    if not isinstance(document, dict):
        raise StoreError(f"{source} holds no JSON object", hint=hint)
    found = document.get("schema")
    if found != schema:
        raise StoreError(
            f"{source} was written by another version of fer-audit: it has the schema {clipped(str(found), 60)}, this version reads {schema}",
            hint=hint,
        )
    return document


def _refuse_constant(word: str) -> typing.NoReturn:
    raise ValueError(f"{word} is no number")
