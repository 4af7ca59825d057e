"""A parquet file with a column of images: what its footer says, and its labels without the images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_audit.dataset.sources.parquet import (
    BATCH_CELLS,
    facts_of,
    opened_parquet,
    parquet_failures,
)
from fer_audit.dataset.sources.source import FileFacts
from fer_audit.dataset.table.words import JoinedWords, Words, json_word, words_of
from fer_audit.dataset.types import Reject
from fer_audit.errors import ConfigError
from fer_audit.text import name_some

_STARTS = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM", b"GIF8", b"II*\0", b"MM\0*")
"""First bytes of the image files that are read."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file, by its footer."""

    facts: FileFacts
    """As it was before anything was read: labels and images are those of one state of the file."""
    rows: int
    image: str
    """The column of images."""
    is_struct: bool
    """Whether the column holds records {bytes, path}; False = plain bytes."""
    has_paths: bool
    is_empty: bool
    """Whether no cell holds an image."""
    labels: tuple[str, ...]
    """Columns of words, numbers and truth values."""
    names: tuple[tuple[str, tuple[str, ...]], ...]
    """(column, names of its codes 0, 1, ...), by the file's own metadata."""
    nested: tuple[str, ...]
    others: tuple[str, ...]
    """Further columns of images."""

    def read_labels(self, name: str, columns: Mapping[str, JoinedWords]) -> list[Reject]:
        """Append the words of these columns; return a reject for each row group that cannot be unpacked.

        Codes with a name become the name; -1 is Hugging Face's word for no label.
        """
        names = dict(self.names)
        rejects = []
        with opened_parquet(self.facts) as file:
            for group in range(file.num_row_groups if columns else 0):
                n = file.metadata.row_group(group).num_rows
                try:
                    table = file.read_row_group(group, columns=list(columns), use_threads=False)
                    if len(table) != n:
                        raise ValueError("another number of rows than the footer says")
                    words = {each: _words(table[each], names.get(each, ())) for each in columns}
                except parquet_failures():
                    words = dict.fromkeys(columns, Words(np.full(n, -1, np.int32), ()))
                    rejects.append(Reject(f"{name}, row group {group}", "labels_unreadable"))
                for each, found in words.items():
                    columns[each].add(found)
        return rejects

    def read_paths(self) -> list[str]:
        """Return the path that each row names, "" for none, with slashes."""
        with opened_parquet(self.facts) as file:
            cells = file.read(columns=[f"{self.image}.path"])[self.image].to_pylist()
        return [str((cell or {}).get("path") or "").replace("\\", "/") for cell in cells]


def open_shard(path: Path, column: str | None = None) -> Shard | None:
    """Return what the footer says, None when there is no column of images.

    `column`: the column to take where there are several. Raises ConfigError when that is none of them, DatasetError
    when the file cannot be read as parquet.
    """
    import pyarrow as pa

    facts = facts_of(path)
    with opened_parquet(facts) as file:
        schema = file.schema_arrow
        images = [field.name for field in schema if _holds_images(file, field)]
        if not images or len(set(schema.names)) != len(schema.names):
            return None
        if column is not None and column not in images:
            raise ConfigError(
                f'{path.name} has no column of images "{column}"; there is {name_some(images)}'
            )
        image = column or images[0]
        kind = schema.field(image).type
        is_struct = pa.types.is_struct(kind)
        plain = [
            field.name
            for field in schema
            if not pa.types.is_nested(field.type) and "binary" not in str(field.type)
        ]
        return Shard(
            facts,
            file.metadata.num_rows,
            image,
            is_struct,
            is_struct and kind.get_field_index("path") >= 0,
            is_struct and _is_empty(file, f"{image}.bytes"),
            tuple(plain),
            _class_names(schema.metadata or {}, plain),
            tuple(name for name in schema.names if name not in {*plain, *images}),
            tuple(name for name in images if name != image),
        )


def _is_bytes(kind: Any) -> bool:  # noqa: ANN401 - pyarrow ships no types
    return str(kind) in ("binary", "large_binary")


def _holds_images(file: Any, field: Any) -> bool:  # noqa: ANN401 - as above
    """Whether a column holds records with bytes, or bytes of which the first are those of an image."""
    import pyarrow as pa

    if pa.types.is_struct(field.type):
        at = field.type.get_field_index("bytes")
        return at >= 0 and _is_bytes(field.type.field(at).type)
    if not _is_bytes(field.type):
        return False
    first = next(file.iter_batches(1, columns=[field.name], use_threads=False), None)
    cell = None if first is None or not len(first) else first.column(0)[0].as_py()
    return cell is not None and cell.startswith(_STARTS)


def _is_empty(file: Any, column: str) -> bool:  # noqa: ANN401 - as above
    """Whether no cell of a column in a struct holds anything; reads up to the first that does.

    The footer counts empty cells, too, but pyarrow ends the process when that part of it is damaged.
    """
    batches = file.iter_batches(BATCH_CELLS, columns=[column], use_threads=False)
    try:
        empty = all(batch.column(0).field(0).null_count == len(batch) for batch in batches)
    except parquet_failures():
        return False  # a broken part of the images is found when they are read
    return empty and file.metadata.num_rows > 0


def _class_names(
    metadata: Mapping[bytes, bytes], columns: list[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the names of codes that Hugging Face's metadata has for some columns."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {name: features[name] for name in columns if name in features}
        return tuple(
            (column, tuple(map(str, each["names"])))
            for column, each in found.items()
            if each.get("_type") == "ClassLabel" and isinstance(each["names"], list)
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):
        return ()


def _words(column: Any, names: tuple[str, ...]) -> Words:  # noqa: ANN401 - as above
    import pyarrow as pa

    def word(value: object) -> str | None:
        if not names or not isinstance(value, int):
            return json_word(value)
        if 0 <= value < len(names):
            return names[value]
        return None if value == -1 else str(value)

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return words_of(column).mapped(word)
