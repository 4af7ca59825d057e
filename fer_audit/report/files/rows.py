"""The table of all files, one row a file: rows.parquet for programs, rows.csv for spreadsheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fer_audit.cluster.types import Clustering
from fer_audit.dataset.types import Attribute, FaceDataset, SoftLabels
from fer_audit.embed.types import Embeddings
from fer_audit.pack.types import STYLE_NAMES, PackRows
from fer_audit.store.stage import write_atomically, write_text
from fer_audit.text import encodable, visible

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = r"^\s*[=+\-@\t\r\n＝＋－＠]"
"""Cells that a spreadsheet takes for formulas; OWASP, CSV injection."""

_FIXED = (
    *("id", "ok", "reason", "flags", "age", "cluster", "distance"),
    *(*STYLE_NAMES, "sha256", "width", "height"),
)


def write_rows_parquet(path: Path, table: pa.Table) -> None:
    """Write a table of `rows_table`; StoreError when that fails."""
    from pyarrow import parquet

    write_atomically(path, lambda file: parquet.write_table(table, file, compression="zstd"))


def write_rows_csv(path: Path, table: pa.Table) -> None:
    """Write a table as CSV (UTF-8, comma, null = empty), without lists; a text that a spreadsheet would run gets a leading '."""
    from pyarrow import csv

    write_atomically(path, lambda file: csv.write_csv(_guarded(table), file))


def rows_table(
    dataset: FaceDataset, rows: PackRows, embeddings: Embeddings, clustering: Clustering | None
) -> pa.Table:
    """Return one row a file. What a row does not have is null: a label, an age, a cluster, the style of a failed image.

    An attribute whose name another column has, e.g. age where there is also the age in years, gets the ending _group.
    The votes behind an attribute are lists of numbers, one for each answer, in a column named <attribute>_votes.
    """
    import pyarrow as pa

    columns: dict[str, pa.Array] = {
        "id": pa.array([encodable(file_id) for file_id in dataset.ids], pa.string()),
        "ok": pa.array(embeddings.ok),
        "reason": _texts(embeddings.reasons),
        "flags": _texts(rows.flags),
    }
    # those whose groups are compared come first: a reader knows their columns by `attribute_columns`
    attributes = sorted(dataset.attributes, key=lambda each: each.kind == "subject")
    names = [each.name for each in attributes]
    names += [f"{each.attribute}_votes" for each in dataset.soft]
    made = [*map(_labels, attributes), *map(_votes, dataset.soft)]
    columns.update(zip(attribute_columns(names), made, strict=True))
    if dataset.ages is not None:
        columns["age"] = pa.array(dataset.ages, mask=dataset.ages < 0)
    if clustering is not None:
        outside = clustering.labels < 0
        columns["cluster"] = pa.array(clustering.labels, mask=outside)
        columns["distance"] = pa.array(clustering.distances, mask=outside)
    undecoded = ~rows.ok
    for index, name in enumerate(STYLE_NAMES):
        columns[name] = pa.array(np.ascontiguousarray(rows.style[:, index]), mask=undecoded)
    columns["sha256"] = _texts(np.char.decode(rows.sha256, "ascii"))
    columns["width"] = pa.array(rows.widths, mask=undecoded)
    columns["height"] = pa.array(rows.heights, mask=undecoded)
    return pa.table(columns)


def _texts(values: NDArray[np.str_]) -> pa.Array:
    """Return texts, the empty one as null."""
    import pyarrow as pa

    return pa.array([encodable(text) or None for text in values.tolist()], pa.string())


def _labels(attribute: Attribute) -> pa.Array:
    """Return the group's name of each row; null = not annotated."""
    import pyarrow as pa

    names = pa.array([encodable(name) for name in attribute.categories], pa.string())
    return names.take(pa.array(attribute.codes, mask=attribute.codes < 0))


def _votes(soft: SoftLabels) -> pa.Array:
    """Return the votes of each row; null = nobody was asked."""
    import pyarrow as pa

    votes = [row if any(row) else None for row in soft.votes.tolist()]
    return pa.array(votes, pa.list_(pa.float32()))


def write_list(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a list of texts as CSV; one whose name ends in .txt without a header, one text a line, made visible.

    Of two columns of one name, such as the number of a group of copies and a label "group", the second ends in _label.
    """
    import pyarrow as pa

    if path.suffix == ".txt":
        write_text(path, "".join(f"{visible(row[0])}\n" for row in rows))
        return
    columns: dict[str, Any] = {}
    for index, name in enumerate(names):
        free = name
        while free in columns:
            free += "_label"
        columns[free] = pa.array([encodable(row[index]) for row in rows], pa.string())
    write_rows_csv(path, pa.table(columns))


def attribute_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the column of each attribute, in the order of the set: its name, or the name with the ending _group."""
    columns: list[str] = []
    for name in names:
        free = encodable(name)
        while free in columns or free in _FIXED:
            free += "_group"
        columns.append(free)
    return tuple(columns)


def _guarded(table: pa.Table) -> pa.Table:
    """Put a ' before every text, column names included, that a spreadsheet would take for a formula."""
    import pyarrow as pa
    from pyarrow import compute

    def guarded(texts: pa.Array) -> pa.Array:
        is_formula = compute.match_substring_regex(texts, FORMULA)
        quoted = compute.binary_join_element_wise("'", texts, "")
        return compute.if_else(is_formula, quoted, texts)

    table = table.select(
        [x.name for x in table.schema if not pa.types.is_list(x.type)]
    )  # a cell holds none
    columns = [
        guarded(column) if pa.types.is_string(column.type) else column for column in table.columns
    ]
    names = guarded(pa.array(table.column_names, pa.string())).to_pylist()
    return pa.table(columns, names=names)
